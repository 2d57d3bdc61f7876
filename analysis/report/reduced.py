"""In the head of the page: how far its runs fall short of the paper's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from analysis import style
from analysis.summary import SHORT_SHARE, too_short

CELL = ["task", "label"]
#: What is said where runs are reduced, and not all of them are far too short.
LESS = "Where a figure or row is marked as reduced, its numbers are not those that the paper's preset would give."


class Extent(NamedTuple):
    """What was run, against the paper's preset.

    Attributes:
        cells: number of combinations of task, algorithm and variant.
        reduced: how many of them fall short.
        reasons: name of each task, and how its runs are reduced.
        meaning: what can be read from reduced runs; empty if there are none.
        steps: environment steps that were run.
        seeds: how many were run.
    """

    cells: int
    reduced: int
    reasons: dict[str, list[str]]
    meaning: str
    steps: str
    seeds: str


def extent(final: Sequence[pd.DataFrame]) -> Extent:
    """Count the cells of statistics of final performance, a table per study, and say how they are reduced."""
    rows = pd.concat(final, ignore_index=True).drop_duplicates(CELL)
    less = rows[rows["reduced"]]
    reasons = {
        style.task_name(str(task)): style.reductions(group) for task, group in less.groupby("task", sort=False)
    }
    short = rows[rows["steps_run"] < SHORT_SHARE * rows["steps_paper"]]
    tasks = [style.task_name(str(task)) for task in short["task"].unique()]
    said = too_short(tasks, every=len(short) == len(rows))
    meaning = " ".join([LESS] * (len(short) < len(rows)) + said) if len(less) else ""
    steps, seeds = (_range(rows[name]) for name in ("steps_run", "seeds_run"))
    return Extent(len(rows), len(less), reasons, meaning, steps, seeds)


def _range(numbers: pd.Series) -> str:
    """The smallest and the largest of some numbers."""
    low, high = numbers.min(), numbers.max()
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
