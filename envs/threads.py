"""Environments of one process, stepped by several threads at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.base import TaskEnv
from envs.vector import TaskVectorEnv, step_member


class ThreadedVectorEnv(TaskVectorEnv):
    """A :class:`~envs.vector.TaskVectorEnv` that steps its members in several threads.

    This pays where the simulator releases Python's global lock, as MuJoCo does.  Results do not depend on the
    number of threads: members share nothing, and threads start with the floating-point mode (such as the flushing
    of denormal numbers) of the caller's thread at its first step.  An error of a member is raised once all threads
    are at rest.

    Args:
        members: one function per environment, which makes it.
        threads: how many threads step them, that of the caller included; at least 2.
    """

    def __init__(self, members: Sequence[Callable[[], TaskEnv]], threads: int) -> None:
        self._helpers = threads - 1
        self._pool = ThreadPoolExecutor(self._helpers, thread_name_prefix="environments")
        super().__init__(members)

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
                results[index] = step_member(self.envs, index, actions)

        helpers = [self._pool.submit(work) for _ in range(self._helpers)]
        try:
            work()
        finally:
            wait(helpers)
        for helper in helpers:
            helper.result()
        return [results[index] for index in range(self.num_envs)]
