"""The computed image of the maze against what MuJoCo's rasteriser makes of the same scene."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import mujoco
import numpy as np
import pytest

from envs.ant.arena import Maze
from envs.ant.camera import SIZE, DrawnCamera, TopDownCamera
from envs.ant.maze import CELL, ROWS
from envs.ant.model import build_model
from envs.ant.visual import VisualAntMaze
from envs.tasks import make

PLACES = [(0, 0), (8, 0), (16, 0), (16, 8), (16, 16), (8, 16), (0, 16), (5, 2.5), (13.3, -1.7), (17.9, 11.2)]
ABOVE_THE_CAMERA = 30.0  # m


@pytest.fixture(scope="module")
def maze():
    return Maze(ROWS, CELL, coloured=True)


@pytest.fixture(scope="module")
def drawn(opengl, maze):
    model = build_model(maze.blocks)
    model.vis.quality.offsamples = 0  # one sample per pixel, which belongs to one geom
    camera = DrawnCamera(model, maze)
    yield camera
    camera.close()


def blocks_seen(camera, x, y):
    """Which block each pixel shows, from 1 on, and 0 for the floor: MuJoCo's segmentation."""
    flags = camera.renderer.scene.flags
    flags[[mujoco.mjtRndFlag.mjRND_SEGMENT.value, mujoco.mjtRndFlag.mjRND_IDCOLOR.value]] = 1
    pose = np.zeros(15)
    pose[:4] = x, y, ABOVE_THE_CAMERA, 1
    red, green, blue = np.moveaxis(camera.image(pose).astype(int), -1, 0)
    numbers = red + 256 * green + 65536 * blue  # in the order of the scene's geoms, 0 for nothing
    scene = camera.renderer.scene
    geoms = np.array([0, *(scene.geoms[index].objid for index in range(scene.ngeom))])[numbers]
    assert (numbers > 0).all(), "the floor reaches beyond the picture"
    return geoms  # the floor is geom 0, blocks follow


@pytest.mark.parametrize("place", PLACES)
def test_every_pixel_shows_the_same_block(drawn, maze, place):
    camera = TopDownCamera(maze, samples=1)
    surfaces = camera.surfaces(*place).reshape(SIZE, SIZE)
    blocks = np.where(surfaces > 0, (surfaces - 1) % len(maze.blocks) + 1, 0)
    agreement = (blocks == blocks_seen(drawn, *place)).mean()
    assert agreement > 0.97, agreement


def test_hues_are_the_same(opengl):
    """Brightness differs with the lights; floor and robot are left out."""
    computed, rendered = (make("visual_ant_maze", {"renderer": kind}) for kind in ("analytic", "mujoco"))
    images = []
    for env in (computed, rendered):
        env.reset(seed=0)
        images.append(env.reset(seed=0)[0][env.task.states :].reshape(SIZE, SIZE, 3))
        env.close()
    for edge in (np.s_[:, :2], np.s_[:, -2:], np.s_[-2:, :]):  # tops of blocks to the left, the right and behind
        ours, theirs = (image[edge].reshape(-1, 3) for image in images)
        assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.8


def test_images_are_of_the_present_and_leave_no_trace(opengl):
    """The authors' code shows the last step, and at first the last episode."""
    env, other = VisualAntMaze(renderer="mujoco"), VisualAntMaze(renderer="mujoco")
    first = env.reset(seed=3)[0]
    for action in np.random.default_rng(0).uniform(-30, 30, (3, 8)):
        moved = env.step(action)[0]
    other.episode_state = env.episode_state
    np.testing.assert_array_equal(other.observe(), moved)
    assert (env.reset(seed=3)[0] == first).all()
    plain = VisualAntMaze()
    plain.reset(seed=3)
    for action in np.random.default_rng(0).uniform(-30, 30, (3, 8)):
        expected = plain.step(action)[0]
    np.testing.assert_array_equal(moved[: env.task.states], expected[: env.task.states])
    env.close()
    other.close()


def test_samples_smooth_the_image(maze):
    """With one sample per pixel a move of 5 cm often changes nothing."""

    def changes(samples):
        camera = TopDownCamera(maze, samples=samples)
        images = [camera.image(x, 0) for x in np.arange(0, 2, 0.05)]
        return np.mean([(one != other).any() for one, other in pairwise(images)])

    assert changes(2) > 1.5 * changes(1)


COPIES = """
import envs, gymnasium

vector = gymnasium.make_vec("VisualAntMaze-v0", num_envs=2, vectorization_mode="async", renderer="mujoco")
print(vector.reset(seed=0)[0]["image"].std() > 0)
vector.close()
"""


def test_a_process_can_be_copied_before_the_first_image(opengl):
    """Vector environments look at one environment and then start copies of the process."""
    result = subprocess.run([sys.executable, "-c", COPIES], capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout == "True\n"
