"""Losses and update steps of one learner, in the end against plain PyTorch."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from reference import PlainTD3
from torch import Tensor
from toys import HIGH, LOW, constant, make_learner, random_batch, shuffle

from algorithms import learner as learner_module
from algorithms.learner import Batch, TD3Learner
from algorithms.networks import MLP, Optimiser
from algorithms.seeding import Streams

# ---- losses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "error", "loss", "slope"),
    [
        ("huber", 0.5, 0.125, 0.5),
        ("huber", 1, 0.5, 1),
        ("huber", 3, 2.5, 1),
        ("huber", -3, 2.5, -1),
        ("squared", 3, 9, 6),
    ],
)
def test_critic_loss_and_its_gradient(
    kind: str, error: float, loss: float, slope: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = make_learner(critic_loss=kind)
    constant(learner.critics, error, 0)
    losses, minimise = [], Optimiser.minimise

    def record(self: Optimiser, value: Tensor) -> None:
        losses.append(value.item())
        minimise(self, value)

    monkeypatch.setattr(Optimiser, "minimise", record)
    zero = {"rewards": torch.zeros(1, 8), "dones": torch.ones(1, 8)}
    learner.update_critics(Batch(**asdict(random_batch(1)) | zero))
    assert losses == [pytest.approx(loss)], "the mean over the batch for each critic; the second has no error"
    gradients = learner.critics.tensors[-1].grad
    assert gradients is not None
    np.testing.assert_allclose(gradients.flatten(), [slope, 0], rtol=1e-6)


def test_the_actor_follows_the_first_critic_only() -> None:
    learner = make_learner()
    shuffle(learner)
    observations = random_batch(1).observations
    plain = PlainTD3(learner.networks, "worker", 0, LOW, HIGH)
    wanted = -plain.value(plain.critics[0], observations.double(), plain.act(observations.double())).mean()
    assert learner.actor_loss(observations).item() == pytest.approx(wanted.item(), rel=1e-5)
    for tensor in learner.critics.tensors:
        tensor.data[1] += 1
    assert learner.actor_loss(observations).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_an_actor_moves_up_its_critic() -> None:
    learner = make_learner(high=[3, 1], low=[-1, -1], hidden=[4], learning_rate=1e-2)
    constant(learner.actor, 0)
    constant(learner.critics, 0, 0)
    first, second = learner.critics.tensors[0].data, learner.critics.tensors[2].data
    first[0, 3, 0], first[0, 4, 1] = 1, 1  # hidden units: relu of the first and of the second action
    second[0, 0, 0], second[0, 1, 0] = 1, 0
    learner.critics.tensors[1].data[0] = 10
    observations = torch.zeros(1, 6, 3)
    before = learner.actions(observations)[0, 0].detach()
    learner.update_actor(learner.actor_loss(observations))
    after = learner.actions(observations)[0, 0].detach()
    assert after[0] > before[0]
    assert after[1] == before[1]


def test_polyak_average_of_all_targets() -> None:
    learner = make_learner(learning_rate=1e-30)
    for network in (learner.actor, learner.critics):
        network.flat.fill_(3)
    for network in (learner.target_actor, learner.target_critics):
        network.flat.fill_(1)
    learner.update_actor(learner.actor_loss(torch.zeros(1, 4, 3)))
    for network in (learner.target_actor, learner.target_critics):
        torch.testing.assert_close(network.flat, torch.full_like(network.flat, 1.01))


def test_targets_start_as_copies_and_stay_while_only_critics_learn() -> None:
    learner = make_learner(seeds=(0, 1))
    assert torch.equal(learner.actor.flat, learner.target_actor.flat)
    assert torch.equal(learner.critics.flat, learner.target_critics.flat)
    frozen = [learner.actor, learner.target_actor, learner.target_critics]
    before = [network.flat.clone() for network in frozen]
    start = learner.critics.flat.clone()
    learner.update_critics(random_batch(2))
    assert not torch.equal(learner.critics.flat, start)
    assert all(torch.equal(network.flat, old) for network, old in zip(frozen, before, strict=True))


def test_the_actors_step_leaves_the_critics_alone() -> None:
    learner = make_learner()
    shuffle(learner)
    learner.update_critics(random_batch(1))
    before, moments = learner.critics.flat.clone(), learner.state_dict()["critics"]["state"][0]["exp_avg"].clone()
    learner.update_actor(learner.actor_loss(random_batch(1).observations))
    assert torch.equal(learner.critics.flat, before)
    assert torch.equal(learner.state_dict()["critics"]["state"][0]["exp_avg"], moments)


# ---- against plain PyTorch ------------------------------------------------------------------------------------


class DoubleStreams(Streams):
    """The same draws in double precision."""

    def normal(self, purpose: str, *shape: int, which: Any = None) -> NDArray[Any]:
        return super().normal(purpose, *shape, which=which).astype(np.float64)


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A maker of learners in double precision."""
    monkeypatch.setattr(learner_module, "MLP", partial(MLP, dtype=torch.float64))

    def make_double(seeds: tuple[int, ...], factor: Tensor | None) -> TD3Learner:
        learner = make_learner(seeds=seeds, streams=DoubleStreams(seeds), factor=factor)
        for name in ("low", "high", "middle", "half"):
            setattr(learner.bounds, name, getattr(learner.bounds, name).double())
        shuffle(learner)
        return learner

    return make_double


@pytest.mark.parametrize("factor", [None, torch.tensor([0.5, 2, 0.1], dtype=torch.float64)])
def test_updates_are_those_of_plain_pytorch(double: Any, factor: Tensor | None) -> None:
    seeds = (4, 9)
    learner, streams = double(seeds, factor), DoubleStreams(seeds)
    plain = [PlainTD3(learner.networks, "worker", index, LOW, HIGH, factor) for index in range(2)]
    batch = random_batch(2, dtype=torch.float64)
    start = learner.actor.flat.clone()
    for update in range(1, 31):
        learner.update_critics(batch)
        if update % 2 == 0:
            learner.update_actor(learner.actor_loss(batch.observations))
        normal = torch.from_numpy(streams.normal("worker/target_noise", 8, 2))
        for index, each in enumerate(plain):
            own = {name: values[index] for name, values in asdict(batch).items()}
            each.update(own, normal[index], delayed=update % 2 == 0)
    assert (learner.actor.flat - start).abs().max() > 1e-3
    for index, each in enumerate(plain):
        assert each.distance(learner.networks, "worker", index) < 1e-10


def test_unit_scale_acts_inside_the_networks() -> None:
    factor = torch.tensor([0.5, 2, 0.1])
    learner = make_learner(factor=factor)
    shuffle(learner)
    plain = PlainTD3(learner.networks, "worker", 0, LOW, HIGH)
    batch = random_batch(1)
    by_hand = batch.observations[0].double() * factor
    torch.testing.assert_close(
        learner.actions(batch.observations)[0].double(), plain.act(by_hand), rtol=1e-5, atol=1e-5
    )
    scaled = (batch.actions[0].double() - torch.tensor([1.0, 5.0])) / torch.tensor([2.0, 5.0])
    for twin in range(2):
        wanted = plain.critics[twin](torch.cat((by_hand, scaled), -1)).squeeze(-1)
        got = learner.values(batch.observations, batch.actions)[0, twin]
        torch.testing.assert_close(got.double(), wanted, rtol=1e-5, atol=1e-5)
