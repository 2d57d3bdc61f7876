"""The yardstick is TD3, and not less work than that."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from benchmarks.eager import EagerTD3
from benchmarks.synthetic import ACTION, OBSERVATION, configure, task


@pytest.fixture
def learner() -> EagerTD3:
    torch.manual_seed(0)
    settings = configure("td3", 2_000).learner
    return EagerTD3(OBSERVATION, task()[1], settings)


def parameters(network: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


def test_sizes_are_those_that_are_compared(learner: EagerTD3):
    assert parameters(learner.actor).numel() == 45 * 256 + 256 + 256 * 256 + 256 + 256 * 8 + 8
    assert parameters(learner.first).numel() == 53 * 256 + 256 + 256 * 256 + 256 + 256 + 1
    shapes = [tuple(values.shape) for values in learner.replay.sample(128)]
    assert shapes == [(128, OBSERVATION), (128, OBSERVATION), (128, ACTION), (128, 1), (128, 1)]


def test_critics_learn_on_every_update_and_the_actor_on_every_second(learner: EagerTD3):
    for number in range(1, 5):
        networks = (learner.first, learner.second, learner.actor, learner.target_actor, learner.target_first)
        before = [parameters(network) for network in networks]
        learner()
        changed = [not torch.equal(old, parameters(new)) for old, new in zip(before, networks, strict=True)]
        assert changed == [True, True, *[number % 2 == 0] * 3]


def test_targets_follow_slowly(learner: EagerTD3):
    old = copy.deepcopy(learner.target_second)
    learner()
    learner()
    expected = 0.005 * parameters(learner.second) + 0.995 * parameters(old)
    torch.testing.assert_close(parameters(learner.target_second), expected)


def test_the_critics_approach_their_targets(learner: EagerTD3):
    settings = learner.settings.model_copy(update={"gamma": 0.0, "learning_rate": 3e-4})
    learner.settings = settings
    fields = learner.replay.sample(128)
    learner.replay.sample = lambda batch: fields  # type: ignore[method-assign]
    observations, _, actions, _, rewards = fields

    def error() -> float:
        return (learner.first(observations, actions) - rewards).pow(2).mean().item()

    before = error()
    for _ in range(200):
        learner()
    assert error() < 0.2 * before
