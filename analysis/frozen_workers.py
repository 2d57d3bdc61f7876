"""The transfer study (paper, 5.5): new managers on frozen workers, evaluated at many points of a maze.

A worker comes from a training on Ant Gather, the *source*.  Its new manager is trained either by the source's own
algorithm, which is the comparison of Figure 8, or by another one, which tells the worker's part from the
manager's.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot
from typing import NamedTuple

import pandas as pd

from analysis import style
from analysis.headline import last_evaluations
from analysis.walking import walking_distance
from envs.ant.arena import Maze
from envs.ant.navigation import SUCCESS_DISTANCE, AntNavigation
from envs.options import TRANSFER_OPTIONS
from envs.tasks import make

STUDY = "transfer"


class Point(NamedTuple):
    """An evaluation point; they are numbered from 1 by the length of the walk there.

    Attributes:
        number: on maps and axes.
        name: as in the results.
        x: metres.
        y: metres.
        walk: metres on foot from the robot's start.
    """

    number: int
    name: str
    x: float
    y: float
    walk: float

    @property
    def is_at_start(self) -> bool:
        """Whether a robot that stays where it starts succeeds."""
        return hypot(self.x, self.y) < SUCCESS_DISTANCE


def make_task(task: str) -> AntNavigation:
    """The variant of a task that the study trains and evaluates on.

    Raises:
        ValueError: there is no such variant, or it is no maze with targets.
    """
    env = make(task, TRANSFER_OPTIONS[task]) if task in TRANSFER_OPTIONS else None
    if not isinstance(env, AntNavigation) or not isinstance(env.arena, Maze):
        raise ValueError(f"a worker was transferred to {task!r}, which has no evaluation points in a maze")
    return env


def evaluation_points(env: AntNavigation) -> list[Point]:
    """The evaluation points of a task, nearest first."""
    assert isinstance(env.arena, Maze)
    found = []
    for point in env.task.evaluation_points:
        x, y = point.options["target"]
        found.append((walking_distance(env.arena, x, y), point.name, x, y))
    ordered = sorted(found, key=lambda point: point[0])
    return [Point(number, name, x, y, walk) for number, (walk, name, x, y) in enumerate(ordered, start=1)]


def transferred(cells: pd.DataFrame) -> pd.DataFrame:
    """The study's cells with a frozen worker: task, label, the manager's algorithm, and where the worker is from.

    Columns besides: ``worker``, a label for names, which is the source's algorithm unless several
    sources share it; and ``own``, whether the manager is trained by that algorithm.  Ordered by task, then source,
    both as in the cells, with the source's own algorithm first.

    Raises:
        ValueError: there is no such cell.
    """
    chosen = cells[(cells["study"] == STUDY) & (cells["source"] != "")].copy()
    if chosen.empty:
        raise ValueError("no cell of the study 'transfer' has taken over a worker")
    sources = chosen.drop_duplicates("source")
    shared = sources.loc[sources["source_algorithm"].duplicated(keep=False), "source"]
    chosen["worker"] = chosen["source_algorithm"].where(~chosen["source"].isin(shared), chosen["source"])
    chosen["own"] = chosen["algorithm"] == chosen["source_algorithm"]
    places = {column: pd.factorize(chosen[column])[0] for column in ("task", "source")} | {"other": ~chosen["own"]}
    order = pd.DataFrame(places, index=chosen.index).sort_values(list(places), kind="stable").index
    return chosen.loc[order, ["task", "label", "algorithm", "source", "source_algorithm", "worker", "own"]]


def final_evaluations(evaluations: pd.DataFrame, cells: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Statistics of the last evaluation of every manager on a frozen worker, in the order of :func:`transferred`.

    Args:
        evaluations: statistics of evaluations.
        cells: the study's cells.
        metrics: columns of ``evaluations.csv``.

    Raises:
        ValueError: there is none.
    """
    chosen = (evaluations["study"] == STUDY) & evaluations["metric"].isin(list(metrics))
    last = last_evaluations(evaluations[chosen]).drop(columns="algorithm")
    rows = transferred(cells).merge(last, on=["task", "label"])
    if rows.empty:
        raise ValueError("there is no evaluation of a manager on a transferred worker")
    return rows


def worker_name(worker: str) -> str:
    """The name of a worker for readers, by where it comes from."""
    return f"{style.algorithm_name(worker)} worker"


def manager_name(algorithm: str) -> str:
    """The name of a manager for readers, by what trains it."""
    return f"{style.algorithm_name(algorithm)} manager"
