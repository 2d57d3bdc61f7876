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

from algorithms.device import Fields
from algorithms.hrl import HRL, Due
from algorithms.meta import MetaBatch, Sizes
from algorithms.settings import RunConfig
from envs.base import TaskSpec


class HIRO(HRL):
    """HRL with off-policy correction of the manager's actions (Nachum et al., 2018)."""

    def __init__(self, config: RunConfig, task: TaskSpec, actions: Box, device: torch.device) -> None:
        assert config.hiro is not None, "the algorithm's registry entry lacks the section 'hiro'"
        self.correction = config.hiro
        super().__init__(config, task, actions, device)
        shape = (self.settings.batch_size, self.correction.candidates - 2, self.manager.bounds.size)
        self._candidates = self.streams.normals("candidates", *shape)
        self._steps = torch.arange(self.hierarchy.meta_period, device=device)

    def numbers(self, seeds: int, batch: int, sizes: Sizes) -> Fields:
        """Normal numbers for the candidates as well."""
        shape = (seeds, batch, self.correction.candidates - 2, sizes.goal)
        return {**super().numbers(seeds, batch, sizes), "candidates": (shape, np.float32)}

    def draw(self, drawn: dict[str, NDArray[Any]], due: Due) -> None:
        """Normal numbers for the candidates as well."""
        super().draw(drawn, due)
        if due.manager_critics:
            drawn["candidates"][:] = self._candidates.next()

    def relabel(self, batch: MetaBatch, drawn: Mapping[str, Tensor]) -> Tensor:
        """The likeliest candidate of each meta-transition, the first one of equals; [S, B, d]."""
        if not self.correction.correction:
            return super().relabel(batch, drawn)
        candidates = self.candidates(batch, drawn["candidates"])
        best = self.scores(batch, candidates).argmax(-1)
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
        around = achieved + self.correction.candidate_std * bounds.half * noise
        return bounds.clip(torch.cat((batch.first_goals.unsqueeze(2), achieved, around), dim=2))

    def scores(self, batch: MetaBatch, candidates: Tensor) -> Tensor:
        """Log-likelihood of the stored actions under each candidate, up to a constant; [S, B, K, d] to [S, B, K].

        It is -1/2 sum_i |a_i - pi_w(s_i, g_i)|^2 over the steps of the meta-transition, in units of the action
        box's half range (as HIRO), under the present worker without noise; a candidate is carried on by the goal
        transition.
        """
        rows = batch.buffer.read((batch.rows - batch.steps).unsqueeze(-1) + self._steps)
        observations, actions = rows["observations"], rows["actions"]  # [S, B, k, n] and [S, B, k, m]
        goals = self._carried(batch.first_observations, candidates, observations)  # [S, B, K, k, d]
        seen = self.levels.worker_sees(observations).unsqueeze(2).expand(*goals.shape[:-1], -1)
        inputs = torch.cat((seen, goals), dim=-1)
        predicted = self.worker.actions(inputs.flatten(1, 3)).view(*goals.shape[:-1], -1)
        misfit = ((actions.unsqueeze(2) - predicted) / self.worker.bounds.half).square().sum(-1)
        taken = self._steps < batch.lengths.unsqueeze(-1)  # shorter items are padded
        return -0.5 * (misfit * taken.unsqueeze(2)).sum(-1)

    def _carried(self, first: Tensor, candidates: Tensor, observations: Tensor) -> Tensor:
        """Candidates [S, B, K, d] as they stand at each step's observation [S, B, k, n]: [S, B, K, k, d]."""
        first, candidates, observations = (
            first[:, :, None, None],
            candidates.unsqueeze(3),
            observations.unsqueeze(2),
        )
        if not self.goals.relative:
            return candidates.expand(-1, -1, -1, observations.shape[3], -1)
        moved = self.goals.state(observations) - self.goals.state(first)
        return candidates + moved if self.correction.flipped_sign else candidates - moved
