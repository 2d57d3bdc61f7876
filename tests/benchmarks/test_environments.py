from __future__ import annotations

import pytest

from algorithms.config import load_preset
from benchmarks import environments


def test_costs_of_walks():
    # two rounds: resets and steps in ms, number of both
    costs = environments.costs([(100.0, 900.0, 2, 1_000), (100.0, 400.0, 1, 500)])
    assert costs["steps_per_second"] == {"median": 1_000, "lower": 1_000, "upper": 1_000, "repeats": 2}
    assert costs["step_ms"]["median"] == pytest.approx(0.85)
    assert costs["reset_ms"]["median"] == 75
    assert costs["episode_length"]["median"] == 500


def test_steps_per_second_become_milliseconds():
    row = environments.costs([(100.0, 900.0, 2, 1_000)])
    step, image = environments.goals_of({"tasks": {"ant_maze": row}, "image_ms": {"median": 0.1}})
    assert (step["measured"], image["measured"]) == (1, 0.1)
    assert not step["met"]
    assert image["met"]


def test_whole_episodes_are_walked():
    options = load_preset("paper")["environment"]["tasks"]["ant_gather"]
    resets, walking, number, done = environments.Walk("ant_gather", options).episodes(501)
    assert number == 2
    assert done == 1_000
    assert min(resets, walking) > 0


def test_every_task_that_is_asked_for_has_a_row():
    result = environments.measure(rounds=1, steps=1, tasks=["ring_road"])
    (row,) = result["tasks"].values()
    assert row["episode_length"]["median"] == 1_500
    assert row["steps_per_second"]["median"] > 10
    step, image = environments.goals_of(result)
    assert step["what"] == "ring_road: step under random actions"
    assert image["what"] == "image of the visual maze"
    assert image["measured"] == result["image_ms"]["median"] > 0
    assert "| ring_road |" in environments.report(result)
