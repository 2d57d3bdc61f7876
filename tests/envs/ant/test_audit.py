"""Steps that the walls should have prevented are counted, step by step, and never pass in silence."""

import copy
import pickle

import mujoco
import numpy as np
import pytest
from episodes import STILL, freeze, metrics_at_the_end, random_actions, run
from floor_plans import FOUR_ROOMS, U_MAZE

from envs.base import SimulationError
from envs.tasks import make

MAZES = ("ant_maze", "visual_ant_maze", "ant_four_rooms")
TASKS = ("ant_gather", *MAZES)
ALLOWED = {
    "ant_gather": [(0, 0), (10.45, 0), (-10.45, -10.45), (9, -10.45)],
    "ant_maze": [(0, 0), (-3.95, 3.95), (19.95, -3.95), (12.05, 8), (16, 19.95), (-3.95, 12.05)],
    "ant_four_rooms": [
        (0, 0),
        (-0.95, -0.95),
        (8.95, 0),
        (10, 1.05),
        (10, 4.95),
        (4.95, 10),
        (15.05, 12),
        (10, 17),
    ],
}
FORBIDDEN = {
    "ant_gather": [(10.55, 0), (-10.55, 3), (0, 11), (0, -40), (1e3, 1e3)],
    "ant_maze": [(-4.05, 0), (0, 4.05), (11.95, 8), (4, 11.95), (20.05, 16), (-27, 0), (29, 29), (1e3, 0)],
    "ant_four_rooms": [(-1.05, 0), (9.05, 0), (10, 0.95), (10, 5.05), (5.05, 10), (14, 12), (0, 23.5), (0, -90)],
}
for places in (ALLOWED, FORBIDDEN):
    places["visual_ant_maze"] = places["ant_maze"]


def places_of(places):
    return [(task, point) for task in TASKS for point in places[task]]


@pytest.fixture
def standing(monkeypatch):
    """Put a robot somewhere and take a step there without motion."""
    freeze(monkeypatch)

    def step(task, *points, height=0.6):
        env = make(task)
        env.reset(seed=0)
        infos = []
        for point in points:
            env.data.qpos[:3] = *point, height
            infos.append(env.step(STILL)[-1])
        env.data.qpos[:3] = 0, 0, 0.6
        return infos, metrics_at_the_end(env)["violations"]

    return step


@pytest.mark.parametrize(("task", "point"), places_of(ALLOWED))
def test_free_floor_up_to_the_walls(standing, task, point):
    (info,), violations = standing(task, point)
    assert "violation" not in info
    assert violations == 0


@pytest.mark.parametrize(("task", "point"), places_of(FORBIDDEN))
def test_inside_a_wall_or_outside(standing, task, point):
    (info,), violations = standing(task, point)
    assert isinstance(info["violation"], str)
    assert info["violation"].strip()
    assert violations == 1


@pytest.mark.parametrize(("task", "plan"), [("ant_maze", U_MAZE), ("ant_four_rooms", FOUR_ROOMS)])
def test_every_point_of_the_floor_plan(standing, task, plan):
    points = np.random.default_rng(0).uniform(-2, 22, (300, 2))
    infos, violations = standing(task, *points)
    blocked = plan.blocked(points)
    assert ["violation" in info for info in infos] == blocked.tolist()
    assert violations == blocked.sum()


@pytest.mark.parametrize("height", [0.1, 1.4, 5.0])
def test_on_top_of_a_wall_counts(standing, height):
    assert standing("ant_four_rooms", (10, 10), height=height)[1] == 1


@pytest.mark.parametrize("task", TASKS)
def test_every_step_counts(standing, task):
    wall = FORBIDDEN[task][0]
    infos, violations = standing(task, (0, 0), wall, wall, (0, 0), wall)
    assert violations == 3
    assert ["violation" in info for info in infos] == [False, True, True, False, True]


@pytest.mark.parametrize("task", TASKS)
def test_violations_end_nothing_and_are_forgotten_at_the_reset(monkeypatch, task):
    freeze(monkeypatch)
    env = make(task)
    env.reset(seed=0)
    env.data.qpos[:3] = *FORBIDDEN[task][0], 0.6
    assert env.step(STILL)[2:4] == (False, False)
    assert metrics_at_the_end(env)["violations"] == 2
    env.reset()
    env.data.qpos[:3] = 0, 0, 0.6
    assert metrics_at_the_end(env)["violations"] == 0


@pytest.mark.parametrize("task", TASKS)
def test_ordinary_episodes_have_none(task):
    env = make(task)
    env.reset(seed=11)
    *_, info = run(env, random_actions(11, 500))
    assert not any("violation" in step for step in info)
    assert info[-1]["episode_metrics"]["violations"] == 0


def copied(env):
    return copy.deepcopy(env)


def pickled(env):
    return pickle.loads(pickle.dumps(env))


def warned(monkeypatch, env, kind):
    """The info of a step on which MuJoCo warns."""
    number = mujoco.mjtWarning.__members__[kind].value

    def warn(model, data, nstep=1):
        data.warning.number[number] += 1

    with monkeypatch.context() as patched:
        patched.setattr(mujoco, "mj_step", warn)
        return env.step(STILL)[-1]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("made", [lambda env: env, copied, pickled])
class TestWarningsOfTheSimulator:
    @pytest.fixture
    def env(self, task, made):
        env = make(task)
        env.reset(seed=0)
        env.data.qpos[2] = 0.6
        return made(env)

    @pytest.mark.parametrize("kind", ["mjWARN_INERTIA", "mjWARN_CONTACTFULL", "mjWARN_CNSTRFULL"])
    def test_those_that_it_survives_count(self, monkeypatch, env, kind):
        assert warned(monkeypatch, env, kind)["violation"] == kind
        freeze(monkeypatch)
        assert "violation" not in env.step(STILL)[-1]
        assert metrics_at_the_end(env)["violations"] == 1

    @pytest.mark.parametrize("kind", ["mjWARN_BADQPOS", "mjWARN_BADQVEL", "mjWARN_BADQACC", "mjWARN_BADCTRL"])
    def test_those_that_lose_its_state_are_errors(self, monkeypatch, env, kind):
        with pytest.raises(SimulationError, match=f"broke down at step 1: {kind}"):
            warned(monkeypatch, env, kind)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_200000_random_steps(task):
    """Neither a warning nor a step in a wall, and the robot wanders for 1 to 3 m."""
    env = make(task)
    env.reset(seed=0)
    distances, violations, generator = [], 0.0, np.random.default_rng(0)
    for _ in range(200_000):
        observation, reward, terminated, truncated, info = env.step(generator.uniform(-30, 30, 8))
        assert "violation" not in info
        assert np.isfinite(reward)
        if terminated or truncated:
            assert np.isfinite(observation).all()
            distances.append(np.hypot(*env.position))
            violations += info["episode_metrics"]["violations"]
            env.reset()
    assert violations == 0
    assert not env.data.warning.number.any()
    assert 1 < np.mean(distances) < 3
