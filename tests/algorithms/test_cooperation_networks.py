"""The readings of the cooperative gradient on real networks: finite differences, and autograd by another way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from plain_cooperation import READINGS, PlainWorker, Step, batch_with, levels_of, share
from torch import Tensor, nn
from toys import TASKS

from algorithms import cooperation
from algorithms.cooperation import Share, gradient
from envs.base import TaskSpec

SIZE = (2, 4)


def net(inputs: int, outputs: int, seed: int) -> nn.Sequential:
    """A perceptron in double precision with weights of order one."""
    made = nn.Sequential(
        nn.Linear(inputs, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, outputs)
    ).double()
    random = torch.Generator().manual_seed(seed)
    for parameter in made.parameters():
        parameter.data = 0.5 * torch.randn(parameter.shape, generator=random, dtype=torch.float64)
        parameter.requires_grad_(False)
    return made


class Networks:
    """A worker of real networks."""

    def __init__(self, task: TaskSpec) -> None:
        width = len(task.worker_indices) + 2
        self.actor, self.critic = net(width, 2, 1), net(width + 2, 1, 2)

    def actions(self, inputs: Tensor) -> Tensor:
        return 1 + 2 * torch.tanh(self.actor(inputs))

    def first_value(self, inputs: Tensor, actions: Tensor) -> Tensor:
        return self.critic(torch.cat((inputs, actions), -1)).squeeze(-1)


class Problem:
    """A linear manager above a worker of real networks, and random data of two seeds."""

    def __init__(self, task: TaskSpec, reading: str) -> None:
        self.task, self.reading, self.worker = task, reading, Networks(task)
        random = torch.Generator().manual_seed(3)
        names = ("first_observations", "observations", "next_observations", "last_observations")
        self.data = {name: torch.randn(*SIZE, 7, generator=random, dtype=torch.float64) for name in names}
        self.data["actions"] = torch.randn(*SIZE, 2, generator=random, dtype=torch.float64)
        self.weights = 0.3 * torch.randn(2, 7, generator=random, dtype=torch.float64)

    def proposals(self, weights: Tensor) -> Tensor:
        return torch.tensor([2.0, 0.5]) * torch.tanh(self.data["first_observations"] @ weights.T)

    def found(self, weights: Tensor) -> Tensor:
        return self.share(self.proposals(weights)).objective.mean(-1).sum()

    def share(self, proposals: Tensor) -> Share:
        both = levels_of(self.task, self.worker)
        return cooperation.READINGS[self.reading](both, batch_with(**self.data), proposals)

    def expected(self, weights: Tensor, frozen: Tensor) -> Tensor:
        """Transition by transition; what Eq. 5 holds constant is taken at the weights ``frozen``."""
        worker = PlainWorker(self.worker.actions, self.worker.first_value)
        proposals, fixed = self.proposals(weights), self.proposals(frozen)
        names = ("first_observations", "observations", "next_observations", "last_observations", "actions")
        result = torch.zeros((), dtype=torch.float64)
        for seed in range(SIZE[0]):
            for row in range(SIZE[1]):
                step = Step(*(self.data[name][seed, row] for name in names))
                parts = share(self.reading, self.task, worker, step, proposals[seed, row], fixed[seed, row])
                result = result + sum(parts) / SIZE[1]
        return result


def derivative(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    leaf = at.clone().requires_grad_()
    function(leaf).backward()
    assert leaf.grad is not None
    return leaf.grad


@TASKS
@pytest.mark.parametrize("reading", READINGS)
def test_real_networks(reading: str, task: TaskSpec) -> None:
    problem = Problem(task, reading)
    weights = problem.weights
    found = derivative(problem.found, weights)
    torch.testing.assert_close(
        found, derivative(lambda w: problem.expected(w, weights), weights), rtol=1e-9, atol=1e-9
    )
    differences = torch.zeros_like(weights)
    for index in range(weights.numel()):
        step = torch.zeros_like(weights)
        step.view(-1)[index] = 1e-6
        ends = [problem.expected(weights + sign * step, weights) for sign in (1, -1)]
        differences.view(-1)[index] = (ends[0] - ends[1]) / 2e-6
    torch.testing.assert_close(found, differences, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(problem.found(weights), problem.expected(weights, weights))
    assert found.abs().max() > 1e-3


@TASKS
def test_readings_differ(task: TaskSpec) -> None:
    found = [derivative(problem.found, problem.weights) for problem in (Problem(task, name) for name in READINGS)]
    for one, first in enumerate(found):
        for second in found[:one]:
            assert (first - second).abs().max() > 1e-3


@TASKS
@pytest.mark.parametrize("reading", READINGS)
def test_gradient_of_a_goal_that_is_met_is_finite(reading: str, task: TaskSpec) -> None:
    problem = Problem(task, reading)
    data, picked = problem.data, list(task.goal_indices)
    at = data["next_observations"][..., picked]
    if task.relative_goals:
        at = at - data["first_observations"][..., picked]
    found = gradient(lambda goals: problem.share(goals).objective, at)
    assert found.isfinite().all()
    if reading in ("equation5", "total"):
        alone = gradient(lambda goals: problem.share(goals).value, at)
        torch.testing.assert_close(found, alone, rtol=0, atol=1e-9)


def test_gradient_is_that_of_a_mean_over_the_batch_in_inference_mode_too() -> None:
    at = torch.arange(12.0).view(2, 3, 2)
    with torch.inference_mode():
        found = gradient(lambda goals: (goals**2).sum(-1), at.clone())
    torch.testing.assert_close(found, 2 * at / 3)
