"""The fixed buffers that an update of a learner works in."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from algorithms.algorithm import Bounds
from algorithms.networks import Scratch
from algorithms.visual import Network


class CriticInputs:
    """A buffer for the inputs of S pairs of critics, with the views that an update works on.

    Attributes:
        flat: all, [2 S, B, n + m].
        first: those of the first critics, [S, B, n + m].
        observations: the observations in ``first``, [S, B, n].
        both_observations: [S, 2, B, n].
        both_actions: [S, 2, B, m].
    """

    def __init__(self, buffer: Tensor, observation: int) -> None:
        self.flat, self.first = buffer.flatten(0, 1), buffer[:, 0]
        self.observations = self.first[..., :observation]
        self.both_observations, self.both_actions = buffer[..., :observation], buffer[..., observation:]
        self._parts: dict[tuple[int, ...], tuple[Tensor, ...]] = {}

    def parts(self, observations: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Where the parts of an observation go, [S, 2, B, .] each."""
        widths = tuple(part.shape[-1] for part in observations)
        if widths not in self._parts:
            self._parts[widths] = self.both_observations.split(list(widths), dim=-1)
        return self._parts[widths]


class Acting:
    """The deterministic actions of S actors for a fixed number of observations, in memory made once.

    Args:
        actor: the networks.
        bounds: the action box.
        factor: multiplies each observation entry, shape [n]; None for raw inputs.
        batch: observations per actor B.

    Attributes:
        actions: those of the last call, [S, B, m].
    """

    def __init__(self, actor: Network, bounds: Bounds, factor: Tensor | None, batch: int) -> None:
        self._pass = actor.new_pass(batch, Scratch(), keep="deltas")
        self._bounds, self._factor = bounds, factor
        self.actions = actor.flat.new_zeros(actor.groups, batch, bounds.size)

    def __call__(self, observations: Tensor) -> Tensor:
        """Actions, [S, B, n] to [S, B, m]; they hold until the next call."""
        inputs = observations if self._factor is None else observations * self._factor
        tanh = torch.tanh(self._pass.forward(inputs))
        return torch.addcmul(self._bounds.middle, tanh, self._bounds.half, out=self.actions)


class Workspace:
    """Everything that one update of a learner with batches of B writes to, made once.

    Buffers at fixed addresses stay in the cache, and let a CUDA device replay the update.

    Attributes:
        current: observations and actions of the batch.
        following: its next observations, and the target actor's actions.
        values: outputs of the critics, [S, 2, B].
        target_values: outputs of the first and of the second target critics, [S, B] each.
        share: 1 / B, the weight of a transition in a mean over the batch.
        mean_gradient: the gradient of such a mean, [S, B, 1].
    """

    def __init__(
        self,
        actor: Network,
        target_actor: Network,
        critics: Network,
        target_critics: Network,
        batch: int,
        scratch: Scratch,
    ) -> None:
        seeds, observation, width = actor.groups, actor.sizes[0], critics.sizes[0]
        self.critics = critics.new_pass(batch, scratch)
        self.first_critics = critics.every(2).new_pass(batch, scratch)
        # nothing goes back through targets, so they may use what later parts of the update overwrite
        self.target_critics = target_critics.new_pass(batch, scratch, keep="deltas")
        self.target_actor = target_actor.new_pass(batch, scratch, keep="deltas")
        # its hidden layers must outlive whatever the gradient of its objective asks of other networks
        self.actor = actor.new_pass(batch, Scratch())
        self.values = self.critics.outputs.view(seeds, 2, batch)
        self.target_values = self.target_critics.outputs.view(seeds, 2, batch).unbind(1)
        new = critics.flat.new_zeros
        self.current, self.following = (CriticInputs(new(seeds, 2, batch, width), observation) for _ in range(2))
        self.share = new(()).fill_(1 / batch)
        self.mean_gradient = new(seeds, batch, 1).fill_(1 / batch)
