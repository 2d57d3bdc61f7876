"""The flat baseline: TD3 on the task's own actions and rewards."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium.spaces import Box

from algorithms.algorithm import Algorithm, Array, Bounds, Mask, entries
from algorithms.learner import Batch, TD3Learner, input_factor, load_networks, to_numpy
from algorithms.replay import ReplayBuffer
from algorithms.seeding import Streams
from algorithms.settings import RunConfig
from envs.base import TaskSpec


class FlatPolicy:
    """The deterministic policy of a single learner; it has no memory."""

    def __init__(self, learner: TD3Learner, sees: slice | list[int]) -> None:
        self._learner, self._sees = learner, sees

    def reset(self, starts: Mask) -> None:
        """Nothing to forget."""

    def act(self, observations: Array) -> Array:
        """Actions for one step, [S, n] to [S, m]."""
        seen = torch.from_numpy(observations[:, self._sees]).to(self._learner.bounds.low.device)
        return to_numpy(self._learner.act(seen, explore=False))


class TD3(Algorithm):
    """The flat baseline: one policy that sees what the manager of a hierarchy sees."""

    def __init__(self, config: RunConfig, task: TaskSpec, actions: Box, device: torch.device) -> None:
        self.settings, self._task = config.learner, task
        self._streams = Streams(config.seeds)
        self._sees = entries(task.manager_indices)
        size, width = len(task.manager_indices), actions.shape[0]
        factor = input_factor(task, task.manager_indices, self.settings, device)
        bounds = Bounds(actions.low, actions.high, device)
        self.learner = TD3Learner("policy", size, bounds, self.settings, self._streams, factor)
        shapes = {
            "observation": (size,),
            "action": (width,),
            "reward": (),
            "next_observation": (size,),
            "done": (),
        }
        self.replay = ReplayBuffer(len(config.seeds), self.settings.buffer_steps, shapes, device)
        self.policy = FlatPolicy(self.learner, self._sees)
        self.networks = self.learner.networks
        self.updates = 0
        self._batch: Batch | None = None

    def act(self, observations: Array, *, random: bool = False) -> Array:
        """Exploratory actions, see :class:`Algorithm`."""
        if random:
            return to_numpy(self.learner.random_actions())
        seen = torch.from_numpy(observations[:, self._sees]).to(self.learner.bounds.low.device)
        return to_numpy(self.learner.act(seen, explore=True))

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
        for seed in range(len(observations)):
            self.replay.add(
                seed,
                observation=observations[seed, self._sees],
                action=actions[seed],
                reward=self._task.reward_scale * rewards[seed],
                next_observation=next_observations[seed, self._sees],
                done=float(terminated[seed]),
            )

    def update(self) -> None:
        """Critics every step, actor and targets every ``actor_delay`` steps."""
        self.updates += 1
        self._batch = batch = self._draw()
        self.learner.update_critics(batch)
        if self.updates % self.settings.actor_delay == 0:
            self.learner.update_actor(self.learner.actor_loss(batch.observations))

    def metrics(self) -> dict[str, Array]:
        """Value of the batch's actions under the first critic, and the actor's health."""
        assert self._batch is not None, "metrics need an update first"
        with torch.no_grad():
            value = self.learner.first_value(self._batch.observations, self._batch.actions).mean(-1)
        return {"critic_q": to_numpy(value), **self.learner.health(self._batch.observations)}

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

    def _draw(self) -> Batch:
        read, items = self.replay.read, self.replay.draw(self._streams["replay"], self.settings.batch_size)
        return Batch(
            observations=read("observation", items),
            actions=read("action", items),
            rewards=read("reward", items),
            next_observations=read("next_observation", items),
            dones=read("done", items),
        )
