from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from learners import HIGH, LOW, constant, make_learner, noise, random_batch, shuffle
from numpy.typing import NDArray
from torch import Tensor

from algorithms.learner import Batch, TD3Learner, load_networks
from algorithms.networks import Pass

# ---- acting ---------------------------------------------------------------------------------------------------


def test_output_of_a_fresh_actor_is_the_middle_of_its_box() -> None:
    learner = make_learner()
    actions = learner.actions(torch.randn(1, 50, 3))
    torch.testing.assert_close(actions, torch.tensor([1.0, 5.0]).expand(1, 50, 2), rtol=0, atol=0.1)
    constant(learner.actor, 0)
    torch.testing.assert_close(learner.actions(torch.zeros(1, 1, 3))[0, 0], torch.tensor([1.0, 5.0]))


@pytest.mark.parametrize(("output", "corner"), [(100, HIGH), (-100, LOW)])
def test_a_saturated_actor_reaches_the_corners(output: float, corner: NDArray[Any]) -> None:
    learner = make_learner()
    constant(learner.actor, output)
    np.testing.assert_allclose(learner.actions(torch.zeros(1, 1, 3))[0, 0], corner, atol=1e-5)
    np.testing.assert_allclose(learner.act(np.zeros((1, 3), np.float32), explore=False)[0], corner, atol=1e-5)


@pytest.mark.parametrize(("low", "high", "deviation"), [(-30, 30, 3.0), (0, 10, 0.5)])
def test_exploration_noise_is_a_tenth_of_the_half_range(low: float, high: float, deviation: float) -> None:
    learner = make_learner(low=np.full(100_000, low), high=np.full(100_000, high))
    constant(learner.actor, 0)
    noise = learner.act(np.zeros((1, 3), np.float32), explore=True) - (low + high) / 2
    assert noise.std() == pytest.approx(deviation, rel=0.01)
    assert abs(noise.mean()) < 0.02 * deviation


def test_explored_actions_stay_in_the_box() -> None:
    learner = make_learner(low=np.full(1_000, 2), high=np.full(1_000, 4))
    constant(learner.actor, 100)
    actions = learner.act(np.zeros((1, 3), np.float32), explore=True)
    assert actions.max() == 4
    assert (actions == 4).mean() == pytest.approx(0.5, abs=0.08), "half of the noise points outwards"
    assert actions.min() > 3.3


def test_random_actions_are_uniform_in_the_box() -> None:
    learner = make_learner(low=np.full(50_000, 2), high=np.full(50_000, 10))
    actions = learner.random_actions()
    assert actions.shape == (1, 50_000)
    assert actions.min() >= 2
    assert actions.max() <= 10
    assert actions.mean() == pytest.approx(6, abs=0.05)
    assert actions.std() == pytest.approx(8 / 12**0.5, abs=0.03)


def test_seeds_that_do_not_act_draw_nothing() -> None:
    both, alone = make_learner(seeds=(0, 1)), make_learner(seeds=(1,))
    observations = np.zeros((2, 3), np.float32)
    for which in ([True, True], [True, False], [False, True]):
        actions = both.act(observations, explore=True, which=np.array(which))
        if which[1]:
            np.testing.assert_allclose(actions[1:], alone.act(observations[1:], explore=True), rtol=1e-6)


# ---- targets --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("done", "target"), [(0, -12.58), (1, -0.7)])
def test_target_takes_the_smaller_critic_and_stops_at_the_end(done: float, target: float) -> None:
    batch = random_batch(1)
    for twins in ((-12, -10), (-10, -12)):
        learner = make_learner()
        constant(learner.target_critics, *twins)
        given = batch._replace(rewards=torch.full((1, 8), -0.7), continues=torch.full((1, 8), 1.0 - done))
        torch.testing.assert_close(learner.targets(given, noise(1)), torch.full((1, 8), target), rtol=0, atol=1e-5)


def test_constant_intrinsic_reward_is_worth_an_infinite_horizon() -> None:
    learner = make_learner()
    batch = random_batch(1)._replace(**{"rewards": torch.full((1, 8), -6.0), "continues": torch.ones(1, 8)})
    constant(learner.target_critics, -600, -600)
    torch.testing.assert_close(learner.targets(batch, noise(1)), torch.full((1, 8), -600.0))
    constant(learner.target_critics, -60, -60)
    torch.testing.assert_close(learner.targets(batch, noise(1)), torch.full((1, 8), -65.4))


def target_actions(learner: TD3Learner, size: int, monkeypatch: pytest.MonkeyPatch) -> Tensor:
    """The smoothed actions that the target critics are asked about."""
    asked: list[Tensor] = []
    forward, width = Pass.forward, learner.bounds.size

    def record(self: Pass, inputs: Tensor) -> Tensor:
        asked.append(inputs.clone())
        return forward(self, inputs)

    monkeypatch.setattr(Pass, "forward", record)
    zeros = {"observations": [torch.zeros(1, size, 3)], "actions": torch.zeros(1, size, width)}
    later = {"rewards": torch.zeros(1, size), "next_observations": [torch.zeros(1, size, 3)]}
    noise = torch.from_numpy(learner.target_noise(size).next())
    learner.targets(Batch(**zeros, **later, continues=None), noise)
    actor_inputs, critic_inputs = asked
    assert actor_inputs.shape == (1, size, 3)
    assert torch.equal(critic_inputs[0], critic_inputs[1]), "both critics see the same"
    return critic_inputs[:1, :, 3:]


def test_target_noise_is_scaled_and_clipped_in_units_of_the_half_range(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = make_learner(low=np.full(5, -30), high=np.full(5, 30))
    constant(learner.target_actor, 0)
    constant(learner.actor, 100)
    actions = target_actions(learner, 20_000, monkeypatch)
    assert actions.abs().max() == 15
    assert (actions.abs() == 15).float().mean() == pytest.approx(0.0124, abs=0.002), "beyond 2.5 deviations"
    inside = actions[actions.abs() < 15]
    assert inside.std() == pytest.approx(6 * 0.9544, rel=0.01), "a normal of deviation 6, truncated at 2.5"


def test_target_actions_stay_in_the_box(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = make_learner(low=np.full(2, 0), high=np.full(2, 10))
    constant(learner.target_actor, 100)
    actions = target_actions(learner, 1_000, monkeypatch)
    assert actions.max() == 10
    assert actions.min() == pytest.approx(7.5, abs=1e-4)


# ---- reporting and saving -------------------------------------------------------------------------------------


def test_health_counts_saturated_outputs() -> None:
    learner = make_learner()
    constant(learner.actor, 0)
    learner.actor.biases[-1][0, 0] = torch.tensor([0.0, 5.0])
    health = learner.health(torch.zeros(1, 4, 3))
    assert health["worker_saturation"] == pytest.approx(0.5)
    assert health["worker_slope"] == pytest.approx((1 + 1 - np.tanh(5) ** 2) / 2, rel=1e-5)


def test_each_seed_that_saturates_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    learner = make_learner(seeds=(4, 7))
    constant(learner.actor, 0)
    learner.actor.biases[-1][1] = 20
    for _ in range(3):
        learner.health(torch.zeros(2, 5, 3))
    assert [record.getMessage() for record in caplog.records] == [
        "worker of seed 7 is saturated on a whole batch (tanh' < 0.0001)"
    ]
    learner.actor.biases[-1][0, 0, 0] = 20
    learner.health(torch.zeros(2, 5, 3))
    assert len(caplog.records) == 1, "one of its outputs still learns"


def test_networks_of_another_shape_are_refused() -> None:
    learner, other = make_learner(), make_learner(inputs=4)
    with pytest.raises(ValueError, match=r"worker\.actor\.weight_0 is \(1, 4, 16\), expected \(1, 3, 16\)"):
        load_networks(learner.networks, other.networks)


@pytest.mark.parametrize("factor", [None, torch.tensor([0.5, 2.0, 0.1])], ids=["raw", "unit"])
def test_acting_gives_the_actions_of_many_observations(factor: Tensor | None) -> None:
    learner = make_learner(seeds=(0, 1), factor=factor)
    shuffle(learner)
    for batch in (5, 1, 5):
        observations = torch.randn(2, batch, 3)
        torch.testing.assert_close(learner.acting(batch)(observations), learner.actions(observations))
