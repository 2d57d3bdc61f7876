"""Lone learners with small settings, and batches for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from reference import PlainTD3
from torch import Tensor
from toys import CPU, settings

from algorithms.algorithm import Bounds
from algorithms.learner import Batch, TD3Learner
from algorithms.networks import MLP
from algorithms.seeding import Streams
from envs.base import ImageSpec

#: Action box of a lone learner.
LOW, HIGH = np.array([-1, 0], np.float32), np.array([3, 10], np.float32)


def make_learner(
    *,
    seeds: tuple[int, ...] = (0,),
    low: Any = LOW,
    high: Any = HIGH,
    inputs: int = 3,
    streams: Streams | None = None,
    factor: Tensor | None = None,
    image: ImageSpec | None = None,
    **changes: Any,
) -> TD3Learner:
    """A lone learner named ``worker`` with small settings."""
    bounds = Bounds(np.asarray(low), np.asarray(high), CPU)
    chosen = settings("td3", seeds, learner=changes).learner
    return TD3Learner("worker", inputs, bounds, chosen, streams or Streams(seeds), factor, image=image)


def shuffle(learner: TD3Learner) -> None:
    """Weights of order one, and targets unlike the networks they follow, so that mix-ups show."""
    random = torch.Generator().manual_seed(7)
    for network in (learner.actor, learner.critics, learner.target_actor, learner.target_critics):
        network.flat.copy_(torch.randn(network.flat.shape, generator=random, dtype=network.flat.dtype) / 4)


def constant(network: MLP, *values: float) -> None:
    """Make each network of a group return a constant."""
    network.flat.zero_()
    network.biases[-1][:] = torch.tensor(values).view(-1, 1, 1)


def random_batch(seeds: int, size: int = 8, dtype: torch.dtype = torch.float32) -> Batch:
    """Transitions whose rewards reach both parts of the Huber loss; some of them end."""
    random = torch.Generator().manual_seed(5)
    low, span = torch.tensor(LOW), torch.tensor(HIGH - LOW)
    fields = {
        "observations": [torch.randn(seeds, size, 3, generator=random)],
        "actions": low + span * torch.rand(seeds, size, 2, generator=random),
        "rewards": 3 * torch.randn(seeds, size, generator=random),
        "next_observations": [torch.randn(seeds, size, 3, generator=random)],
        "continues": (torch.rand(seeds, size, generator=random) > 0.3).float(),
    }
    convert = {list: lambda parts: [part.to(dtype) for part in parts], Tensor: lambda values: values.to(dtype)}
    return Batch(**{name: convert[type(values)](values) for name, values in fields.items()})


def noise(seeds: int, size: int = 8, width: int = 2) -> Tensor:
    """Some noise for a learner's targets."""
    return 0.1 * torch.randn(seeds, size, width, generator=torch.Generator().manual_seed(6))


def assert_learns_alike(
    learner: TD3Learner, plain: Sequence[PlainTD3], batch: Batch, normals: Iterable[Tensor]
) -> None:
    """Some updates of a learner in double precision are those of one plain learner per seed.

    Args:
        learner: named ``worker``; its actor and targets follow every second time.
        plain: began with the same networks.
        batch: what all of them learn from.
        normals: for each update what the target noise is made of, [S, B, m].
    """
    start = learner.actor.flat.clone()
    for update, normal in enumerate(normals, start=1):
        learner.update_critics(batch, (0.2 * normal).clamp(-0.5, 0.5) * learner.bounds.half)
        if update % 2 == 0:
            learner.update_actor()
        for index, each in enumerate(plain):
            each.update(of_seed(batch, index), normal[index], delayed=update % 2 == 0)
    assert (learner.actor.flat - start).abs().max() > 1e-3
    for index, each in enumerate(plain):
        assert each.distance(learner.networks, "worker", index) < 1e-10


def of_seed(batch: Batch, index: int) -> dict[str, Tensor]:
    """One seed's share of a batch in double precision, with whole observations."""
    fields = {
        name: torch.cat(list(values), -1) if isinstance(values, list | tuple) else values
        for name, values in batch._asdict().items()
    }
    continues = fields.pop("continues")
    fields["dones"] = torch.zeros_like(batch.rewards) if continues is None else 1 - continues
    return {name: values[index].double() for name, values in fields.items()}
