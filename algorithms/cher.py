"""CHER: HRL whose manager is also pulled towards goals that its worker can follow (Eq. 3 and 5).

    manager's objective = mean Q_m + lambda * mean (worker's share)

Everything but the manager's actor is frozen in it.  The weight lambda is a constant, or a Lagrange multiplier that
keeps the worker's return above delta.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import log
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box
from torch import Tensor

from algorithms.adam import Adam
from algorithms.algorithm import Array
from algorithms.cooperation import READINGS, Share, gradient
from algorithms.hrl import HRL, Due
from algorithms.learner import to_numpy
from algorithms.meta import MetaBatch
from algorithms.sections import CooperationSettings, DynamicLambdaSettings, FixedLambdaSettings
from algorithms.settings import RunConfig
from envs.base import TaskSpec


class Cooperative(HRL):
    """What both forms of CHER share.

    Attributes:
        weight: lambda of each seed, [S, 1, 1].
    """

    weight: Tensor

    def __init__(self, config: RunConfig, task: TaskSpec, actions: Box, device: torch.device) -> None:
        super().__init__(config, task, actions, device)
        self.reading = READINGS[config.section(CooperationSettings).gradient]

    def manager_gradient(self, batch: MetaBatch, goals: Tensor) -> Tensor:
        """That of the mean Q_m plus lambda times that of the worker's share."""
        own = super().manager_gradient(batch, goals)
        return torch.addcmul(own, self.weight, self.cooperative_gradient(batch, goals))

    def cooperative_gradient(self, batch: MetaBatch, goals: Tensor) -> Tensor:
        """Gradient of the worker's mean share by the manager's goals, both [S, B, d]."""
        return gradient(lambda proposals: self.share(batch, proposals).objective, goals)

    def share(self, batch: MetaBatch, goals: Tensor) -> Share:
        """The worker's share in the manager's objective, for proposals [S, B, d]."""
        return self.reading(self.levels, batch, goals)

    @torch.no_grad()
    def metrics(self) -> dict[str, Array]:
        """Besides those of HRL: lambda, and both gradients of the manager's actor on the last batch.

        ``cooperation_q`` is Q_w as the chosen reading takes it.  Norms are those of gradients with respect to the
        actor's parameters; ``gradient_cosine`` is 0 where one of them vanishes.
        """
        batch, weight = self.replay.batch(self.drawn), self.weight.flatten()
        seen = self.levels.manager_sees(batch.first_observations)
        goals = self.manager.actions(seen)
        own = self.manager.actor_gradient(seen, gradient(partial(self.manager.first_value, seen), goals))
        cooperative = self.manager.actor_gradient(seen, self.cooperative_gradient(batch, goals))
        values = {
            "lambda": weight,
            "cooperation_q": self.share(batch, goals).value.mean(-1),
            "manager_gradient": own.norm(dim=-1),
            "cooperative_gradient": cooperative.norm(dim=-1),
            "weighted_gradient": weight * cooperative.norm(dim=-1),
            "gradient_cosine": torch.cosine_similarity(own, cooperative, dim=-1),
        }
        return super().metrics() | {name: to_numpy(value) for name, value in values.items()}


class FixedCHER(Cooperative):
    """CHER with a constant lambda."""

    def __init__(self, config: RunConfig, task: TaskSpec, actions: Box, device: torch.device) -> None:
        super().__init__(config, task, actions, device)
        weight = config.section(FixedLambdaSettings).fixed_lambda
        self.weight = torch.full((len(config.seeds), 1, 1), weight, device=device)


@dataclass(frozen=True)
class DueWithDual(Due):
    """Whether lambda learns as well."""

    dual: bool


class CHER(Cooperative):
    """CHER with lambda as the multiplier of the constraint Q_w >= delta (section 3.3 and Algorithm 1).

    Raises:
        ValueError: the configuration leaves delta open.
    """

    def __init__(self, config: RunConfig, task: TaskSpec, actions: Box, device: torch.device) -> None:
        self.dual, seeds = config.section(DynamicLambdaSettings), len(config.seeds)
        if self.dual.delta is None:
            raise ValueError("cher.delta is not set; it must be a negative number, the worker return to be kept")
        super().__init__(config, task, actions, device)
        self.delta = self.dual.delta
        # in double precision, since steps of 3e-4 add up over 100,000 updates
        start = torch.full((seeds,), self.dual.initial_log_lambda, dtype=torch.float64, device=device)
        self.log_lambda, self._dual_gradient = start, torch.zeros_like(start)
        self._dual_optimiser = Adam(self.log_lambda, self._dual_gradient, self.dual.dual_learning_rate)
        self.weight = torch.zeros(seeds, 1, 1, device=device)
        self._set_weight()

    def due(self) -> DueWithDual:
        """Lambda learns with the manager's critics, once these have had ``dual_start`` updates (authors' code).

        It waits for the manager's actor, too: until that learns, nothing answers to lambda.
        """
        due = super().due()
        started = self.updates // self.hierarchy.manager_critic_every > self.dual.dual_start
        return DueWithDual(**vars(due), dual=due.manager_critics and started and self.manager_actor_started)

    def update_manager(self, batch: MetaBatch, drawn: Mapping[str, Tensor], due: Due) -> None:
        """Lambda first, so that the actor already learns with the new one."""
        if isinstance(due, DueWithDual) and due.dual:
            goals = self.manager.actions(self.levels.manager_sees(batch.first_observations))
            share = self.share(batch, goals)
            self.update_lambda((share.objective if self.dual.dual_includes_reward else share.value).mean(-1))
        super().update_manager(batch, drawn, due)

    def update_lambda(self, value: Tensor) -> None:
        """One step of Adam on log lambda down the slope of lambda (Q_w - delta); Q_w is ``value``, [S].

        Lambda rises while the worker's value is below delta.  Algorithm 1 steps on lambda itself, whose first step
        would be from 0.015 to 0.06 or to 0; the logarithm is the authors' code.
        """
        torch.mul(self.log_lambda.exp(), value - self.delta, out=self._dual_gradient)
        self._dual_optimiser.step()
        self._set_weight()

    def metrics(self) -> dict[str, Array]:
        """Besides the others: delta and the logarithm of lambda."""
        delta = np.full(len(self.log_lambda), self.delta, dtype=np.float32)
        return super().metrics() | {"log_lambda": to_numpy(self.log_lambda), "delta": delta}

    def state_dict(self) -> dict[str, Any]:
        """Lambda and its optimiser as well."""
        dual = {"log_lambda": self.log_lambda, "optimiser": self._dual_optimiser.state_dict()}
        return super().state_dict() | {"dual": dual}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        super().load_state_dict(state)
        self.log_lambda.copy_(state["dual"]["log_lambda"])
        self._dual_optimiser.load_state_dict(state["dual"]["optimiser"])
        self._set_weight()

    def _set_weight(self) -> None:
        if self.dual.lambda_max is not None:
            self.log_lambda.clamp_(max=log(self.dual.lambda_max))
        self.weight.copy_(self.log_lambda.exp().view_as(self.weight))
