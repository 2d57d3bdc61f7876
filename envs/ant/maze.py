"""Ant Maze: walk through a U-shaped corridor (paper, D.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.ant.arena import Maze
from envs.ant.navigation import AntNavigation
from envs.options import AntMazeOptions
from envs.strict import parse

ROWS = (
    "11111",
    "1R001",
    "11101",
    "10001",
    "11111",
)
CELL = 8.0  # m
TARGETS = ((16.0, 0.0), (16.0, 16.0), (0.0, 16.0))
TRAINING_RANGE = (-4.0, 20.0)  # m, of x and of y: the square around the free cells


class AntMaze(AntNavigation):
    """Walk to a target in a U-shaped corridor, 8 m wide, from one end of it.

    Targets of training are uniform in the square that holds the free cells; 22 % of them lie inside the block that
    the corridor leads around.  See :class:`~envs.ant.navigation.AntNavigation` for all else.

    Args:
        render_mode: ``rgb_array`` or None, see :class:`~envs.base.TaskEnv`.
        options: fields of :class:`~envs.options.AntMazeOptions`.

    Raises:
        ValueError: an option is unknown, or its value is not allowed.
    """

    def __init__(self, *, render_mode: str | None = None, **options: Any) -> None:
        chosen = parse(AntMazeOptions, options)
        maze = Maze(ROWS, CELL)
        points = TARGETS if chosen.evaluation == "targets" else maze.free_centres
        hides_xy = chosen.worker_hides_xy
        super().__init__("ant_maze", maze, chosen, points, worker_hides_xy=hides_xy, render_mode=render_mode)

    def draw_target(self) -> NDArray[np.float64]:
        """Uniform in the square, also inside the block (paper, D.1)."""
        return training_target(self.np_random)


def training_target(random: np.random.Generator) -> NDArray[np.float64]:
    """A target of training, shape [2]."""
    return random.uniform(*TRAINING_RANGE, 2)
