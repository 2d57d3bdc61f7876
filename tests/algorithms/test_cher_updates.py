"""Whole updates of CHER, and the two gradients that it reports, against plain PyTorch."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from plain_cooperation import READINGS, PlainWorker, cooperative, shares
from plain_periods import as_manager, drawn, filled
from reference import PlainTD3
from torch import Tensor
from toys import ACTIONS, TASKS, equal

from envs.base import TaskSpec

EVERY_READING = pytest.mark.parametrize("reading", READINGS)


@TASKS
@pytest.mark.parametrize(
    ("name", "reading"),
    [*(("cher_fixed", reading) for reading in READINGS), ("cher", "equation5"), ("cher", "authors")],
)
def test_updates_are_those_of_plain_pytorch(name: str, reading: str, task: TaskSpec) -> None:
    algorithm = cooperative(name, task=task, reading=reading)
    items = filled(algorithm)
    if name == "cher":
        algorithm.log_lambda.fill_(-0.7)  # a weight of one half, as it is fixed otherwise
    managers = [PlainTD3(algorithm.networks, "manager", seed, task.goal_low, task.goal_high) for seed in range(2)]
    for update in range(1, 61):
        workers = [PlainWorker.of(algorithm, seed) for seed in range(2)] if update % 20 == 0 else []
        algorithm.update()
        if update % 10:
            continue
        numbers = algorithm.drawn
        batch, weight = algorithm.replay.batch(numbers), algorithm.weight.flatten().tolist()
        for seed, manager in enumerate(managers):
            steps = list(drawn(batch, items, seed))
            data = as_manager(task, [(item, item.goals[0]) for item, _ in steps])
            normal = numbers["manager_noise"][seed].double() / manager.half / 0.2
            manager.update(data, normal, delayed=False)
            if workers:
                bonus = partial(weighted, weight[seed], reading, task, workers[seed], steps)
                manager.update_actor(data["observations"], bonus)
    for seed, manager in enumerate(managers):
        assert manager.distance(algorithm.networks, "manager", seed) < 5e-6
    if name == "cher":
        assert (algorithm.weight.flatten() != np.exp(-0.7)).all(), "lambda learned as well"


def weighted(weight: float, *arguments: Any) -> Tensor:
    reward, value = shares(*arguments)
    return weight * (reward + value)


# ---- metrics --------------------------------------------------------------------------------------------------


@TASKS
@EVERY_READING
@pytest.mark.parametrize("scale", ["raw", "unit"])
def test_metrics_of_both_gradients(reading: str, task: TaskSpec, scale: str) -> None:
    algorithm = cooperative(task=task, reading=reading, weight=0.3, learner={"input_scale": scale})
    items = filled(algorithm)
    for _ in range(3):
        algorithm.update()
    metrics, batch = algorithm.metrics(), algorithm.replay.batch(algorithm.drawn)
    factor = algorithm.manager._factor
    factor = None if factor is None else factor.double()
    for seed in range(2):
        manager = PlainTD3(algorithm.networks, "manager", seed, task.goal_low, task.goal_high, factor)
        states = batch.first_observations[seed].double()[:, list(task.manager_indices)]
        goals = manager.act(states)
        reward, value = shares(reading, task, PlainWorker.of(algorithm, seed), drawn(batch, items, seed), goals)
        own = flat_gradient(manager.value(manager.critics[0], states, goals).mean(), manager)
        cooperation = flat_gradient(reward + value, manager)
        expected = {
            "lambda": 0.3,
            "cooperation_q": value.item(),
            "manager_gradient": own.norm().item(),
            "cooperative_gradient": cooperation.norm().item(),
            "weighted_gradient": 0.3 * cooperation.norm().item(),
            "gradient_cosine": (own @ cooperation / own.norm() / cooperation.norm()).item(),
        }
        for name, number in expected.items():
            assert metrics[name][seed] == pytest.approx(number, rel=5e-4, abs=1e-5), name
        assert min(expected["manager_gradient"], expected["cooperative_gradient"]) > 1e-3


def flat_gradient(objective: Tensor, manager: PlainTD3) -> Tensor:
    parts = torch.autograd.grad(objective, list(manager.actor.parameters()), retain_graph=True)
    return torch.cat([part.flatten() for part in parts])


def test_workers_box_is_that_of_the_toy() -> None:
    """The plain worker of these tests acts in it."""
    bounds = cooperative().worker.bounds.host
    assert equal([bounds.low, bounds.high], [ACTIONS.low, ACTIONS.high])
