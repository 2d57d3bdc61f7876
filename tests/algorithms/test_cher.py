"""How cooperation enters the manager's actor, and what it leaves alone; lambda itself is in ``test_cher_dual``."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from plain_cooperation import READINGS, SEEDS, PlainWorker, cooperative, shares
from plain_periods import batch_of, drawn, filled, wanderings
from torch import Tensor
from toys import TASKS, equal, make

from algorithms.hrl import Due
from algorithms.meta import MetaBatch, MetaTransition
from envs.base import TaskSpec

EVERY_READING = pytest.mark.parametrize("reading", READINGS)
BOTH = Due(manager_critics=True, manager_actor=True, manager_targets=False, worker_actor=True)


def prepared(algorithm: Any, due: Any = BOTH) -> tuple[MetaBatch, dict[str, Tensor]]:
    """A batch and the random numbers of an update."""
    algorithm.draw(algorithm._drawn.begin(), due)
    numbers = algorithm._drawn.send()
    return algorithm.replay.batch(numbers), numbers


def proposals(algorithm: Any, batch: MetaBatch) -> Tensor:
    return algorithm.manager.actions(algorithm.levels.manager_sees(batch.first_observations))


def first_and_last(items: Sequence[Sequence[MetaTransition]]) -> list[list[int]]:
    """The first step of some items, the last of others."""
    return [[(item.length - 1) * (row % 2) for row, item in enumerate(own)] for own in items]


# ---- the gradient ---------------------------------------------------------------------------------------------


@TASKS
@EVERY_READING
@pytest.mark.parametrize("scale", ["raw", "unit"])
def test_gradient_by_the_goals(reading: str, task: TaskSpec, scale: str) -> None:
    algorithm = cooperative(task=task, reading=reading, learner={"input_scale": scale})
    items = [wanderings(task, 12, seed) for seed in SEEDS]
    batch = batch_of(algorithm.replay, items, first_and_last(items))
    goals = proposals(algorithm, batch)
    with torch.inference_mode():
        found = algorithm.cooperative_gradient(batch, goals)
    for seed in range(2):
        leaf = goals[seed].double().detach().requires_grad_()
        reward, value = shares(reading, task, PlainWorker.of(algorithm, seed), drawn(batch, items, seed), leaf)
        (reward + value).backward()
        torch.testing.assert_close(found[seed].double(), leaf.grad, rtol=2e-4, atol=1e-6)
        share = algorithm.share(batch, goals)
        assert share.reward[seed].mean().item() == pytest.approx(reward.item(), rel=1e-4)
        assert share.value[seed].mean().item() == pytest.approx(value.item(), rel=1e-4, abs=1e-5)
    assert not found.requires_grad


@pytest.mark.parametrize("weight", [0.01, 0.3])
def test_lambda_itself_weighs_the_share(weight: float) -> None:
    """Not its logarithm, nor the exponential of it."""
    pulls = []
    for chosen in (0.0, weight):
        algorithm = cooperative(weight=chosen)
        filled(algorithm)
        batch, numbers = prepared(algorithm)
        algorithm.manager.update_critics(algorithm.manager_batch(batch, numbers), numbers["manager_noise"])
        goals = proposals(algorithm, batch)
        pulls.append(algorithm.manager_gradient(batch, goals))
    expected = weight * algorithm.cooperative_gradient(batch, goals)
    torch.testing.assert_close(pulls[1] - pulls[0], expected, rtol=1e-3, atol=1e-7)
    torch.testing.assert_close(pulls[0], algorithm.manager.value_gradient(goals), rtol=0, atol=0)
    assert expected.abs().max() > 1e-4
    assert algorithm.metrics()["lambda"].tolist() == [np.float32(weight)] * 2


@TASKS
@EVERY_READING
def test_neither_the_stored_goals_nor_the_end_of_the_period_matter(reading: str, task: TaskSpec) -> None:
    """The goal is the manager's present one, carried to step i; the published code carries it to the end."""
    algorithm = cooperative(task=task, reading=reading)
    items = [[item for item in wanderings(task, 40, seed) if item.length > 2] for seed in SEEDS]
    size = min(map(len, items))
    items = [own[:size] for own in items]
    random, changed = np.random.default_rng(0), []
    for own in items:
        changed.append(
            [replace(item, goals=item.goals.copy(), observations=item.observations.copy()) for item in own]
        )
        for item in changed[-1]:
            item.goals[:] = random.normal(size=item.goals.shape)
            item.observations[item.length] = random.normal(size=7)
    steps = [[row % (item.length - 1) for row, item in enumerate(own)] for own in items]  # never the last one
    found = []
    for which in (items, changed):
        fresh = cooperative(task=task, reading=reading)
        batch = batch_of(fresh.replay, which, steps)
        found.append(fresh.cooperative_gradient(batch, proposals(fresh, batch)))
    assert torch.equal(found[0], found[1]) == (reading != "released" or not task.relative_goals)
    seen = algorithm.levels.manager_sees(batch.first_observations)
    assert (algorithm.manager.actor_gradient(seen, found[0]).norm(dim=-1) > 1e-4).all()


# ---- the step -------------------------------------------------------------------------------------------------


@EVERY_READING
@pytest.mark.parametrize("name", ["cher", "cher_fixed"])
def test_only_the_managers_actor_changes_in_its_step(name: str, reading: str) -> None:
    algorithm = cooperative(name, reading=reading, learner={"tau": 0.0})
    filled(algorithm)
    batch, numbers = prepared(algorithm)
    algorithm.manager.update_critics(algorithm.manager_batch(batch, numbers), numbers["manager_noise"])

    def state() -> dict[str, Any]:
        made = algorithm.state_dict()
        levels = {level: made.pop(level) for level in ("manager", "worker")}
        del made["streams"]
        made |= {f"{level}.{part}": levels[level][part] for level in levels for part in levels[level]}
        made |= {f"networks.{key}": tensor for key, tensor in made.pop("networks").items()}
        return copy.deepcopy(made)

    before = state()
    with torch.inference_mode():
        algorithm.manager.update_actor(partial(algorithm.manager_gradient, batch))
    after = state()
    different = {key for key in before if not equal(before[key], after[key])}
    layers = [f"networks.manager.actor.{kind}_{layer}" for layer in range(3) for kind in ("weight", "bias")]
    assert different == {*layers, "manager.actor"}, "'manager.actor' is the state of its optimiser"
    assert not any(tensor.requires_grad for tensor in algorithm.networks.values())
    assert all(tensor.grad is None for tensor in algorithm.networks.values())


@pytest.mark.parametrize(("reading", "through"), [("total", "goal"), ("equation5", "action"), ("authors", "goal")])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_manager_moves_up_the_workers_value(reading: str, through: str, sign: int) -> None:
    """Q_w has a slope of 50 in the goal's first entry, or in an action that grows with it."""
    algorithm = make("cher_fixed", SEEDS, changes={"cher_fixed": {"fixed_lambda": 1.0}})
    algorithm.reading = cooperative(reading=reading).reading
    filled(algorithm)
    for name, tensor in algorithm.networks.items():
        if name.startswith("manager.critics") or name.startswith("worker"):
            tensor.zero_()
    wide = {name: algorithm.networks[f"worker.{name}"] for name in ("actor.weight_0", "critics.weight_0")}
    goal, action = 3, 5  # after the three observation entries; after these and the goal
    wide["actor.weight_0"][:, goal, 0] = 0.01
    wide["critics.weight_0"][:, goal if through == "goal" else action, 0] = 1
    for part, slope in (("actor", 1.0), ("critics", sign * 50.0)):
        algorithm.networks[f"worker.{part}.bias_0"][..., 0] = 20  # on the linear side of every ReLU
        algorithm.networks[f"worker.{part}.bias_1"][..., 0] = 20
        algorithm.networks[f"worker.{part}.weight_1"][:, 0, 0] = 1
        algorithm.networks[f"worker.{part}.weight_2"][:, 0, 0] = slope
        algorithm.networks[f"worker.{part}.bias_2"].fill_(-40 * slope)
    for _ in range(20):
        batch, numbers = prepared(algorithm)
        before = proposals(algorithm, batch).mean(1)
        algorithm.update_manager(batch, numbers, BOTH)
        after = proposals(algorithm, batch).mean(1)
        assert (sign * (after - before)[:, 0] > 1e-5).all()


def test_worker_and_cooperation_learn_from_the_same_step() -> None:
    algorithm = cooperative()
    filled(algorithm)
    seen: dict[str, list[Any]] = {"worker": [], "cooperation": []}
    reading, worker_batch = algorithm.reading, algorithm.worker_batch

    def read(levels: Any, batch: MetaBatch, goals: Tensor) -> Any:
        seen["cooperation"].append((batch.items.clone(), batch.steps.clone(), batch.next_observations.clone()))
        return reading(levels, batch, goals)

    def take(batch: MetaBatch) -> Any:
        seen["worker"].append((batch.items.clone(), batch.steps.clone(), batch.next_observations.clone()))
        return worker_batch(batch)

    algorithm.reading, algorithm.worker_batch = read, take
    for _ in range(40):
        algorithm.update()
    assert [len(seen["worker"]), len(seen["cooperation"])] == [40, 2]
    for update, mine in zip((20, 40), seen["cooperation"], strict=True):
        assert all(map(torch.equal, mine, seen["worker"][update - 1]))
    assert not torch.equal(seen["worker"][0][1], seen["worker"][1][1])
