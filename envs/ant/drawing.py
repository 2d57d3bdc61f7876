"""An Ant task from above, drawn with matplotlib: lines and areas, without OpenGL."""

from __future__ import annotations

import mujoco
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.patches import Circle, Rectangle
from numpy.typing import NDArray

from envs.ant.arena import FREE_HALF_WIDTH, Arena

WALL_COLOUR, ROBOT_COLOUR = "0.45", "#D55E00"


def draw_arena(axes: Axes, arena: Arena, *, colour: str = WALL_COLOUR) -> None:
    """Draw the walls of an arena; the axes get metres as units, and no frame."""
    lows, highs = footprints(arena)
    sizes = highs - lows
    walls = [Rectangle(low, *size) for low, size in zip(lows.tolist(), sizes.tolist(), strict=True)]
    axes.add_collection(PatchCollection(walls, facecolor=colour, edgecolor=colour, linewidth=0.3))
    low, high = (
        (lows.min(0), highs.max(0)) if walls else (np.full(2, -FREE_HALF_WIDTH), np.full(2, FREE_HALF_WIDTH))
    )
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    axes.set_axis_off()


def footprints(arena: Arena) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper corners of the blocks in the plane, in metres, shape [blocks, 2] each."""
    centres = np.array([block.centre for block in arena.blocks]).reshape(-1, 3)[:, :2]
    half_sizes = np.array([block.half_size for block in arena.blocks]).reshape(-1, 3)[:, :2]
    return centres - half_sizes, centres + half_sizes


def draw_robot(
    axes: Axes,
    model: mujoco.MjModel,
    pose: NDArray[np.float64],
    *,
    linewidth: float = 1.5,
    colour: str = ROBOT_COLOUR,
) -> None:
    """Draw torso and legs of the Ant.

    Args:
        axes: to draw on.
        model: the robot and its scene.
        pose: positions, shape [15].
        linewidth: of the legs, in points.
        colour: of all parts.
    """
    data = mujoco.MjData(model)
    data.qpos[:] = pose
    mujoco.mj_kinematics(model, data)
    legs = np.flatnonzero(model.geom_type == mujoco.mjtGeom.mjGEOM_CAPSULE)
    centres, directions = data.geom_xpos[legs, :2], data.geom_xmat[legs].reshape(-1, 3, 3)[:, :2, 2]
    halves = model.geom_size[legs, 1:2] * directions
    segments = np.stack([centres - halves, centres + halves], axis=1)
    lines = LineCollection(list(segments), colors=colour, linewidths=linewidth, capstyle="round", zorder=3)
    axes.add_collection(lines)
    torso = model.geom("torso")
    centre = data.geom_xpos[torso.id, :2].tolist()
    axes.add_patch(Circle(centre, model.geom_size[torso.id, 0], color=colour, linewidth=0, zorder=3))
