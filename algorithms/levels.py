"""Manager and worker as two learners, and the policy they make together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from gymnasium.spaces import Box
from torch import Tensor

from algorithms.algorithm import Array, Bounds, Entries, Mask
from algorithms.goals import Goals
from algorithms.learner import TD3Learner, input_factor, to_numpy
from algorithms.meta import MetaBatch
from algorithms.networks import Scratch
from algorithms.sections import HierarchySettings
from algorithms.seeding import Streams
from algorithms.settings import RunConfig
from envs.base import EvaluationPoint, ImageSpec, TaskSpec


@dataclass(frozen=True)
class Levels:
    """Manager and worker, and which part of an observation each of them sees."""

    manager: TD3Learner
    worker: TD3Learner
    goals: Goals
    period: int
    manager_sees: Entries
    worker_sees: Entries

    @property
    def seeds(self) -> int:
        """Number of seeds S."""
        return self.manager.seeds

    def propose(self, observations: Array, starts: Mask, *, explore: bool) -> Array:
        """The manager's goals, [S, n] to [S, d], meant for the seeds in ``starts``."""
        return self.manager.act(self.manager_sees(observations), explore=explore, which=starts)

    def control(self, observations: Array, goals: Array, *, explore: bool) -> Array:
        """The worker's actions, [S, n] and [S, d] to [S, m]."""
        return self.worker.act(self.worker_sees(observations), goals, explore=explore)

    def goals_in_force(self, batch: MetaBatch, proposals: Tensor) -> Tensor:
        """What proposals at s_t have become at s_{t+i} (Eq. 4), both [S, B, d]: the goal transition telescopes."""
        return self.goals.transition(batch.first_observations, proposals, batch.observations)

    def worker_parts(self, observations: Tensor, goals: Tensor) -> tuple[Tensor, Tensor]:
        """What the worker sees of a batch of observations, and its goals."""
        return self.worker_sees(observations), goals

    def worker_inputs(self, observations: Tensor, goals: Tensor) -> Tensor:
        """What the worker sees, side by side."""
        return torch.cat(self.worker_parts(observations, goals), dim=-1)


class HierarchicalPolicy:
    """The deterministic policy of both levels, with its own goals and period counters.

    Attributes:
        levels: the manager and the worker that act.
        goals: goals in force, [S, d].
        fresh: where the manager has set its goal at the last step, [S].
    """

    def __init__(self, levels: Levels) -> None:
        self.levels = levels
        self.goals = np.zeros((levels.seeds, levels.manager.bounds.size), dtype=np.float32)
        self.fresh = np.zeros(levels.seeds, dtype=np.bool_)
        self._phase = np.zeros(levels.seeds, dtype=np.int64)
        self._previous: Array | None = None

    def reset(self, starts: Mask, point: EvaluationPoint | None = None) -> None:
        """Ask the manager for a fresh goal where an episode starts."""
        self._phase[starts] = 0

    def act(self, observations: Array) -> Array:
        """Actions for one step, [S, n] to [S, m]; afterwards ``goals`` are those in force, [S, d]."""
        levels = self.levels
        if self._previous is not None:
            self.goals = levels.goals.transition(self._previous, self.goals, observations)
        self.fresh = fresh = self._phase == 0
        if fresh.any():
            self.goals = np.where(fresh[:, None], levels.propose(observations, fresh, explore=False), self.goals)
        self._previous = observations.copy()
        self._phase = (self._phase + 1) % levels.period
        return levels.control(observations, self.goals, explore=False)

    @torch.no_grad()
    def value(self, observations: Array) -> Array:
        """The manager's first critic at the goals it would set in these states, [S, n] to [S]."""
        manager = self.levels.manager
        seen = torch.as_tensor(self.levels.manager_sees(observations), device=manager.bounds.low.device)
        return to_numpy(manager.first_value(seen[:, None], manager.actions(seen[:, None]))[:, 0])


def build_levels(
    config: RunConfig, task: TaskSpec, actions: Box, streams: Streams, device: torch.device
) -> Levels:
    """Fresh learners for both levels of a task.

    The manager acts in the goal box on what it sees of an observation, the worker in the action box on what it
    sees of an observation and its goal.
    """
    settings, scratch = config.learner, Scratch()

    def learner(name: str, sees: tuple[int, ...], acts: Bounds, image: ImageSpec | None = None) -> TD3Learner:
        factor = input_factor(task, sees, settings, device)
        return TD3Learner(name, len(sees), acts, settings, streams, factor, scratch, image)

    goals = Bounds(task.goal_low, task.goal_high, device)
    return Levels(
        manager=learner("manager", task.manager_indices, goals, task.manager_image),
        worker=learner(
            "worker", task.worker_indices + task.goal_indices, Bounds(actions.low, actions.high, device)
        ),
        goals=Goals(task, device),
        period=config.section(HierarchySettings).meta_period,
        manager_sees=Entries(task.manager_indices, device),
        worker_sees=Entries(task.worker_indices, device),
    )
