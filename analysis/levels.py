"""The levels of cooperation of section 5.4: which cells have one, their order, names and colours.

The cooperation ratio is 1 - delta / J_HRL: 0 for plain HRL, 1 where the worker may not miss any goal (delta = 0).
"""

from __future__ import annotations

from math import isnan
from typing import NamedTuple

import pandas as pd

from analysis import style
from analysis.tables.writing import round_to


class Level(NamedTuple):
    """One cell's level of cooperation.

    Attributes:
        label: the cell's label.
        ratio: cooperation ratio; NaN if the worker return of plain HRL is not known.
        delta: worker return to be kept; NaN for plain HRL, which keeps none.
        colour: of the level in every panel.
    """

    label: str
    ratio: float
    delta: float
    colour: str

    @property
    def name(self) -> str:
        """The name for readers: the ratio in per cent with delta, or what of it is known."""
        constraint = "HRL" if isnan(self.delta) else f"δ = {delta_text(self.delta)}"
        return constraint if isnan(self.ratio) else f"{round_to(100 * self.ratio, 0)} % ({constraint})"


def delta_text(delta: float) -> str:
    """A delta in whole numbers, as the paper writes it."""
    return round_to(round(delta) + 0.0, 0)  # adding 0 makes 0 of -0


def levels(cells: pd.DataFrame, task: str) -> list[Level]:
    """The levels of a task by rising cooperation; cells with neither a ratio nor a delta have none.

    Args:
        cells: the cells of a study.
        task: name of the task.

    Raises:
        ValueError: the task has no such cell.
    """
    rows = cells[(cells["task"] == task) & cells[["cooperation_ratio", "delta"]].notna().any(axis=1)]
    if rows.empty:
        raise ValueError(f"there is no level of cooperation on {task}: no cell has a cooperation ratio or a delta")
    rows = rows.sort_values(["cooperation_ratio", "delta"], na_position="last", kind="stable")
    numbers = zip(rows["label"], rows["cooperation_ratio"], rows["delta"], strict=True)
    return [Level(*row, colour) for row, colour in zip(numbers, style.sequential_colours(len(rows)), strict=True)]
