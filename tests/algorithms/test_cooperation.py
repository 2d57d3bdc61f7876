"""The four readings of the cooperative gradient: closed forms, finite differences, and autograd by another way."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from cooperative import READINGS, PlainWorker, Step, share
from torch import Tensor, nn
from toys import ABSOLUTE, CONSECUTIVE, RELATIVE

from algorithms import cooperation
from algorithms.algorithm import Entries
from algorithms.cooperation import gradient
from algorithms.goals import Goals
from algorithms.levels import Levels
from envs.base import TaskSpec

TASKS = pytest.mark.parametrize("task", [RELATIVE, ABSOLUTE, CONSECUTIVE])


def levels(task: TaskSpec, worker: Any) -> Levels:
    """Levels whose worker is any object with ``actions`` and ``first_value``."""
    manager: Any = None
    sees = Entries(task.manager_indices), Entries(task.worker_indices)
    return Levels(manager, worker, Goals(task), 10, *sees)


def batch(**fields: Tensor) -> Any:
    """What the readings use of a batch; anything else they asked for would be an error."""
    return SimpleNamespace(**fields)


def only(number: float) -> Tensor:
    return torch.tensor([[[number]]], dtype=torch.float64)


def line(*, relative: bool) -> TaskSpec:
    return replace(RELATIVE, goal_indices=(0,), worker_indices=(0,), manager_indices=(0,), relative_goals=relative)


# ---- one dimension, by hand -----------------------------------------------------------------------------------


class Scalar:
    """pi_w = 0.4 g + 0.1 s and Q_w = -(g - a)^2 - a^2 / 2 + 0.2 g s."""

    def actions(self, inputs: Tensor) -> Tensor:
        state, goal = inputs.split(1, -1)
        return 0.4 * goal + 0.1 * state

    def first_value(self, inputs: Tensor, actions: Tensor) -> Tensor:
        state, goal = inputs.split(1, -1)
        return (-((goal - actions) ** 2) - 0.5 * actions**2 + 0.2 * goal * state).squeeze(-1)


#: s_t, s_{t+i}, s_{t+i+1}, s_{t+k} and the stored action.
MOMENT = dict(
    first_observations=only(1),
    observations=only(1.2),
    next_observations=only(1.5),
    last_observations=only(2),
    actions=only(0.25),
)
#: Derivative of the worker's share by the parameter of the manager.
DERIVATIVES = {"equation5": -1.86973450, "total": -1.83157378, "authors": -0.34866883, "released": 1.11555031}


def proposal(theta: Tensor) -> Tensor:
    return (2 * torch.tanh(theta * 1)).view(1, 1, 1)


@pytest.mark.parametrize("reading", READINGS)
def test_derivative_by_the_managers_parameter(reading: str) -> None:
    theta = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    function = cooperation.READINGS[reading]
    both = levels(line(relative=True), Scalar())
    function(both, batch(**MOMENT), proposal(theta)).objective.sum().backward()
    assert theta.grad is not None
    assert theta.grad.item() == pytest.approx(DERIVATIVES[reading], abs=1e-7)
    by_goal = gradient(lambda goals: function(both, batch(**MOMENT), goals).objective, proposal(theta).detach())
    slope = 2 * (1 - math.tanh(0.3) ** 2)
    assert by_goal.item() * slope == pytest.approx(DERIVATIVES[reading], abs=1e-7)


@pytest.mark.parametrize(
    ("reading", "action", "reward"),
    [
        ("equation5", 0.27305009, -0.08262522),
        ("total", 0.27305009, -0.08262522),
        ("authors", 0.25, -(0.08262522**2)),
    ],
)
def test_reward_and_value(reading: str, action: float, reward: float) -> None:
    theta, goal = torch.tensor(0.3, dtype=torch.float64), 0.38262522
    found = cooperation.READINGS[reading](levels(line(relative=True), Scalar()), batch(**MOMENT), proposal(theta))
    value = -((goal - action) ** 2) - 0.5 * action**2 + 0.2 * goal * 1.2
    if reading != "authors":
        assert value == pytest.approx(0.04254517, abs=1e-8)
    assert found.value.item() == pytest.approx(value, abs=2e-8)
    assert found.reward.item() == pytest.approx(reward, abs=2e-8)
    assert found.objective.item() == pytest.approx(reward + value, abs=4e-8)


@pytest.mark.parametrize("reading", READINGS)
def test_absolute_goals_do_not_depend_on_where_the_period_began(reading: str) -> None:
    both, at = levels(line(relative=False), Scalar()), only(1.7)
    results = []
    for first, last in ((1, 2), (-5, 9)):
        moved = batch(**MOMENT | {"first_observations": only(first), "last_observations": only(last)})
        results.append(
            gradient(
                lambda goals, moved=moved: cooperation.READINGS[reading](both, moved, goals).objective, at
            ).item()
        )
    assert results[0] == results[1]
    g, s, after, stored = 1.7, 1.2, 1.5, 0.25
    a = 0.4 * g + 0.1 * s
    through_action = 0.4 * (2 * (g - a) - a)
    direct = {"total": -2 * (g - a) + 0.2 * s, "equation5": 0}
    if reading in direct:
        expected = -1 + through_action + direct[reading]
    else:
        residual = g - after + (s if reading == "released" else 0)
        expected = -2 * residual - 2 * (g - stored) + 0.2 * s
    assert results[0] == pytest.approx(expected, abs=1e-8)


# ---- three dimensions in closed form --------------------------------------------------------------------------


class LinearQuadratic:
    """pi_w = A g + B s and Q_w = -|g - M a|^2 - |a|^2 / 2 + 0.1 s C g."""

    def __init__(self, *matrices: Tensor) -> None:
        self.a, self.b, self.m, self.c = matrices

    def actions(self, inputs: Tensor) -> Tensor:
        state, goal = inputs.split(3, -1)
        return goal @ self.a.T + state @ self.b.T

    def first_value(self, inputs: Tensor, actions: Tensor) -> Tensor:
        state, goal = inputs.split(3, -1)
        misfit = (goal - actions @ self.m.T).square().sum(-1)
        return -misfit - 0.5 * actions.square().sum(-1) + 0.1 * (state * (goal @ self.c.T)).sum(-1)


@pytest.mark.parametrize("reading", ["equation5", "total"])
@pytest.mark.parametrize("relative", [True, False])
def test_linear_worker_with_a_quadratic_value(reading: str, relative: bool) -> None:
    random, half = np.random.default_rng(1), np.array([2, 2, 0.5])
    a, b, w = random.normal(size=(2, 3)) * 0.3, random.normal(size=(2, 3)) * 0.2, random.normal(size=(3, 3)) * 0.2
    first, now, after = random.normal(size=(3, 3))
    m, c = random.normal(size=(3, 2)), random.normal(size=(3, 3))
    goal = half * np.tanh(w @ first) + (first - now if relative else 0)
    action, residual = a @ goal + b @ now, goal - after + (now if relative else 0)
    by_reward = -residual / np.sqrt(residual @ residual + 1e-10)
    by_action = 2 * m.T @ (goal - m @ action) - action
    by_goal = -2 * (goal - m @ action) + 0.1 * c.T @ now
    inner = by_reward + a.T @ by_action + (by_goal if reading == "total" else 0)
    expected = np.outer(half * (1 - np.tanh(w @ first) ** 2) * inner, first)

    task = replace(line(relative=relative), goal_indices=(0, 1, 2), worker_indices=(0, 1, 2))
    worker = LinearQuadratic(*map(torch.from_numpy, (a, b, m, c)))
    weights = torch.from_numpy(w).requires_grad_()
    observations = [torch.from_numpy(state).view(1, 1, 3) for state in (first, now, after)]
    names = ("first_observations", "observations", "next_observations")
    proposals = torch.from_numpy(half) * torch.tanh(observations[0] @ weights.T)
    data = batch(**dict(zip(names, observations, strict=True)))
    cooperation.READINGS[reading](levels(task, worker), data, proposals).objective.sum().backward()
    np.testing.assert_allclose(weights.grad, expected, atol=1e-8, rtol=0)


# ---- real networks --------------------------------------------------------------------------------------------

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
        both = levels(self.task, self.worker)
        proposals = self.proposals(weights)
        return cooperation.READINGS[self.reading](both, batch(**self.data), proposals).objective.mean(-1).sum()

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
    function = cooperation.READINGS[reading]
    found = gradient(lambda goals: function(levels(task, problem.worker), batch(**data), goals).objective, at)
    assert found.isfinite().all()
    if reading in ("equation5", "total"):
        alone = gradient(lambda goals: function(levels(task, problem.worker), batch(**data), goals).value, at)
        torch.testing.assert_close(found, alone, rtol=0, atol=1e-9)


def test_gradient_is_that_of_a_mean_over_the_batch_in_inference_mode_too() -> None:
    at = torch.arange(12.0).view(2, 3, 2)
    with torch.inference_mode():
        found = gradient(lambda goals: (goals**2).sum(-1), at.clone())
    torch.testing.assert_close(found, 2 * at / 3)
