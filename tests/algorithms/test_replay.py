from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from algorithms.replay import ReplayBuffer

CPU = torch.device("cpu")


def buffer(seeds: int = 1, capacity: int = 3) -> ReplayBuffer:
    return ReplayBuffer(seeds, capacity, {"value": (), "pair": (2,)}, CPU, length=4)


def add(target: ReplayBuffer, seed: int, value: float) -> None:
    """An item of four rows; its pairs tell value and time."""
    pairs = np.array([(value, value + time / 10) for time in range(4)], np.float32)
    target.add([seed], value=np.array([value]), pair=pairs[None])


def draw(target: ReplayBuffer, random: list[np.random.Generator], number: int) -> Tensor:
    """Drawn items, [S, number]."""
    uniform = np.stack([generator.random(number) for generator in random])
    return torch.from_numpy(target.draw(uniform, np.zeros(uniform.shape, np.int64)))


def values(target: ReplayBuffer, items: Tensor) -> Tensor:
    """The values of items."""
    return target.read(items * target.length).number("value")


def every_item(target: ReplayBuffer, seed: int) -> set[float]:
    """All values that many draws of one seed find."""
    random = [np.random.default_rng(index) for index in range(len(target.sizes))]
    return set(values(target, draw(target, random, 400))[seed].tolist())


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1000)), max_size=30), st.integers(1, 5))
@settings(deadline=None, max_examples=40)
def test_each_seed_keeps_its_newest_items(added: list[tuple[int, int]], capacity: int) -> None:
    target, kept = buffer(2, capacity), ([-1.0], [-2.0])
    for seed in range(2):
        add(target, seed, kept[seed][0])
    for seed, value in added:
        add(target, seed, value)
        kept[seed].append(value)
    for seed in range(2):
        newest = kept[seed][-capacity:]
        assert target.sizes[seed] == len(newest)
        assert every_item(target, seed) == set(newest)


def test_draws_are_uniform_with_replacement() -> None:
    target, random = buffer(2, 20), [np.random.default_rng(seed) for seed in range(2)]
    for value in range(10):
        add(target, 0, value)
        if value < 5:
            add(target, 1, value)
    drawn = values(target, draw(target, random, 10_000))
    for seed, size in enumerate((10, 5)):
        counts = np.bincount(drawn[seed].int().numpy(), minlength=10)
        assert not counts[size:].any()
        expected = 10_000 / size
        assert np.abs(counts[:size] - expected).max() < 4.5 * (expected * (1 - 1 / size)) ** 0.5
    one = draw(target, random, 64)
    assert len(set(one[1].tolist())) < 64, "64 draws from 5 items must repeat some"


def test_a_seed_draws_the_same_alone_and_in_a_group() -> None:
    group, alone = buffer(2, 8), buffer(1, 8)
    for value in range(6):
        add(group, 0, -value)
        add(group, 1, value)
        add(alone, 0, value)
    drawn = values(group, draw(group, [np.random.default_rng(seed) for seed in range(2)], 32))
    single = values(alone, draw(alone, [np.random.default_rng(1)], 32))
    assert torch.equal(drawn[1], single[0])


def test_reading_rows_of_items() -> None:
    target = buffer(2, 5)
    for value in range(4):
        add(target, 0, value)
        add(target, 1, 100 + value)
    items = draw(target, [np.random.default_rng(seed) for seed in range(2)], 6)
    times = torch.tensor([[0, 1, 2, 3, 0, 3], [3, 2, 1, 0, 1, 1]])
    found = target.read(items * 4 + times)
    number = found.number("value")
    assert number.shape == (2, 6)
    assert (number[1] >= 100).all()
    torch.testing.assert_close(found["pair"], torch.stack((number, number + times / 10), -1))
    torch.testing.assert_close(found["value"], number.unsqueeze(-1))


def test_reading_rows_and_those_that_follow() -> None:
    target = buffer(1, 5)
    for value in range(5):
        add(target, 0, value)
    rows = torch.tensor([[0, 2, 18, 5]])
    now, after = target.read_pairs(rows)
    for pair, wanted in ((now, target.read(rows)), (after, target.read(rows + 1))):
        assert torch.equal(pair["pair"], wanted["pair"])
        assert torch.equal(pair.number("value"), wanted.number("value"))
    torch.testing.assert_close(after["pair"][..., 1], now["pair"][..., 1] + 0.1)


def test_several_seeds_are_stored_at_once() -> None:
    together, apart = (ReplayBuffer(3, 2, {"value": (), "pair": (2,)}, CPU) for _ in range(2))
    for number in range(5):
        pairs = np.arange(6, dtype=np.float32).reshape(3, 2) + number
        together.add(range(3), value=pairs[:, 0], pair=pairs)
        for seed in range(3):
            apart.add([seed], value=pairs[seed : seed + 1, 0], pair=pairs[seed : seed + 1])
    one, other = together.state_dict(), apart.state_dict()
    assert torch.equal(one["items"], other["items"])
    np.testing.assert_array_equal(one["cursor"], other["cursor"])
    assert set(values(together, draw(together, [np.random.default_rng(0)] * 3, 50))[2].tolist()) == {7, 8}


def test_add_says_where_items_went() -> None:
    target = buffer(2, 3)
    add(target, 1, 5)
    assert target.add([1], value=np.array([6]), pair=np.zeros((1, 4, 2))).tolist() == [4]
    assert values(target, torch.tensor([4])).tolist() == [6]


@pytest.mark.parametrize("size", [1, 2, 3, 10, 1023, 1024])
def test_the_largest_draw_is_the_newest_item(size: int) -> None:
    target = ReplayBuffer(2, 2000, {"value": ()}, CPU)
    target.sizes[:] = size
    out = target.draw(np.full((2, 3), 1 - 2**-53), np.zeros((2, 3), np.int64))
    assert out.tolist() == [[size - 1] * 3, [2000 + size - 1] * 3]


def test_unused_capacity_is_never_drawn() -> None:
    target = buffer(1, 1_000)
    add(target, 0, 7)
    assert every_item(target, 0) == {7}


def test_every_field_must_be_given() -> None:
    with pytest.raises(KeyError):
        buffer().add([0], value=np.array([1.0]))


@pytest.mark.parametrize("number", [2, 5])
def test_continues_from_its_state(number: int) -> None:
    target, other = buffer(2), buffer(2)
    for value in range(number):
        add(target, 0, value)
    add(target, 1, 50)
    state = target.state_dict()
    other.load_state_dict(state)
    for value in (10, 11):
        add(target, 0, value)
        add(other, 0, value)
    assert every_item(other, 0) == every_item(target, 0) == set([*map(float, range(number)), 10, 11][-3:])
    assert every_item(other, 1) == {50}
    assert state["items"][..., 0].max() == 50, "a saved state does not change later"
