"""A camera above a maze, looking straight down: computed from the map alone, or drawn by MuJoCo."""

from __future__ import annotations

from math import radians, tan

import mujoco
import numpy as np
from numpy.typing import NDArray

from envs.ant.arena import Maze
from envs.ant.rendering import SceneRenderer
from envs.base import Image

SIZE = 32  # pixels, in both directions
FIELD_OF_VIEW = radians(45)
DISTANCE = 15.0  # m, from the point that the camera looks at
FLOOR_COLOUR = (0.8, 0.9, 0.8)

# Light falls straight down, so that the side of a block is darker than its top.
_SIDE_SHADE = 0.35
_SAMPLES = 2  # per pixel and direction


class TopDownCamera:
    """Images of a maze as seen by a camera above the robot that follows it but does not turn with it.

    As in the authors' code the camera looks at half the height of the blocks from 15 m above, with a field of view
    of 45 degrees: 7.0 m of floor in each direction, and 5.4 m at the top of blocks 4 m high.  The top of the image
    is +x, its right side -y.  Tops of blocks have their own colour, sides a darker shade of it; the robot itself
    is not drawn.  Four samples per pixel keep the image from being constant while the robot moves within a pixel.

    Args:
        maze: what is below the camera.
        samples: number of samples per pixel and direction.
    """

    def __init__(self, maze: Maze, *, samples: int = _SAMPLES) -> None:
        self._maze, self._samples = maze, samples
        # Samples of one direction, [samples, pixels]; the first pixel looks furthest towards +x (or +y).
        across = 1 - 2 * (np.arange(SIZE * samples).reshape(SIZE, samples).T + 0.5) / (SIZE * samples)
        height = maze.height / 2 + DISTANCE
        self._top_offsets, self._floor_offsets = (
            across * tan(FIELD_OF_VIEW / 2) * (height - surface) / maze.cell for surface in (maze.height, 0.0)
        )
        # What is seen in a cell, by column and row, with a border of floor: 0 is floor, then tops, then sides.
        numbers = np.zeros_like(maze.blocked, dtype=np.int64)
        numbers[maze.blocked] = 1 + np.arange(maze.blocked.sum())
        self._tops = np.pad(numbers, 1).T
        self._sides = np.where(self._tops > 0, self._tops + maze.blocked.sum(), 0)
        colours = maze.colours[maze.blocked]
        palette = np.concatenate([[FLOOR_COLOUR], colours, _SIDE_SHADE * colours])
        self._palette = np.rint(255 * palette).astype(np.uint16)

    def surfaces(self, x: float, y: float) -> NDArray[np.int64]:
        """What each sample of the image taken above x, y (m) shows.

        Returns:
            Shape [samples, rows, samples, columns]: 0 for the floor, n for the top of the n-th block, and n plus
            the number of blocks for its side.
        """
        top_columns, top_rows = self._cells(x, y, self._top_offsets)
        floor_columns, floor_rows = self._cells(x, y, self._floor_offsets)
        tops = self._tops[top_columns[..., None, None], top_rows]
        # A ray that passes beside a block's top may still meet its side before the floor.
        return np.where(tops, tops, self._sides[floor_columns[..., None, None], floor_rows])

    def image(self, x: float, y: float) -> Image:
        """The image taken above x, y (m), shape [32, 32, 3]."""
        colours = self._palette.take(self.surfaces(x, y), axis=0)
        total = colours.sum(axis=(0, 2), dtype=np.uint32)
        count = self._samples**2
        return ((total + count // 2) // count).astype(np.uint8)

    def _cells(self, x: float, y: float, offsets: NDArray[np.float64]) -> tuple[NDArray[np.int64], ...]:
        """Columns and rows of the cells that the samples fall into, each of the shape of ``offsets``."""
        shape, start, cell = self._maze.blocked.shape, self._maze.start, self._maze.cell
        where = ((x, start[1], shape[1]), (y, start[0], shape[0]))
        return tuple(
            np.clip(np.floor(position / cell + offsets + (first + 1.5)).astype(np.int64), 0, number + 1)
            for position, first, number in where
        )


class DrawnCamera:
    """The same camera, with MuJoCo drawing what it sees, the robot included (authors' code).

    Args:
        model: the scene.
        maze: what is below the camera.

    Raises:
        DrawingError: OpenGL cannot draw off-screen here; the message says how to change that.
    """

    def __init__(self, model: mujoco.MjModel, maze: Maze) -> None:
        camera = mujoco.MjvCamera()
        camera.type = mujoco.mjtCamera.mjCAMERA_FREE.value
        camera.azimuth, camera.elevation, camera.distance = 0.0, -90.0, DISTANCE
        self.renderer = SceneRenderer(model, camera, SIZE)
        self._height = maze.height / 2

    def image(self, pose: NDArray[np.float64]) -> Image:
        """The image taken above a robot in a pose (positions, shape [15]); shape [32, 32, 3]."""
        self.renderer.camera.lookat[:] = pose[0], pose[1], self._height
        return self.renderer.draw(pose)

    def close(self) -> None:
        """Free what the graphics library holds."""
        self.renderer.close()
