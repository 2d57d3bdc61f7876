"""The flat baseline: TD3 on the task's own actions and rewards."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box

from algorithms.algorithm import Algorithm, Array, Bounds, Entries, Mask
from algorithms.config import no_images
from algorithms.device import Recorder, Staging
from algorithms.learner import Batch, TD3Learner, input_factor, load_networks, to_numpy
from algorithms.replay import ReplayBuffer
from algorithms.seeding import Streams
from algorithms.settings import RunConfig
from envs.base import EvaluationPoint, TaskSpec


class FlatPolicy:
    """The deterministic policy of a single learner; it has no memory."""

    def __init__(self, learner: TD3Learner, sees: Entries) -> None:
        self._learner, self._sees = learner, sees

    def reset(self, starts: Mask, point: EvaluationPoint | None = None) -> None:
        """Nothing to forget."""

    def act(self, observations: Array) -> Array:
        """Actions for one step, [S, n] to [S, m]."""
        return self._learner.act(self._sees(observations), explore=False)


class TD3(Algorithm):
    """The flat baseline: one policy that sees what the manager of a hierarchy sees.

    Raises:
        ConfigError: that is an image; the replay would have to hold two of them per step.
    """

    def __init__(self, config: RunConfig, task: TaskSpec, actions: Box, device: torch.device) -> None:
        if task.manager_image is not None:
            raise no_images("td3", task.name)
        self.settings, self._task = config.learner, task
        self._streams = Streams(config.seeds)
        self._sees = Entries(task.manager_indices, device)
        size, width = len(task.manager_indices), actions.shape[0]
        factor = input_factor(task, task.manager_indices, self.settings, device)
        bounds = Bounds(actions.low, actions.high, device)
        self.learner = TD3Learner("policy", size, bounds, self.settings, self._streams, factor)
        shapes = {
            "observations": (size,),
            "actions": (width,),
            "next_observations": (size,),
            "rewards": (),
            "continues": (),
        }
        seeds, batch = len(config.seeds), self.settings.batch_size
        self._rows = np.arange(seeds)
        self.replay = ReplayBuffer(seeds, self.settings.buffer_steps, shapes, device)
        self._drawn = Staging(
            device, {"items": ((seeds, batch), np.int64), "noise": ((seeds, batch, width), np.float32)}
        )
        self._uniforms = self._streams.uniforms("replay", batch)
        self._noise = self.learner.target_noise(batch)
        self._recorder = Recorder(device)
        self.policy = FlatPolicy(self.learner, self._sees)
        self.networks = self.learner.networks
        self.updates = 0

    def act(self, observations: Array, *, random: bool = False) -> Array:
        """Exploratory actions, see :class:`Algorithm`."""
        if random:
            return self.learner.random_actions()
        return self.learner.act(self._sees(observations), explore=True)

    def observe(
        self,
        observations: Array,
        actions: Array,
        rewards: Array,
        next_observations: Array,
        terminated: Mask,
        truncated: Mask,
    ) -> None:
        """Store the transitions; a time limit is no end (it does not stop bootstrapping)."""
        self.replay.add(
            self._rows,
            observations=self._sees(observations),
            actions=actions,
            rewards=self._task.reward_scale * rewards,
            next_observations=self._sees(next_observations),
            continues=~terminated,
        )

    @torch.inference_mode()
    def update(self) -> None:
        """Critics every step, actor and targets every ``actor_delay`` steps."""
        self.updates += 1
        drawn = self._drawn.begin()
        self.replay.draw(self._uniforms.next(), out=drawn["items"])
        drawn["noise"][:] = self._noise.next()
        self._drawn.send()
        actor = self.updates % self.settings.actor_delay == 0
        self._recorder.run(actor, partial(self._learn, actor=actor))

    def _learn(self, *, actor: bool) -> None:
        batch = self._batch()
        self.learner.update_critics(batch, self._drawn.device["noise"])
        if actor:
            self.learner.update_actor()

    def _batch(self) -> Batch:
        """The batch that was drawn last."""
        fields = self.replay.read(self._drawn.device["items"])
        return Batch(
            observations=[fields["observations"]],
            actions=fields["actions"],
            rewards=fields.number("rewards"),
            next_observations=[fields["next_observations"]],
            continues=fields.number("continues"),
        )

    @torch.no_grad()
    def metrics(self) -> dict[str, Array]:
        """Value of the last batch's actions under the first critic, and the actor's health."""
        batch = self._batch()
        value = self.learner.first_value(batch.observations[0], batch.actions).mean(-1)
        return {"critic_q": to_numpy(value), **self.learner.health(batch.observations[0])}

    def state_dict(self) -> dict[str, Any]:
        """All state, see :class:`Algorithm`."""
        return {
            "networks": self.networks,
            "learner": self.learner.state_dict(),
            "replay": self.replay.state_dict(),
            "streams": self._streams.state_dict(),
            "updates": self.updates,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        load_networks(self.networks, state["networks"])
        self.learner.load_state_dict(state["learner"])
        self.replay.load_state_dict(state["replay"])
        self._streams.load_state_dict(state["streams"])
        self.updates = state["updates"]
