"""Visual Ant Maze: Ant Maze with an image in place of the position (paper, F.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.ant.arena import Maze
from envs.ant.camera import SIZE, DrawnCamera, TopDownCamera
from envs.ant.maze import CELL, ROWS, TARGETS, training_target
from envs.ant.navigation import AntNavigation
from envs.base import Image, ImageSpec, Observation, TaskSpec
from envs.options import VisualAntMazeOptions
from envs.strict import parse

IMAGE = ImageSpec(SIZE, SIZE, 3)


class VisualAntMaze(AntNavigation):
    """Ant Maze whose manager sees what surrounds the robot from above, and neither x nor y.

    The observation is that of Ant Maze followed by the image of a :class:`~envs.ant.camera.TopDownCamera`, 3,104
    numbers in all; by its gymnasium id the environment gives a dictionary of both instead, see
    :class:`~envs.image.ImageAndState`.  x and y remain in the observation, because goals and the worker's reward
    refer to them, but no network sees them.

    Where MuJoCo is to draw the images and OpenGL is missing, the first reset raises
    :class:`~envs.base.DrawingError`.

    Args:
        render_mode: ``rgb_array`` or None, see :class:`~envs.base.TaskEnv`.
        options: fields of :class:`~envs.options.VisualAntMazeOptions`.

    Raises:
        ValueError: an option is unknown, or its value is not allowed.
    """

    def __init__(self, *, render_mode: str | None = None, **options: Any) -> None:
        chosen = parse(VisualAntMazeOptions, options)
        maze = Maze(ROWS, CELL, coloured=True)
        super().__init__("visual_ant_maze", maze, chosen, TARGETS, worker_hides_xy=True, render_mode=render_mode)
        self.task = _with_image(self.task)
        low, high = np.full((2, len(self.task.unit_scale)), [[-np.inf], [np.inf]], dtype=np.float32)
        low[self.task.states :], high[self.task.states :] = 0, 255
        self.observation_space = Box(low, high)
        self._camera = TopDownCamera(maze)
        self._maze, self._is_drawn = maze, chosen.renderer == "mujoco"
        self._drawn: DrawnCamera | None = None

    def draw_target(self) -> NDArray[np.float64]:
        """Uniform in the square, also inside the block (paper, D.1)."""
        return training_target(self.np_random)

    def observe(self) -> Observation:
        """The present observation: state, then image."""
        return np.concatenate([super().observe(), self._image().ravel()], dtype=np.float32)

    def _image(self) -> Image:
        if not self._is_drawn:
            return self._camera.image(*self.position.tolist())
        if self._drawn is None:  # only now, since a process that has opened OpenGL cannot be copied
            self._drawn = DrawnCamera(self.model, self._maze)
        return self._drawn.image(self.data.qpos)

    def close(self) -> None:
        """Free what draws images and pictures, if anything does."""
        super().close()
        if self._drawn is not None:
            self._drawn.close()
            self._drawn = None


def _with_image(task: TaskSpec) -> TaskSpec:
    """The task with an image after its observation, which only the manager sees, and x and y hidden from it."""
    whole = task.states + IMAGE.size
    return replace(
        task,
        manager_indices=tuple(range(2, whole)),
        unit_scale=np.ones(whole, dtype=np.float32),
        image=IMAGE,
    )
