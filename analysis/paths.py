"""Paths of an agent in the plane, with the goals that its manager proposed along them (Figures 6 and 7).

They come from the files that ``python -m algorithms.evaluate --trajectories`` writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from analysis.named_files import parse

Array = NDArray[np.float64]
GOAL_COLOUR = "0.55"
#: Trajectories by task and label.
Trajectories = dict[tuple[str, str], pd.DataFrame]

COLUMNS = ("seed", "target", "episode", "step", "period_start")
PLANE = ["x", "y"]
GOAL = ["goal_0", "goal_1"]  # metres, relative to the position at which the goal is set


def read_trajectories(arguments: Sequence[str]) -> Trajectories:
    """Read the files of a command line.

    Args:
        arguments: texts of the form ``TASK/LABEL=FILE``.

    Raises:
        ValueError: a text has another form, or a file holds no trajectories.
    """
    read = {}
    for (task, label), file in parse(arguments).items():
        table = pd.read_csv(file) if file.suffix == ".csv" else pd.read_parquet(file)
        if missing := [column for column in COLUMNS if column not in table]:
            raise ValueError(f"'{file}' is not a file of trajectories: there is no column {missing[0]}")
        read[task, label] = table
    return read


def first_episodes(trajectories: pd.DataFrame, number: int) -> Iterator[pd.DataFrame]:
    """The first episodes of the first seed at each evaluation point."""
    seed = trajectories[trajectories["seed"] == trajectories["seed"].min()]
    for _, point in seed.groupby("target", sort=False):
        for episode in sorted(point["episode"].unique())[:number]:
            yield point[point["episode"] == episode].sort_values("step")


def proposed_goals(episode: pd.DataFrame) -> tuple[Array, Array]:
    """Where the agent was when a goal was set, and where that goal lay.

    Args:
        episode: rows of one episode on a task whose goals are relative to the position.

    Returns:
        Positions and goals in metres, [n, 2] each; n is 0 for a policy without goals.
    """
    if not set(GOAL) <= set(episode):
        return np.empty((0, 2)), np.empty((0, 2))
    rows = episode[episode["period_start"].astype(bool)]
    positions = rows[PLANE].to_numpy(np.float64)
    return positions, positions + rows[GOAL].to_numpy(np.float64)


def draw_path(axes: Axes, episode: pd.DataFrame, *, colour: str, goal_colour: str = GOAL_COLOUR) -> None:
    """Draw the path of one episode from above, and the goals along it.

    The path is a line that starts at a black dot; a cross is a goal, and a thin line leads to it from where the
    agent was when the goal was set.  The legend explains them by the ``gid`` of :func:`name_path`.

    Args:
        axes: to draw on, in metres.
        episode: rows of one episode.
        colour: of the path.
        goal_colour: of goals and of the lines to them.
    """
    positions, goals = proposed_goals(episode)
    links = LineCollection(
        list(np.stack([positions, goals], axis=1)), colors=goal_colour, linewidths=0.3, alpha=0.35, zorder=2
    )
    axes.add_collection(links, autolim=False)
    axes.plot(*goals.T, "x", color=goal_colour, markersize=2.5, markeredgewidth=0.6, zorder=3)
    path = episode[PLANE].to_numpy(np.float64)
    axes.plot(*path.T, color=colour, linewidth=1.4, zorder=4)
    axes.plot(*path[:1].T, "o", color="black", markersize=2.5, zorder=5)


def name_path(axes: Axes, gid: str, goal_colour: str = GOAL_COLOUR) -> None:
    """Let the legend explain what :func:`draw_path` draws, among the entries of this ``gid``."""
    axes.plot([], [], color="0.2", label="path", gid=gid)
    axes.plot([], [], "o", color="black", markersize=3, linestyle="none", label="start", gid=gid)
    axes.plot(
        [], [], "x", color=goal_colour, markersize=4, linestyle="none", label="goal when it was set", gid=gid
    )


def reach(episodes: Sequence[pd.DataFrame]) -> float:
    """Greatest distance from the origin along x or y, in metres, of all paths and goals; 0 if there are none."""
    corners = [
        np.abs(part) for episode in episodes for part in (episode[PLANE].to_numpy(), proposed_goals(episode)[1])
    ]
    return max((float(np.nanmax(part)) for part in corners if part.size), default=0.0)
