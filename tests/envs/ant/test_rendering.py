"""What pictures of the Ant show, and that nothing else depends on them."""

import os
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from scipy import ndimage

from envs.ant import rendering
from envs.ant.gather import APPLE, BOMB, AntGather
from envs.ant.model import TIME_STEP, Block, build_model
from envs.ant.rendering import ArenaRenderer, Marker
from envs.ant.robot import SUBSTEPS

BLUE = (0.1, 0.1, 0.9)
# PyOpenGL then refuses OSMesa, and EGL finds no driver.
NO_OPENGL = {"PYOPENGL_PLATFORM": "egl", "__EGL_VENDOR_LIBRARY_DIRS": "/nowhere"}
SIMULATE_AND_DRAW = """
import os, sys
from envs.tasks import make

env = make("ant_gather", render_mode="rgb_array")
env.reset(seed=0)
env.step(env.action_space.high)
# With MUJOCO_GL set, MuJoCo itself loads it at once.
assert "MUJOCO_GL" in os.environ or "OpenGL" not in sys.modules, "loaded before it is needed"
print(env.elapsed_steps)
env.render()
"""


def where(picture, colour):
    """Pixels in which one of red, green and blue is far above both others, or for ``orange`` between them."""
    red, green, blue = np.moveaxis(picture.astype(int), -1, 0)
    if colour == "orange":
        return (red > green + 60) & (green > blue + 20)
    one, *others = {"red": (red, green, blue), "green": (green, red, blue), "blue": (blue, red, green)}[colour]
    return (one > others[0] + 60) & (one > others[1] + 60) & (abs(others[0] - others[1]) <= 20)


def centre(mask):
    """Mean row and column of a mask's pixels."""
    assert mask.any()
    return np.argwhere(mask).mean(axis=0)


@pytest.fixture
def env(opengl):
    env = AntGather(render_mode="rgb_array")
    env.reset(seed=1)
    yield env
    env.close()


def place(env, *objects):
    env.object_positions = np.array([(x, y) for x, y, _ in objects], dtype=np.float64).reshape(-1, 2)
    env.object_kinds = np.array([kind for *_, kind in objects], dtype=np.int64)


def test_same_state_same_picture(env):
    picture = env.render()
    assert (picture.shape, picture.dtype) == ((480, 480, 3), np.uint8)
    other = AntGather(render_mode="rgb_array")
    other.reset(seed=2)
    assert (other.render() != picture).any()
    other.episode_state = env.episode_state
    np.testing.assert_array_equal(other.render(), picture)
    other.close()
    np.testing.assert_array_equal(env.render(), picture)


def test_drawing_leaves_no_trace_in_the_simulation(env):
    unseen = AntGather()
    unseen.reset(seed=1)
    for action in np.random.default_rng(0).uniform(-30, 30, (5, 8)):
        env.render()
        np.testing.assert_array_equal(env.step(action)[0], unseen.step(action)[0])
    np.testing.assert_array_equal(env.episode_state["simulation"], unseen.episode_state["simulation"])


def test_robot_is_seen_and_moves(env):
    place(env)
    start = where(env.render(), "orange")
    assert 100 < start.sum() < 1500
    env.data.qpos[0] += 4
    row, column = centre(where(env.render(), "orange")) - centre(start)
    assert column > 40
    assert abs(row) < 5
    env.data.qpos[:2] += -4, 4
    row, column = centre(where(env.render(), "orange")) - centre(start)
    assert row < -40
    assert abs(column) < 5


def test_apples_and_bombs_are_seen_until_collected(env):
    place(env, (2, 0, APPLE), (-6, 6, BOMB), (-6, -6, BOMB), (6, 6, APPLE))
    picture = env.render()
    apples, bombs = where(picture, "green"), where(picture, "red")
    assert ndimage.label(apples)[1] == ndimage.label(bombs)[1] == 2
    assert centre(apples)[1] > 240 > centre(bombs)[1]
    env.data.qpos[:2] = 2, 0
    assert env.step(np.zeros(8))[1] == 1
    picture = env.render()
    assert ndimage.label(where(picture, "green"))[1] == 1
    assert ndimage.label(where(picture, "red"))[1] == 2
    place(env)
    picture = env.render()
    assert not (where(picture, "green") | where(picture, "red")).any()


@pytest.mark.parametrize("shift", [(0, 0), (12, 30)])
@pytest.mark.parametrize("height", [1, 8])
def test_whole_arena_is_in_the_picture(opengl, shift, height):
    """Wherever it lies and however high its walls are: markers on top of its corners are all seen."""
    corners = [(shift[0] + x, shift[1] + y) for x in (-20, 20) for y in (-14, 14)]
    blocks = [Block((*corner, height / 2), (1, 1, height / 2), (0.5,) * 3) for corner in corners]
    model = build_model(blocks)
    renderer = ArenaRenderer(model)
    picture = renderer.draw(model.qpos0, [Marker((*corner, height + 0.8), 0.8, BLUE) for corner in corners])
    renderer.close()
    areas = ndimage.find_objects(ndimage.label(where(picture, "blue"))[0])
    assert len(areas) == 4
    assert all(0 < edges.start < edges.stop < 480 for area in areas for edges in area)


def test_closing_twice_and_drawing_again(env):
    picture = env.render()
    env.close()
    env.close()
    np.testing.assert_array_equal(env.render(), picture)


def test_time_is_real():
    assert AntGather.metadata == {"render_modes": ["rgb_array"], "render_fps": 1 / (SUBSTEPS * TIME_STEP)}


@pytest.mark.filterwarnings("ignore:.*(normalized space|infinity)")
def test_follows_gymnasium(opengl):
    env = gymnasium.make("AntGather-v0", render_mode="rgb_array")
    check_env(env.unwrapped)
    env.reset(seed=0)
    assert env.render().shape == (480, 480, 3)
    env.close()


def simulate_and_draw(**variables):
    environment = {name: value for name, value in os.environ.items() if name != "MUJOCO_GL"} | variables
    command = [sys.executable, "-c", SIMULATE_AND_DRAW]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_end_of_a_process_that_closes_nothing_is_silent(opengl):
    result = simulate_and_draw()
    assert result.returncode == 0, result.stderr
    # Drivers may have something to say; Python may not.
    assert not any(word in result.stderr for word in ("Traceback", "Exception ignored", "Error"))


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            NO_OPENGL,
            "system libraries for pictures of the Ant are missing; install them with: "
            "apt-get update && apt-get install -y libegl1 libgl1",
        ),
        ({"MUJOCO_GL": "disable"}, "MUJOCO_GL=disable gives no OpenGL for pictures of the Ant"),
    ],
)
def test_without_opengl_the_robot_walks_and_a_picture_says_what_is_missing(variables, message):
    result = simulate_and_draw(**variables)
    assert result.stdout == "1\n", result.stderr
    assert f"DrawingError: {message}" in result.stderr.splitlines()[-1]


def test_library_that_does_not_work_is_named(opengl):
    """MuJoCo itself loads the one that MUJOCO_GL names, and cannot be imported where it is missing altogether."""
    result = simulate_and_draw(**NO_OPENGL, MUJOCO_GL="egl")
    assert result.stdout == "1\n", result.stderr
    assert "DrawingError: MUJOCO_GL=egl gives no OpenGL" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(("works", "backend"), [("egl osmesa", "egl"), ("osmesa", "osmesa"), ("", None)])
def test_egl_is_preferred_to_osmesa(works, backend, monkeypatch):
    def run(command, **options):
        return subprocess.CompletedProcess(
            command, 1 - any(f"mujoco.{name} " in command[-1] for name in works.split())
        )

    monkeypatch.setattr(rendering.subprocess, "run", run)
    assert rendering.usable_backend.__wrapped__() == backend
