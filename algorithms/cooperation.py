"""The worker's share in the manager's objective: four readings of the paper and of the published code.

Each is a function of the manager's proposals and of data.  The worker, its critic and the stored transitions are
constants in it: the networks' parameters never ask for a gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from algorithms.levels import Levels
from algorithms.meta import MetaBatch


class Share(NamedTuple):
    """What a manager gives its worker at step i of each meta-transition.

    Attributes:
        reward: r_w, [S, B].
        value: Q_w of the first critic, [S, B].
    """

    reward: Tensor
    value: Tensor

    @property
    def objective(self) -> Tensor:
        """What the manager cares for on its worker's behalf, [S, B]."""
        return self.reward + self.value


#: From proposals at s_t, [S, B, d], to the worker's share at s_{t+i}.
Reading = Callable[[Levels, MetaBatch, Tensor], Share]


def equation5(levels: Levels, batch: MetaBatch, proposals: Tensor) -> Share:
    """Eq. 5 as printed: the intrinsic reward of the goal, and Q_w through the worker's action alone.

    The goal that Q_w itself sees is a constant, since the derivation unrolls it into the rewards along the way.
    """
    goals = levels.goals_in_force(batch, proposals)
    actions = levels.worker.actions(levels.worker_inputs(batch.observations, goals))
    seen = levels.worker_inputs(batch.observations, goals.detach())
    return Share(
        reward=levels.goals.intrinsic_reward(batch.observations, goals, batch.next_observations),
        value=levels.worker.first_value(seen, actions),
    )


def total(levels: Levels, batch: MetaBatch, proposals: Tensor) -> Share:
    """The intrinsic reward, and Q_w through both of its arguments."""
    goals = levels.goals_in_force(batch, proposals)
    seen = levels.worker_inputs(batch.observations, goals)
    return Share(
        reward=levels.goals.intrinsic_reward(batch.observations, goals, batch.next_observations),
        value=levels.worker.first_value(seen, levels.worker.actions(seen)),
    )


def authors(levels: Levels, batch: MetaBatch, proposals: Tensor) -> Share:
    """The published code as intended (until January 2020): a mean square as reward, Q_w at the replayed action."""
    goals = levels.goals_in_force(batch, proposals)
    residual = levels.goals.residual(batch.observations, goals, batch.next_observations)
    seen = levels.worker_inputs(batch.observations, goals)
    return Share(-residual.square().mean(-1), levels.worker.first_value(seen, batch.actions))


def released(levels: Levels, batch: MetaBatch, proposals: Tensor) -> Share:
    """The published code as it stands (since May 2020).

    Relative goals are carried to the end of the period instead of to step i, and the state enters the residual
    once more than it should, for absolute goals as well.
    """
    state = levels.goals.state
    goals = levels.goals.transition(batch.first_observations, proposals, batch.last_observations)
    residual = levels.goals.residual(batch.observations, goals, batch.next_observations) + state(
        batch.observations
    )
    seen = levels.worker_inputs(batch.observations, goals)
    return Share(-residual.square().mean(-1), levels.worker.first_value(seen, batch.actions))


READINGS: dict[str, Reading] = {
    "equation5": equation5,
    "total": total,
    "authors": authors,
    "released": released,
}


def gradient(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    """Gradient, [S, B, d], of a function's mean over the batch ([S, B, d] to [S, B]); in inference mode too."""
    with torch.inference_mode(False), torch.enable_grad():
        leaf = at.clone().requires_grad_()
        total_of_seeds = function(leaf).mean(-1).sum()  # seeds do not touch each other
        (result,) = torch.autograd.grad(total_of_seeds, leaf)
    return result
