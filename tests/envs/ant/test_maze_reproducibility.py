"""Same seed, same bytes; and an episode of a maze continues exactly from its saved state."""

import pickle

import numpy as np
import pytest
from episodes import STILL, metrics_at_the_end, resumes, trace

from envs.tasks import make

TASKS = ("ant_maze", "ant_four_rooms", "visual_ant_maze")


def digest(task, seed, steps=60):
    env = make(task)
    first = env.reset(seed=seed)[0].tobytes() + env.target.tobytes()
    env.elapsed_steps = 470
    return first + trace(env, np.random.default_rng(0), steps)


@pytest.mark.parametrize("task", TASKS)
def test_same_seed_same_bytes(task):
    """Over the end of an episode and into the next one."""
    assert digest(task, 7) == digest(task, 7)
    assert digest(task, 7, 1) != digest(task, 8, 1)


@pytest.mark.parametrize("task", TASKS)
def test_resets_go_on_with_the_random_stream(task):
    env = make(task)
    env.reset(seed=7)
    first = [(env.reset()[0].tobytes(), env.target.tobytes()) for _ in range(3)]
    assert len(set(first)) == 3
    env.reset(seed=7)
    assert [(env.reset()[0].tobytes(), env.target.tobytes()) for _ in range(3)] == first


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("steps", [0, 37, 301])
def test_random_episode_continues(task, steps):
    def disturb(env):
        trace(env, np.random.default_rng(1), steps)
        env.elapsed_steps = max(env.elapsed_steps, 380)

    assert resumes(lambda: make(task), disturb)


@pytest.mark.parametrize("options", [{"contact": "soft", "init": "rllab"}, {"contact_forces": True}])
def test_episode_continues_under_other_options(options):
    def disturb(env):
        trace(env, np.random.default_rng(1), 20)
        env.elapsed_steps = 450

    assert resumes(lambda: make("ant_maze", options), disturb)


@pytest.mark.parametrize("task", TASKS)
def test_what_happened_is_remembered(task):
    """The fixed target, that it was entered, and steps inside walls."""
    env = make(task)
    env.reset(seed=0, options={"target": (20.0, 1.0)})
    env.data.qpos[:2] = 18, 0.5
    env.step(STILL)
    env.data.qpos[:2] = -60, -60
    assert "violation" in env.step(STILL)[-1]
    state = pickle.loads(pickle.dumps(env.episode_state))

    other = make(task)
    other.reset(seed=1)
    other.episode_state = state
    np.testing.assert_array_equal(other.target, [20, 1])
    other.data.qpos[:2] = env.data.qpos[:2] = 0
    metrics = metrics_at_the_end(other)
    assert metrics == metrics_at_the_end(env)
    assert (metrics["entered"], metrics["success"], metrics["violations"]) == (1, 0, 1)


@pytest.mark.parametrize("task", TASKS)
def test_memory_of_another_episode_is_replaced(task):
    env = make(task)
    env.reset(seed=0, options={"target": (16.0, 16.0)})
    state = env.episode_state
    env.reset(options={"target": (0.0, 0.0)})
    env.step(STILL)
    env.data.qpos[:2] = -60, -60
    env.step(STILL)
    env.episode_state = state
    np.testing.assert_array_equal(env.target, [16, 16])
    metrics = metrics_at_the_end(env)
    assert (metrics["entered"], metrics["violations"]) == (0, 0)


@pytest.mark.parametrize("task", TASKS)
def test_state_is_a_copy_of_plain_types(task):
    env = make(task)
    env.reset(seed=0)
    state = env.episode_state
    before = pickle.dumps(state)
    trace(env, np.random.default_rng(1), 10)
    env.reset()
    assert pickle.dumps(state) == before

    def leaves(value):
        if isinstance(value, dict):
            return [leaf for item in value.values() for leaf in leaves(item)]
        if isinstance(value, list | tuple):
            return [leaf for item in value for leaf in leaves(item)]
        return [value]

    assert {type(leaf) for leaf in leaves(state)} <= {str, int, float, bool, np.ndarray}
