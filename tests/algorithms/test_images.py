from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from toys import CPU, IMAGE, IMAGE_SIZE, Rollout, equal, make, picture, sample

from algorithms.images import to_bytes
from algorithms.meta import MetaMemory, MetaReplay, Sizes
from algorithms.seeding import Streams

SIZES = Sizes(period=3, observation=2, goal=1, action=1, pixels=4)


def seen(number: int) -> NDArray[np.float32]:
    """An observation of two environments whose pixels tell environment and time."""
    return np.array([[number, 0, number, 1, 2, 255], [number, 1, 100 + number, 1, 2, 254]], np.float32)


def advance(memory: MetaMemory, number: int) -> None:
    """One step; the goal does not matter."""
    zeros = {name: np.zeros((2, 1), np.float32) for name in ("actions", "next_goals")}
    rewards = {name: np.zeros(2, np.float32) for name in ("rewards", "worker_rewards")}
    memory.append(observations=seen(number), next_observations=seen(number + 1), **zeros, **rewards)


def test_a_meta_transition_holds_its_first_and_last_image() -> None:
    memory = MetaMemory(2, SIZES)
    for number in range(3):
        advance(memory, number)
    item = memory.close(1, done=False)
    assert item.images is not None
    assert item.images.dtype == np.uint8
    assert item.images[:, 0].tolist() == [100, 103]
    np.testing.assert_array_equal(item.images[:, 1:], [[1, 2, 254]] * 2)
    np.testing.assert_array_equal(item.observations, [[0, 1], [1, 1], [2, 1], [3, 1]])
    first = memory.close(0, done=False)
    advance(memory, 7)
    again = memory.close(0, done=True)
    assert first.images is not None
    assert again.images is not None
    assert first.images[:, 0].tolist() == [0, 3], "it does not change later"
    assert again.images[:, 0].tolist() == [7, 8]


def test_running_images_continue_from_their_state() -> None:
    memory, other = (MetaMemory(2, SIZES) for _ in range(2))
    advance(memory, 4)
    other.load_state_dict(memory.state_dict())
    for each in (memory, other):
        advance(each, 5)
    for seed in (0, 1):
        assert equal(vars(memory.close(seed, done=False)), vars(other.close(seed, done=False)))


@pytest.mark.parametrize("wrong", [0.5, 256, -1, np.nan])
def test_pixels_are_whole_numbers_of_a_byte(wrong: float) -> None:
    assert to_bytes(np.array([0, 255], np.float32)).tolist() == [0, 255]
    with pytest.raises(ValueError, match=rf"an image holds {wrong:g}; pixels must be whole numbers from 0 to 255"):
        to_bytes(np.array([3, wrong], np.float32))


# ---- replay ---------------------------------------------------------------------------------------------------


def replay_with(numbers: list[int], capacity: int = 5) -> MetaReplay:
    """Items of two seeds, stored one by one."""
    replay = MetaReplay(2, capacity, SIZES, CPU)
    for number in numbers:
        add(replay, number)
    return replay


def add(replay: MetaReplay, number: int) -> None:
    memory = MetaMemory(2, SIZES)
    for step in range(1 + number % 3):
        advance(memory, number + step)
    for seed in (0, 1):
        replay.add(seed, memory.close(seed, done=False))


def test_the_first_and_last_observation_of_a_batch_end_with_their_image() -> None:
    batch = sample(replay_with(list(range(9))), Streams([0, 1]), 300)
    for observations in (batch.first_observations, batch.last_observations):
        assert observations.shape == (2, 300, 6)
        assert observations.dtype == torch.float32
        for seed in (0, 1):
            number = observations[seed, :, 0]
            assert torch.equal(observations[seed, :, 2], number + 100 * seed)
            assert (observations[seed, :, 3:] == torch.tensor([1, 2, 255 - seed])).all()
    assert set(batch.first_observations[0, :, 0].tolist()) == {4, 5, 6, 7, 8}, "the oldest are gone"
    steps = batch.last_observations[..., 0] - batch.first_observations[..., 0]
    assert torch.equal(steps, batch.lengths.float())
    for observations in (batch.observations, batch.next_observations):
        assert observations.shape == (2, 300, 2), "no image in between"


def test_a_second_item_of_a_period_keeps_the_images() -> None:
    replay, memory = replay_with([]), MetaMemory(2, SIZES)
    advance(memory, 3)
    item = memory.close(0, done=False)
    for goal in (5, 6):
        replay.add(0, replace(item, goals=np.full_like(item.goals, goal)))
        replay.add(1, memory.close(1, done=False) if goal == 5 else replace(item))
    batch = sample(replay, Streams([0, 1]), 50)
    assert set(batch.first_goals[0].flatten().tolist()) == {5, 6}
    assert (batch.first_observations[0, :, 2] == 3).all()
    assert (batch.last_observations[0, :, 2] == 4).all()


@pytest.mark.parametrize("numbers", [[2], list(range(7))], ids=["part", "round"])
def test_replay_continues_from_its_state(numbers: list[int]) -> None:
    replay, other = replay_with(numbers), replay_with([50, 51, 52])
    state = replay.state_dict()
    assert state["images"].shape == (2, 2, min(len(numbers), 5), 4), "only what is filled"
    assert state["images"].dtype == torch.uint8
    add(replay, 8)  # the state is a copy
    other.load_state_dict(state)
    add(other, 8)
    first, second = (sample(each, Streams([0, 1]), 100) for each in (replay, other))
    for name in ("first_observations", "last_observations"):
        assert torch.equal(getattr(first, name), getattr(second, name))


def test_images_take_a_byte_per_number() -> None:
    sizes = Sizes(period=10, observation=30, goal=15, action=8, pixels=3072)
    images = MetaReplay(1, 20_000, sizes, CPU).images
    assert images is not None
    assert images._images.nbytes == 20_000 * 2 * 3072


def test_hrl_stores_the_pictures_of_its_path() -> None:
    algorithm: Any = make("hrl", (0, 1), task=IMAGE)
    Rollout(algorithm, (0, 1), IMAGE).run(warmup=100)
    batch = sample(algorithm.replay, Streams([0, 1]), 40)
    for observations in (batch.first_observations, batch.last_observations):
        for row in observations.flatten(0, 1).numpy():
            rendered = picture(row[1], row[3])
            assert np.abs(row[7:] - rendered).max() <= 1, "positions are rounded, pixels may flip by one"
            assert rendered.any()
    assert algorithm.levels.worker_inputs(batch.observations, batch.goals).shape == (2, 40, 5)
    assert algorithm.levels.goals_in_force(batch, batch.first_goals).shape == (2, 40, 2)
    assert algorithm.manager.actor.sizes[0] == 4 + IMAGE_SIZE.size
