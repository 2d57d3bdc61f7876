"""Arenas of the Ant tasks: the walls that stand in them, and where the robot may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

#: Metres of open floor to be shown around the origin where no walls say how large an arena is.
FREE_HALF_WIDTH = 10.0

Point = tuple[float, float]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Block:
    """A fixed box of the scene; lengths in metres, colour as RGB in [0, 1]."""

    centre: tuple[float, float, float]
    half_size: tuple[float, float, float]
    colour: Colour


class Arena:
    """Open floor without any wall; other arenas build on it.

    Attributes:
        blocks: the fixed boxes that the robot collides with.
    """

    blocks: tuple[Block, ...] = ()

    def is_open(self, x: float, y: float) -> bool:
        """Whether the point x, y (m) is inside the arena and not inside a wall, at whatever height."""
        return True


class SquareField(Arena):
    """A square around the origin within four walls, 1 m thick, whose tops are 1 m above the floor.

    Args:
        half_length: distance from the origin to the inner faces, in metres.
        colour: RGB of the walls, in [0, 1].
    """

    def __init__(self, half_length: float, colour: Colour) -> None:
        self.half_length = half_length
        thickness = 0.5
        middle = half_length + thickness
        length = middle + thickness
        along_x, along_y = (length, thickness, 1.0), (thickness, length, 1.0)
        self.blocks = (
            Block((0.0, -middle, 0.0), along_x, colour),
            Block((0.0, middle, 0.0), along_x, colour),
            Block((-middle, 0.0, 0.0), along_y, colour),
            Block((middle, 0.0, 0.0), along_y, colour),
        )

    def is_open(self, x: float, y: float) -> bool:
        """Whether the point lies between the walls."""
        return max(abs(x), abs(y)) <= self.half_length


class Maze(Arena):
    """Square cells, some of them filled by a block half as high as it is wide (authors' code).

    Rows follow the world's y axis and columns its x axis; the centre of the start cell is the world's origin.

    Args:
        rows: one text per row with one character per cell: ``1`` is a block, ``0`` is free, and one ``R`` is the
            free cell where the robot starts.
        cell: side of a cell, in metres.
        coloured: give the block of row i and column j the colour (i / rows, j / columns, 0.4), by which an image
            tells where it was taken (authors' code), instead of the same grey as all others.

    Raises:
        ValueError: rows differ in length, a character is not known, or there is not exactly one ``R``.
    """

    def __init__(self, rows: Sequence[str], cell: float, *, coloured: bool = False) -> None:
        _check_map(rows)
        self.cell = cell
        self.blocked: NDArray[np.bool_] = np.array([[mark == "1" for mark in row] for row in rows])
        self.start = next((i, row.index("R")) for i, row in enumerate(rows) if "R" in row)
        self.colours = np.full((*self.blocked.shape, 3), 0.4)
        if coloured:
            self.colours[..., :2] = np.moveaxis(np.indices(self.blocked.shape), 0, -1) / self.blocked.shape
        self.height = cell / 2
        half_size = (cell / 2, cell / 2, self.height / 2)
        self.blocks = tuple(
            Block((*self.centre(i, j), self.height / 2), half_size, tuple(self.colours[i, j].tolist()))
            for i, j in np.argwhere(self.blocked).tolist()
        )
        self._rows = self.blocked.tolist()

    def centre(self, row: int, column: int) -> Point:
        """Centre of a cell, x and y in metres."""
        return (column - self.start[1]) * self.cell, (row - self.start[0]) * self.cell

    @property
    def free_centres(self) -> list[Point]:
        """Centres of the free cells, row by row."""
        return [self.centre(i, j) for i, j in np.argwhere(~self.blocked).tolist()]

    def is_open(self, x: float, y: float) -> bool:
        """Whether the point lies in a free cell."""
        row = floor(y / self.cell + 0.5) + self.start[0]
        column = floor(x / self.cell + 0.5) + self.start[1]
        if not (0 <= row < len(self._rows) and 0 <= column < len(self._rows[0])):
            return False
        return not self._rows[row][column]


def _check_map(rows: Sequence[str]) -> None:
    for row in rows:
        if len(row) != len(rows[0]) or not set(row) <= set("01R"):
            raise ValueError(f"row {row!r} of a maze must be {len(rows[0])} characters out of 0, 1 and R")
    if (number := "".join(rows).count("R")) != 1:
        raise ValueError(f"a maze must have one cell R, where the robot starts, not {number}")
