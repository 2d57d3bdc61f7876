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
from toys import CPU, settings

from algorithms import learner as learner_module
from algorithms.algorithm import Bounds
from algorithms.learner import Batch, TD3Learner, load_networks
from algorithms.networks import MLP, Optimiser
from algorithms.seeding import Streams

LOW, HIGH = np.array([-1, 0], np.float32), np.array([3, 10], np.float32)


def build(
    *,
    seeds: tuple[int, ...] = (0,),
    low: Any = LOW,
    high: Any = HIGH,
    inputs: int = 3,
    streams: Streams | None = None,
    factor: Tensor | None = None,
    **changes: Any,
) -> TD3Learner:
    bounds = Bounds(np.asarray(low), np.asarray(high), CPU)
    chosen = settings("td3", seeds, learner=changes).learner
    return TD3Learner("worker", inputs, bounds, chosen, streams or Streams(seeds), factor)


def shuffle(learner: TD3Learner) -> None:
    """Weights of order one, and targets unlike the networks they follow, so that mix-ups show."""
    random = torch.Generator().manual_seed(7)
    for network in (learner.actor, learner.critics, learner.target_actor, learner.target_critics):
        network.flat.copy_(torch.randn(network.flat.shape, generator=random, dtype=network.flat.dtype) / 4)


def constant(network: MLP, *values: float) -> None:
    """Make each network of a group return a constant."""
    network.flat.zero_()
    network.tensors[-1].data[:] = torch.tensor(values).view(-1, 1, 1)


def random_batch(seeds: int, size: int = 8, dtype: torch.dtype = torch.float32) -> Batch:
    random = torch.Generator().manual_seed(5)
    low, span = torch.tensor(LOW), torch.tensor(HIGH - LOW)
    fields = {
        "observations": torch.randn(seeds, size, 3, generator=random),
        "actions": low + span * torch.rand(seeds, size, 2, generator=random),
        "rewards": 3 * torch.randn(seeds, size, generator=random),
        "next_observations": torch.randn(seeds, size, 3, generator=random),
        "dones": (torch.rand(seeds, size, generator=random) < 0.3).float(),
    }
    return Batch(**{name: values.to(dtype) for name, values in fields.items()})


# ---- acting -------------------------------------------------------------------------------------------------------


def test_output_of_a_fresh_actor_is_the_middle_of_its_box() -> None:
    learner = build()
    actions = learner.actions(torch.randn(1, 50, 3))
    torch.testing.assert_close(actions, torch.tensor([1.0, 5.0]).expand(1, 50, 2), rtol=0, atol=0.1)
    constant(learner.actor, 0)
    torch.testing.assert_close(learner.actions(torch.zeros(1, 1, 3))[0, 0], torch.tensor([1.0, 5.0]))


@pytest.mark.parametrize(("output", "corner"), [(100, HIGH), (-100, LOW)])
def test_a_saturated_actor_reaches_the_corners(output: float, corner: NDArray[Any]) -> None:
    learner = build()
    constant(learner.actor, output)
    np.testing.assert_allclose(learner.actions(torch.zeros(1, 1, 3))[0, 0].detach(), corner, atol=1e-5)
    np.testing.assert_allclose(learner.act(torch.zeros(1, 3), explore=False)[0], corner, atol=1e-5)


@pytest.mark.parametrize(("low", "high", "deviation"), [(-30, 30, 3.0), (0, 10, 0.5)])
def test_exploration_noise_is_a_tenth_of_the_half_range(low: float, high: float, deviation: float) -> None:
    learner = build(low=np.full(100_000, low), high=np.full(100_000, high))
    constant(learner.actor, 0)
    noise = learner.act(torch.zeros(1, 3), explore=True) - (low + high) / 2
    assert noise.std() == pytest.approx(deviation, rel=0.01)
    assert abs(noise.mean()) < 0.02 * deviation


def test_explored_actions_stay_in_the_box() -> None:
    learner = build(low=np.full(1_000, 2), high=np.full(1_000, 4))
    constant(learner.actor, 100)
    actions = learner.act(torch.zeros(1, 3), explore=True)
    assert actions.max() == 4
    assert (actions == 4).float().mean() == pytest.approx(0.5, abs=0.08), "half of the noise points outwards"
    assert actions.min() > 3.3


def test_random_actions_are_uniform_in_the_box() -> None:
    learner = build(low=np.full(50_000, 2), high=np.full(50_000, 10))
    actions = learner.random_actions()
    assert actions.shape == (1, 50_000)
    assert actions.min() >= 2
    assert actions.max() <= 10
    assert actions.mean() == pytest.approx(6, abs=0.05)
    assert actions.std() == pytest.approx(8 / 12**0.5, abs=0.03)


def test_seeds_that_do_not_act_draw_nothing() -> None:
    both, alone = build(seeds=(0, 1)), build(seeds=(1,))
    observations = torch.zeros(2, 3)
    for which in ([True, True], [True, False], [False, True]):
        actions = both.act(observations, explore=True, which=np.array(which))
        if which[1]:
            torch.testing.assert_close(actions[1:], alone.act(observations[1:], explore=True))


# ---- targets ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("done", "target"), [(0, -12.58), (1, -0.7)])
def test_target_takes_the_smaller_critic_and_stops_at_the_end(done: float, target: float) -> None:
    batch = random_batch(1)
    for twins in ((-12, -10), (-10, -12)):
        learner = build()
        constant(learner.target_critics, *twins)
        given = Batch(**asdict(batch) | {"rewards": torch.full((1, 8), -0.7), "dones": torch.full((1, 8), done)})
        torch.testing.assert_close(learner.targets(given), torch.full((1, 8), target), rtol=0, atol=1e-5)


def test_constant_intrinsic_reward_is_worth_an_infinite_horizon() -> None:
    learner = build()
    batch = Batch(**asdict(random_batch(1)) | {"rewards": torch.full((1, 8), -6.0), "dones": torch.zeros(1, 8)})
    constant(learner.target_critics, -600, -600)
    torch.testing.assert_close(learner.targets(batch), torch.full((1, 8), -600.0))
    constant(learner.target_critics, -60, -60)
    torch.testing.assert_close(learner.targets(batch), torch.full((1, 8), -65.4))


def target_actions(learner: TD3Learner, size: int, monkeypatch: pytest.MonkeyPatch) -> Tensor:
    """The smoothed actions that the target critics are asked about."""
    asked: list[tuple[Tensor, MLP | None]] = []
    values = learner.values

    def record(observations: Tensor, actions: Tensor, critics: MLP | None = None) -> Tensor:
        asked.append((actions, critics))
        return values(observations, actions, critics)

    monkeypatch.setattr(learner, "values", record)
    width = learner.bounds.size
    zeros = {"observations": torch.zeros(1, size, 3), "actions": torch.zeros(1, size, width)}
    later = {"rewards": torch.zeros(1, size), "next_observations": torch.zeros(1, size, 3)}
    learner.targets(Batch(**zeros, **later, dones=torch.zeros(1, size)))
    (actions, critics) = asked[0]
    assert len(asked) == 1
    assert critics is learner.target_critics
    return actions


def test_target_noise_is_scaled_and_clipped_in_units_of_the_half_range(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = build(low=np.full(5, -30), high=np.full(5, 30))
    constant(learner.target_actor, 0)
    constant(learner.actor, 100)
    noise = target_actions(learner, 20_000, monkeypatch)
    assert noise.abs().max() == 15
    assert (noise.abs() == 15).float().mean() == pytest.approx(0.0124, abs=0.002), "beyond 2.5 deviations"
    inside = noise[noise.abs() < 15]
    assert inside.std() == pytest.approx(6 * 0.9544, rel=0.01), "a normal of deviation 6, truncated at 2.5"


def test_target_actions_stay_in_the_box(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = build(low=np.full(2, 0), high=np.full(2, 10))
    constant(learner.target_actor, 100)
    actions = target_actions(learner, 1_000, monkeypatch)
    assert actions.max() == 10
    assert actions.min() == pytest.approx(7.5, abs=1e-4)


# ---- losses -------------------------------------------------------------------------------------------------------


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
    learner = build(critic_loss=kind)
    constant(learner.critics, error, 0)
    losses = []
    minimise = Optimiser.minimise
    monkeypatch.setattr(
        Optimiser, "minimise", lambda self, value: (losses.append(value.item()), minimise(self, value))
    )
    zero = {"rewards": torch.zeros(1, 8), "dones": torch.ones(1, 8)}
    learner.update_critics(Batch(**asdict(random_batch(1)) | zero))
    assert losses == [pytest.approx(loss)], "the mean over the batch for each critic; the second has no error"
    gradients = learner.critics.tensors[-1].grad
    assert gradients is not None
    np.testing.assert_allclose(gradients.flatten(), [slope, 0], rtol=1e-6)


def test_the_actor_follows_the_first_critic_only() -> None:
    learner = build()
    shuffle(learner)
    observations = random_batch(1).observations
    plain = PlainTD3(learner.networks, "worker", 0, LOW, HIGH)
    wanted = -plain.value(plain.critics[0], observations.double(), plain.act(observations.double())).mean()
    assert learner.actor_loss(observations).item() == pytest.approx(wanted.item(), rel=1e-5)
    for tensor in learner.critics.tensors:
        tensor.data[1] += 1
    assert learner.actor_loss(observations).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_an_actor_moves_up_its_critic() -> None:
    learner = build(high=[3, 1], low=[-1, -1], hidden=[4], learning_rate=1e-2)
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
    learner = build(learning_rate=1e-30)
    for network in (learner.actor, learner.critics):
        network.flat.fill_(3)
    for network in (learner.target_actor, learner.target_critics):
        network.flat.fill_(1)
    learner.update_actor(learner.actor_loss(torch.zeros(1, 4, 3)))
    for network in (learner.target_actor, learner.target_critics):
        torch.testing.assert_close(network.flat, torch.full_like(network.flat, 1.01))


def test_targets_start_as_copies_and_stay_while_only_critics_learn() -> None:
    learner = build(seeds=(0, 1))
    assert torch.equal(learner.actor.flat, learner.target_actor.flat)
    assert torch.equal(learner.critics.flat, learner.target_critics.flat)
    frozen = [learner.actor, learner.target_actor, learner.target_critics]
    before = [network.flat.clone() for network in frozen]
    start = learner.critics.flat.clone()
    learner.update_critics(random_batch(2))
    assert not torch.equal(learner.critics.flat, start)
    assert all(torch.equal(network.flat, old) for network, old in zip(frozen, before, strict=True))


def test_the_actors_step_leaves_the_critics_alone() -> None:
    learner = build()
    shuffle(learner)
    learner.update_critics(random_batch(1))
    before, moments = learner.critics.flat.clone(), learner.state_dict()["critics"]["state"][0]["exp_avg"].clone()
    learner.update_actor(learner.actor_loss(random_batch(1).observations))
    assert torch.equal(learner.critics.flat, before)
    assert torch.equal(learner.state_dict()["critics"]["state"][0]["exp_avg"], moments)


# ---- against plain PyTorch ----------------------------------------------------------------------------------------


class DoubleStreams(Streams):
    """The same draws in double precision."""

    def normal(self, purpose: str, *shape: int, which: Any = None) -> NDArray[Any]:
        return super().normal(purpose, *shape, which=which).astype(np.float64)


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A maker of learners in double precision."""
    monkeypatch.setattr(learner_module, "MLP", partial(MLP, dtype=torch.float64))

    def make_double(seeds: tuple[int, ...], factor: Tensor | None) -> TD3Learner:
        learner = build(seeds=seeds, streams=DoubleStreams(seeds), factor=factor)
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
    learner = build(factor=factor)
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


# ---- reporting and saving -----------------------------------------------------------------------------------------


def test_health_counts_saturated_outputs() -> None:
    learner = build()
    constant(learner.actor, 0)
    learner.actor.tensors[-1].data[0, 0] = torch.tensor([0.0, 5.0])
    health = learner.health(torch.zeros(1, 4, 3))
    assert health["worker_saturation"] == pytest.approx(0.5)
    assert health["worker_slope"] == pytest.approx((1 + 1 - np.tanh(5) ** 2) / 2, rel=1e-5)


def test_networks_of_another_shape_are_refused() -> None:
    learner, other = build(), build(inputs=4)
    with pytest.raises(ValueError, match=r"worker\.actor\.weight_0 is \(1, 4, 16\), expected \(1, 3, 16\)"):
        load_networks(learner.networks, other.networks)
