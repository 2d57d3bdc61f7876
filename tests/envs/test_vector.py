"""Environments side by side in one process do what gymnasium's own vector makes them do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from envs.tasks import make, make_vector
from envs.vector import TaskVectorEnv

MEMBERS: list[Callable[[], Any]] = [partial(make, "ant_gather")] * 3


def rollout(envs: Any, steps: int) -> list[Any]:
    """Everything that comes back from ``steps`` steps under violent torques, resets included."""
    rng, returned = np.random.default_rng(0), [envs.reset(seed=[3, 14, 15])]
    for step in range(steps):
        if step % 5 == 0:
            actions = rng.choice([-30, 30], envs.action_space.shape).astype(np.float32)
        returned.append(envs.step(actions))
        ends = returned[-1][2] | returned[-1][3]
        if ends.any():
            returned.append(envs.reset(options={"reset_mask": ends}))
    envs.close()
    return returned


def test_steps_and_resets_are_gymnasiums_bit_for_bit() -> None:
    expected = rollout(SyncVectorEnv(MEMBERS, autoreset_mode=AutoresetMode.DISABLED), 600)
    returned = rollout(TaskVectorEnv(MEMBERS), 600)
    assert sum(len(result) == 2 for result in expected) > 3, "episodes end at different times"
    for ours, theirs in zip(returned, expected, strict=True):
        for mine, other in zip(ours[:-1], theirs[:-1], strict=True):
            assert mine.dtype == other.dtype
            assert mine.tobytes() == other.tobytes()
        assert str(ours[-1]) == str(theirs[-1]), "infos"


def test_what_comes_back_is_the_callers() -> None:
    envs, other = (make_vector("ant_gather", 2) for _ in range(2))
    zeros, ones = np.zeros((2, 8), np.float32), np.ones((2, 8), np.float32)
    for each in (envs, other):
        each.reset(seed=[0, 1])
    kept = envs.step(zeros)
    for array in kept[:4]:
        array[:] = 1
    other.step(zeros)
    for ours, theirs in zip(envs.step(ones)[:4], other.step(ones)[:4], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert all((array == 1).all() for array in kept[:4])


def test_an_environment_that_was_not_reset_is_refused() -> None:
    envs = make_vector("ant_gather", 1)
    envs.reset(seed=[0])
    while not any(end.any() for end in envs.step(np.full((1, 8), 30, np.float32))[2:4]):
        pass
    with pytest.raises(AssertionError, match="must be reset first"):
        envs.step(np.zeros((1, 8), np.float32))
    envs.reset(options={"reset_mask": np.array([True])})
    envs.step(np.zeros((1, 8), np.float32))
