"""How a hierarchy acts and what it stores; what it learns from that is in ``test_hrl_learning``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box
from toys import ACTIONS, RELATIVE, TASKS, Rollout, feed, make, sample, walk

from algorithms.learner import TD3Learner
from algorithms.meta import MetaTransition
from algorithms.seeding import Streams
from envs.base import TaskSpec


def recorded(algorithm: Any) -> list[MetaTransition]:
    """The items that an algorithm stores from now on."""
    items: list[MetaTransition] = []
    store = algorithm.store

    def record(seed: int, item: MetaTransition) -> None:
        items.append(item)
        store(seed, item)

    algorithm.store = record
    return items


# ---- what is stored -------------------------------------------------------------------------------------------


@TASKS
def test_a_long_episode_gives_a_full_and_a_short_item(task: TaskSpec) -> None:
    algorithm = make("hrl", task=task)
    items, states = recorded(algorithm), walk(13)
    actions = np.array(feed(algorithm, states, end="truncated"))
    assert [item.length for item in items] == [10, 3]
    for item, start in zip(items, (0, 10), strict=True):
        length = item.length
        np.testing.assert_array_equal(item.observations[: length + 1], states[start : start + length + 1])
        np.testing.assert_array_equal(item.actions[:length], actions[start : start + length])
        there = item.observations[: length + 1, list(task.goal_indices)]
        goals = item.goals[: length + 1]
        invariant = there + goals if task.relative_goals else goals
        np.testing.assert_allclose(invariant, invariant[:1].repeat(length + 1, 0), atol=1e-5)
        missing = (there + goals)[:1] - there[1:] if task.relative_goals else goals[:-1] - there[1:]
        np.testing.assert_allclose(item.worker_rewards[:length], -np.linalg.norm(missing, axis=1), rtol=1e-5)
    assert (items[1].goals[0] != items[0].goals[10]).all(), "the second period has a goal of its own"


def test_goals_are_neither_clipped_nor_renewed_within_a_period() -> None:
    algorithm = make("hrl")
    items = recorded(algorithm)
    feed(algorithm, walk(10, speed=3))
    goals = items[0].goals
    assert (goals[0] >= RELATIVE.goal_low).all()
    assert (goals[0] <= RELATIVE.goal_high).all()
    assert (goals[1:, 0] < RELATIVE.goal_low[0]).all()
    assert goals[10, 0] < -20


@pytest.mark.parametrize(("end", "done"), [("terminated", 1), ("truncated", 0)])
@pytest.mark.parametrize("steps", [13, 10, 1])
def test_manager_ends_at_a_true_end_only_and_the_worker_never(end: str, done: float, steps: int) -> None:
    algorithm = make("hrl")
    items = recorded(algorithm)
    feed(algorithm, walk(steps), end=end)
    assert [item.done for item in items] == [0] * (len(items) - 1) + [done]
    assert items[-1].length == (steps - 1) % 10 + 1
    batch = sample(algorithm.replay, Streams([0]), 64)
    assert set(algorithm.manager_batch(batch, {}).continues.flatten().tolist()) == {
        1 - item.done for item in items
    }
    assert algorithm.worker_batch(batch).continues is None


@pytest.mark.parametrize("end", ["terminated", "truncated"])
def test_a_new_episode_starts_with_a_fresh_goal(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    algorithm = make("hrl", learner={"exploration_noise": 0.0})
    feed(algorithm, walk(13), end=end)
    start = walk(1, speed=5)
    seen = start[:1, list(RELATIVE.manager_indices)]
    algorithm.act(start[:1])
    np.testing.assert_array_equal(algorithm.memory.goals, algorithm.manager.act(seen, explore=False))


def test_managers_reward_is_scaled_once_and_not_discounted() -> None:
    algorithm = make("hrl")
    items = recorded(algorithm)
    feed(algorithm, walk(4), rewards=[-1, -2, -3, -4], end="terminated")
    feed(algorithm, walk(1), rewards=[-10], end="truncated")
    feed(algorithm, walk(12), rewards=[1] * 12, end="truncated")
    np.testing.assert_allclose([item.reward for item in items], [-1, -1, 1, 0.2], rtol=1e-6)


def test_replay_counts_meta_transitions() -> None:
    algorithm = make("hrl", learner={"buffer_steps": 50, "batch_size": 4})
    feed(algorithm, walk(130))
    assert algorithm.replay.buffer.sizes.tolist() == [5]
    paper = make("hrl", learner={"buffer_steps": 200_000})
    assert paper.replay.buffer.capacity == 20_000


# ---- acting ---------------------------------------------------------------------------------------------------


class Spy:
    """Records what the learners of a hierarchy are asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: dict[str, list[tuple[Any, Any]]] = {"manager": [], "worker": []}
        act = TD3Learner.act

        def record(learner: TD3Learner, *observations: Any, **options: Any) -> Any:
            self.calls[learner.name].append((np.concatenate(observations, 1), options))
            return act(learner, *observations, **options)

        monkeypatch.setattr(TD3Learner, "act", record)


def test_levels_see_their_part_of_the_observation(monkeypatch: pytest.MonkeyPatch) -> None:
    algorithm, spy, states = make("hrl"), Spy(monkeypatch), walk(25)
    items = recorded(algorithm)
    feed(algorithm, states, end="truncated")
    assert len(spy.calls["manager"]) == 3, "at steps 0, 10 and 20"
    for (seen, options), time in zip(spy.calls["manager"], (0, 10, 20), strict=True):
        np.testing.assert_array_equal(seen[0], states[time, [1, 3, 0, 4, 2, 5]])
        assert options["explore"]
    goals = np.concatenate([item.goals[: item.length] for item in items])
    assert len(spy.calls["worker"]) == 25
    for time, (seen, options) in enumerate(spy.calls["worker"]):
        np.testing.assert_array_equal(seen[0], [*states[time, [4, 0, 6]], *goals[time]])
        assert options["explore"]


def test_warm_up_asks_no_network_and_is_uniform_at_both_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    algorithm, spy = make("hrl", hierarchy={"meta_period": 1}), Spy(monkeypatch)
    items = recorded(algorithm)
    actions = np.array(feed(algorithm, walk(2_000), random=True))
    assert spy.calls == {"manager": [], "worker": []}
    goals = np.array([item.goals[0] for item in items])
    for values, low, high in (
        (actions, ACTIONS.low, ACTIONS.high),
        (goals, RELATIVE.goal_low, RELATIVE.goal_high),
    ):
        assert values.shape == (2_000, 2)
        assert (values >= low).all()
        assert (values <= high).all()
        np.testing.assert_allclose(values.mean(0), (low + high) / 2, atol=0.12)
        np.testing.assert_allclose(values.std(0), (high - low) / 12**0.5, rtol=0.05)
    assert abs(np.corrcoef(actions[:, 0], goals[:, 0])[0, 1]) < 0.1, "separate draws"


def test_a_goal_of_the_warm_up_lasts_until_its_period_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    algorithm, states = make("hrl"), walk(14)
    items = recorded(algorithm)
    feed(algorithm, states[:7], random=True)
    spy = Spy(monkeypatch)
    feed(algorithm, states[6:])
    assert len(spy.calls["manager"]) == 1
    np.testing.assert_array_equal(spy.calls["manager"][0][0][0], states[10, [1, 3, 0, 4, 2, 5]])
    assert items[0].length == 10


def test_goals_explore_by_a_tenth_of_the_half_range_and_stay_in_their_box() -> None:
    size = 20_000
    task = replace(
        RELATIVE,
        goal_low=np.full(size, -10, np.float32),
        goal_high=np.full(size, 10, np.float32),
        goal_indices=tuple(range(size)),
        position_indices=(),
        unit_scale=np.ones(size, np.float32),
    )
    algorithm = make("hrl", task=task, learner={"buffer_steps": 10, "batch_size": 1})
    algorithm.act(np.zeros((1, size), np.float32))
    goals = algorithm.memory.goals
    assert goals.std() == pytest.approx(1, rel=0.02)
    algorithm.networks["manager.actor.bias_2"].fill_(100)
    algorithm.memory.lengths[:] = 0
    algorithm.act(np.zeros((1, size), np.float32))
    assert algorithm.memory.goals.max() == 10
    assert (algorithm.memory.goals == 10).mean() == pytest.approx(0.5, abs=0.02)


@TASKS
def test_the_policy_acts_as_training_does_without_noise(task: TaskSpec) -> None:
    algorithm = make("hrl", (0, 1, 2), task=task, learner={"exploration_noise": 0.0})
    algorithm.networks["manager.actor.weight_2"].mul_(100)
    algorithm.networks["worker.actor.weight_2"].mul_(100)
    rollout = Rollout(algorithm, (0, 1, 2), replace(task, horizon=23))
    ends = np.ones(3, bool)
    for _ in range(80):
        algorithm.policy.reset(ends)
        planned = algorithm.policy.act(rollout.observations)
        ends = rollout.step()
        np.testing.assert_allclose(planned, rollout.actions[-1], atol=1e-6)
    assert len({tuple(actions[0]) for actions in rollout.actions}) > 60, "actions do vary"


def test_the_policys_goals_are_those_in_force() -> None:
    algorithm, states = make("hrl"), walk(12)
    policy = algorithm.policy
    policy.reset(np.array([True]))
    goals = []
    for state in states:
        policy.act(state[None])
        goals.append(policy.goals[0].copy())
    there = states[:, list(RELATIVE.goal_indices)]
    np.testing.assert_allclose(there[:10] + goals[:10], (there[0] + goals[0])[None].repeat(10, 0), atol=1e-5)
    seen = torch.from_numpy(states[[0, 10]][:, list(RELATIVE.manager_indices)])
    np.testing.assert_allclose([goals[0], goals[10]], algorithm.manager.actions(seen[None])[0].detach(), atol=1e-6)


# ---- networks -------------------------------------------------------------------------------------------------


def test_networks_have_the_sizes_of_the_authors_checkpoint() -> None:
    task = replace(
        RELATIVE,
        goal_low=np.full(15, -1, np.float32),
        goal_high=np.full(15, 1, np.float32),
        goal_indices=tuple(range(15)),
        position_indices=(0, 1),
        manager_indices=tuple(range(145)),
        worker_indices=tuple(range(145)),
        unit_scale=np.ones(145, np.float32),
    )
    algorithm = make("hrl", task=task, actions=Box(-30, 30, (8,)), learner={"hidden": [256, 256]})
    sizes = {
        "manager.actor": (1, 145, 15),
        "manager.critics": (2, 160, 1),
        "worker.actor": (1, 160, 8),
        "worker.critics": (2, 168, 1),
    }
    for name, (groups, inputs, outputs) in sizes.items():
        for part in (name, name.replace(".", ".target_")):
            shapes = [tuple(algorithm.networks[f"{part}.weight_{layer}"].shape) for layer in range(3)]
            assert shapes == [(groups, inputs, 256), (groups, 256, 256), (groups, 256, outputs)]
