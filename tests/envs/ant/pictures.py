"""What the camera over the Visual Ant Maze must see, told pixel by pixel from the floor plan."""

from __future__ import annotations

import numpy as np
from floor_plans import U_MAZE

PIXELS = 32
# The camera is 17 m up and sees 45 degrees; the tops of the blocks are 4 m up.
FLOOR_HALF_WIDTH = 17 * np.tan(np.pi / 8)
TOP_HALF_WIDTH = 13 * np.tan(np.pi / 8)
FLOOR, TOP, SIDE, MIXED = range(4)


def rays(samples):
    """Directions of the rays through every pixel, forward (+x, up) and to the left (+y), shape [32, 32, n, 2]."""
    inner = (np.arange(samples) + 0.5) / samples
    edge = -1 + 2 * (np.arange(PIXELS)[:, None] + inner) / PIXELS
    forward, left = np.meshgrid(-edge.ravel(), -edge.ravel(), indexing="ij")
    grid = np.stack([forward, left], axis=-1).reshape(PIXELS, samples, PIXELS, samples, 2)
    return grid.swapaxes(1, 2).reshape(PIXELS, PIXELS, samples**2, 2)


DENSE = rays(6)


def view(position):
    """Kind of every pixel, and row and column of the block that it shows (-1 for the floor).

    A pixel in which not all rays agree is mixed.
    """
    top, floor = position + TOP_HALF_WIDTH * DENSE, position + FLOOR_HALF_WIDTH * DENSE
    of_top, of_side = U_MAZE.blocked(top), U_MAZE.blocked(floor)
    kind = np.where(of_top, TOP, np.where(of_side, SIDE, FLOOR))
    cells = np.where(of_top, U_MAZE.cell(top), np.where(of_side, U_MAZE.cell(floor), -1))
    pure = (kind == kind[..., :1]).all(-1) & (cells == cells[..., :1]).all(axis=(0, -1))
    return np.where(pure, kind[..., 0], MIXED), cells[0, ..., 0], cells[1, ..., 0]


def colours(rows, columns):
    """Colours of the tops of blocks, 0 to 255."""
    return np.stack([51 * rows, 51 * columns, np.full_like(rows, 102)], axis=-1)
