"""Figure 7: varying degrees of cooperation on Ant Gather.

Above: the worker's expected return with the constraint, lambda, and final performance by cooperation ratio; below:
paths of the final policies with the goals proposed along them.

python -m analysis.figures.figure_07 --statistics statistics.parquet --final final.parquet --cells cells.parquet \
    --runs runs.parquet --trajectories ant_gather/hrl=hrl.parquet ant_gather/cher=cher.parquet --out figure_07.svg
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isnan
from string import ascii_lowercase

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis import command, named_files, style
from analysis.by_seed import final_by_seed
from analysis.command import Option
from analysis.curves import BAND, add_legend, draw_curves
from analysis.headline import RETURN
from analysis.levels import Level, levels
from analysis.paths import Trajectories, draw_path, first_episodes, name_path, reach, read_trajectories
from analysis.points import draw_point, name_points
from envs.ant.arena import Arena
from envs.ant.drawing import draw_arena
from envs.ant.gather import WALL_DISTANCE, AntGather

TASK = "ant_gather"
WORKER_RETURN, LOG_LAMBDA = "worker_q_current", "log_lambda"
EPISODES = 3
COLUMNS = 3
#: Marks what the legend explains in rows of its own.
KEY = "key"
#: The first panel of paths; the paper's panels before it have their letters whether or not there are data.
FIRST_PATH = "d"
TITLES = {"a": "Worker's return", "b": "Dynamic λ", "c": "Performance"}
WALL = 1.0  # m, shown beyond the inner faces

Panel = Callable[[Axes], None]


def draw(
    statistics: pd.DataFrame,
    final: pd.DataFrame,
    cells: pd.DataFrame,
    runs: pd.DataFrame,
    trajectories: Trajectories,
) -> Figure:
    """Draw the figure.

    Args:
        statistics: statistics of training.
        final: statistics of final training performance.
        cells: the study's cells, which say what ratio and delta a label has.
        runs: training progress of every seed.
        trajectories: of evaluation episodes, by task and label.

    Raises:
        ValueError: there are no data on Ant Gather, or trajectories of a run that is no level of cooperation.
    """
    style.use()
    shown = levels(cells, TASK)
    labels = [level.label for level in shown]
    if unknown := [label for task, label in trajectories if task != TASK or label not in labels]:
        raise ValueError(f"trajectories of '{unknown[0]}' belong to no level of cooperation; allowed: {labels}")
    training, last, progress = (_by_level(table, labels) for table in (statistics, final, runs))
    above = _above(training, last, progress, shown)
    below = _below(last, trajectories, shown)
    if not above and not below:
        raise ValueError(f"there are neither statistics nor trajectories of {TASK} with any of {labels}")
    figure = _lay_out(above, below)
    add_legend(figure, BAND, last=KEY)
    return figure


def _by_level(table: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """The rows of the levels, by rising cooperation."""
    rows = table[(table["task"] == TASK) & table["label"].isin(labels)]
    return rows.sort_values("label", key=lambda column: column.map(labels.index), kind="stable")


def _above(
    training: pd.DataFrame, last: pd.DataFrame, progress: pd.DataFrame, shown: Sequence[Level]
) -> dict[str, Panel]:
    """The panels over steps and over the ratio that there are data for, by letter."""
    panels: dict[str, Panel] = {}
    worker, weight = (training[training["metric"] == metric] for metric in (WORKER_RETURN, LOG_LAMBDA))
    performance = last[last["metric"] == RETURN.metric]
    with_ratio = [level for level in shown if not isnan(level.ratio) and level.label in set(performance["label"])]
    if not worker.empty:
        panels["a"] = lambda axes: draw_worker_return(axes, worker, shown)
    if not weight.empty:
        panels["b"] = lambda axes: draw_lambda(axes, weight, shown)
    if with_ratio:
        panels["c"] = lambda axes: draw_performance(axes, performance, progress, with_ratio)
    return panels


def draw_worker_return(axes: Axes, rows: pd.DataFrame, shown: Sequence[Level]) -> None:
    """Draw the worker's expected return over training, and dashed the level that it is to be kept at."""
    _draw_curves(axes, rows, shown)
    drawn = set(rows["label"])
    for level in shown:
        if level.label in drawn and not isnan(level.delta):
            axes.axhline(level.delta, color=level.colour, linestyle="--", linewidth=0.9, zorder=1.9)
    if any(not isnan(level.delta) for level in shown):
        axes.plot([], [], "--", color="0.4", linewidth=0.9, label="constraint δ", gid=KEY)
    axes.set_ylabel("Worker's expected return")
    style.mark_extent(axes, rows, narrow=True)


def draw_lambda(axes: Axes, rows: pd.DataFrame, shown: Sequence[Level]) -> None:
    """Draw lambda over training on a log axis: mean and band are those of its logarithm."""
    _draw_curves(axes, rows, shown, np.exp)
    axes.set_yscale("log")
    axes.set_ylabel("λ")
    style.mark_extent(axes, rows, narrow=True)


def _draw_curves(
    axes: Axes,
    rows: pd.DataFrame,
    shown: Sequence[Level],
    transform: Callable[[pd.Series], pd.Series] = lambda values: values,
) -> None:
    colours = {level.label: level.colour for level in shown}
    names = {level.label: level.name for level in shown}
    draw_curves(axes, rows, colours, name=names.__getitem__, transform=transform)
    axes.set_xlabel("Environment steps")  # a third of the page has no room for more


def draw_performance(axes: Axes, rows: pd.DataFrame, runs: pd.DataFrame, shown: Sequence[Level]) -> None:
    """Draw the final return by cooperation ratio; a line joins the means."""
    rows = rows.set_index("label").loc[[level.label for level in shown]]
    ratios = [100 * level.ratio for level in shown]
    axes.plot(ratios, rows["mean"], color="0.7", linewidth=0.9, zorder=1.9)
    for level, ratio, mean, std in zip(shown, ratios, rows["mean"], rows["std"], strict=True):
        seeds = final_by_seed(runs[runs["label"] == level.label], RETURN.metric)
        draw_point(axes, ratio, mean, std, seeds, level.colour)
    name_points(axes, KEY)
    axes.set(xlim=(-6, 106), xticks=range(0, 101, 25), xlabel="Cooperation ratio (%)", ylabel="Final return")
    style.mark_extent(axes, rows, narrow=True)


def _below(last: pd.DataFrame, trajectories: Trajectories, shown: Sequence[Level]) -> list[tuple[str, Panel]]:
    """Title and content of a panel per level that there are trajectories of; all have one scale."""
    episodes = {
        level: list(first_episodes(trajectories[TASK, level.label], EPISODES))
        for level in shown
        if (TASK, level.label) in trajectories
    }
    arena = AntGather().arena
    half = max(WALL_DISTANCE + WALL, reach([episode for some in episodes.values() for episode in some]) + WALL)

    def panel(level: Level) -> Panel:
        rows = last[last["label"] == level.label]
        return lambda axes: draw_paths(axes, arena, episodes[level], rows, level, half)

    return [(level.name, panel(level)) for level in episodes]


def draw_paths(
    axes: Axes, arena: Arena, episodes: Sequence[pd.DataFrame], rows: pd.DataFrame, level: Level, half: float
) -> None:
    """Draw some episodes of one level in the arena.

    Args:
        axes: to draw on.
        arena: the walls.
        episodes: rows of each episode.
        rows: the level's statistics, for the extent of its runs.
        level: whose policy it is.
        half: half the side of the square that is shown, in metres.
    """
    draw_arena(axes, arena)
    for episode in episodes:
        draw_path(axes, episode, colour=level.colour)
    name_path(axes, KEY)
    axes.set_axis_on()
    axes.grid(False)
    axes.set(xlim=(-half, half), ylim=(-half, half), xlabel="x (m)", ylabel="y (m)")
    ticks = [-10, 0, 10]
    axes.set(xticks=ticks, yticks=ticks)
    if not rows.empty:
        style.mark_extent(axes, rows, narrow=True)


def _lay_out(above: dict[str, Panel], below: Sequence[tuple[str, Panel]]) -> Figure:
    """The panels over steps and ratio share the first row, and three panels of paths each another one."""
    path_rows = -(-len(below) // COLUMNS)
    heights = [2.6] * bool(above) + [2.75] * path_rows
    figure = Figure(figsize=(7.0, sum(heights) + 0.9))
    style.spread_rows(figure)
    grid = figure.add_gridspec(len(heights), 6, height_ratios=heights)
    for column, (letter, panel) in enumerate(above.items()):
        width = 6 // len(above)
        axes = figure.add_subplot(
            grid[0, column * width : (column + 1) * width], title=f"({letter}) {TITLES[letter]}"
        )
        panel(axes)
    first = ascii_lowercase.index(FIRST_PATH)
    for number, (name, panel) in enumerate(below):
        row, column = divmod(number, COLUMNS)
        place = grid[row + bool(above), 2 * column : 2 * column + 2]
        axes = figure.add_subplot(place, title=f"({ascii_lowercase[first + number]}) {name}")
        panel(axes)
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    options = [Option("trajectories", "steps of evaluation episodes", read_trajectories, named_files.SEVERAL)]
    command.figure("figure_07", draw, ["statistics", "final", "cells", "runs"], options, arguments=arguments)


if __name__ == "__main__":
    main()
