"""Goals: how they carry over from one step to the next, and how far the worker is from them."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.algorithm import Entries
from envs.base import TaskSpec

Array = TypeVar("Array", NDArray[np.float32], Tensor)

#: Inside the root of the intrinsic reward, so that its gradient stays finite when the goal is met (authors' code).
EPSILON = 1e-10


class Goals:
    """Goals of one task, for arrays or tensors with the observation or goal as last axis.

    A relative (egocentric) goal is a displacement from the current state, an absolute goal a desired value.
    """

    def __init__(self, task: TaskSpec, device: torch.device | None = None) -> None:
        self.relative = task.relative_goals
        self._entries = Entries(task.goal_indices, device)

    def state(self, observations: Array) -> Array:
        """The entries of an observation that goals refer to: [..., n] to [..., d]."""
        return self._entries(observations)

    def transition(self, observations: Array, goals: Array, next_observations: Array) -> Array:
        """Goal transition h(s, g, s'): Eq. 31 for relative goals (never clipped), Eq. 32 for absolute ones."""
        return self.residual(observations, goals, next_observations) if self.relative else goals

    def residual(self, observations: Array, goals: Array, next_observations: Array) -> Array:
        """What is missing to the goal in the next state, with the goal in force before the transition."""
        target = self.state(observations) + goals if self.relative else goals
        return target - self.state(next_observations)

    def achieved(self, observations: Array, later_observations: Array) -> Array:
        """The goal, set in one state, that a later state meets exactly."""
        reached = self.state(later_observations)
        return reached - self.state(observations) if self.relative else reached

    def intrinsic_reward(self, observations: Array, goals: Array, next_observations: Array) -> Array:
        """Worker reward: minus the distance to the goal (Eq. 33 and 34), shape [...]."""
        return self.advance(observations, goals, next_observations)[0]

    def advance(self, observations: Array, goals: Array, next_observations: Array) -> tuple[Array, Array]:
        """:meth:`intrinsic_reward` and :meth:`transition` at once, at the cost of one."""
        residual = self.residual(observations, goals, next_observations)
        squared: Array = (residual * residual).sum(-1) + EPSILON
        rewards = -torch.sqrt(squared) if isinstance(squared, Tensor) else -np.sqrt(squared)
        return rewards, residual if self.relative else goals
