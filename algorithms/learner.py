"""Twin delayed deep deterministic policy gradient (TD3): one actor with twin critics, for S seeds side by side.

The flat baseline is one such learner, a hierarchy is two of them.  An update follows TD3's original order:
critics, then the actor through the new first critic, then the targets.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from algorithms.algorithm import Array, Bounds, Mask
from algorithms.networks import MLP, Optimiser, forward
from algorithms.seeding import Streams
from algorithms.settings import LearnerSettings
from envs.base import TaskSpec

log = logging.getLogger(__name__)

#: An actor whose tanh has a smaller slope on a whole batch no longer learns.
DEAD_SLOPE = 1e-4


@dataclass(frozen=True)
class Batch:
    """Transitions for one update: [S, B, n], [S, B, m], [S, B], [S, B, n], [S, B]; a done stops bootstrapping."""

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    next_observations: Tensor
    dones: Tensor


class TD3Learner:
    """Actor, twin critics and their targets for S seeds.

    Args:
        name: level, used in the names of streams, parameters and metrics.
        inputs: number of observation entries n.
        bounds: the action box.
        settings: hyper-parameters.
        streams: random streams of the seeds.
        factor: multiplies each observation entry inside the networks, shape [n] (``input_scale: unit``); the
            critics then see actions in [-1, 1].  None leaves everything in its own units.
    """

    def __init__(
        self,
        name: str,
        inputs: int,
        bounds: Bounds,
        settings: LearnerSettings,
        streams: Streams,
        factor: Tensor | None = None,
    ) -> None:
        self.name, self.bounds, self.settings = name, bounds, settings
        self._streams, self._factor = streams, factor
        self.seeds = len(streams.seeds)
        device = bounds.low.device
        actor_sizes = (inputs, *settings.hidden, bounds.size)
        critic_sizes = (inputs + bounds.size, *settings.hidden, 1)
        self.actor, self.target_actor = (MLP(self.seeds, actor_sizes, device) for _ in range(2))
        self.critics, self.target_critics = (MLP(2 * self.seeds, critic_sizes, device) for _ in range(2))
        self.actor.initialise(streams[f"{name}/actor"])
        self.critics.initialise(streams[f"{name}/critics"])
        self.target_actor.flat.copy_(self.actor.flat)
        self.target_critics.flat.copy_(self.critics.flat)
        self._actor_optimiser = Optimiser(self.actor, settings.learning_rate)
        self._critic_optimiser = Optimiser(self.critics, settings.learning_rate)
        self._warned = False

    # ---- acting -------------------------------------------------------------------------------------------------

    def actions(self, observations: Tensor, actor: MLP | None = None) -> Tensor:
        """Deterministic actions of the current (or a given) actor, [S, B, n] to [S, B, m]."""
        if self._factor is not None:
            observations = observations * self._factor
        return self.bounds.middle + self.bounds.half * torch.tanh((actor or self.actor)(observations))

    @torch.no_grad()
    def act(self, observations: Tensor, *, explore: bool, which: Mask | None = None) -> Tensor:
        """Actions for one step, [S, n] to [S, m].

        Exploration adds Gaussian noise and clips to the box (E.1).  ``which`` names the seeds that really act; no
        random numbers are drawn for the others.
        """
        actions = self.actions(observations.unsqueeze(1)).squeeze(1)
        if not explore:
            return actions
        noise = self._streams.normal(f"{self.name}/exploration", self.bounds.size, which=which)
        scale = self.settings.exploration_noise * self.bounds.half
        return self.bounds.clip(actions + scale * torch.from_numpy(noise).to(actions.device))

    def random_actions(self, which: Mask | None = None) -> Tensor:
        """Uniform actions for the warm-up, [S, m]; ``which`` as in :meth:`act`."""
        draws = self._streams.uniform(f"{self.name}/random_actions", self.bounds.size, which=which)
        return self.bounds.low + 2 * self.bounds.half * torch.from_numpy(draws).to(self.bounds.low.device)

    # ---- learning -----------------------------------------------------------------------------------------------

    def values(self, observations: Tensor, actions: Tensor, critics: MLP | None = None) -> Tensor:
        """Both critics, [S, B, n] and [S, B, m] to [S, 2, B]."""
        inputs = self._critic_inputs(observations, actions)
        seeds, batch, width = inputs.shape
        twice = inputs.unsqueeze(1).expand(seeds, 2, batch, width).reshape(2 * seeds, batch, width)
        return (critics or self.critics)(twice).view(seeds, 2, batch)

    def first_value(self, observations: Tensor, actions: Tensor) -> Tensor:
        """The first critic with frozen parameters, [S, B]; gradients reach the inputs only."""
        return forward(self.critics.every(2), self._critic_inputs(observations, actions)).squeeze(-1)

    @torch.no_grad()
    def targets(self, batch: Batch) -> Tensor:
        """Clipped double-Q targets with target policy smoothing, [S, B]."""
        settings, half = self.settings, self.bounds.half
        draws = self._streams.normal(f"{self.name}/target_noise", *batch.actions.shape[1:])
        noise = torch.from_numpy(draws).to(half.device) * settings.target_noise
        noise = noise.clamp_(-settings.target_noise_clip, settings.target_noise_clip) * half
        actions = self.bounds.clip(self.actions(batch.next_observations, self.target_actor) + noise)
        values = self.values(batch.next_observations, actions, self.target_critics).amin(1)
        return batch.rewards + settings.gamma * (1 - batch.dones) * values

    def update_critics(self, batch: Batch) -> None:
        """One step of both critics towards the targets; the loss is a mean over the batch for each critic."""
        targets = self.targets(batch).unsqueeze(1)
        values = self.values(batch.observations, batch.actions)
        loss_of = functional.huber_loss if self.settings.critic_loss == "huber" else functional.mse_loss
        loss = loss_of(values, targets.expand_as(values), reduction="none").mean(-1).sum()
        self._critic_optimiser.minimise(loss)

    def actor_loss(self, observations: Tensor) -> Tensor:
        """Minus the mean value of the actor's actions, [S]."""
        return -self.first_value(observations, self.actions(observations)).mean(-1)

    def update_actor(self, loss: Tensor) -> None:
        """One step of the actor down ``loss`` ([S]), then Polyak averaging of all targets."""
        self._actor_optimiser.minimise(loss.sum())
        self.target_actor.flat.lerp_(self.actor.flat, self.settings.tau)
        self.target_critics.flat.lerp_(self.critics.flat, self.settings.tau)

    # ---- reporting and saving -----------------------------------------------------------------------------------

    @torch.no_grad()
    def health(self, observations: Tensor) -> dict[str, Array]:
        """Share of actor outputs with |tanh| > 0.99 and mean slope of tanh on a batch, [S] each."""
        tanh = (self.actions(observations) - self.bounds.middle) / self.bounds.half
        slope = 1 - tanh * tanh
        if not self._warned and bool((slope < DEAD_SLOPE).all()):
            self._warned = True
            log.warning("%s saturated on a whole batch (tanh' < %g): it no longer learns", self.name, DEAD_SLOPE)
        return {
            f"{self.name}_saturation": to_numpy((tanh.abs() > 0.99).float().mean((1, 2))),
            f"{self.name}_slope": to_numpy(slope.mean((1, 2))),
        }

    @property
    def networks(self) -> dict[str, Tensor]:
        """Parameters by name, sharing memory with the learner."""
        parts = {
            "actor": self.actor,
            "critics": self.critics,
            "target_actor": self.target_actor,
            "target_critics": self.target_critics,
        }
        return {
            f"{self.name}.{part}.{name}": tensor
            for part, network in parts.items()
            for name, tensor in network.named().items()
        }

    def state_dict(self) -> dict[str, Any]:
        """States of the optimisers; the parameters are in :attr:`networks`."""
        optimisers = {"actor": self._actor_optimiser, "critics": self._critic_optimiser}
        return {name: optimiser.adam.state_dict() for name, optimiser in optimisers.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        self._actor_optimiser.adam.load_state_dict(state["actor"])
        self._critic_optimiser.adam.load_state_dict(state["critics"])

    def _critic_inputs(self, observations: Tensor, actions: Tensor) -> Tensor:
        if self._factor is not None:
            observations = observations * self._factor
            actions = (actions - self.bounds.middle) / self.bounds.half
        return torch.cat((observations, actions), dim=-1)


def input_factor(
    task: TaskSpec, indices: tuple[int, ...], settings: LearnerSettings, device: torch.device
) -> Tensor | None:
    """The factors that a level's networks apply to the observation entries they see, or None for raw inputs."""
    if settings.input_scale == "raw":
        return None
    return torch.as_tensor(task.unit_scale[list(indices)], dtype=torch.float32, device=device)


def load_networks(networks: dict[str, Tensor], values: dict[str, Tensor]) -> None:
    """Copy saved parameters in place.

    Raises:
        ValueError: names or shapes differ.
    """
    expected = {name: tuple(tensor.shape) for name, tensor in networks.items()}
    given = {name: tuple(tensor.shape) for name, tensor in values.items()}
    if expected != given:
        wrong = sorted(name for name in {*expected, *given} if expected.get(name) != given.get(name))
        raise ValueError(
            f"saved networks do not fit: {wrong[0]} is {given.get(wrong[0])}, expected {expected.get(wrong[0])}"
        )
    for name, tensor in networks.items():
        tensor.copy_(values[name])


def to_numpy(tensor: Tensor) -> Array:
    """A tensor as a float32 array on the host."""
    return np.asarray(tensor.detach().cpu().numpy(), dtype=np.float32)
