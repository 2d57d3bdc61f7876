import math
import pickle
from itertools import pairwise

import mujoco
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.ant.gather import AntGather
from envs.ant.path import PATH_METRICS, PlanarPath

coordinates = st.floats(-20, 20, width=32)
walks = st.lists(st.lists(coordinates, min_size=2, max_size=2), min_size=2, max_size=30)


def walk(points, path=None):
    """Path through points x, y, on from an earlier one if given."""
    path = path or PlanarPath()
    for start, end in pairwise(points):
        path.add(list(start), list(end))
    return path


def metrics_of(points):
    return tuple(walk(points).metrics().values())


def recomputed(points):
    """Length and number of cells of a walk; a cell's centre is the whole metres nearest to it."""
    points = np.array(points, dtype=np.float64)
    cells = {tuple(cell) for cell in np.floor(points + 0.5).tolist()}
    return sum(math.dist(start, end) for start, end in pairwise(points)), len(cells)


def test_names():
    assert tuple(PlanarPath().metrics()) == PATH_METRICS == ("path_length", "coverage")


def test_straight_line():
    line = [(0.25 * step, 0) for step in range(41)]
    assert metrics_of(line) == (10, 11)
    assert metrics_of(line + line[::-1]) == (20, 11)
    assert metrics_of([(3 * step, -4 * step) for step in range(4)]) == (15, 4)


def test_standing_still():
    assert metrics_of([(2, 3)] * 5) == (0, 1)


@pytest.mark.parametrize(
    ("point", "cells"),
    [((0.49, -0.49), 1), ((-0.5, 0), 1), ((0.5, 0), 2), ((0, -0.51), 2), ((0.6, 0.6), 2), ((-7, 7), 2)],
)
def test_cells_are_centred_on_whole_metres(point, cells):
    """Of the cells in between, none counts."""
    assert metrics_of([(0, 0), point, (0, 0)])[1] == cells


def test_same_distance_in_other_quadrants_is_another_cell():
    corners = [(x, y) for x in (-1, 1) for y in (-1, 1)]
    assert metrics_of([(0, 0), *corners])[1] == 5


@given(points=walks, others=walks)
def test_against_a_recomputation_and_after_clearing(points, others):
    path = walk(others)
    path.clear()
    assert tuple(walk(points, path).metrics().values()) == pytest.approx(recomputed(points))


@given(points=walks, split=st.integers(0, 29))
def test_continues_from_its_state(points, split):
    path = walk(points[: split + 1])
    other = walk([(0, 0), (5, 5)])
    other.state = pickle.loads(pickle.dumps(path.state))
    rest = points[split:]
    assert walk(rest, other).metrics() == walk(rest, path).metrics()
    assert pickle.dumps(other.state) == pickle.dumps(path.state)


def random_episode(env, seed, from_step=0):
    """Play to the episode's end; positions after each step, and the metrics."""
    positions, over = [], False
    actions = np.random.default_rng(seed).uniform(-30, 30, (500, 8))[from_step:]
    for action in actions:
        *_, terminated, truncated, info = env.step(action)
        positions.append(env.position.tolist())
        over = terminated or truncated
        if over:
            break
    assert over
    return positions, info["episode_metrics"]


class TestRobot:
    """The path of a simulated torso."""

    @pytest.fixture
    def env(self):
        env = AntGather()
        env.reset(seed=0)
        return env

    def test_metrics_are_those_of_the_positions(self, env):
        for seed in range(2):  # a reset clears what was before
            env.reset(seed=seed)
            start = env.position.tolist()
            positions, metrics = random_episode(env, seed)
            length, cells = recomputed([start, *positions])
            assert (metrics["path_length"], metrics["coverage"]) == (pytest.approx(length, rel=1e-12), cells)
            assert length > 5
            assert cells > 1

    def test_line(self, env, monkeypatch):
        def push(model, data, nstep):
            data.qpos[:2] += 0.3, -0.4

        env.data.qpos[:2] = 0
        monkeypatch.setattr(mujoco, "mj_step", push)
        for _ in range(10):
            env.simulate(np.zeros(8))
        assert env.path.metrics() == pytest.approx({"path_length": 5, "coverage": 6})

    def test_robot_put_elsewhere_has_not_walked_there(self, env, monkeypatch):
        monkeypatch.setattr(mujoco, "mj_step", lambda model, data, nstep: None)
        env.data.qpos[:2] = 8, 8
        env.simulate(np.zeros(8))
        assert env.path.metrics() == {"path_length": 0, "coverage": 1}

    def test_metrics_survive_an_interruption(self, env):
        actions = np.random.default_rng(3).uniform(-30, 30, (500, 8))
        for action in actions[:200]:
            env.step(action)
        before, state = env.path.metrics(), pickle.loads(pickle.dumps(env.episode_state))
        _, expected = random_episode(env, 3, from_step=200)
        resumed = AntGather()
        resumed.episode_state = state
        assert resumed.path.metrics() == before
        assert random_episode(resumed, 3, from_step=200)[1] == expected
        assert expected["path_length"] > before["path_length"] > 1
