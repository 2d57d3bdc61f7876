"""Figure 4: the tasks, seen from above.

python -m analysis.figures.figure_04 --out figure_04.svg figure_04.png
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis import command, style
from analysis.arenas import TARGET_COLOUR, ant_gather, draw_target
from envs.ant.drawing import draw_arena, draw_robot
from envs.ant.four_rooms import AntFourRooms
from envs.ant.maze import TRAINING_RANGE, AntMaze
from envs.ant.navigation import AntNavigation
from envs.traffic.drawing import HIGHWAY_LENGTH, draw_highway, draw_ring
from envs.traffic.ring_traffic import VEHICLES

RING_LENGTH = 245.0  # m, the middle of the lengths drawn in training
HIGHWAY_VEHICLES = 185  # about as many as on the congested road
AUTOMATED_EVERY = 22  # not stated; authors' code


def draw() -> Figure:
    """Draw the figure."""
    style.use()
    figure = Figure(figsize=(7.0, 3.1))
    panels = figure.subplot_mosaic([["a"] * 4, [*"bcde"]], height_ratios=[0.32, 1])
    for (letter, axes), (name, panel) in zip(sorted(panels.items()), PANELS.items(), strict=True):
        panel(axes)
        axes.set_title(f"({letter}) {name}")
    return figure


def highway(axes: Axes) -> None:
    """The whole road, with evenly spaced vehicles."""
    numbers = np.arange(HIGHWAY_VEHICLES)
    fronts = (numbers + 1) / HIGHWAY_VEHICLES * HIGHWAY_LENGTH
    draw_highway(axes, fronts, numbers % AUTOMATED_EVERY == AUTOMATED_EVERY // 2)


def ring_road(axes: Axes) -> None:
    """The ring with evenly spaced vehicles."""
    fronts = np.arange(VEHICLES) * RING_LENGTH / VEHICLES
    draw_ring(axes, RING_LENGTH, fronts, np.arange(VEHICLES) == 0)


def ant_four_rooms(axes: Axes) -> None:
    """The rooms with their three targets."""
    _navigation(axes, AntFourRooms())


def ant_maze(axes: Axes) -> None:
    """The maze with its evaluation targets, and the square that training draws its targets from."""
    _navigation(axes, AntMaze())
    low, high = TRAINING_RANGE
    axes.add_patch(
        Rectangle(
            (low, low), high - low, high - low, fill=False, linestyle=":", linewidth=0.9, color=TARGET_COLOUR
        )
    )


def _navigation(axes: Axes, env: AntNavigation) -> None:
    env.reset(seed=0)
    draw_arena(axes, env.arena)
    draw_robot(axes, env.model, env.data.qpos)
    for point in env.task.evaluation_points:
        draw_target(axes, point.options["target"])


#: Panels in the paper's order.
PANELS: dict[str, Callable[[Axes], None]] = {
    "Highway": highway,
    "Ring Road": ring_road,
    "Ant Gather": ant_gather,
    "Ant Four Rooms": ant_four_rooms,
    "Ant Maze": ant_maze,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    command.figure("figure_04", draw, arguments=arguments)


if __name__ == "__main__":
    main()
