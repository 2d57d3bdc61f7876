"""How the goals that a manager sets are distributed, and how that changes in the course of training.

Goals of all seeds are pooled: seeds set nearly equally many.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from envs.base import TaskSpec
from envs.names import TASKS
from envs.tasks import describe

Array = NDArray[np.float64]

#: Cells along a side of the goal box (1 m for the Ant), and along the range of goals with a single dimension.
CELLS = 20
QUARTILES = (0.25, 0.5, 0.75)


class Density(NamedTuple):
    """A histogram in two dimensions.

    Attributes:
        values: percent of the goals per unit of area or length, [n, m]; NaN where there can be none.
        edges: of the cells, [n + 1] and [m + 1].
        goals: how many goals it holds.
    """

    values: Array
    edges: tuple[Array, Array]
    goals: int


def task_of(name: str) -> TaskSpec:
    """The task as managers see it.

    Raises:
        ValueError: there is no such task.
    """
    if name not in TASKS:
        raise ValueError(f"there is no task '{name}'; allowed: {', '.join(TASKS)}")
    return describe(name)[0]


def select(proposals: pd.DataFrame, task: TaskSpec, labels: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """The rows of each label that there are goals of on a task, in the order given.

    Raises:
        ValueError: there are none of any.
    """
    here = proposals[proposals["task"] == task.name]
    found = {label: rows for label in labels if not (rows := here[here["label"] == label]).empty}
    if not found:
        raise ValueError(f"there are no goal proposals of {' or '.join(labels)} on {task.name}")
    return found


def around_agent(task: TaskSpec) -> bool:
    """Whether goals are displacements in the plane, with the agent at the origin."""
    return task.relative_goals and len(task.planar_goals) == 2


def planar(rows: pd.DataFrame, task: TaskSpec) -> Array:
    """The goals in the plane as seen from the agent, in metres, [n, 2]."""
    return rows[[f"goal_{index}" for index in task.planar_goals]].to_numpy(np.float64)


def entries(rows: pd.DataFrame) -> Array:
    """All dimensions that the goals have, [n, d]; a table of several tasks has columns for more."""
    return rows.filter(regex=r"^goal_\d+$").dropna(axis="columns", how="all").to_numpy(np.float64)


def step_edges(rows: pd.DataFrame, end: int, most: int) -> Array:
    """Equal intervals of steps, as many as a seed has goals but no more than ``most``."""
    number = min(most, int(rows.groupby(["label", "seed"]).size().max()))
    return np.linspace(0, end, number + 1)


def stages(rows: pd.DataFrame, edges: Array) -> list[pd.DataFrame]:
    """The rows of each interval of steps; the last one includes its end."""
    at = np.clip(np.digitize(rows["step"], edges) - 1, 0, len(edges) - 2)
    return [rows[at == number] for number in range(len(edges) - 1)]


def planar_density(rows: pd.DataFrame, task: TaskSpec) -> Density:
    """Goals in the plane: percent per square metre, [x, y]."""
    low, high = (corner[task.planar_goals].astype(np.float64) for corner in (task.goal_low, task.goal_high))
    # Managers' goals lie in the box; in a table, those on its border may be off by rounding.
    goals = np.clip(planar(rows, task), low, high)
    x, y = np.linspace(low, high, CELLS + 1).T
    counts, *_ = np.histogram2d(goals[:, 0], goals[:, 1], bins=(x, y))
    area = float(np.prod((high - low) / CELLS))
    return Density(100 * counts / max(len(goals), 1) / area, (x, y), len(goals))


def density_over_steps(rows: pd.DataFrame, task: TaskSpec, steps: Array) -> Density:
    """Goals of any dimensions, all of one unit: percent of an interval's goals per unit, [interval, goal]."""
    low, high = float(task.goal_low.min()), float(task.goal_high.max())
    goals = np.clip(entries(rows), low, high)
    when = np.repeat(rows["step"].to_numpy(np.float64), goals.shape[1])
    edges = steps, np.linspace(low, high, CELLS + 1)
    counts, *_ = np.histogram2d(np.clip(when, steps[0], steps[-1]), goals.ravel(), bins=edges)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.full_like(counts, np.nan), where=totals > 0)
    return Density(100 * shares * CELLS / (high - low), edges, len(goals))


def quartiles(rows: pd.DataFrame, task: TaskSpec, edges: Array) -> pd.DataFrame:
    """Quartiles over each interval of steps that has goals: ``low``, ``median``, ``high``; ``step`` is its middle.

    They are those of the goals' distance from the agent in the plane in metres or, where goals are no
    displacements in the plane, of the goals themselves.
    """
    table = []
    for start, end, part in zip(edges[:-1], edges[1:], stages(rows, edges), strict=True):
        if not part.empty:
            values = np.linalg.norm(planar(part, task), axis=1) if around_agent(task) else entries(part)
            table.append(((start + end) / 2, *np.quantile(values, QUARTILES)))
    return pd.DataFrame(table, columns=["step", "low", "median", "high"])
