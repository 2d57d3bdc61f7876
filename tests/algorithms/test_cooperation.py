"""The four readings of the cooperative gradient in closed form."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from plain_cooperation import READINGS, batch_with, levels_of
from torch import Tensor
from toys import RELATIVE

from algorithms import cooperation
from algorithms.cooperation import gradient
from algorithms.levels import Levels
from envs.base import TaskSpec


def only(number: float) -> Tensor:
    return torch.tensor([[[number]]], dtype=torch.float64)


def pull(reading: str, levels: Levels, data: Any, goals: Tensor) -> Tensor:
    """Gradient of the worker's share by the manager's goals."""
    return gradient(lambda asked: cooperation.READINGS[reading](levels, data, asked).objective, goals)


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
    both = levels_of(line(relative=True), Scalar())
    cooperation.READINGS[reading](both, batch_with(**MOMENT), proposal(theta)).objective.sum().backward()
    assert theta.grad is not None
    assert theta.grad.item() == pytest.approx(DERIVATIVES[reading], abs=1e-7)
    by_goal = pull(reading, both, batch_with(**MOMENT), proposal(theta).detach())
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
    found = cooperation.READINGS[reading](
        levels_of(line(relative=True), Scalar()), batch_with(**MOMENT), proposal(theta)
    )
    value = -((goal - action) ** 2) - 0.5 * action**2 + 0.2 * goal * 1.2
    if reading != "authors":
        assert value == pytest.approx(0.04254517, abs=1e-8)
    assert found.value.item() == pytest.approx(value, abs=2e-8)
    assert found.reward.item() == pytest.approx(reward, abs=2e-8)
    assert found.objective.item() == pytest.approx(reward + value, abs=4e-8)


@pytest.mark.parametrize("reading", READINGS)
def test_absolute_goals_do_not_depend_on_where_the_period_began(reading: str) -> None:
    both, at = levels_of(line(relative=False), Scalar()), only(1.7)
    results = []
    for first, last in ((1, 2), (-5, 9)):
        moved = batch_with(**MOMENT | {"first_observations": only(first), "last_observations": only(last)})
        results.append(pull(reading, both, moved, at).item())
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


@pytest.mark.parametrize(
    ("reading", "slope"), [("equation5", (-0.6, -0.8)), ("total", (-0.6, -0.8)), ("authors", (-3, -4))]
)
def test_gradient_of_the_reward_alone(reading: str, slope: tuple[float, float]) -> None:
    """A distance of (3, 4): a unit vector, or the mean square of the published code."""
    task = replace(line(relative=True), goal_indices=(0, 1))
    here = torch.zeros(1, 1, 2, dtype=torch.float64)
    names = ("first_observations", "observations", "next_observations", "actions")
    goals = torch.tensor([[[3.0, 4.0]]], dtype=torch.float64)
    worker = SimpleNamespace()
    worker.actions = worker.first_value = lambda *inputs: inputs[0].sum(-1) * 0
    data = batch_with(**dict.fromkeys(names, here))
    found = pull(reading, levels_of(task, worker), data, goals)
    np.testing.assert_allclose(found[0, 0], slope, atol=1e-9)


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
    data = batch_with(**dict(zip(names, observations, strict=True)))
    cooperation.READINGS[reading](levels_of(task, worker), data, proposals).objective.sum().backward()
    assert weights.grad is not None
    np.testing.assert_allclose(weights.grad.numpy(), expected, atol=1e-8, rtol=0)
