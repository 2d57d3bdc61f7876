"""TD3 as most single-file implementations write it: modules, torch's Adam, a numpy replay buffer.

This is the yardstick that CleanRL users know.  It has the same sizes and settings as the learner it is compared
with, and the structure of such a loop: a replay with an axis for environments, one tensor per field copied for
every batch, a module per critic, and a loop over parameters for the target networks.
"""

from __future__ import annotations

from itertools import chain

import numpy as np
import torch
from gymnasium.spaces import Box
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from algorithms.sections import LearnerSettings


class Critic(nn.Module):
    """Value of an observation and an action."""

    def __init__(self, observation: int, action: int, hidden: list[int]) -> None:
        super().__init__()
        self.input = nn.Linear(observation + action, hidden[0])
        self.middle = nn.Linear(hidden[0], hidden[1])
        self.output = nn.Linear(hidden[1], 1)

    def forward(self, observations: Tensor, actions: Tensor) -> Tensor:
        """Values, [B, n] and [B, m] to [B, 1]."""
        layer = functional.relu(self.input(torch.cat([observations, actions], 1)))
        return self.output(functional.relu(self.middle(layer)))


class Actor(nn.Module):
    """A deterministic policy with actions in a box."""

    half_range: Tensor
    centre: Tensor

    def __init__(self, observation: int, actions: Box, hidden: list[int]) -> None:
        super().__init__()
        self.input = nn.Linear(observation, hidden[0])
        self.middle = nn.Linear(hidden[0], hidden[1])
        self.output = nn.Linear(hidden[1], actions.shape[0])
        self.register_buffer("half_range", torch.tensor((actions.high - actions.low) / 2))
        self.register_buffer("centre", torch.tensor((actions.high + actions.low) / 2))

    def forward(self, observations: Tensor) -> Tensor:
        """Actions, [B, n] to [B, m]."""
        layer = functional.relu(self.middle(functional.relu(self.input(observations))))
        return torch.tanh(self.output(layer)) * self.half_range + self.centre


class NumpyReplay:
    """A full buffer of random transitions of one environment, shape [steps, environments, ...] per field."""

    def __init__(self, steps: int, observation: int, actions: Box) -> None:
        random = np.random.default_rng(0)
        shape = (steps, 1, observation)
        self.observations = random.standard_normal(shape, dtype=np.float32)
        self.next_observations = random.standard_normal(shape, dtype=np.float32)
        self.actions = random.uniform(actions.low, actions.high, (steps, 1, *actions.shape)).astype(np.float32)
        self.rewards = random.standard_normal((steps, 1), dtype=np.float32)
        self.dones = np.zeros((steps, 1), dtype=np.float32)
        self.timeouts = (random.random((steps, 1)) < 0.002).astype(np.float32)

    def sample(self, batch: int) -> tuple[Tensor, ...]:
        """Observations, next observations, actions, dones and rewards of a batch, copied into tensors."""
        rows = np.random.randint(0, len(self.rewards), size=batch)  # noqa: NPY002 (as such loops draw)
        columns = np.random.randint(0, 1, size=batch)  # noqa: NPY002
        dones = self.dones[rows, columns] * (1 - self.timeouts[rows, columns])
        fields: tuple[NDArray[np.float32], ...] = (
            self.observations[rows, columns, :],
            self.next_observations[rows, columns, :],
            self.actions[rows, columns, :],
            dones.reshape(-1, 1),
            self.rewards[rows, columns].reshape(-1, 1),
        )
        return tuple(torch.tensor(values) for values in fields)


class EagerTD3:
    """The loop's learner; each call is one update, every ``actor_delay``-th one with actor and targets.

    Args:
        observation: numbers that it sees.
        actions: the action box.
        settings: hyper-parameters; the loss is the squared error.
    """

    def __init__(self, observation: int, actions: Box, settings: LearnerSettings) -> None:
        self.settings, self._box = settings, actions
        size, hidden = actions.shape[0], settings.hidden
        self.actor, self.target_actor = (Actor(observation, actions, hidden) for _ in range(2))
        self.first, self.target_first = (Critic(observation, size, hidden) for _ in range(2))
        self.second, self.target_second = (Critic(observation, size, hidden) for _ in range(2))
        self._pairs = (
            (self.actor, self.target_actor),
            (self.first, self.target_first),
            (self.second, self.target_second),
        )
        for network, target in self._pairs:
            target.load_state_dict(network.state_dict())
        both = chain(self.first.parameters(), self.second.parameters())
        self._critic_optimiser = torch.optim.Adam(list(both), lr=settings.learning_rate)
        self._actor_optimiser = torch.optim.Adam(list(self.actor.parameters()), lr=settings.learning_rate)
        self.replay = NumpyReplay(settings.buffer_steps, observation, actions)
        self.updates = 0

    def __call__(self) -> None:
        """One update."""
        self.updates += 1
        observations, next_observations, actions, dones, rewards = self.replay.sample(self.settings.batch_size)
        targets = self._targets(next_observations, actions, dones, rewards)
        values = (self.first(observations, actions).view(-1), self.second(observations, actions).view(-1))
        loss = functional.mse_loss(values[0], targets) + functional.mse_loss(values[1], targets)
        self._critic_optimiser.zero_grad()
        loss.backward()
        self._critic_optimiser.step()
        if self.updates % self.settings.actor_delay == 0:
            self._delayed(observations)

    def _targets(self, next_observations: Tensor, actions: Tensor, dones: Tensor, rewards: Tensor) -> Tensor:
        settings, low, high = self.settings, float(self._box.low[0]), float(self._box.high[0])
        with torch.no_grad():
            noise = torch.randn_like(actions) * settings.target_noise
            noise = (
                noise.clamp(-settings.target_noise_clip, settings.target_noise_clip) * self.target_actor.half_range
            )
            smoothed = (self.target_actor(next_observations) + noise).clamp(low, high)
            first = self.target_first(next_observations, smoothed)
            second = self.target_second(next_observations, smoothed)
            following = torch.min(first, second).view(-1)
            return rewards.flatten() + (1 - dones.flatten()) * settings.gamma * following

    def _delayed(self, observations: Tensor) -> None:
        loss = -self.first(observations, self.actor(observations)).mean()
        self._actor_optimiser.zero_grad()
        loss.backward()
        self._actor_optimiser.step()
        tau = self.settings.tau
        for network, target in self._pairs:
            for parameter, averaged in zip(network.parameters(), target.parameters(), strict=True):
                averaged.data.copy_(tau * parameter.data + (1 - tau) * averaged.data)
