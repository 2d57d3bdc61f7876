"""Figure 10: the highway without control and with CHER, and the average speed by algorithm.

python -m analysis.figures.figure_10 --recordings highway/human=human.parquet highway/cher=cher.parquet \
    --evaluation-statistics evaluation_statistics.parquet --driver-statistics driver_statistics.parquet \
    --out figure_10.svg figure_10.png
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis import command, named_files, style
from analysis.command import Option
from analysis.curves import BAND, DRIVER, DRIVERS_TITLE, add_legend, draw_curves, draw_drivers
from analysis.headline import MEAN, select_drivers
from analysis.named_files import Cell
from analysis.recordings import RecordingError, matching_episodes, read_named
from analysis.time_space import HIGHWAY_SPEEDS, add_speed_bar, draw_time_space
from envs.traffic.highway_network import CONTROLLED_PART

HIGHWAY = "highway"
METRIC = "mean_speed"
NO_CONTROL = "human"
#: The paper's panels keep their letters where another one is missing; other recordings have none.
LETTERS = {NO_CONTROL: "a", "cher": "b"}
SPEEDS_LETTER = "c"
BESIDE = 2  # time-space diagrams in a row
SAME_PLACE = 0.01  # m; two vehicles of the same start differ by rounding alone


def draw(evaluations: pd.DataFrame, drivers: pd.DataFrame, recorded: Mapping[Cell, pd.DataFrame]) -> Figure:
    """Draw the figure.

    Args:
        evaluations: statistics of evaluations; their order is that of the legend.
        drivers: statistics of scripted drivers, likewise.
        recorded: recordings by task, which is the highway, and label; lettered panels come first.

    Raises:
        ValueError: there is nothing to draw, the recordings do not begin alike, or the statistics lack a run.
    """
    style.use()
    recorded = dict(sorted(recorded.items(), key=lambda named: LETTERS.get(named[0][1], SPEEDS_LETTER)))
    means = evaluations[(evaluations["task"] == HIGHWAY) & (evaluations["target"] == MEAN)]
    speeds = means[means["metric"] == METRIC]
    levels = select_drivers(drivers, HIGHWAY, METRIC)
    if not recorded and speeds.empty:
        raise ValueError(f"there is nothing to draw: neither recordings nor statistics of {METRIC} on {HIGHWAY}")
    rows = -(-len(recorded) // BESIDE)
    figure = Figure(figsize=(7.0, 2.6 * rows + (3.2 if len(speeds) else 0)))
    grid = figure.add_gridspec(rows + bool(len(speeds)), BESIDE)
    diagrams = [figure.add_subplot(grid[divmod(number, BESIDE)]) for number in range(len(recorded))]
    if diagrams:
        draw_traffic(diagrams, recorded)
        for axes, (_, label) in zip(diagrams, recorded, strict=True):
            name_panel(axes, label, means, drivers)
    if len(speeds):
        draw_speeds(figure.add_subplot(grid[rows, :]), speeds, levels)
        add_legend(figure, BAND, last=DRIVER, last_title=DRIVERS_TITLE)
    return figure


def draw_traffic(diagrams: Sequence[Axes], recorded: Mapping[Cell, pd.DataFrame]) -> None:
    """Draw a time-space diagram per recording; an episode that a collision has ended is seen to be short."""
    episodes = matching_episodes({"/".join(cell): table for cell, table in recorded.items()})
    require_one_start(episodes)
    end = max(episode["time"].max() for episode in episodes.values())
    for axes, episode in zip(diagrams, episodes.values(), strict=True):
        draw_time_space(axes, episode, HIGHWAY_SPEEDS)
        axes.set_xlim(0, end)
    add_speed_bar(diagrams, HIGHWAY_SPEEDS)


def require_one_start(episodes: Mapping[str, pd.DataFrame]) -> None:
    """See to it that episodes begin with the same vehicles at the same places.

    Raises:
        RecordingError: one of them does not.
    """
    starts = {
        name: episode[episode["time"] == episode["time"].min()].set_index("vehicle")["position"]
        for name, episode in episodes.items()
    }
    first, *others = starts
    for name in others:
        ours, theirs = starts[first], starts[name]
        if set(ours.index) != set(theirs.index) or not np.allclose(ours, theirs[ours.index], atol=SAME_PLACE):
            raise RecordingError(
                f"{name} begins with other traffic than {first}; both must be recorded at the same training step"
            )


def name_panel(axes: Axes, label: str, evaluations: pd.DataFrame, drivers: pd.DataFrame) -> None:
    """The title of a time-space diagram: who drives, and how far it was trained.

    Raises:
        ValueError: the statistics know neither an algorithm nor a driver of this name.
    """
    trained = evaluations[evaluations["label"] == label]
    driven = drivers[(drivers["task"] == HIGHWAY) & (drivers["driver"] == label)]
    if trained.empty and driven.empty:
        raise ValueError(f"the statistics lack {HIGHWAY}/{label}, which there is a recording of")
    name = style.driver_name(label) if trained.empty else style.algorithm_name(label)
    letter = f"({LETTERS[label]}) " if label in LETTERS else ""
    axes.set_title(f"{letter}{'No control' if label == NO_CONTROL else name}")
    rows = driven if trained.empty else trained
    if len(trained) or style.reductions(rows):  # a driver is not trained, so that its full extent says nothing
        style.mark_extent(axes, rows)


def draw_speeds(axes: Axes, speeds: pd.DataFrame, levels: pd.DataFrame) -> None:
    """Draw the mean speed in evaluations over training, and that of scripted drivers."""
    draw_curves(axes, speeds, style.colours(speeds["label"]))
    draw_drivers(axes, levels)
    low, high = CONTROLLED_PART
    axes.set_ylabel("Mean speed (m/s)")
    axes.set_title(f"({SPEEDS_LETTER}) Average speed from {low:,.0f} to {high:,.0f} m")
    axes.set_ylim(bottom=0)
    style.mark_extent(axes, speeds)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    read = partial(read_named, tasks=[HIGHWAY])
    options = [Option("recordings", "traffic of episodes that begin alike", read, named_files.SEVERAL)]
    command.figure("figure_10", draw, ["evaluation_statistics", "driver_statistics"], options, arguments=arguments)


if __name__ == "__main__":
    main()
