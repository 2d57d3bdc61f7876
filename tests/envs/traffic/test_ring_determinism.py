"""Same seed, same bytes: again, in another process, beside others, and after an interruption."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.tasks import make_vector
from envs.traffic.ring import RingRoad

SHORT: dict[str, Any] = {"warmup_steps": 60, "horizon": 40}
STEPS = 40


def action(step: int) -> np.ndarray:
    return np.array([np.sin(0.3 * step)], dtype=np.float32)


def episode(env: RingRoad, seed: int | None = None, options: dict[str, Any] | None = None) -> bytes:
    """Everything an episode shows: observations, rewards and the ring's length."""
    observation, info = env.reset(seed=seed, options=options)
    return observation.tobytes() + repr(info).encode() + rest_of_episode(env, 0)


def rest_of_episode(env: RingRoad, begin: int) -> bytes:
    seen = b""
    for step in range(begin, STEPS):
        observation, reward, _, _, info = env.step(action(step))
        seen += observation.tobytes() + repr((reward, info)).encode()
    return seen


def digest_of_two_episodes(seed: int) -> str:
    env = RingRoad(**SHORT)
    digest = hashlib.sha256(episode(env, seed) + episode(env)).hexdigest()
    env.close()
    return digest


def test_same_seed_same_bytes_whatever_ran_before() -> None:
    first = digest_of_two_episodes(3)
    assert digest_of_two_episodes(4) != first
    assert digest_of_two_episodes(3) == first


def test_same_seed_same_bytes_in_another_process() -> None:
    digest_of_two_episodes(8)
    program = "from tests.envs.traffic.test_ring_determinism import digest_of_two_episodes as d; print(d(3))"
    command, root = [sys.executable, "-c", program], Path(__file__).parents[3]
    output = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    assert output.strip() == digest_of_two_episodes(3)


def test_members_in_separate_processes_give_what_they_give_alone() -> None:
    vector = make_vector("ring_road", 2, SHORT)
    try:
        first, _ = vector.reset(seed=3)  # the second member gets seed 4
        together = [vector.step(np.stack([action(step), action(step + 1)]))[:2] for step in range(STEPS)]
    finally:
        vector.close()
    for member, seed in enumerate((3, 4)):
        env = RingRoad(**SHORT)
        np.testing.assert_array_equal(env.reset(seed=seed)[0], first[member])
        for step, (observations, rewards) in enumerate(together):
            observation, reward, _, _, _ = env.step(action(step + member))
            np.testing.assert_array_equal(observation, observations[member])
            assert reward == rewards[member]
        env.close()


@pytest.mark.parametrize("options", [None, {"length": 251}, {"length": 222, "simulation_seed": 5}])
@pytest.mark.parametrize("fresh", [True, False])
def test_interrupted_episode_continues_byte_for_byte(options: dict[str, Any] | None, fresh: bool) -> None:
    env = RingRoad(**SHORT)
    episode(env, seed=9)
    env.reset(options=options)
    for step in range(17):
        env.step(action(step))
    state = env.episode_state
    expected = rest_of_episode(env, 17) + episode(env)
    resumed = RingRoad(**SHORT) if fresh else env
    resumed.episode_state = state
    assert rest_of_episode(resumed, 17) + episode(resumed) == expected
    resumed.close()


def test_state_before_the_first_step_of_an_episode() -> None:
    env = RingRoad(**SHORT)
    env.reset(seed=1)
    state = env.episode_state
    expected = rest_of_episode(env, 0)
    env.episode_state = state
    assert rest_of_episode(env, 0) == expected
    env.close()


def test_another_environment_of_the_process_is_not_destroyed_silently() -> None:
    first, second = RingRoad(**SHORT), RingRoad(**SHORT)
    first.reset(seed=0)
    second.reset(seed=0)
    with pytest.raises(RuntimeError, match="another one has started a simulation"):
        first.step(action(0))
    second.step(action(0))
    second.close()
    with pytest.raises(RuntimeError, match="was closed"):
        second.step(action(0))
    second.close()
    first.reset(seed=0)
    first.step(action(0))
    first.close()
