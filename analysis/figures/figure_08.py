"""Figure 8: workers from Ant Gather under new managers in mazes, success at every evaluation point.

python -m analysis.figures.figure_08 --evaluation-statistics evaluation_statistics.parquet --cells cells.parquet \
    --out figure_08.svg figure_08.png
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from string import ascii_lowercase
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from analysis import command, style
from analysis.arenas import TARGET_COLOUR, ant_gather
from analysis.curves import add_legend, bound
from analysis.frozen_workers import (
    STUDY,
    Point,
    evaluation_points,
    final_evaluations,
    make_task,
    manager_name,
    worker_name,
)
from analysis.headline import MEAN, last_evaluations
from analysis.transfer_setup import draw_transfer
from envs.ant.arena import Maze
from envs.ant.drawing import draw_arena, draw_robot
from envs.ant.navigation import SUCCESS_DISTANCE, AntNavigation

METRIC = "success"
SOURCE_TASK = "ant_gather"
TITLE = "last evaluation, mean over seeds; bar: one standard deviation to either side, within 0 and 1"
HOLLOW = "\nfilled: the manager is trained by the worker's algorithm; hollow: by another one"
STILL = "robot that stays at its start"
#: Marks what comes last in the legend.
OTHER = "other"
MARKERS = "osD^vPX"
GROUP = 0.64  # of the distance between two evaluation points, for all that is drawn at one of them
MARGIN = 1.5  # metres of the outer walls that a map shows

#: Colour and marker per worker.
Looks = Mapping[str, tuple[str, str]]


def draw(evaluations: pd.DataFrame, cells: pd.DataFrame) -> Figure:
    """Draw the figure.

    Args:
        evaluations: statistics of evaluations.
        cells: the study's cells; they say which worker is whose, and in which order all is drawn.

    Raises:
        ValueError: no manager on a transferred worker was evaluated.
    """
    style.use()
    rows = final_evaluations(evaluations, cells, [METRIC])
    tasks, workers = (list(rows[column].unique()) for column in ("task", "worker"))
    figure = Figure(figsize=(7.0, 2.1 + 2.4 * len(tasks) + 0.08 * rows["label"].nunique()))
    grid = figure.add_gridspec(len(tasks) + 1, 2, width_ratios=[0.3, 0.7], height_ratios=[0.85] + [1] * len(tasks))
    ant_gather(figure.add_subplot(grid[0, 0]))
    setup = figure.add_subplot(grid[0, 1], title="(a) Transfer of the worker")
    draw_setup(setup, source_evaluations(evaluations), workers, tasks)
    looks = worker_looks(rows)
    for number, task in enumerate(tasks, start=1):
        env, panel = make_task(task), rows[rows["task"] == task]
        points = [point for point in evaluation_points(env) if point.name in set(panel["target"])]
        draw_map(figure.add_subplot(grid[number, 0]), env, points)
        title = f"({ascii_lowercase[number]}) {style.task_name(task)}"
        draw_panel(figure.add_subplot(grid[number, 1], title=title), panel, points, looks)
    add_legend(figure, TITLE + HOLLOW * (not rows["own"].all()), last=OTHER)
    return figure


def worker_looks(rows: pd.DataFrame) -> Looks:
    """The colour of the algorithm that a worker comes from, and a marker of its own."""
    sources = dict(zip(rows["worker"], rows["source_algorithm"], strict=True))
    colours = style.colours(sources.values())
    markers = cycle(MARKERS)
    return {worker: (colours[algorithm], next(markers)) for worker, algorithm in sources.items()}


def source_evaluations(evaluations: pd.DataFrame) -> pd.DataFrame:
    """The last evaluations of the trainings that the workers come from."""
    last = last_evaluations(evaluations)
    return last[(last["study"] == STUDY) & (last["task"] == SOURCE_TASK)]


def draw_setup(axes: Axes, sources: pd.DataFrame, workers: Sequence[str], targets: Sequence[str]) -> None:
    """Draw what becomes of the workers; the extent is that of the trainings that they come from."""
    if len(sources):
        style.mark_extent(axes, sources)
    draw_transfer(axes, workers, targets)


def draw_map(axes: Axes, env: AntNavigation, points: Sequence[Point]) -> None:
    """Draw a maze from above, the robot at its start, and the numbered evaluation points."""
    env.reset(seed=0)
    draw_arena(axes, env.arena)
    draw_robot(axes, env.model, env.data.qpos)
    assert isinstance(env.arena, Maze)
    centres, around = np.array(env.arena.free_centres), env.arena.cell / 2 + MARGIN
    (left, bottom), (right, top) = centres.min(axis=0) - around, centres.max(axis=0) + around
    axes.set(xlim=(left, right), ylim=(bottom, top))
    look: dict[str, Any] = {
        "ha": "center",
        "va": "center",
        "fontsize": 7.5,
        "weight": "bold",
        "color": TARGET_COLOUR,
        "zorder": 4,
    }
    for point in points:
        place = (point.x, point.y)
        axes.add_patch(Circle(place, SUCCESS_DISTANCE, color=TARGET_COLOUR, alpha=0.1, linewidth=0, zorder=0))
        beside = SUCCESS_DISTANCE / 2 * point.is_at_start  # where the robot does not hide it
        axes.text(point.x, point.y + beside, str(point.number), **look)


def draw_panel(axes: Axes, panel: pd.DataFrame, points: Sequence[Point], looks: Looks) -> None:
    """Draw the success at every evaluation point and its mean, one marker per worker and manager.

    Args:
        axes: to draw on.
        panel: last evaluations of one task, metric success.
        points: in the order of the axis.
        looks: of the workers.
    """
    places = {point.name: float(number) for number, point in enumerate(points)} | {MEAN: len(points) + 0.3}
    draw_standing_still(axes, points, places)
    labels = list(panel["label"].unique())
    offsets = (np.arange(len(labels)) - (len(labels) - 1) / 2) * GROUP / max(len(labels), 4)
    for offset, label in zip(offsets, labels, strict=True):
        rows = panel[panel["label"] == label]
        draw_markers(axes, rows, rows["target"].map(places) + offset, *looks[rows["worker"].iloc[0]])
    axes.axvline(len(points) - 0.35, color="0.6", linewidth=0.7)
    names = [f"{point.number}\n{point.walk:.0f} m" for point in points]
    axes.set_xticks(list(places.values()), [*names, "mean"])
    axes.set_xlim(-0.5, len(points) + 0.8)
    axes.grid(visible=False, axis="x")
    axes.set_xlabel("Evaluation point (number in the map), and walk to it from the start")
    axes.set_ylabel("Success rate")
    bound(axes, (0, 1))
    style.mark_extent(axes, panel)


def draw_markers(axes: Axes, rows: pd.DataFrame, at: pd.Series, colour: str, marker: str) -> None:
    """Draw one worker and manager: a marker at each mean, and a bar of one standard deviation, cut at 0 and 1."""
    own = bool(rows["own"].iloc[0])
    low, high = ((rows["mean"] + sign * rows["std"]).clip(0, 1) for sign in (-1, 1))
    axes.vlines(at, low, high, color=colour, linewidth=1.2 if own else 0.8)
    axes.plot(
        at,
        rows["mean"],
        marker,
        color=colour,
        markersize=4.5 if own else 4,
        markerfacecolor=colour if own else "white",
        label=f"{worker_name(rows['worker'].iloc[0])}, {manager_name(rows['algorithm'].iloc[0])}",
        gid=None if own else OTHER,
    )


def draw_standing_still(axes: Axes, points: Sequence[Point], places: Mapping[str, float]) -> None:
    """Mark what a robot reaches that stays at its start, where that is not 0."""
    levels = {point.name: float(point.is_at_start) for point in points}
    levels[MEAN] = sum(levels.values()) / len(points)
    for name, level in levels.items():
        if level > 0:
            ends = [places[name] - 0.42, places[name] + 0.42]
            axes.plot(ends, [level, level], ":", color="0.4", linewidth=1, label=STILL, gid=OTHER)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    command.figure("figure_08", draw, ["evaluation_statistics", "cells"], arguments=arguments)


if __name__ == "__main__":
    main()
