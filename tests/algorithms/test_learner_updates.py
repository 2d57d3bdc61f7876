"""Losses and update steps of one learner, in the end against plain PyTorch."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from learners import HIGH, LOW, assert_learns_alike, constant, make_learner, noise, random_batch, shuffle
from reference import PlainTD3
from torch import Tensor

from algorithms import learner as learner_module
from algorithms.learner import TD3Learner
from algorithms.networks import MLP, Layers
from algorithms.seeding import Streams

# ---- losses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "error", "slope"),
    [("huber", 0.5, 0.5), ("huber", 1, 1), ("huber", 3, 1), ("huber", -3, -1), ("squared", 3, 6)],
)
def test_slope_of_the_critic_loss(kind: str, error: float, slope: float) -> None:
    learner = make_learner(critic_loss=kind)
    constant(learner.critics, error, 0)
    zero = {"rewards": torch.zeros(1, 8), "continues": torch.zeros(1, 8)}
    learner.update_critics(random_batch(1)._replace(**zero), noise(1))
    # the mean over the batch for each critic; the second has no error
    np.testing.assert_allclose(learner.critics.gradients.biases[-1].flatten(), [slope, 0], rtol=1e-6)


@pytest.mark.parametrize(("error", "loss"), [(0.5, 0.125), (1, 0.5), (3, 2.5)])
def test_slopes_add_up_to_the_huber_loss(error: float, loss: float) -> None:
    learner, size = make_learner(hidden=[4]), 100
    zero = {"rewards": torch.zeros(1, 8), "continues": torch.zeros(1, 8)}
    total = 0.0
    for step in range(size):
        constant(learner.critics, (step + 0.5) / size * error, 0)
        learner.update_critics(random_batch(1)._replace(**zero), noise(1))
        total += learner.critics.gradients.biases[-1][0].item() * error / size
    assert total == pytest.approx(loss, rel=1e-3)


def test_the_actor_follows_the_mean_of_the_first_critic_only() -> None:
    learner = make_learner()
    shuffle(learner)
    batch = random_batch(1)
    learner.update_critics(batch, noise(1))
    observations, actions = batch.observations[0], batch.actions
    leaf = actions.clone().requires_grad_()
    learner.first_value(observations, leaf).mean().backward()
    assert leaf.grad is not None
    torch.testing.assert_close(learner.value_gradient(actions), leaf.grad, rtol=1e-5, atol=1e-7)
    plain = PlainTD3(learner.networks, "worker", 0, LOW, HIGH)
    wanted = plain.value(plain.critics[0], observations.double(), actions.double())
    torch.testing.assert_close(learner.first_value(observations, actions).double(), wanted, rtol=1e-5, atol=1e-6)
    for tensor in learner.critics.named().values():
        tensor[1] += 1
    torch.testing.assert_close(learner.value_gradient(actions), leaf.grad, rtol=1e-5, atol=1e-7)


def test_an_actor_moves_up_its_critic() -> None:
    learner = make_learner(high=[3, 1], low=[-1, -1], hidden=[4], learning_rate=1e-2)
    learner.update_critics(random_batch(1)._replace(**{"observations": [torch.zeros(1, 8, 3)]}), noise(1))
    constant(learner.actor, 0)
    constant(learner.critics, 0, 0)
    first, second = learner.critics.weights
    first[0, 3, 0], first[0, 4, 1] = 1, 1  # hidden units: relu of the first and of the second action
    second[0, 0, 0], second[0, 1, 0] = 1, 0
    learner.critics.biases[0][0] = 10
    observations = torch.zeros(1, 6, 3)
    before = learner.actions(observations)[0, 0]
    learner.update_actor()
    after = learner.actions(observations)[0, 0]
    assert after[0] > before[0]
    assert after[1] == before[1]


def test_an_actor_goes_where_it_is_pulled() -> None:
    learner = make_learner(learning_rate=1e-3)
    learner.update_critics(random_batch(1), noise(1))
    asked: list[Tensor] = []

    def pull(actions: Tensor) -> Tensor:
        asked.append(actions.clone())
        return torch.tensor([1.0, -1.0]).expand_as(actions)

    observations = random_batch(1).observations[0]
    before = learner.actions(observations)
    learner.update_actor(pull)
    moved = learner.actions(observations) - before
    torch.testing.assert_close(asked[0], before)
    assert (moved[..., 0] > 0).all()
    assert (moved[..., 1] < 0).all()


def test_polyak_average_of_all_targets() -> None:
    learner = make_learner(learning_rate=1e-30)
    learner.update_critics(random_batch(1), noise(1))
    for network in (learner.actor, learner.critics):
        network.flat.fill_(3)
    for network in (learner.target_actor, learner.target_critics):
        network.flat.fill_(1)
    learner.update_actor()
    for network in (learner.target_actor, learner.target_critics):
        torch.testing.assert_close(network.flat, torch.full_like(network.flat, 1.01))


def test_targets_start_as_copies_and_stay_while_only_critics_learn() -> None:
    learner = make_learner(seeds=(0, 1))
    assert torch.equal(learner.actor.flat, learner.target_actor.flat)
    assert torch.equal(learner.critics.flat, learner.target_critics.flat)
    frozen = [learner.actor, learner.target_actor, learner.target_critics]
    before = [network.flat.clone() for network in frozen]
    start = learner.critics.flat.clone()
    learner.update_critics(random_batch(2), noise(2))
    assert not torch.equal(learner.critics.flat, start)
    assert all(torch.equal(network.flat, old) for network, old in zip(frozen, before, strict=True))


def test_the_actors_step_leaves_the_critics_alone() -> None:
    learner = make_learner()
    shuffle(learner)
    learner.update_critics(random_batch(1), noise(1))
    before, moments = learner.critics.flat.clone(), learner.state_dict()["critics"]["mean"].clone()
    learner.update_actor()
    assert torch.equal(learner.critics.flat, before)
    assert torch.equal(learner.state_dict()["critics"]["mean"], moments)


def test_what_never_ends_always_bootstraps() -> None:
    learner = make_learner()
    shuffle(learner)
    batch = random_batch(1)
    never, zeros = (batch._replace(continues=continues) for continues in (None, torch.ones(1, 8)))
    torch.testing.assert_close(learner.targets(never, noise(1)), learner.targets(zeros, noise(1)))


# ---- against plain PyTorch ------------------------------------------------------------------------------------


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A maker of learners in double precision."""
    monkeypatch.setattr(learner_module, "MLP", partial(MLP, dtype=torch.float64))

    def make_double(seeds: tuple[int, ...], factor: Tensor | None, **changes: Any) -> TD3Learner:
        learner = make_learner(seeds=seeds, factor=factor, **changes)
        for name in ("low", "high", "middle", "half"):
            setattr(learner.bounds, name, getattr(learner.bounds, name).double())
        shuffle(learner)
        return learner

    return make_double


@pytest.mark.parametrize("seeds", [(4,), (4, 9)])
@pytest.mark.parametrize("parts", [[3], [1, 2]])
@pytest.mark.parametrize("factor", [None, torch.tensor([0.5, 2, 0.1], dtype=torch.float64)])
def test_updates_are_those_of_plain_pytorch(
    double: Any, factor: Tensor | None, parts: list[int], seeds: tuple[int, ...]
) -> None:
    learner, streams, number = double(seeds, factor), Streams(seeds), len(seeds)
    plain = [PlainTD3(learner.networks, "worker", index, LOW, HIGH, factor) for index in range(number)]
    whole = random_batch(number, dtype=torch.float64)
    split = {
        name: list(getattr(whole, name)[0].split(parts, -1)) for name in ("observations", "next_observations")
    }
    batch = whole._replace(**split)
    normals = (torch.from_numpy(streams.normal("worker/target_noise", 8, 2)).double() for _ in range(30))
    assert_learns_alike(learner, plain, batch, normals)


def test_unit_scale_acts_inside_the_networks() -> None:
    factor = torch.tensor([0.5, 2, 0.1])
    learner = make_learner(factor=factor)
    shuffle(learner)
    plain = PlainTD3(learner.networks, "worker", 0, LOW, HIGH)
    batch = random_batch(1)
    by_hand = batch.observations[0][0].double() * factor
    torch.testing.assert_close(
        learner.actions(batch.observations[0])[0].double(), plain.act(by_hand), rtol=1e-5, atol=1e-5
    )
    scaled = (batch.actions[0].double() - torch.tensor([1.0, 5.0])) / torch.tensor([2.0, 5.0])
    wanted = plain.critics[0](torch.cat((by_hand, scaled), -1)).squeeze(-1)
    got = learner.first_value(batch.observations[0], batch.actions)[0]
    torch.testing.assert_close(got.double(), wanted, rtol=1e-5, atol=1e-5)


def test_a_penalty_pulls_the_outputs_below_tanh_towards_zero() -> None:
    learner = make_learner(output_penalty=0.05)
    shuffle(learner)
    learner.update_critics(random_batch(1), noise(1))
    observations = random_batch(1).observations[0]
    weights = [each.clone().requires_grad_() for each in (*learner.actor.weights, *learner.actor.biases)]
    layers = len(weights) // 2
    outputs = Layers(weights[:layers], weights[layers:])(observations)
    (-0.05 * outputs.square().sum(-1).mean()).backward()
    learner.update_actor(torch.zeros_like)  # what remains is the penalty alone
    mine = (*learner.actor.gradients.weights, *learner.actor.gradients.biases)
    for gradient, leaf in zip(mine, weights, strict=True):
        torch.testing.assert_close(gradient, leaf.grad, rtol=1e-4, atol=1e-7)


def test_targets_follow_critics_while_the_actor_waits() -> None:
    learner = make_learner()
    shuffle(learner)
    actor, before = learner.actor.flat.clone(), learner.target_critics.flat.clone()
    learner.update_critics(random_batch(1), noise(1))
    learner.update_targets()
    torch.testing.assert_close(learner.actor.flat, actor, rtol=0, atol=0)
    tau = learner.settings.tau
    torch.testing.assert_close(learner.target_critics.flat, (1 - tau) * before + tau * learner.critics.flat)
