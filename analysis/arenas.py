"""What lies in the arenas of the Ant tasks, seen from above: targets, apples and bombs (Figures 4 and 6)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from numpy.typing import NDArray

from algorithms.seeding import evaluation_start
from envs.ant.drawing import draw_arena, draw_robot
from envs.ant.gather import APPLE, BOMB, COLOURS, AntGather
from envs.ant.navigation import SUCCESS_DISTANCE
from envs.ant.sensor import RANGE

Array = NDArray[np.float64]

TARGET_COLOUR = "#0072B2"
SHAPES = {APPLE: "o", BOMB: "X"}  # for readers who do not tell the colours apart
NAMES = {APPLE: "apple", BOMB: "bomb"}


def draw_target(axes: Axes, target: tuple[float, float], colour: str = TARGET_COLOUR) -> None:
    """Draw a target as a cross, and the distance that counts as success as a disc."""
    axes.add_patch(Circle(target, SUCCESS_DISTANCE, color=colour, alpha=0.15, linewidth=0, zorder=0))
    axes.plot(*target, "x", color=colour, markersize=4)


def draw_objects(axes: Axes, positions: Array, kinds: NDArray[np.int64], *, size: float, alpha: float = 1) -> None:
    """Draw apples and bombs.

    Args:
        axes: to draw on, in metres.
        positions: metres, [n, 2].
        kinds: of the objects, [n].
        size: of a marker, in square points.
        alpha: how opaque they are.
    """
    for kind, colour in COLOURS.items():
        x, y = positions[kinds == kind].T
        axes.scatter(x, y, s=size, marker=SHAPES[kind], color=colour, linewidth=0, alpha=alpha)


def objects_at_the_start(episode: pd.DataFrame, step: int) -> tuple[Array, NDArray[np.int64]] | None:
    """Where apples and bombs lay when an evaluation episode of Ant Gather started.

    The start is repeated.  Whether it is the very same is seen from the robot's pose, which is random as well.

    Args:
        episode: its steps, see :class:`~algorithms.trajectories.Trajectories`.
        step: training step of the evaluation.

    Returns:
        Positions in metres, [n, 2], and kinds, [n]; None where the repeated start is another one.
    """
    env, first = AntGather(), episode.iloc[0]
    env.reset(seed=evaluation_start(int(first["seed"]), step, 0, int(first["episode"])))
    pose = first[[f"state_{index}" for index in range(len(env.data.qpos))]].to_numpy(np.float64)
    if not np.allclose(pose, env.data.qpos, atol=1e-5):
        return None
    return env.object_positions, env.object_kinds


def ant_gather(axes: Axes) -> None:
    """One layout of apples and bombs, and how far the robot senses them."""
    env = AntGather()
    env.reset(seed=0)
    draw_arena(axes, env.arena)
    draw_robot(axes, env.model, env.data.qpos)
    axes.add_patch(Circle(env.position.tolist(), RANGE, fill=False, linestyle=":", linewidth=0.8, color="0.5"))
    draw_objects(axes, env.object_positions, env.object_kinds, size=16)
