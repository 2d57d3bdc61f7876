"""HAC: HRL that also learns from what would have happened, had the state it reached been the goal (E.6).

Every meta-transition enters the replay once more with the goal that it did achieve, as if the manager had asked
for just that; the original is kept with the probability of subgoal testing only (authors' code).  The original HAC
(Levy et al., 2017) instead tests a share of the goals without exploration and punishes the manager for those that
are missed.  Its penalty is the length of a period, which presupposes rewards of -1 and 0 and has no meaningful
scale for the rewards of these tasks.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from gymnasium.spaces import Box

from algorithms.algorithm import HostBox
from algorithms.goals import Goals
from algorithms.hrl import HRL
from algorithms.meta import MetaTransition
from algorithms.sections import HACSettings
from algorithms.settings import RunConfig
from envs.base import TaskSpec


class HAC(HRL):
    """HRL with hindsight, for two levels and TD3."""

    def __init__(self, config: RunConfig, task: TaskSpec, actions: Box, device: torch.device) -> None:
        super().__init__(config, task, actions, device)
        self.hindsight = config.section(HACSettings)

    def store(self, seed: int, item: MetaTransition) -> None:
        """The original sometimes, its hindsight copy always."""
        if self.streams["subgoal_testing"][seed].random() < self.hindsight.subgoal_testing_rate:
            super().store(seed, item)
        box = self.manager.bounds.host if self.hindsight.clip_hindsight_goals else None
        super().store(seed, in_hindsight(item, self.goals, box))


def in_hindsight(item: MetaTransition, goals: Goals, box: HostBox | None = None) -> MetaTransition:
    """The same steps under the goal that they achieved, with the intrinsic rewards that belong to it.

    Observations, actions, the manager's reward and the end of the episode remain.

    Args:
        item: a finished meta-transition.
        goals: goals of the task.
        box: what the manager's hindsight action is clipped to; None lets it leave the goal box (authors' code).
    """
    length = item.length
    visited = item.observations[: length + 1]
    fresh = np.zeros_like(item.goals)
    fresh[: length + 1] = goals.achieved(visited, visited[-1:])
    if box is not None:
        fresh[: length + 1] += np.clip(fresh[0], box.low, box.high) - fresh[0]
    rewards = np.zeros_like(item.worker_rewards)
    rewards[:length] = goals.intrinsic_reward(visited[:-1], fresh[:length], visited[1:])
    return replace(item, goals=fresh, worker_rewards=rewards)
