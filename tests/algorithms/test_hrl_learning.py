"""What a hierarchy learns from its meta-transitions, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from learners import noise, of_seed
from reference import PlainTD3
from torch import Tensor
from toys import ACTIONS, RELATIVE, TASKS, Rollout, feed, make, sample, walk

from algorithms.learner import TD3Learner
from algorithms.meta import MetaBatch, MetaReplay, MetaTransition
from algorithms.seeding import Streams
from envs.base import TaskSpec

SEEDS = (3, 8)
LEVELS = ("manager", "worker")


def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Every step of a learner from now on: level and what was updated."""
    made: list[tuple[str, str]] = []
    for kind in ("update_critics", "update_actor"):
        original = getattr(TD3Learner, kind)

        def record(self: TD3Learner, *values: Any, kind: str = kind, original: Any = original) -> None:
            made.append((self.name, kind.removeprefix("update_")))
            original(self, *values)

        monkeypatch.setattr(TD3Learner, kind, record)
    return made


@pytest.mark.parametrize(
    ("schedule", "manager_actor"), [({}, 50), ({"manager_critic_every": 10, "manager_actor_every": 10}, 100)]
)
def test_schedule_of_a_thousand_steps(
    schedule: Mapping[str, int], manager_actor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    algorithm = make("hrl", learner={"hidden": [4], "batch_size": 4}, hierarchy=schedule)
    feed(algorithm, walk(40), random=True)
    made = calls(monkeypatch)
    for _ in range(1_000):
        algorithm.update()
    assert Counter(made) == {
        ("worker", "critics"): 1_000,
        ("worker", "actor"): 500,
        ("manager", "critics"): 100,
        ("manager", "actor"): manager_actor,
    }


def test_the_managers_actor_can_start_later_than_its_critics(monkeypatch: pytest.MonkeyPatch) -> None:
    algorithm = make("hrl", learner={"hidden": [4], "batch_size": 4}, hierarchy={"manager_actor_start": 600})
    feed(algorithm, walk(40), random=True)
    made = calls(monkeypatch)
    manager = algorithm.manager
    before = manager.actor.flat.clone(), manager.target_critics.flat.clone()
    for _ in range(600):
        algorithm.update()
    assert Counter(made)["manager", "actor"] == 0
    assert torch.equal(manager.actor.flat, before[0])
    assert not torch.equal(manager.target_critics.flat, before[1]), "targets follow all the while"
    for _ in range(400):
        algorithm.update()
    assert Counter(made)["manager", "actor"] == 20
    assert not torch.equal(manager.actor.flat, before[0])


def test_manager_learns_before_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    algorithm = make("hrl", learner={"hidden": [4], "batch_size": 4})
    feed(algorithm, walk(40), random=True)
    made, steps = calls(monkeypatch), []
    for _ in range(20):
        made.clear()
        algorithm.update()
        steps.append(list(made))
    worker = [("worker", "critics"), ("worker", "actor")]
    assert steps[0] == worker[:1]
    assert steps[1] == worker
    assert steps[9] == [("manager", "critics"), *worker]
    assert steps[19] == [("manager", "critics"), ("manager", "actor"), *worker]


class Record:
    """Everything a hierarchy stores and draws, to work out its batches by hand."""

    def __init__(self, algorithm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.items: dict[int, list[MetaTransition]] = {0: [], 1: []}
        self.batches: list[MetaBatch] = []
        self.capacity, store, batch = algorithm.replay.buffer.capacity, algorithm.store, MetaReplay.batch

        def record(seed: int, item: MetaTransition) -> None:
            self.items[seed].append(item)
            store(seed, item)

        def take(replay: MetaReplay, drawn: Mapping[str, Tensor]) -> MetaBatch:
            self.batches.append(batch(replay, drawn))
            return self.batches[-1]

        algorithm.store = record
        monkeypatch.setattr(MetaReplay, "batch", take)

    def drawn(self, seed: int) -> list[tuple[MetaTransition, int]]:
        """Items and steps of one seed in the last batch."""
        rows = (self.batches[-1].items[seed] - seed * self.capacity).tolist()
        return [
            (self.items[seed][row], int(step))
            for row, step in zip(rows, self.batches[-1].steps[seed], strict=True)
        ]

    def batch(self, level: str, task: TaskSpec, seed: int) -> dict[str, Tensor]:
        """The batch of one level and seed, written down transition by transition."""
        rows = []
        for item, i in self.drawn(seed):
            now, after = (0, item.length) if level == "manager" else (i, i + 1)
            seen = list(task.manager_indices if level == "manager" else task.worker_indices)
            states, following = item.observations[now, seen], item.observations[after, seen]
            if level == "manager":
                rows.append((states, item.goals[0], item.reward, following, item.done))
            else:
                states, following = np.append(states, item.goals[now]), np.append(following, item.goals[after])
                rows.append((states, item.actions[i], item.worker_rewards[i], following, 0.0))
        names = ("observations", "actions", "rewards", "next_observations", "dones")
        columns = zip(names, zip(*rows, strict=True), strict=True)
        return {name: torch.tensor(np.array(values), dtype=torch.float64) for name, values in columns}


def collected(
    task: TaskSpec, monkeypatch: pytest.MonkeyPatch, *, warmup: int = 200, **learner: Any
) -> tuple[Any, Record]:
    algorithm = make("hrl", SEEDS, task=task, learner=learner)
    record = Record(algorithm, monkeypatch)
    Rollout(algorithm, SEEDS, task).run(warmup=warmup)
    return algorithm, record


@TASKS
@pytest.mark.parametrize("level", LEVELS)
def test_batches_of_both_levels(task: TaskSpec, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    algorithm, record = collected(task, monkeypatch, batch_size=50)
    algorithm.update()
    (batch,) = record.batches
    got = algorithm.manager_batch(batch, {}) if level == "manager" else algorithm.worker_batch(batch)
    lengths = [item.length for item, _ in record.drawn(0)]
    assert min(lengths) < 10 == max(lengths)
    for seed in range(2):
        own = of_seed(got, seed)
        for name, values in record.batch(level, task, seed).items():
            torch.testing.assert_close(own[name], values, rtol=1e-6, atol=1e-6)


def plain_levels(algorithm: Any, task: TaskSpec, seed: int) -> dict[str, PlainTD3]:
    networks = algorithm.networks
    return {
        "manager": PlainTD3(networks, "manager", seed, task.goal_low, task.goal_high),
        "worker": PlainTD3(networks, "worker", seed, ACTIONS.low, ACTIONS.high),
    }


@TASKS
def test_updates_are_those_of_plain_pytorch(task: TaskSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    algorithm, record = collected(task, monkeypatch)
    for level in LEVELS:  # values of order one, and targets unlike the networks they follow
        algorithm.networks[f"{level}.critics.weight_2"].mul_(100)
        algorithm.networks[f"{level}.actor.weight_2"].mul_(100)
    streams = Streams(SEEDS)
    plain = [plain_levels(algorithm, task, seed) for seed in range(2)]
    start = {name: tensor.clone() for name, tensor in algorithm.networks.items()}
    for update in range(1, 61):
        algorithm.update()
        for level in LEVELS if update % 10 == 0 else ("worker",):
            normal = torch.from_numpy(streams.normal(f"{level}/target_noise", 16, 2)).double()
            delayed = update % (20 if level == "manager" else 2) == 0
            for seed in range(2):
                plain[seed][level].update(record.batch(level, task, seed), normal[seed], delayed=delayed)
    assert len(record.batches) == 60, "one draw serves both levels"
    for name, tensor in algorithm.networks.items():
        assert (tensor - start[name]).abs().max() > 1e-6, name
    for seed in range(2):
        for level in LEVELS:
            assert plain[seed][level].distance(algorithm.networks, level, seed) < 3e-6


@TASKS
def test_values_of_a_batch_worked_out_by_hand(task: TaskSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    algorithm, record = collected(task, monkeypatch)
    for level in LEVELS:
        algorithm.networks[f"{level}.critics.weight_2"].mul_(100)
        algorithm.networks[f"{level}.actor.weight_2"].mul_(100)
    for _ in range(3):
        algorithm.update()
    metrics = algorithm.metrics()
    seen = {level: list(getattr(task, f"{level}_indices")) for level in LEVELS}
    for seed in range(2):
        levels = plain_levels(algorithm, task, seed)
        manager, worker = levels["manager"], levels["worker"]
        current = []
        for item, i in record.drawn(seed):
            first, now = item.observations[0].astype(float), item.observations[i].astype(float)
            goal = manager.act(torch.tensor(first[seen["manager"]])).detach().numpy()
            if task.relative_goals:
                goal = first[list(task.goal_indices)] + goal - now[list(task.goal_indices)]
            inputs = torch.tensor(np.append(now[seen["worker"]], goal))
            current.append(worker.value(worker.critics[0], inputs, worker.act(inputs)).item())
        expected = {"worker_q_current": sum(current) / len(current)}
        for level, name in (("manager", "manager_q"), ("worker", "worker_q_batch")):
            batch = record.batch(level, task, seed)
            value = levels[level].value(levels[level].critics[0], batch["observations"], batch["actions"])
            expected[name] = value.mean().item()
        for name, mean in expected.items():
            assert metrics[name][seed] == pytest.approx(mean, rel=1e-4, abs=1e-6), name
    assert abs(metrics["worker_q_current"][0] - metrics["worker_q_batch"][0]) > 1e-3


@pytest.mark.parametrize("end", ["terminated", "truncated"])
def test_workers_value_of_a_constant_distance_is_that_of_an_infinite_horizon(end: str) -> None:
    task = replace(RELATIVE, goal_high=np.array([3.6, 4.8], np.float32))
    algorithm = make("hrl", task=task, learner={"exploration_noise": 0.0, "batch_size": 64})
    algorithm.networks["manager.actor.bias_2"].fill_(100)
    for _ in range(4):
        feed(algorithm, np.zeros((14, 7)), end=end)  # never moves, its goal stays (3.6, 4.8)
    critics = [algorithm.networks[f"worker.target_critics.{name}_2"] for name in ("weight", "bias")]
    for value, target in ((-600, -600), (-60, -65.4), (0, -6)):
        critics[0].zero_()
        critics[1].fill_(value)
        batch = algorithm.worker_batch(sample(algorithm.replay, Streams([0]), 64))
        targets = algorithm.worker.targets(batch, noise(1, 64))
        torch.testing.assert_close(targets, torch.full((1, 64), float(target)), rtol=1e-6, atol=0)
    algorithm.update()
    feed(algorithm, np.zeros((14, 7)), end=end)
    assert algorithm.metrics()["intrinsic_return"] == pytest.approx(-600, rel=1e-5)


def test_manager_bootstraps_over_one_period_with_one_discount() -> None:
    algorithm = make("hrl")
    feed(algorithm, walk(13), rewards=[-1] * 13, end="terminated")
    for name, value in (("weight_2", 0), ("bias_2", -20)):
        algorithm.networks[f"manager.target_critics.{name}"].fill_(value)
    batch = sample(algorithm.replay, Streams([0]), 64)
    targets = algorithm.manager.targets(algorithm.manager_batch(batch, {}), noise(1, 64))
    expected = torch.where(batch.lengths == 10, -1 - 0.99 * 20, -0.3)
    torch.testing.assert_close(targets, expected)
    assert set(batch.lengths.flatten().tolist()) == {3, 10}


@TASKS
def test_unit_scale_equals_inputs_scaled_by_hand(task: TaskSpec) -> None:
    raw, unit = (make("hrl", task=task, learner={"input_scale": kind}) for kind in ("raw", "unit"))
    boxes = {"manager": (task.goal_low, task.goal_high), "worker": (ACTIONS.low, ACTIONS.high)}
    seen = {"manager": task.manager_indices, "worker": (*task.worker_indices, *task.goal_indices)}
    for level, (low, high) in boxes.items():
        middle, half = torch.tensor((low + high) / 2), torch.tensor((high - low) / 2)
        factor = torch.from_numpy(task.unit_scale[list(seen[level])])[:, None]
        actor, critics = (raw.networks[f"{level}.{part}.weight_0"] for part in ("actor", "critics"))
        actor.copy_(factor * unit.networks[f"{level}.actor.weight_0"])
        first = unit.networks[f"{level}.critics.weight_0"]
        critics.copy_(torch.cat((factor.expand(-1, 1), 1 / half[:, None])) * first)
        shift = torch.einsum("a,gah->gh", middle / half, first[:, len(factor) :])
        raw.networks[f"{level}.critics.bias_0"].copy_(
            unit.networks[f"{level}.critics.bias_0"] - shift.unsqueeze(1)
        )
        random = torch.Generator().manual_seed(1)
        states, draws = torch.randn(1, 9, len(factor), generator=random), torch.rand(1, 9, 2, generator=random)
        actions = middle + half * (2 * draws - 1)
        one, other = getattr(raw, level), getattr(unit, level)
        torch.testing.assert_close(one.actions(states), other.actions(states), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(
            one.first_value(states, actions), other.first_value(states, actions), rtol=1e-4, atol=1e-6
        )
