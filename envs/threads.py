"""Environments of one process, stepped by several threads at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import concatenate
from numpy.typing import NDArray

from envs.base import Observation, TaskEnv

VectorStep = tuple[Observation, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]


class ThreadedVectorEnv(SyncVectorEnv[Any, Any]):
    """A :class:`~gymnasium.vector.SyncVectorEnv` without autoreset that steps its members in several threads.

    This pays where the simulator releases Python's global lock, as MuJoCo does.  Results do not depend on the
    number of threads: members share nothing, and threads start with the floating-point mode (such as the flushing
    of denormal numbers) of the caller's thread at its first step.

    Args:
        members: one function per environment, which makes it.
        threads: how many threads step them, that of the caller included; at least 2.
    """

    def __init__(self, members: Sequence[Callable[[], TaskEnv]], threads: int) -> None:
        self._helpers = threads - 1
        self._pool = ThreadPoolExecutor(self._helpers, thread_name_prefix="environments")
        super().__init__(members, autoreset_mode=AutoresetMode.DISABLED)

    def step(self, actions: NDArray[np.float32]) -> VectorStep:
        """Advance every environment by one step.

        An error of a member is raised once all threads are at rest; the vector can then only be closed.
        """
        assert not self._autoreset_envs.any(), "an episode has ended; its environment must be reset first"
        infos: dict[str, Any] = {}
        for index, (observation, reward, terminated, truncated, info) in enumerate(self._step_members(actions)):
            self._env_obs[index] = observation
            self._rewards[index] = reward
            self._terminations[index] = terminated
            self._truncations[index] = truncated
            infos = self._add_info(infos, info, index)
        self._observations = concatenate(self.single_observation_space, self._env_obs, self._observations)
        self._autoreset_envs = self._terminations | self._truncations
        numbers = self._rewards.copy(), self._terminations.copy(), self._truncations.copy()
        return self._observations.copy(), *numbers, infos

    def close_extras(self, **kwargs: Any) -> None:
        """End the threads and close the environments."""
        self._pool.shutdown()
        super().close_extras(**kwargs)

    def _step_members(self, actions: NDArray[np.float32]) -> list[Any]:
        results: dict[int, Any] = {}
        # Whoever is free takes the next member: cheaper than a task per member, and fair where one takes longer.
        remaining = iter(range(self.num_envs))

        def work() -> None:
            for index in remaining:
                results[index] = self.envs[index].step(actions[index])

        helpers = [self._pool.submit(work) for _ in range(self._helpers)]
        try:
            work()
        finally:
            wait(helpers)
        for helper in helpers:
            helper.result()
        return [results[index] for index in range(self.num_envs)]
