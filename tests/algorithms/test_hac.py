"""Hindsight, against numbers worked out by hand, and the mixture of what HAC stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from plain_periods import ABSOLUTE_PLANE, PATH, PLANE, entries, goals_along, rewards_along, written
from toys import KINDS, TASKS, equal, feed, make, walk

from algorithms.algorithm import HostBox
from algorithms.goals import Goals
from algorithms.hac import in_hindsight
from algorithms.meta import MetaTransition
from envs.base import TaskSpec


def stored(algorithm: Any) -> list[tuple[int, MetaTransition]]:
    """What enters the replay of an algorithm from now on, with its seed."""
    items: list[tuple[int, MetaTransition]] = []
    add = algorithm.replay.add

    def record(seed: int, item: MetaTransition) -> None:
        items.append((seed, item))
        add(seed, item)

    algorithm.replay.add = record
    return items


def box(task: TaskSpec) -> HostBox:
    return HostBox(task.goal_low, task.goal_high, np.float32(0.5) * (task.goal_high - task.goal_low))


# ---- one meta-transition --------------------------------------------------------------------------------------


def test_hindsight_of_relative_goals() -> None:
    item = in_hindsight(written(PLANE, PATH, (2, 1)), Goals(PLANE))
    np.testing.assert_allclose(item.goals[:4], [(3, 1), (2, 1.5), (1.5, 0.5), (0, 0)])
    np.testing.assert_allclose(item.worker_rewards[:3], [-2.5, -1.5811388, -1e-5], rtol=1e-6)


def test_hindsight_of_absolute_goals() -> None:
    item = in_hindsight(written(ABSOLUTE_PLANE, PATH, (3, 3)), Goals(ABSOLUTE_PLANE))
    np.testing.assert_allclose(item.goals[:4], [(4, 3)] * 4)
    np.testing.assert_allclose(item.worker_rewards[:3], [-2.5, -1.5811388, -1e-5], rtol=1e-6)


def test_authors_hand_made_example() -> None:
    path = np.arange(5, dtype=np.float32)[:, None].repeat(2, 1)
    item = in_hindsight(written(PLANE, path, (5, 5), reward=0 + 1 + 2 + 3, period=4), Goals(PLANE))
    np.testing.assert_allclose(item.goals[:, 0], [4, 3, 2, 1, 0])
    np.testing.assert_allclose(item.worker_rewards, [-4.24264069, -2.82842712, -1.41421356, -1e-5], rtol=1e-6)
    assert item.reward == 6


def test_hindsight_goals_may_leave_the_box_unless_they_are_clipped() -> None:
    task = replace(PLANE, goal_low=np.array([-2, -1], np.float32), goal_high=np.array([2, 3], np.float32))
    original = written(task, PATH, (2, 1))
    assert in_hindsight(original, Goals(task)).goals[0].tolist() == [3, 1]
    clipped = in_hindsight(original, Goals(task), box(task))
    np.testing.assert_allclose(clipped.goals[:4], [(2, 1), (1, 1.5), (0.5, 0.5), (-1, 0)])
    np.testing.assert_allclose(clipped.worker_rewards[:3], [-1.8027756, -0.7071068, -1.0], rtol=1e-6)


def test_clipped_absolute_goals_stay_what_they_are() -> None:
    task = replace(ABSOLUTE_PLANE, goal_high=np.array([3, 10], np.float32))
    item = in_hindsight(written(task, PATH, (3, 3)), Goals(task), box(task))
    np.testing.assert_allclose(item.goals[:4], [(3, 3)] * 4)
    np.testing.assert_allclose(item.worker_rewards[:3], [-1.8027756, -0.7071068, -1.0], rtol=1e-6)


numbers = st.floats(-20, 20, width=32)
observations = st.lists(st.lists(numbers, min_size=7, max_size=7), min_size=2, max_size=11)


@given(observations, st.tuples(numbers, numbers), st.sampled_from(list(KINDS.values())), st.booleans())
@settings(deadline=None, max_examples=80)
def test_hindsight_follows_the_equations(
    path: list[list[float]], goal: tuple[float, float], task: TaskSpec, clip: bool
) -> None:
    states = np.array(path, np.float32)
    original = written(task, states, goal, np.arange(2 * len(path) - 2).reshape(-1, 2), reward=1.5, done=1)
    before = replace(original, goals=original.goals.copy(), worker_rewards=original.worker_rewards.copy())
    item = in_hindsight(original, Goals(task), box(task) if clip else None)
    assert equal(vars(original), vars(before)), "the original stays"
    for name in ("observations", "actions", "reward", "done", "length"):
        assert equal(getattr(item, name), getattr(original, name)), name
    first, last = entries(task, states[0]), entries(task, states[-1])
    achieved = [end - start for start, end in zip(first, last, strict=True)] if task.relative_goals else last
    if clip:
        achieved = [
            min(max(part, float(low)), float(high))
            for part, low, high in zip(achieved, task.goal_low, task.goal_high, strict=True)
        ]
    length = item.length
    np.testing.assert_allclose(item.goals[: length + 1], goals_along(task, states, achieved), atol=1e-4)
    np.testing.assert_allclose(item.worker_rewards[:length], rewards_along(task, states, achieved), atol=1e-4)
    assert not item.goals[length + 1 :].any()
    assert not item.worker_rewards[length:].any()
    if not clip:
        assert item.worker_rewards[length - 1] == pytest.approx(-1e-5, abs=1e-5)


# ---- what is stored -------------------------------------------------------------------------------------------


def test_share_of_original_meta_transitions() -> None:
    algorithm = make("hac", (0, 1), task=PLANE, learner={"buffer_steps": 200_000})
    original = written(PLANE, PATH, (2, 1), reward=6)
    counts, picked = np.zeros(2, int), np.zeros((2, 10_000), bool)
    for number in range(10_000):
        for seed in range(2):
            algorithm.store(seed, original)
            picked[seed, number] = algorithm.replay.buffer.sizes[seed] - counts[seed] == 2
            counts[seed] = algorithm.replay.buffer.sizes[seed]
    assert np.abs(counts - 13_000).max() < 3 * 46
    assert (picked.sum(1) + 10_000 == counts).all()
    assert abs(np.corrcoef(picked)[0, 1]) < 0.04, "seeds toss their own coins"
    assert abs(np.corrcoef(picked[0, 1:], picked[0, :-1])[0, 1]) < 0.04, "and a new one each time"
    alone = make("hac", (1,), task=PLANE)
    for number in range(100):
        before = alone.replay.buffer.sizes[0]
        alone.store(0, original)
        assert (alone.replay.buffer.sizes[0] - before == 2) == picked[1, number], "the same in a group and alone"


@TASKS
@pytest.mark.parametrize(("rate", "originals"), [(0, 0), (1, 3)])
def test_the_copy_is_always_stored_and_the_original_sometimes(task: TaskSpec, rate: float, originals: int) -> None:
    algorithm = make("hac", task=task, changes={"hac": {"subgoal_testing_rate": rate}})
    items, states = stored(algorithm), walk(23)
    actions = np.array(feed(algorithm, states, rewards=range(23), end="terminated"))
    kept = [item for _, item in items]
    assert [item.length for item in kept] == sorted([10, 10, 3] * (1 + originals // 3), reverse=True)
    copies = kept[1::2] if originals else kept
    for item, start in zip(copies, (0, 10, 20), strict=True):
        path = states[start : start + item.length + 1]
        achieved = entries(task, path[-1])
        if task.relative_goals:
            achieved = [end - begin for begin, end in zip(entries(task, path[0]), achieved, strict=True)]
        expected = written(task, path, achieved, actions[start : start + item.length])
        for name in ("observations", "goals", "actions", "worker_rewards"):
            np.testing.assert_allclose(getattr(item, name), getattr(expected, name), atol=1e-4, err_msg=name)
    if originals:
        for item, copy in zip(kept[0::2], copies, strict=True):
            assert (item.reward, item.done) == (copy.reward, copy.done)
            assert not equal(item.goals, copy.goals)
    np.testing.assert_allclose([item.reward for item in copies], [4.5, 14.5, 6.3], rtol=1e-6)
    assert [item.done for item in copies] == [0, 0, 1]


def test_the_managers_action_is_what_was_achieved() -> None:
    changes = {"hac": {"subgoal_testing_rate": 0.0}}
    algorithm = make("hac", task=PLANE, learner={"batch_size": 4}, changes=changes)
    feed(algorithm, PATH, rewards=[10, 20, 30], end="truncated")
    algorithm.draw(algorithm._drawn.begin(), algorithm.due())
    batch = algorithm.replay.batch(algorithm._drawn.send())
    manager = algorithm.manager_batch(batch, {})
    assert manager.actions[0].tolist() == [[3, 1]] * 4
    np.testing.assert_allclose(manager.rewards[0], [6] * 4, rtol=1e-6)
    assert manager.continues[0].tolist() == [1] * 4
    worker = algorithm.worker_batch(batch)
    wanted: Sequence[NDArray[Any]] = [
        np.array([(3, 1), (2, 1.5), (1.5, 0.5), (0, 0)])[batch.steps[0] + later] for later in (0, 1)
    ]
    np.testing.assert_allclose(worker.observations[1][0], wanted[0])
    np.testing.assert_allclose(worker.next_observations[1][0], wanted[1])


def test_clipping_is_a_setting() -> None:
    task = replace(PLANE, goal_high=np.array([2, 3], np.float32))
    goals = []
    for clip in (False, True):
        algorithm = make("hac", task=task, changes={"hac": {"clip_hindsight_goals": clip}})
        items = stored(algorithm)
        feed(algorithm, PATH, end="truncated")
        goals.append(items[-1][1].goals[0].tolist())
    assert goals == [[3, 1], [2, 1]]
