"""TD3 for a single seed in plain PyTorch modules and float64, written from the published algorithm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from envs.base import ImageSpec


class PlainEncoder(nn.Module):
    """Puts features of an image in the place of its pixels, the first of which is input ``start``."""

    def __init__(
        self, networks: Mapping[str, Tensor], name: str, group: int, start: int, image: ImageSpec
    ) -> None:
        super().__init__()
        self.start, self.image = start, image
        self.layers = nn.ModuleList()
        for index in range(3):
            weight = networks[f"{name}.filters_{index}"][group].double().permute(0, 3, 1, 2)
            layer = nn.Conv2d(weight.shape[1], 16, 5, stride=2, dtype=torch.float64)
            layer.weight.data = weight.clone()
            layer.bias.data = networks[f"{name}.filters_bias_{index}"][group].double().clone()
            self.layers.append(layer)

    def forward(self, inputs: Tensor) -> Tensor:
        before, pixels, after = inputs.tensor_split((self.start, self.start + self.image.size), -1)
        hidden = pixels.reshape(-1, *self.image.shape).permute(0, 3, 1, 2) / 255
        for layer in self.layers:
            hidden = torch.relu(layer(nn.functional.pad(hidden, self._margins(hidden))))
        features = hidden.permute(0, 2, 3, 1).flatten(1)
        return torch.cat((before, features / features.shape[1], after), -1)

    @staticmethod
    def _margins(hidden: Tensor) -> list[int]:
        """Left, right, top and bottom: TensorFlow's formula for "same"."""
        found: list[int] = []
        for size in reversed(hidden.shape[2:]):
            along = max(5 - (size % 2 or 2), 0)
            found += [along // 2, along - along // 2]
        return found


def network(
    networks: Mapping[str, Tensor], name: str, group: int, start: int = 0, image: ImageSpec | None = None
) -> nn.Sequential:
    """One network of a learner as a plain module; the first pixel of an image is its input ``start``."""
    layers: list[nn.Module] = [PlainEncoder(networks, name, group, start, image)] if image else []
    for index in range(sum(key.startswith(f"{name}.weight_") for key in networks)):
        weight = networks[f"{name}.weight_{index}"][group].double()
        linear = nn.Linear(weight.shape[0], weight.shape[1], dtype=torch.float64)
        linear.weight.data = weight.T.clone()
        linear.bias.data = networks[f"{name}.bias_{index}"][group].double().reshape(-1).clone()
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class PlainTD3:
    """Actor, two critics and targets of one seed, started from a learner's parameters.

    Args:
        networks: the learner's parameters by name.
        level: name of the learner.
        seed: index of the seed in its group.
        low: lower corner of the action box.
        high: upper corner of the action box.
        factor: multiplies the observations; the critics then see actions scaled to [-1, 1].
        start: the place of the first pixel, if there is an image.
        image: the image at the end of the observations.
    """

    gamma, tau, learning_rate = 0.99, 0.005, 3e-4

    def __init__(
        self,
        networks: Mapping[str, Tensor],
        level: str,
        seed: int,
        low: Any,
        high: Any,
        factor: Tensor | None = None,
        start: int = 0,
        image: ImageSpec | None = None,
    ) -> None:
        low, high = (torch.as_tensor(corner, dtype=torch.float64) for corner in (low, high))
        self.low, self.high, self.factor = low, high, factor
        self.middle, self.half = (low + high) / 2, (high - low) / 2
        self._sees = start, image
        self.actor = network(networks, f"{level}.actor", seed, *self._sees)
        self.target_actor = network(networks, f"{level}.target_actor", seed, *self._sees)
        self.critics, self.target_critics = (
            [network(networks, f"{level}.{part}", 2 * seed + twin, *self._sees) for twin in range(2)]
            for part in ("critics", "target_critics")
        )
        self.optimisers = [
            torch.optim.Adam(net.parameters(), lr=self.learning_rate, foreach=False)
            for net in (self.actor, *self.critics)
        ]

    def act(self, observations: Tensor, actor: nn.Module | None = None) -> Tensor:
        observations = observations if self.factor is None else observations * self.factor
        return self.middle + self.half * torch.tanh((actor or self.actor)(observations))

    def value(self, critic: nn.Module, observations: Tensor, actions: Tensor) -> Tensor:
        if self.factor is not None:
            observations, actions = observations * self.factor, (actions - self.middle) / self.half
        return critic(torch.cat((observations, actions), -1)).squeeze(-1)

    @torch.no_grad()
    def targets(self, batch: Mapping[str, Tensor], normal: Tensor) -> Tensor:
        """Targets for standard normal draws [B, m]."""
        noise = (0.2 * normal).clamp(-0.5, 0.5) * self.half
        actions = self.act(batch["next_observations"], self.target_actor) + noise
        actions = torch.minimum(torch.maximum(actions, self.low), self.high)
        first, second = (self.value(net, batch["next_observations"], actions) for net in self.target_critics)
        return batch["rewards"] + self.gamma * (1 - batch["dones"]) * torch.minimum(first, second)

    def update(self, batch: Mapping[str, Tensor], normal: Tensor, *, delayed: bool) -> None:
        """Critics; if it is the actor's turn, the actor through the new first critic and then the targets."""
        targets = self.targets(batch, normal)
        for critic, optimiser in zip(self.critics, self.optimisers[1:], strict=True):
            optimiser.zero_grad()
            errors = self.value(critic, batch["observations"], batch["actions"]) - targets
            size = errors.abs()
            torch.where(size <= 1, 0.5 * errors**2, size - 0.5).mean().backward()
            optimiser.step()
        if delayed:
            self.update_actor(batch["observations"])

    def update_actor(self, observations: Tensor, bonus: Callable[[Tensor], Tensor] | None = None) -> None:
        """The actor goes up its value, plus what ``bonus`` makes of its actions, and the targets follow."""
        self.optimisers[0].zero_grad()
        actions = self.act(observations)
        wanted = self.value(self.critics[0], observations, actions).mean()
        (-(wanted if bonus is None else wanted + bonus(actions))).backward()
        self.optimisers[0].step()
        pairs = zip((self.target_actor, *self.target_critics), (self.actor, *self.critics), strict=True)
        for target, online in pairs:
            for old, new in zip(target.parameters(), online.parameters(), strict=True):
                old.data = (1 - self.tau) * old.data + self.tau * new.data

    def distance(self, networks: Mapping[str, Tensor], level: str, seed: int) -> float:
        """Largest difference of any parameter from those of a learner."""
        learner = PlainTD3(networks, level, seed, self.low, self.high, None, *self._sees)
        return max(
            float((mine - its).abs().max().detach())
            for mine, its in zip(self._parameters(), learner._parameters(), strict=True)
        )

    def _parameters(self) -> list[nn.Parameter]:
        nets = (self.actor, *self.critics, self.target_actor, *self.target_critics)
        return [parameter for net in nets for parameter in net.parameters()]
