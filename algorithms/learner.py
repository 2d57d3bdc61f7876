"""Twin delayed deep deterministic policy gradient (TD3): one actor with twin critics, for S seeds side by side.

The flat baseline is one such learner, a hierarchy is two of them.  An update follows TD3's original order:
critics, then the actor through the new first critic, then the targets.  Its gradients are written out, see
:class:`~algorithms.networks.Pass`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from algorithms.adam import Adam
from algorithms.algorithm import Array, Bounds, Mask
from algorithms.device import Recorder, Staging
from algorithms.networks import MLP, Scratch
from algorithms.sections import LearnerSettings
from algorithms.seeding import Ahead, Streams
from algorithms.visual import Network, VisualMLP
from algorithms.workspace import Acting, CriticInputs, Workspace
from envs.base import ImageSpec, TaskSpec

log = logging.getLogger(__name__)

#: An actor whose tanh has a smaller slope on a whole batch no longer learns.
DEAD_SLOPE = 1e-4


class Batch(NamedTuple):
    """Transitions for one update.

    Observations come in parts, [S, B, .] each, which stand side by side in what the networks see.

    Attributes:
        observations: parts of [S, B, n].
        actions: [S, B, m].
        rewards: [S, B].
        next_observations: parts of [S, B, n].
        continues: 0 stops bootstrapping, else 1, [S, B]; None if nothing ever ends.
    """

    observations: Sequence[Tensor]
    actions: Tensor
    rewards: Tensor
    next_observations: Sequence[Tensor]
    continues: Tensor | None


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
        scratch: memory that this learner may share with others.
        image: the image that the last observation entries are, if they are one.
    """

    def __init__(
        self,
        name: str,
        inputs: int,
        bounds: Bounds,
        settings: LearnerSettings,
        streams: Streams,
        factor: Tensor | None = None,
        scratch: Scratch | None = None,
        image: ImageSpec | None = None,
    ) -> None:
        self.scratch = scratch or Scratch()
        self.name, self.bounds, self.settings = name, bounds, settings
        self._streams, self._factor, self._inputs = streams, factor, inputs
        self.seeds = len(streams.seeds)
        device = bounds.low.device
        actor_sizes = (inputs, *settings.hidden, bounds.size)
        critic_sizes = (inputs + bounds.size, *settings.hidden, 1)
        make: Callable[[int, tuple[int, ...]], Network] = partial(MLP, device=device, scratch=self.scratch)
        if image is not None:
            start = inputs - image.size
            make = partial(VisualMLP, image=image, start=start, device=device, scratch=self.scratch)
        self.critics, self.target_critics = (make(2 * self.seeds, critic_sizes) for _ in range(2))
        self.actor, self.target_actor = (make(self.seeds, actor_sizes) for _ in range(2))
        self._first_critics = self.critics.every(2)
        self.actor.initialise(streams[f"{name}/actor"])
        self.critics.initialise(streams[f"{name}/critics"])
        self.target_actor.flat.copy_(self.actor.flat)
        self.target_critics.flat.copy_(self.critics.flat)
        self._actor_optimiser = Adam(self.actor.flat, self.actor.gradient, settings.learning_rate, maximise=True)
        self._critic_optimiser = Adam(self.critics.flat, self.critics.gradient, settings.learning_rate)
        self._workspaces: dict[int, Workspace] = {}
        self._recorder = Recorder(device)
        self._seen = Staging(device, {"seen": ((self.seeds, 1, inputs), np.float32)})
        self._acting: dict[int, Acting] = {}
        self._exploration = settings.exploration_noise * bounds.host.half
        self._alive = np.ones(self.seeds, dtype=np.bool_)

    # ---- acting -------------------------------------------------------------------------------------------------

    def actions(self, observations: Tensor) -> Tensor:
        """Deterministic actions, [S, B, n] to [S, B, m]; differentiable with respect to the observations."""
        return self._into_box(torch.tanh(self.actor(self._scaled(observations))))

    @torch.inference_mode()
    def act(self, *observations: Array, explore: bool, which: Mask | None = None) -> Array:
        """Actions for one step, [S, n] in parts to [S, m].

        Exploration adds Gaussian noise and clips to the box (E.1).  ``which`` names the seeds that really act; no
        random numbers are drawn for the others.
        """
        np.concatenate(observations, axis=1, out=self._seen.begin()["seen"][:, 0])
        self._seen.send()
        choose = self.acting(1)
        self._recorder.run("act", partial(choose, self._seen.device["seen"]))
        actions: Array = choose.actions.cpu().numpy()[:, 0]
        if not explore:
            return actions.copy()
        noise = self._streams.normal(f"{self.name}/exploration", self.bounds.size, which=which)
        noise *= self._exploration
        noise += actions
        return np.minimum(np.maximum(noise, self.bounds.host.low), self.bounds.host.high)

    def random_actions(self, which: Mask | None = None) -> Array:
        """Uniform actions for the warm-up, [S, m]; ``which`` as in :meth:`act`."""
        draws = self._streams.uniform(f"{self.name}/random_actions", self.bounds.size, which=which)
        return self.bounds.host.low + 2 * self.bounds.host.half * draws

    def acting(self, batch: int) -> Acting:
        """:meth:`actions` for B observations at a time, fast and in fixed memory."""
        if batch not in self._acting:
            with torch.inference_mode(False):
                self._acting[batch] = Acting(self.actor, self.bounds, self._factor, batch)
        return self._acting[batch]

    # ---- values -------------------------------------------------------------------------------------------------

    def first_value(self, observations: Tensor, actions: Tensor) -> Tensor:
        """The first critic, [S, B, n] and [S, B, m] to [S, B]; differentiable with respect to both."""
        inputs = torch.cat((self._scaled(observations), self._unit(actions)), dim=-1)
        return self._first_critics(inputs).squeeze(-1)

    def target_noise(self, batch: int) -> Ahead:
        """A supply of what smooths the target actions: clipped normal noise in the actions' units, [S, B, m]."""
        settings, half = self.settings, self.bounds.host.half

        def shape(noise: Array) -> None:
            noise *= settings.target_noise
            noise.clip(-settings.target_noise_clip, settings.target_noise_clip, out=noise)
            noise *= half

        return self._streams.normals(f"{self.name}/target_noise", batch, self.bounds.size, change=shape)

    # ---- learning: the hot path ---------------------------------------------------------------------------------

    def update_critics(self, batch: Batch, noise: Tensor) -> None:
        """One step of both critics towards the targets; the loss is a mean over the batch for each critic.

        Args:
            batch: transitions.
            noise: what smooths the target actions, [S, B, m], see :meth:`target_noise`.
        """
        targets = self.targets(batch, noise)
        work = self._work
        self._put_observations(work.current, batch.observations)
        self._put_actions(work.current, batch.actions)
        work.critics.forward(work.current.flat)
        errors = work.values.sub_(targets.unsqueeze(1))  # in place: the critics' outputs become the gradient
        slope = errors.clamp_(-1, 1) if self.settings.critic_loss == "huber" else errors.mul_(2)
        slope.mul_(work.share)
        work.critics.backward(work.critics.outputs)
        self._critic_optimiser.step()

    def targets(self, batch: Batch, noise: Tensor) -> Tensor:
        """Clipped double-Q targets with target policy smoothing, [S, B]; see :meth:`update_critics`."""
        self._work = work = self._workspace(noise.shape[1])
        self._put_observations(work.following, batch.next_observations)
        actions = self._into_box(torch.tanh(work.target_actor.forward(work.following.observations)))
        self._put_actions(work.following, self.bounds.clip(actions.add_(noise)))
        work.target_critics.forward(work.following.flat)
        values = torch.minimum(*work.target_values)
        if batch.continues is None:
            return torch.add(batch.rewards, values, alpha=self.settings.gamma)
        return torch.addcmul(batch.rewards, batch.continues, values, value=self.settings.gamma)

    def update_actor(self, gradient: Callable[[Tensor], Tensor] | None = None) -> None:
        """One step of the actor on the batch the critics saw last, then Polyak averaging of all targets.

        Args:
            gradient: gives the gradient of what the actor maximises with respect to its actions, both [S, B, m];
                by default that of its mean value, :meth:`value_gradient`.
        """
        work = self._work
        outputs = work.actor.forward(work.current.observations)
        tanh = torch.tanh(outputs)
        wanted = (gradient or self.value_gradient)(self._into_box(tanh))
        slope = torch.ops.aten.tanh_backward(wanted * self.bounds.half, tanh)
        if self.settings.output_penalty is not None:
            slope.sub_(outputs, alpha=2 * self.settings.output_penalty / outputs.shape[1])
        work.actor.backward(slope)
        self._actor_optimiser.step()
        self.update_targets()

    def update_targets(self) -> None:
        """Polyak averaging of all targets."""
        self.target_actor.flat.lerp_(self.actor.flat, self.settings.tau)
        self.target_critics.flat.lerp_(self.critics.flat, self.settings.tau)

    def value_gradient(self, actions: Tensor) -> Tensor:
        """Gradient of the first critic's mean value, on the batch the critics saw last, both [S, B, m]."""
        work = self._work
        self._put_actions(work.current, actions)
        work.first_critics.forward(work.current.first)
        gradient = work.first_critics.input_gradient(work.mean_gradient, slice(self._inputs, None))
        return gradient if self._factor is None else gradient / self.bounds.half

    def _workspace(self, batch: int) -> Workspace:
        if batch not in self._workspaces:
            with torch.inference_mode(False):  # buffers that any code may write to
                self._workspaces[batch] = Workspace(
                    self.actor, self.target_actor, self.critics, self.target_critics, batch, self.scratch
                )
        return self._workspaces[batch]

    def _put_observations(self, inputs: CriticInputs, observations: Sequence[Tensor]) -> None:
        """Put observations into the networks' inputs."""
        for place, part in zip(inputs.parts(observations), observations, strict=True):
            place.copy_(part.unsqueeze(1))
        if self._factor is not None:
            inputs.both_observations.mul_(self._factor)

    def _put_actions(self, inputs: CriticInputs, actions: Tensor) -> None:
        """Put actions into the critics' inputs."""
        inputs.both_actions.copy_(self._unit(actions).unsqueeze(1))

    def _scaled(self, observations: Tensor) -> Tensor:
        return observations if self._factor is None else observations * self._factor

    def _unit(self, actions: Tensor) -> Tensor:
        """Actions as the critics see them."""
        return actions if self._factor is None else (actions - self.bounds.middle) / self.bounds.half

    def _into_box(self, tanh: Tensor) -> Tensor:
        return torch.addcmul(self.bounds.middle, tanh, self.bounds.half)

    # ---- reporting and saving -----------------------------------------------------------------------------------

    @torch.no_grad()
    def health(self, observations: Tensor) -> dict[str, Array]:
        """Share of actor outputs with |tanh| > 0.99 and mean slope of tanh on a batch, [S] each."""
        tanh = (self.actions(observations) - self.bounds.middle) / self.bounds.half
        slope = 1 - tanh * tanh
        alive = (slope >= DEAD_SLOPE).flatten(1).any(1).cpu().numpy()
        for index in np.flatnonzero(self._alive & ~alive):
            seed = self._streams.seeds[index]
            log.warning("%s of seed %d is saturated on a whole batch (tanh' < %g)", self.name, seed, DEAD_SLOPE)
        self._alive &= alive
        return {
            f"{self.name}_saturation": to_numpy((tanh.abs() > 0.99).float().mean((1, 2))),
            f"{self.name}_slope": to_numpy(slope.mean((1, 2))),
        }

    def actor_gradient(self, observations: Tensor, gradient: Tensor) -> Tensor:
        """Gradient of the actor's parameters, [S, P], from one with respect to its actions.

        For reports: slow, and it overwrites the gradients that the networks share.

        Args:
            observations: shape [S, B, n].
            gradient: with respect to the actions there, [S, B, m].
        """
        work = self.actor.new_pass(observations.shape[1], Scratch())
        tanh = torch.tanh(work.forward(self._scaled(observations)))
        work.backward(torch.ops.aten.tanh_backward(gradient * self.bounds.half, tanh))
        return self.actor.gradients_by_group()

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
        return {"actor": self._actor_optimiser.state_dict(), "critics": self._critic_optimiser.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        self._actor_optimiser.load_state_dict(state["actor"])
        self._critic_optimiser.load_state_dict(state["critics"])


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
