from __future__ import annotations

import pytest

from algorithms.config import load_preset, resolve
from benchmarks import environments


def test_costs_of_walks():
    # two rounds: resets and steps in ms, number of both
    costs = environments.costs([(100.0, 900.0, 2, 1_000), (100.0, 400.0, 1, 500)])
    assert costs["steps_per_second"] == {"median": 1_000, "lower": 1_000, "upper": 1_000, "repeats": 2}
    assert costs["step_ms"]["median"] == pytest.approx(0.85)
    assert costs["reset_ms"]["median"] == 75
    assert costs["episode_length"]["median"] == 500


def test_whole_episodes_are_walked():
    options = resolve(load_preset("paper"), "ant_gather", "td3", seeds=[0]).environment
    resets, walking, number, done = environments.Walk("ant_gather", options).episodes(501)
    assert number == 2
    assert done == 1_000
    assert min(resets, walking) > 0


def test_every_task_that_is_asked_for_has_a_row():
    result = environments.measure(rounds=1, steps=1, tasks=["ring_road"])
    (row,) = result["tasks"].values()
    assert row["episode_length"]["median"] == 1_500
    assert row["steps_per_second"]["median"] > 10
    assert environments.goals_of(result) == []
    assert "| ring_road |" in environments.report(result)
