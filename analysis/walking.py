"""How far a place in a maze is from its start on foot: around the walls, from cell to cell."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from math import hypot, inf

from envs.ant.arena import Maze

Cell = tuple[int, int]
STEPS = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]


def walking_distances(maze: Maze) -> dict[Cell, float]:
    """Length in metres of the shortest walk from the start to the centre of every free cell that can be reached.

    A walk goes from centre to centre of neighbouring free cells, across a corner only where both cells beside it
    are free.
    """
    distances: dict[Cell, float] = {}
    queue = [(0.0, maze.start)]
    while queue:
        distance, cell = heapq.heappop(queue)
        if cell not in distances:
            distances[cell] = distance
            for other, length in neighbours(maze, cell):
                heapq.heappush(queue, (distance + length, other))
    return distances


def neighbours(maze: Maze, cell: Cell) -> Iterator[tuple[Cell, float]]:
    """The free cells that can be walked to directly, and how far away their centres are, in metres."""
    row, column = cell
    for i, j in STEPS:
        beside = [(row + i, column), (row, column + j), (row + i, column + j)]
        if all(maze.is_open(*maze.centre(*other)) for other in beside):
            yield (row + i, column + j), hypot(i, j) * maze.cell


def walking_distance(maze: Maze, x: float, y: float) -> float:
    """Length in metres of the shortest walk from the start to the point x, y (m), through a cell centre near it.

    Raises:
        ValueError: the point is in a wall, outside, or cannot be reached.
    """
    distance = inf
    for cell, walked in walking_distances(maze).items():
        across, along = (abs(a - b) for a, b in zip((x, y), maze.centre(*cell), strict=True))
        if max(across, along) <= maze.cell / 2:
            distance = min(distance, walked + hypot(across, along))
    if distance == inf:
        raise ValueError(f"there is no way from the start to ({x:g}, {y:g})")
    return distance
