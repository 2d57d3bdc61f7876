"""HIRO: HRL whose manager learns from goals that the present worker could have been following (E.5).

The worker changes while its old transitions stay in the replay, and what a goal once led to is no longer what it
leads to.  Whenever the manager learns, the goal of each meta-transition is therefore replaced, in the batch only,
by whichever candidate makes the stored actions of the worker most likely today.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box
from numpy.typing import NDArray
from torch import Tensor

from algorithms.algorithm import Array
from algorithms.device import Fields
from algorithms.hrl import HRL, Due
from algorithms.learner import to_numpy
from algorithms.meta import MetaBatch, Sizes
from algorithms.sections import HIROSettings
from algorithms.settings import RunConfig
from envs.base import TaskSpec


class HIRO(HRL):
    """HRL with off-policy correction of the manager's actions (Nachum et al., 2018)."""

    def __init__(self, config: RunConfig, task: TaskSpec, actions: Box, device: torch.device) -> None:
        self.hiro = config.section(HIROSettings)
        super().__init__(config, task, actions, device)
        shape = (self.settings.batch_size, self.hiro.candidates - 2, self.manager.bounds.size)
        self._candidates = self.streams.normals("candidates", *shape)
        self._steps = torch.arange(self.hierarchy.meta_period, device=device)
        # since the last log point: the sum of shares of goals that were replaced, and the number of shares
        self._relabelled = torch.zeros(len(config.seeds), 2, device=device)

    def numbers(self, seeds: int, batch: int, sizes: Sizes) -> Fields:
        """Normal numbers for the candidates as well."""
        shape = (seeds, batch, self.hiro.candidates - 2, sizes.goal)
        return {**super().numbers(seeds, batch, sizes), "candidates": (shape, np.float32)}

    def draw(self, drawn: dict[str, NDArray[Any]], due: Due) -> None:
        """Normal numbers for the candidates as well."""
        super().draw(drawn, due)
        if due.manager_critics and self.hiro.correction:
            drawn["candidates"][:] = self._candidates.next()

    def relabel(self, batch: MetaBatch, drawn: Mapping[str, Tensor]) -> Tensor:
        """The likeliest candidate of each meta-transition, the first one of equals; [S, B, d]."""
        if not self.hiro.correction:
            return super().relabel(batch, drawn)
        candidates = self.candidates(batch, drawn["candidates"])
        best = self.scores(batch, candidates).argmax(-1)
        self._relabelled[:, 0] += (best > 0).float().mean(-1)
        self._relabelled[:, 1] += 1
        return candidates.take_along_dim(best[..., None, None], dim=2).squeeze(2)

    def candidates(self, batch: MetaBatch, noise: Tensor) -> Tensor:
        """The stored goal, the achieved one, and Gaussian ones around the achieved one, all within the goal box.

        Args:
            batch: meta-transitions.
            noise: standard normal numbers, [S, B, K - 2, d].

        Returns:
            Shape [S, B, K, d].
        """
        bounds = self.manager.bounds
        achieved = self.goals.achieved(batch.first_observations, batch.last_observations).unsqueeze(2)
        around = achieved + self.hiro.candidate_std * bounds.half * noise
        return bounds.clip(torch.cat((batch.first_goals.unsqueeze(2), achieved, around), dim=2))

    def scores(self, batch: MetaBatch, candidates: Tensor) -> Tensor:
        """Log-likelihood of the stored actions under each candidate, up to a constant; [S, B, K, d] to [S, B, K].

        It is -1/2 sum_i |a_i - pi_w(s_i, g_i)|^2 over the steps of the meta-transition, in units of the action
        box's half range (as HIRO), under the present worker without noise; a candidate is carried on by the goal
        transition.
        """
        rows = batch.buffer.read((batch.rows - batch.steps).unsqueeze(-1) + self._steps)
        observations, actions = rows["observations"], rows["actions"]  # [S, B, k, n] and [S, B, k, m]
        first, scores = batch.first_observations.unsqueeze(2), torch.empty_like(candidates[..., 0])
        taken = self._steps < batch.lengths.unsqueeze(-1)  # shorter items are padded
        weights = -0.5 * taken.unsqueeze(-1) / self.worker.bounds.half.square()
        seen, predict = self.levels.worker_sees(observations), self.worker.acting(taken[0].numel())
        # One candidate after the other, so that the hidden layers of 1,280 rows stay in the cache.
        for number, candidate in enumerate(candidates.unsqueeze(3).unbind(2)):
            goals = self._carried(first, candidate, observations).expand(*actions.shape[:-1], -1)
            predicted = predict(torch.cat((seen, goals), dim=-1).flatten(1, 2)).view(actions.shape)
            torch.sum(weights * (actions - predicted).square(), dim=(-2, -1), out=scores[..., number])
        return scores

    def metrics(self) -> dict[str, Array]:
        """Besides those of HRL: the share of goals that were replaced since the last call."""
        metrics = super().metrics()
        if self.hiro.correction:
            metrics["relabelled"] = to_numpy(self._relabelled[:, 0] / self._relabelled[:, 1])
            self._relabelled.zero_()
        return metrics

    def state_dict(self) -> dict[str, Any]:
        """The running share of replaced goals as well."""
        return super().state_dict() | {"relabelled": self._relabelled.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        super().load_state_dict(state)
        self._relabelled.copy_(state["relabelled"])

    def _carried(self, first: Tensor, goals: Tensor, observations: Tensor) -> Tensor:
        """What goals set at s_t, [S, B, 1, d], have become at s_t .. s_{t+k-1}, [S, B, k, d]."""
        if self.hiro.flipped_sign:
            first, observations = observations, first
        return self.goals.transition(first, goals, observations)
