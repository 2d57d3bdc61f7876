from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from toys import CPU, sample

from algorithms.device import Staging
from algorithms.meta import MetaBatch, MetaMemory, MetaReplay, MetaTransition, Sizes
from algorithms.seeding import Streams

SIZES = Sizes(period=10, observation=2, goal=1, action=3)


def memory(seeds: int = 1) -> MetaMemory:
    return MetaMemory(seeds, SIZES)


def append(target: MetaMemory, number: float, reward: float = 0) -> None:
    """One step whose every entry is recognisable; goals grow by one per step."""
    ones = np.ones((len(target.lengths), 1), np.float32)
    target.append(
        number * ones.repeat(2, 1),
        (number + 0.5) * ones.repeat(3, 1),
        -number * ones[:, 0],
        reward * ones[:, 0],
        (number + 1) * ones.repeat(2, 1),
        target.goals + 1,
    )


def period(target: MetaMemory, numbers: Iterable[float], *, goal: float = 0, done: bool = False) -> MetaTransition:
    target.begin(np.array([True]), np.array([[goal]], np.float32))
    for number in numbers:
        append(target, number)
    return target.close(0, done=done)


def test_an_item_holds_one_more_observation_and_goal_than_steps() -> None:
    item = period(memory(), range(5, 8), goal=20, done=True)
    assert item.length == 3
    np.testing.assert_array_equal(item.observations[:4, 0], [5, 6, 7, 8])
    np.testing.assert_array_equal(item.goals[:4, 0], [20, 21, 22, 23])
    np.testing.assert_array_equal(item.actions[:3, 0], [5.5, 6.5, 7.5])
    np.testing.assert_array_equal(item.worker_rewards[:3], [-5, -6, -7])
    assert item.done == 1


def test_a_short_item_is_padded_with_zeros_whatever_was_there() -> None:
    target = memory()
    full = period(target, range(100, 110))
    assert full.length == 10
    assert full.observations[10, 0] == 110
    item = period(target, [1])
    assert item.length == 1
    for values, used in ((item.observations, 2), (item.goals, 2), (item.actions, 1), (item.worker_rewards, 1)):
        assert not values[used:].any()
    assert len(item.observations) == len(item.goals) == 11
    assert len(item.actions) == len(item.worker_rewards) == 10


def test_managers_reward_is_an_undiscounted_sum() -> None:
    target = memory()
    target.begin(np.array([True]), np.zeros((1, 1), np.float32))
    for reward in (-0.1, -0.2, -0.3, -0.4):
        append(target, 1, reward)
    assert target.close(0, done=False).reward == pytest.approx(-1.0, rel=1e-6)
    append(target, 1, 2)
    assert target.close(0, done=False).reward == 2, "nothing of the period before is left"


def test_a_closed_item_does_not_change_later() -> None:
    target = memory()
    item = period(target, range(3))
    before = item.observations.copy()
    period(target, range(50, 60))
    np.testing.assert_array_equal(item.observations, before)


@dataclass
class PlainMemory:
    """Lists of Python numbers, the way one would write it on paper."""

    observations: list[float] = field(default_factory=list)
    goals: list[float] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)


events = st.lists(st.lists(st.booleans(), min_size=2, max_size=2), min_size=1, max_size=40)


@given(events)
@settings(deadline=None, max_examples=40)
def test_memory_of_several_environments_is_that_of_lists(ends: list[list[bool]]) -> None:
    target, plain = memory(2), [PlainMemory(), PlainMemory()]
    for step, ending in enumerate(ends):
        starts = target.lengths == 0
        np.testing.assert_array_equal(starts, [not lists.rewards for lists in plain])
        target.begin(starts, np.array([[step], [-step]], np.float32))
        for sign, lists in zip((1, -1), plain, strict=True):
            if not lists.rewards:
                lists.observations, lists.goals = [step], [sign * step]
            lists.rewards.append(sign * step)
            lists.observations.append(step + 1)
            lists.goals.append(lists.goals[-1] + 1)
        before = target.goals.copy()
        np.testing.assert_array_equal(before[:, 0], [lists.goals[-2] for lists in plain])
        column = np.array([[1], [-1]], np.float32)
        target.append(
            np.full((2, 2), step, np.float32),
            np.zeros((2, 3), np.float32),
            np.zeros(2, np.float32),
            step * column[:, 0],
            np.full((2, 2), step + 1, np.float32),
            before + 1,
        )
        for seed, lists in enumerate(plain):
            if ending[seed] or len(lists.rewards) == 10:
                item, length = target.close(seed, done=ending[seed]), len(lists.rewards)
                assert (item.length, item.done) == (length, float(ending[seed]))
                assert item.reward == sum(lists.rewards)
                assert item.observations[:, 0].tolist() == lists.observations + [0] * (10 - length)
                assert item.goals[:, 0].tolist() == lists.goals + [0] * (10 - length)
                plain[seed] = PlainMemory()


def test_memory_continues_from_its_state() -> None:
    target, other = memory(), memory()
    target.begin(np.array([True]), np.array([[4]], np.float32))
    for number in range(3):
        append(target, number, reward=1)
    state = target.state_dict()
    other.load_state_dict(state)
    for each in (target, other):
        append(each, 3, reward=1)
    first, second = target.close(0, done=False), other.close(0, done=False)
    for name, value in vars(first).items():
        np.testing.assert_array_equal(value, vars(second)[name])
    assert second.length == second.reward == 4
    assert state["lengths"].tolist() == [3]


# ---- replay ---------------------------------------------------------------------------------------------------


def labelled(number: int, length: int) -> MetaTransition:
    """An item whose entries tell item and time; what must never be read is not a number."""

    def sequence(entries: int, size: int, offset: float) -> NDArray[Any]:
        values = np.full((11 if entries > length else 10, size), np.nan, np.float32)
        values[:entries] = number + offset + np.arange(entries)[:, None] / 100
        return values

    return MetaTransition(
        observations=sequence(length + 1, 2, 0),
        goals=sequence(length + 1, 1, 1000),
        actions=sequence(length, 3, 2000),
        worker_rewards=sequence(length, 1, 3000)[:, 0],
        reward=4000.0 + number,
        done=float(number % 2),
        length=length,
    )


def replay_with(lengths: list[int]) -> MetaReplay:
    replay = MetaReplay(1, 50, SIZES, CPU)
    for number, length in enumerate(lengths):
        replay.add(0, labelled(number, length))
    return replay


def test_fields_of_a_batch_belong_to_one_item_and_one_time() -> None:
    lengths = [10, 3, 1, 7]
    batch = sample(replay_with(lengths), Streams([0]), 200)
    item, time = batch.items[0].double(), batch.steps[0].double() / 100
    length = torch.tensor(lengths)[batch.items[0]].double() / 100
    expected: dict[str, torch.Tensor] = {
        "first_observations": item,
        "last_observations": item + length,
        "first_goals": item + 1000,
        "rewards": item + 4000,
        "continues": 1 - item % 2,
        "observations": item + time,
        "next_observations": item + time + 0.01,
        "goals": item + time + 1000,
        "next_goals": item + time + 1000.01,
        "actions": item + time + 2000,
        "worker_rewards": item + time + 3000,
    }
    for name, values in expected.items():
        got = getattr(batch, name)[0].double()
        values = values if got.ndim == 1 else values[:, None].expand_as(got)
        torch.testing.assert_close(got, values, rtol=0, atol=2e-3, msg=name)
    assert (batch.steps < batch.lengths).all()
    assert (batch.next_goals == batch.goals).sum() == 0


def test_steps_are_uniform_including_the_last() -> None:
    batch = sample(replay_with([10]), Streams([3]), 10_000)
    counts = np.bincount(batch.steps[0].numpy(), minlength=10)
    assert len(counts) == 10
    assert np.abs(counts - 1_000).max() < 4.5 * 30
    short = sample(replay_with([3]), Streams([3]), 9_000)
    counts = np.bincount(short.steps[0].numpy(), minlength=3)
    assert np.abs(counts - 3_000).max() < 4.5 * 45


def test_an_item_of_one_step_has_only_that_step() -> None:
    assert not sample(replay_with([1]), Streams([0]), 500).steps.any()


@pytest.mark.parametrize("length", range(1, 11))
def test_the_largest_draw_is_the_last_step(length: int) -> None:
    drawn = Staging(CPU, MetaReplay.drawn(1, 4))
    replay_with([length]).draw(np.full((1, 2, 4), 1 - 2**-53), drawn.host)
    assert (drawn.host["steps"] == length - 1).all()


def test_one_step_per_item_independent_of_the_item() -> None:
    batch: MetaBatch = sample(replay_with([10] * 10), Streams([1]), 20_000)
    table = np.histogram2d(batch.items[0].numpy(), batch.steps[0].numpy(), bins=10)[0]
    chi_square = ((table - 200) ** 2 / 200).sum()
    assert 45 < chi_square < 165, "99 degrees of freedom"


def test_replay_continues_from_its_state() -> None:
    first, second = replay_with([10, 3, 1, 7]), MetaReplay(1, 50, SIZES, CPU)
    state = first.state_dict()
    first.add(0, labelled(9, 5))
    second.load_state_dict(state)
    second.add(0, labelled(9, 5))
    one, other = (sample(replay, Streams([0]), 100) for replay in (first, second))
    for name in ("items", "steps", "lengths", "rewards", "next_observations"):
        assert torch.equal(getattr(one, name), getattr(other, name)), name
    assert set(one.lengths[0].tolist()) == {1, 3, 5, 7, 10}


def test_capacity_counts_items() -> None:
    replay = MetaReplay(1, 5, SIZES, CPU)
    for number in range(9):
        replay.add(0, labelled(number, 10))
    assert replay.buffer.sizes[0] == 5
    batch = sample(replay, Streams([0]), 300)
    assert set(batch.rewards[0].tolist()) == {4004, 4005, 4006, 4007, 4008}
