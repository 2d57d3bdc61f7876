from __future__ import annotations

import time

import pytest

from benchmarks.timing import elapsed, in_turn, ratio, rotated, summary


def test_every_round_begins_with_another_callable():
    order: list[str] = []
    work = {name: lambda name=name: order.append(name) for name in "abc"}
    times = in_turn(work, rounds=3, calls=2, warmup=1)
    assert "".join(order) == "abc" + "aabbcc" + "bbccaa" + "ccaabb"
    assert list(times) == ["a", "b", "c"]
    assert all(len(values) == 3 for values in times.values())


def test_times_are_milliseconds_per_call():
    (value,) = in_turn({"sleep": lambda: time.sleep(0.002)}, rounds=1, calls=5)["sleep"]
    assert 2 <= value < 20
    assert 2 <= elapsed(lambda: time.sleep(0.002)) < 20


def test_rotation_of_nothing_is_nothing():
    assert rotated([], 3) == []
    assert rotated(["a", "b"], 5) == ["b", "a"]


def test_median_and_quartiles():
    assert summary([4, 1, 3, 2, 5]) == {"median": 3, "lower": 2, "upper": 4, "repeats": 5}
    assert summary([7]) == {"median": 7, "lower": 7, "upper": 7, "repeats": 1}
    with pytest.raises(ValueError, match="nothing was measured"):
        summary([])


def test_a_ratio_is_taken_within_each_round():
    # the machine is ten times slower in the second round, which no ratio shows
    assert ratio([2, 20, 2], [1, 10, 1])["median"] == 2
    assert ratio([2, 20, 2], [1, 10, 1])["upper"] == 2
    with pytest.raises(ValueError, match="3 rounds cannot be compared with 1"):
        ratio([1, 2, 3], [1])
