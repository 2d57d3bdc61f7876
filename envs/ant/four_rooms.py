"""Ant Four Rooms: walk to the far corner of one of three other rooms (paper, D.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.ant.arena import Maze
from envs.ant.navigation import AntNavigation
from envs.options import AntMazeOptions
from envs.strict import parse

ROWS = (
    "1111111111111",
    "1R00001000001",
    "1000000000001",
    "1000000000001",
    "1000001000001",
    "1000001000001",
    "1100111000001",
    "1000001110011",
    "1000001000001",
    "1000000000001",
    "1000000000001",
    "1000001000001",
    "1111111111111",
)
CELL = 2.0  # m
CORNERS = ((20.0, 0.0), (0.0, 20.0), (20.0, 20.0))
ROOM_CENTRES = ((4.0, 4.0), (16.0, 5.0), (4.0, 16.0), (16.0, 17.0))


class AntFourRooms(AntNavigation):
    """Walk from a corner of one of four rooms, joined by doors 4 m wide, to the far corner of one of the others.

    Each episode of training draws one of the three corners.  See :class:`~envs.ant.navigation.AntNavigation` for
    all else.

    Args:
        render_mode: ``rgb_array`` or None, see :class:`~envs.base.TaskEnv`.
        options: fields of :class:`~envs.options.AntMazeOptions`.

    Raises:
        ValueError: an option is unknown, or its value is not allowed.
    """

    def __init__(self, *, render_mode: str | None = None, **options: Any) -> None:
        chosen = parse(AntMazeOptions, options)
        points = CORNERS if chosen.evaluation == "targets" else (*CORNERS, *ROOM_CENTRES)
        hides_xy = chosen.worker_hides_xy
        maze = Maze(ROWS, CELL)
        super().__init__("ant_four_rooms", maze, chosen, points, worker_hides_xy=hides_xy, render_mode=render_mode)

    def draw_target(self) -> NDArray[np.float64]:
        """One of the three corners."""
        return np.array(CORNERS[self.np_random.integers(len(CORNERS))])
