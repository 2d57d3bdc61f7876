"""How far a robot walks in an episode, and how much ground it comes to."""

from __future__ import annotations

from math import floor, hypot
from typing import Any

import numpy as np

#: Episode metrics of every Ant task, in the order of :meth:`PlanarPath.metrics`.
PATH_METRICS = ("path_length", "coverage")

Point = list[float]


class PlanarPath:
    """Length of a path in the plane, and the cells of 1 m x 1 m that it has been in.

    Cells are centred on whole metres.  With the origin on a corner, a robot that stands still where it starts
    would count up to four of them.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything: the next move begins a new path."""
        self._length = 0.0
        self._cells: set[tuple[int, int]] = set()

    def add(self, start: Point, end: Point) -> None:
        """Take in a straight move between two points x, y in metres; of the cells, only theirs count."""
        if not self._cells:
            self._cells.add(_cell(start))
        self._cells.add(_cell(end))
        self._length += hypot(end[0] - start[0], end[1] - start[1])

    def metrics(self) -> dict[str, float]:
        """``path_length`` in metres, and ``coverage``, the number of cells."""
        return {"path_length": self._length, "coverage": float(len(self._cells))}

    @property
    def state(self) -> dict[str, Any]:
        """Everything, in plain types and arrays; equal paths give equal states."""
        cells = np.array(sorted(self._cells), dtype=np.int64).reshape(-1, 2)
        return {"length": self._length, "cells": cells}

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self._length = state["length"]
        self._cells = {(column, row) for column, row in state["cells"].tolist()}


def _cell(point: Point) -> tuple[int, int]:
    return floor(point[0] + 0.5), floor(point[1] + 0.5)
