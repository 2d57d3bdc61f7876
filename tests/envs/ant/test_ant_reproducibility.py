"""Same seed, same bytes; and an episode continues exactly from its saved state."""

import hashlib
import pickle
import subprocess
import sys

import numpy as np
import pytest

from envs.tasks import make


def rollout(env, generator, steps):
    """Bytes of all results, and of the simulator's 64-bit state, under random actions over several episodes."""
    pieces = []
    for _ in range(steps):
        observation, reward, terminated, truncated, info = env.step(generator.uniform(-30, 30, 8))
        pieces.append(observation.tobytes() + repr((reward, terminated, truncated, info)).encode())
        pieces.append(env.data.qpos.tobytes() + env.data.qvel.tobytes())
        if terminated or truncated:
            pieces.append(env.reset()[0].tobytes())
    return b"".join(pieces)


def digest(seed):
    env = make("ant_gather")
    first = env.reset(seed=seed)[0].tobytes()
    return hashlib.sha256(first + rollout(env, np.random.default_rng(seed), 550)).hexdigest()


def test_same_seed_same_bytes_in_another_process():
    command = [sys.executable, __file__]
    other = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert other.stdout.strip() == digest(7)


def test_seeds_differ():
    assert digest(7) != digest(8)


def test_reset_without_seed_continues_the_random_stream():
    env = make("ant_gather")
    first = env.reset(seed=7)[0]
    second = env.reset()[0]
    assert (first != second).any()
    np.testing.assert_array_equal(env.reset(seed=7)[0], first)
    np.testing.assert_array_equal(env.reset()[0], second)


@pytest.mark.parametrize("options", [{}, {"init": "gym", "contact": "stiff"}, {"contact_forces": True}])
@pytest.mark.parametrize("steps", [1, 37, 58, 137, 301])
def test_episode_continues_from_its_state(options, steps):
    """To the episode's end and into the next ones; only some of these moments need the solver's warm start."""
    env = make("ant_gather", options)
    env.reset(seed=3)
    env.object_positions[:2] = [[0.5, 0.0], [1.0, 0.5]]
    rollout(env, np.random.default_rng(1), steps)
    assert len(env.object_kinds) < 16
    state = pickle.loads(pickle.dumps(env.episode_state))
    expected = rollout(env, np.random.default_rng(2), 520)

    fresh = make("ant_gather", options)
    fresh.episode_state = state
    assert rollout(fresh, np.random.default_rng(2), 520) == expected
    assert fresh.elapsed_steps == env.elapsed_steps


def test_state_is_a_copy():
    env = make("ant_gather")
    env.reset(seed=3)
    state = env.episode_state
    before = pickle.dumps(state)
    rollout(env, np.random.default_rng(1), 20)
    env.episode_state = state
    rollout(env, np.random.default_rng(1), 20)
    assert pickle.dumps(state) == before


def test_state_replaces_a_running_episode():
    env = make("ant_gather")
    env.reset(seed=3)
    state = env.episode_state
    expected = rollout(env, np.random.default_rng(1), 60)
    env.reset(seed=4)
    rollout(env, np.random.default_rng(5), 30)
    env.episode_state = state
    assert rollout(env, np.random.default_rng(1), 60) == expected


def test_state_holds_plain_types_and_arrays():
    env = make("ant_gather")
    env.reset(seed=3)
    rollout(env, np.random.default_rng(1), 5)

    def leaves(value):
        if isinstance(value, dict):
            assert all(type(key) is str for key in value)
            return [leaf for item in value.values() for leaf in leaves(item)]
        if isinstance(value, list):
            return [leaf for item in value for leaf in leaves(item)]
        return [value]

    assert {type(leaf) for leaf in leaves(env.episode_state)} <= {str, int, float, bool, np.ndarray}


if __name__ == "__main__":
    print(digest(7))
