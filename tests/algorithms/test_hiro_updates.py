"""What the off-policy correction changes in an update, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from plain_cooperation import PlainWorker
from plain_periods import Vector, as_manager, drawn, filled, plain_scores
from reference import PlainTD3
from toys import ABSOLUTE, ACTIONS, CONSECUTIVE, RELATIVE, TASKS, Rollout, equal, make

from algorithms.meta import MetaTransition
from envs.base import TaskSpec

SEEDS = (3, 8)
LEVELS = ("manager", "worker")


def hiro(task: TaskSpec, **changes: Any) -> Any:
    return make("hiro", SEEDS, task=task, changes={"hiro": changes})


@TASKS
def test_only_the_managers_batch_is_relabelled(task: TaskSpec) -> None:
    algorithm = hiro(task)
    items = filled(algorithm)
    algorithm.updates = 20
    algorithm.draw(algorithm._drawn.begin(), algorithm.due())
    numbers = algorithm._drawn.send()
    batch, before = algorithm.replay.batch(numbers), algorithm.replay.state_dict()
    worker = algorithm.worker_batch(batch)
    manager = algorithm.manager_batch(batch, numbers)
    assert (manager.actions != batch.first_goals).any(-1).float().mean() > 0.5
    assert equal(algorithm.replay.state_dict(), before)
    for one, other in zip(worker, algorithm.worker_batch(batch), strict=True):
        assert other is one is None or all(map(torch.equal, one, other)), "tensors, or parts of observations"
    for seed in range(2):
        for row, (item, step) in enumerate(drawn(batch, items, seed)):
            assert worker.observations[1][seed, row].tolist() == item.goals[step].tolist()
            assert worker.next_observations[1][seed, row].tolist() == item.goals[step + 1].tolist()
            assert manager.rewards[seed, row] == np.float32(item.reward)
            low, high = task.goal_low, task.goal_high
            picked = manager.actions[seed, row].numpy()
            assert (picked >= low).all()
            assert (picked <= high).all()


def test_the_replay_is_never_written_to() -> None:
    algorithm = hiro(RELATIVE)
    Rollout(algorithm, SEEDS).run(warmup=80)
    before = algorithm.replay.state_dict()
    for _ in range(40):
        algorithm.update()
    assert equal(algorithm.replay.state_dict(), before)


@pytest.mark.parametrize("task", [RELATIVE, ABSOLUTE])
@pytest.mark.parametrize("name", ["hiro", "cher_fixed"])
def test_without_its_own_part_it_is_hrl(name: str, task: TaskSpec) -> None:
    off: dict[str, Any] = {
        "hiro": {"hiro": {"correction": False}},
        "cher_fixed": {"cher_fixed": {"fixed_lambda": 0}},
    }
    plain, other = (
        Rollout(make(which, SEEDS, task=task, changes=changes), SEEDS, task).run(warmup=60, steps=300)
        for which, changes in (("hrl", {}), (name, off[name]))
    )
    assert equal(plain.actions, other.actions)
    assert equal(plain.algorithm.networks, other.algorithm.networks)
    metrics, more = plain.algorithm.metrics(), other.algorithm.metrics()
    assert equal(metrics, {key: more[key] for key in metrics})


@pytest.mark.parametrize("task", [RELATIVE, ABSOLUTE])
@pytest.mark.parametrize("name", ["hiro", "cher_fixed"])
def test_with_its_own_part_it_is_not(name: str, task: TaskSpec) -> None:
    changes = {"cher_fixed": {"cher_fixed": {"fixed_lambda": 1.0}}}.get(name, {})
    plain, other = (
        Rollout(make(which, SEEDS, task=task, changes=more), SEEDS, task).run(warmup=60, steps=60)
        for which, more in (("hrl", {}), (name, changes))
    )
    for seed in range(2):
        difference = (
            plain.algorithm.networks["manager.actor.weight_0"] - other.algorithm.networks["manager.actor.weight_0"]
        )
        assert difference[seed].abs().max() > 1e-5


def likeliest(
    worker: PlainWorker, task: TaskSpec, item: MetaTransition, options: Sequence[Vector], half: Vector
) -> Vector:
    """The candidate under which a worker would most nearly have acted as it did."""

    def act(seen: Vector, goal: Vector) -> Vector:
        actions: list[float] = worker.act(torch.tensor([*seen, *goal], dtype=torch.float64)).tolist()
        return actions

    with torch.no_grad():
        return options[int(np.argmax(plain_scores(task, act, item, options, half, flipped=False)))]


@pytest.mark.parametrize(("task", "scale"), [(RELATIVE, "raw"), (ABSOLUTE, "unit"), (CONSECUTIVE, "unit")])
def test_updates_are_those_of_plain_pytorch(task: TaskSpec, scale: str) -> None:
    learner, changes = {"input_scale": scale}, {"hiro": {"candidates": 5}}
    algorithm = make("hiro", SEEDS, task=task, learner=learner, changes=changes)
    items = filled(algorithm)
    for level in LEVELS:
        algorithm.networks[f"{level}.critics.weight_2"].mul_(100)
        algorithm.networks[f"{level}.actor.weight_2"].mul_(100)
    factor = torch.from_numpy(task.unit_scale[list(task.manager_indices)]).double() if scale == "unit" else None
    box = task.goal_low, task.goal_high
    managers = [PlainTD3(algorithm.networks, "manager", seed, *box, factor) for seed in range(2)]
    half = ((ACTIONS.high - ACTIONS.low) / 2).tolist()
    for update in range(1, 41):
        workers = [PlainWorker.of(algorithm, seed) for seed in range(2)] if update % 10 == 0 else []
        algorithm.update()
        if not workers:
            continue
        numbers = algorithm.drawn
        batch = algorithm.replay.batch(numbers)
        candidates = algorithm.candidates(batch, numbers["candidates"])
        for seed, manager in enumerate(managers):
            rows = [
                (item, likeliest(workers[seed], task, item, candidates[seed, row].tolist(), half))
                for row, (item, _) in enumerate(drawn(batch, items, seed))
            ]
            normal = numbers["manager_noise"][seed].double() / manager.half / 0.2
            manager.update(as_manager(task, rows), normal, delayed=update % 20 == 0)
    for seed, manager in enumerate(managers):
        assert manager.distance(algorithm.networks, "manager", seed) < 3e-6


def test_the_share_of_replaced_goals_is_reported_once() -> None:
    algorithm = hiro(RELATIVE)
    Rollout(algorithm, SEEDS).run(warmup=80)
    picks = torch.zeros(2, algorithm.settings.batch_size, 10)
    picks[..., 0] = 1  # the stored goal wins
    picks[0, :4, 1] = picks[1, :8, 9] = 2  # but for a quarter of the first seed's goals and half of the second's
    algorithm.scores = lambda batch, candidates: picks
    for _ in range(20):
        algorithm.update()
    assert algorithm.metrics()["relabelled"].tolist() == [0.25, 0.5]
    assert np.isnan(algorithm.metrics()["relabelled"]).all(), "none since then"
