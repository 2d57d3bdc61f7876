"""Environments stepped in several threads do what they do in one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box

from envs.base import TaskEnv
from envs.tasks import make_vector
from envs.threads import ThreadedVectorEnv
from envs.vector import TaskVectorEnv

SEEDS: list[int | None] = [3, 14, 15]


@contextmanager
def ants(number: int, threads: int) -> Iterator[Any]:
    envs = make_vector("ant_gather", number, threads=threads)
    yield envs
    envs.close()


def rollout(envs: Any, steps: int, seed: int) -> list[Any]:
    """Everything that comes back from ``steps`` steps under violent torques, resets included."""
    rng, returned = np.random.default_rng(seed), []
    for step in range(steps):
        if step % 5 == 0:
            actions = rng.choice([-30, 30], envs.action_space.shape).astype(np.float32)
        result = envs.step(actions)
        returned.append(result)
        if (ends := result[2] | result[3]).any():
            returned.append(envs.reset(options={"reset_mask": ends}))
    return returned


@pytest.fixture(scope="module")
def serial() -> list[Any]:
    with ants(3, threads=1) as envs:
        assert type(envs) is TaskVectorEnv
        return [envs.reset(seed=list(SEEDS)), *rollout(envs, 700, seed=0)]


@pytest.mark.parametrize("threads", [2, 3, 50])
def test_episodes_are_bit_for_bit_those_of_one_thread(serial: list[Any], threads: int) -> None:
    with ants(3, threads) as envs:
        parallel = [envs.reset(seed=list(SEEDS)), *rollout(envs, 700, seed=0)]
    assert sum(len(result) == 2 for result in serial) > 2, "episodes end at different times"
    for one, several in zip(serial, parallel, strict=True):
        for number, other in zip(one[:-1], several[:-1], strict=True):
            assert number.dtype == other.dtype
            assert number.tobytes() == other.tobytes()
        assert str(one[-1]) == str(several[-1]), "infos"


def test_an_episode_continues_in_another_number_of_threads() -> None:
    with ants(3, threads=1) as envs:
        envs.reset(seed=list(SEEDS))
        rollout(envs, 40, seed=0)
        state = list(envs.get_attr("episode_state"))
        expected = rollout(envs, 40, seed=1)
    with ants(3, threads=2) as envs:
        envs.reset(seed=[0, 0, 0])
        envs.set_attr("episode_state", state)
        for one, several in zip(expected, rollout(envs, 40, seed=1), strict=True):
            assert all(map(np.array_equal, one[:4], several[:4]))


def test_observations_returned_are_copies() -> None:
    with ants(2, threads=2) as envs:
        envs.reset(seed=[0, 1])
        first = envs.step(np.zeros((2, 8), np.float32))
        kept = [array.copy() for array in first[:4]]
        first[0][:] = 7
        second = envs.step(np.ones((2, 8), np.float32))
        assert (second[0] != 7).any(axis=1).all()
        assert all(map(np.array_equal, kept[1:], first[1:4]))


# ---- toys -----------------------------------------------------------------------------------------------------


class Meeting(TaskEnv):
    """Observes whether this thread flushes denormal numbers; two members wait for each other in every step."""

    def __init__(self, barrier: threading.Barrier) -> None:
        super().__init__()
        self.observation_space = Box(-1, 1, (1,), np.float32)
        self.action_space = Box(-1, 1, (1,), np.float32)
        self.barrier = barrier

    def reset_episode(self, options: Any) -> Any:
        return np.zeros(1, np.float32), {}

    def step_episode(self, action: Any) -> Any:
        self.barrier.wait()
        return np.array([flushes_denormals()], np.float32), 0.0, bool(action[0] > 0), False, {}


def flushes_denormals() -> bool:
    return not (np.array([1e-310]) * np.array([0.5])).any()


@pytest.fixture
def meeting() -> Iterator[ThreadedVectorEnv]:
    envs = ThreadedVectorEnv([partial(Meeting, threading.Barrier(2, timeout=10))] * 2, threads=2)
    envs.reset()
    yield envs
    envs.close()


def test_members_run_at_the_same_time(meeting: ThreadedVectorEnv) -> None:
    for _ in range(3):
        meeting.step(np.zeros((2, 1), np.float32))


@pytest.mark.parametrize("flush", [True, False])
def test_all_threads_have_the_floating_point_mode_of_the_caller(meeting: ThreadedVectorEnv, flush: bool) -> None:
    before = flushes_denormals()
    try:
        torch.set_flush_denormal(flush)
        observations = meeting.step(np.zeros((2, 1), np.float32))[0]
    finally:
        torch.set_flush_denormal(before)
    assert observations.ravel().tolist() == [flush, flush]


def test_an_environment_that_was_not_reset_is_refused(meeting: ThreadedVectorEnv) -> None:
    meeting.step(np.array([[1], [0]], np.float32))
    with pytest.raises(AssertionError, match="must be reset first"):
        meeting.step(np.zeros((2, 1), np.float32))
    meeting.reset(options={"reset_mask": np.array([True, False])})
    meeting.step(np.zeros((2, 1), np.float32))


# ---- errors and ends ------------------------------------------------------------------------------------------


def alive() -> int:
    return sum(thread.name.startswith("environments") for thread in threading.enumerate())


@pytest.mark.parametrize("member", [0, 1, 2])
def test_an_error_of_a_member_reaches_the_caller(member: int) -> None:
    actions = np.zeros((3, 8), np.float32)
    actions[member] = np.nan
    with ants(3, threads=2) as envs:
        envs.reset(seed=list(SEEDS))
        with pytest.raises(ValueError, match="finite numbers"):
            envs.step(actions)
    assert alive() == 0


def test_threads_are_no_more_than_environments_and_end_with_them() -> None:
    with ants(1, threads=4) as envs:
        assert type(envs) is TaskVectorEnv
    with ants(3, threads=8) as envs:
        envs.reset()
        for _ in range(5):
            envs.step(np.zeros((3, 8), np.float32))
        assert alive() == 2, "beside the caller's own"
    assert alive() == 0


def test_no_thread_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="threads is 0; it must be at least 1"):
        make_vector("ant_gather", 2, threads=0)
