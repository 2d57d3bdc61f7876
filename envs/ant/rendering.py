"""Pictures of the Ant tasks: what MuJoCo's OpenGL renderer draws, off-screen and without a display.

Simulating needs none of this, and works where there is no OpenGL: it is looked for when the first
:class:`SceneRenderer` is made.
"""

from __future__ import annotations

import os
import subprocess
import sys
import weakref
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import product
from math import cos, radians, sin, tan
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from envs.ant.arena import FREE_HALF_WIDTH
from envs.base import DrawingError, Image
from envs.system_libraries import PICTURES, remedy

SIZE = 480  # pixels
BACKENDS = ("egl", "osmesa")
ROBOT_COLOUR = (0.85, 0.33, 0.1)
MARGIN = 1.02  # of the camera's distance
ELEVATION = 72.0  # degrees above the horizon: steep enough to see behind walls
# Light that leaves the pale floor pale and everything upon it in its own colour; two lights share the work.
DIFFUSE, AMBIENT, GLOW = 0.35, 0.2, 0.15

_TRIAL = """
import mujoco
from mujoco.{backend} import GLContext
context = GLContext(8, 8)
context.make_current()
mujoco.MjrContext(mujoco.MjModel.from_xml_string("<mujoco/>"), mujoco.mjtFontScale.mjFONTSCALE_100.value)
"""
_TRIAL_SECONDS = 60


@dataclass(frozen=True)
class Marker:
    """A ball in the picture that the simulation knows nothing of; lengths in metres, colour as RGB in [0, 1]."""

    position: tuple[float, float, float]
    radius: float
    colour: tuple[float, float, float]


class SceneRenderer:
    """Draws a scene with the robot in some pose.

    Args:
        model: the scene.
        camera: where to look at it from; it may be moved between pictures.
        size: of a picture, in pixels and both directions.

    Attributes:
        camera: the camera.
        scene: what MuJoCo draws, with its flags.

    Raises:
        DrawingError: OpenGL cannot draw off-screen here; the message says how to change that.
    """

    def __init__(self, model: mujoco.MjModel, camera: mujoco.MjvCamera, size: int) -> None:
        self.camera, self.scene = camera, mujoco.MjvScene(model, maxgeom=1000)
        self._model, self._size = model, size
        # Data of its own, so that drawing leaves no trace in a simulation and depends on the pose alone.
        self._data = mujoco.MjData(model)
        self._context, self._renderer = _open(model, size)
        # Also runs at the interpreter's exit, while the libraries that it calls are still there.
        self._release = weakref.finalize(self, _release, self._context, self._renderer)

    def draw(self, pose: NDArray[np.float64], markers: Iterable[Marker] = ()) -> Image:
        """The scene with the robot in a pose (positions, shape [15]), and with markers; [size, size, 3]."""
        self._data.qpos[:] = pose
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        everything = mujoco.mjtCatBit.mjCAT_ALL.value
        option = mujoco.MjvOption()
        mujoco.mjv_updateScene(self._model, self._data, option, None, self.camera, everything, self.scene)
        for marker in markers:
            self._add(marker)
        image = np.empty((self._size, self._size, 3), dtype=np.uint8)
        area = mujoco.MjrRect(0, 0, self._size, self._size)
        with self._context.as_current():
            mujoco.mjr_render(area, self.scene, self._renderer)
            mujoco.mjr_readPixels(image, None, area, self._renderer)
        return image[::-1].copy()  # OpenGL's rows begin at the bottom

    def close(self) -> None:
        """Free what the graphics library holds; closing again does nothing."""
        self._release()

    def _add(self, marker: Marker) -> None:
        geom = self.scene.geoms[self.scene.ngeom]
        size, colour = np.array([marker.radius, 0, 0]), np.array([*marker.colour, 1], dtype=np.float32)
        position, upright = np.array(marker.position, dtype=np.float64), np.eye(3).ravel()
        mujoco.mjv_initGeom(geom, mujoco.mjtGeom.mjGEOM_SPHERE.value, size, position, upright, colour)
        geom.emission = GLOW
        self.scene.ngeom += 1


class ArenaRenderer(SceneRenderer):
    """Draws a robot in its arena, all of it, as seen from above at a tilt.

    Args:
        model: the scene; its fixed boxes say where the arena ends.

    Raises:
        DrawingError: OpenGL cannot draw off-screen here; the message says how to change that.
    """

    def __init__(self, model: mujoco.MjModel) -> None:
        super().__init__(_painted(model), camera_above(model), SIZE)


def _painted(model: mujoco.MjModel) -> mujoco.MjModel:
    """A copy for the eye: the robot stands out, the floor goes on for ever, and light is even."""
    model = copy(model)
    model.geom_rgba[model.geom_bodyid > 0, :3] = ROBOT_COLOUR
    model.geom_size[model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE, :2] = 0
    light = model.vis.headlight
    for ambient, diffuse, specular in (
        (model.light_ambient, model.light_diffuse, model.light_specular),
        (light.ambient, light.diffuse, light.specular),
    ):
        ambient[:], diffuse[:], specular[:] = AMBIENT, DIFFUSE, 0
    return model


def camera_above(model: mujoco.MjModel) -> mujoco.MjvCamera:
    """A camera south of the arena's middle and high above it, as near as the whole arena allows."""
    low, high = _extent(model)
    middle, half_size = (low + high) / 2, (high - low) / 2
    tilt = radians(ELEVATION)
    right, up = np.array([1, 0, 0]), np.array([0, sin(tilt), cos(tilt)])
    towards_camera = np.cross(right, up)
    corners = half_size * list(product((-1, 1), repeat=3))
    aside = np.maximum(abs(corners @ right), abs(corners @ up))
    distances = corners @ towards_camera + aside / tan(radians(model.vis.global_.fovy / 2))
    camera = mujoco.MjvCamera()
    camera.type = mujoco.mjtCamera.mjCAMERA_FREE.value
    camera.lookat[:] = middle
    camera.azimuth, camera.elevation = 90.0, -ELEVATION
    camera.distance = MARGIN * distances.max()
    return camera


def _extent(model: mujoco.MjModel) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper corner of the box, in metres, that holds all fixed blocks above the floor."""
    blocks = (model.geom_bodyid == 0) & (model.geom_type == mujoco.mjtGeom.mjGEOM_BOX)
    if not blocks.any():
        return np.array([-FREE_HALF_WIDTH, -FREE_HALF_WIDTH, 0]), np.array([FREE_HALF_WIDTH, FREE_HALF_WIDTH, 1])
    centres, half_sizes = model.geom_pos[blocks], model.geom_size[blocks]
    return (centres - half_sizes).min(axis=0).clip([-np.inf, -np.inf, 0]), (centres + half_sizes).max(axis=0)


def _open(model: mujoco.MjModel, size: int) -> tuple[Any, mujoco.MjrContext]:
    """An OpenGL context from the library MUJOCO_GL names, else from EGL, else from OSMesa; and a renderer in it.

    Raises:
        DrawingError: no such library can make them; the message says how to get one that can.
    """
    asked_for = os.environ.get("MUJOCO_GL", "").strip().lower()
    backend = asked_for or usable_backend()
    if backend is None:
        raise DrawingError(remedy("pictures of the Ant", list(PICTURES.values())))
    try:
        # MuJoCo chose a library for itself when it was imported: by MUJOCO_GL, or else one that needs a display.
        library = import_module(f"mujoco.{backend}") if backend in BACKENDS else mujoco
        context = library.GLContext(size, size)
        with context.as_current():
            renderer = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
            mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, renderer)
        return context, renderer
    except Exception as error:
        advice = "unset it, or set" if asked_for else "set"
        reason = f"{asked_for or backend} gives no OpenGL for pictures of the Ant ({error})"
        raise DrawingError(f"MUJOCO_GL={reason}; {advice} it to {' or '.join(BACKENDS)}") from error


@cache
def usable_backend() -> str | None:
    """The first library that can draw.

    Each is tried in a process of its own: PyOpenGL keeps to the first one it meets, even if that does not work.
    """
    return next(filter(_can_draw, BACKENDS), None)


def _can_draw(backend: str) -> bool:
    command = [sys.executable, "-c", _TRIAL.format(backend=backend)]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=_TRIAL_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _release(context: Any, renderer: mujoco.MjrContext) -> None:
    with context.as_current():
        renderer.free()
    context.free()
