"""Environments stepped side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray

from envs.base import ActionError, Observation, SimulationError

VectorStep = tuple[Observation, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]


class TaskVectorEnv(SyncVectorEnv[Any, Any]):
    """A :class:`~gymnasium.vector.SyncVectorEnv` without autoreset, for the flat observations of tasks.

    A step does the same at a third of the cost: nothing is dispatched on the kind of space or copied deeply.

    Args:
        members: one function per environment, which makes it.
    """

    def __init__(self, members: Sequence[Callable[[], Any]]) -> None:
        super().__init__(members, autoreset_mode=AutoresetMode.DISABLED)

    def step(self, actions: NDArray[np.float32]) -> VectorStep:
        """Advance every environment by one step; what comes back is the caller's to keep.

        After an error of a member the vector can only be closed.
        """
        assert not self._autoreset_envs.any(), "an episode has ended; its environment must be reset first"
        observations, rewards = np.empty_like(self._observations), np.empty(self.num_envs)
        infos: dict[str, Any] = {}
        for index, (observation, reward, terminated, truncated, info) in enumerate(self._step_members(actions)):
            self._env_obs[index] = observations[index] = observation
            rewards[index] = reward
            self._terminations[index], self._truncations[index] = terminated, truncated
            if info:
                infos = self._add_info(infos, info, index)
        self._autoreset_envs = self._terminations | self._truncations
        return observations, rewards, self._terminations.copy(), self._truncations.copy(), infos

    def _step_members(self, actions: NDArray[np.float32]) -> Iterable[Any]:
        """The results of the members' steps, in their order."""
        return (step_member(self.envs, index, actions) for index in range(self.num_envs))


def step_member(members: Sequence[Any], index: int, actions: NDArray[np.float32]) -> Any:
    """One member's step; an error says whose it is."""
    try:
        return members[index].step(actions[index])
    except (SimulationError, ActionError) as error:
        error.member = index
        raise
