from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.replay import ReplayBuffer

CPU = torch.device("cpu")


def buffer(seeds: int = 1, capacity: int = 3) -> ReplayBuffer:
    return ReplayBuffer(seeds, capacity, {"value": (), "path": (4, 2)}, CPU)


def add(target: ReplayBuffer, seed: int, value: float) -> None:
    """An item whose path entries tell value and time."""
    path = np.array([(value, value + time / 10) for time in range(4)], np.float32)
    target.add(seed, value=value, path=path)


def every_item(target: ReplayBuffer, seed: int) -> set[float]:
    """All values that many draws of one seed find."""
    random = [np.random.default_rng(index) for index in range(len(target.sizes))]
    return set(target.read("value", target.draw(random, 400))[seed].tolist())


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
    drawn = target.read("value", target.draw(random, 10_000))
    for seed, size in enumerate((10, 5)):
        counts = np.bincount(drawn[seed].int().numpy(), minlength=10)
        assert not counts[size:].any()
        expected = 10_000 / size
        assert np.abs(counts[:size] - expected).max() < 4.5 * (expected * (1 - 1 / size)) ** 0.5
    one = target.draw(random, 64)
    assert len(set(one[1].tolist())) < 64, "64 draws from 5 items must repeat some"


def test_a_seed_draws_the_same_alone_and_in_a_group() -> None:
    group, alone = buffer(2, 8), buffer(1, 8)
    for value in range(6):
        add(group, 0, -value)
        add(group, 1, value)
        add(alone, 0, value)
    drawn = group.read("value", group.draw([np.random.default_rng(seed) for seed in range(2)], 32))
    single = alone.read("value", alone.draw([np.random.default_rng(1)], 32))
    assert torch.equal(drawn[1], single[0])


def test_reading_whole_fields_and_single_times() -> None:
    target = buffer(2, 5)
    for value in range(4):
        add(target, 0, value)
        add(target, 1, 100 + value)
    items = target.draw([np.random.default_rng(seed) for seed in range(2)], 6)
    values, paths = target.read("value", items), target.read("path", items)
    assert values.shape == (2, 6)
    assert paths.shape == (2, 6, 4, 2)
    assert torch.equal(paths[..., 0], values.unsqueeze(-1).expand(2, 6, 4))
    times = torch.tensor([[0, 1, 2, 3, 0, 3], [3, 2, 1, 0, 1, 1]])
    picked = target.read("path", items, times)
    torch.testing.assert_close(picked, torch.stack((values, values + times / 10), -1))
    torch.testing.assert_close(target.read("path", items, 2), torch.stack((values, values + 0.2), -1))


def test_unused_capacity_is_never_drawn() -> None:
    target = buffer(1, 1_000)
    add(target, 0, 7)
    assert every_item(target, 0) == {7}


def test_every_field_must_be_given() -> None:
    with pytest.raises(KeyError):
        buffer().add(0, value=1.0)


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
    assert state["fields"]["value"].max() == 50, "a saved state does not change later"
