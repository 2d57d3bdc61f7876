from __future__ import annotations

import json
from typing import Any

import pytest

from algorithms.registry import ALGORITHMS
from benchmarks import peers, update
from benchmarks.timing import summary


@pytest.fixture(scope="module")
def result() -> Any:
    """As read back from the file."""
    return json.loads(json.dumps(update.measure(rounds=2, calls=4, buffer_steps=1_500)))


def test_every_implementation_has_a_row(result: Any):
    assert list(result["updates"]) == ["td3", "bare products", "eager loop", *peers.PEERS]
    for name, row in result["updates"].items():
        if name in peers.PEERS and row["version"] is None:
            assert "ms" not in row
        else:
            assert row["ms"].keys() == {"median", "lower", "upper", "repeats"}
            assert row["ms"]["repeats"] == 2
            assert row["ours_relative"]["median"] > 0
    assert result["updates"]["td3"]["ours_relative"]["median"] == 1
    assert result["megaflop_per_update"] == pytest.approx(225.05, abs=0.01)


def test_every_registered_algorithm_has_a_row(result: Any):
    assert list(result["learners"]) == list(ALGORITHMS)
    for name, row in result["learners"].items():
        assert ("ratio" in row) == (name in update.AUTHORS)


def test_goals_name_both_yardsticks_and_the_authors(result: Any):
    names = [goal["what"] for goal in update.goals_of(result)]
    assert names[:2] == ["TD3 update / eager loop", "TD3 update / bare products"]
    assert names[2:] == [
        f"{name}: learner per step / authors' graph" for name in ALGORITHMS if name in update.AUTHORS
    ]


def test_a_library_that_is_missing_is_named(result: Any):
    changed = {**result, "updates": {**result["updates"], "sbx (JAX)": {"version": None}}}
    assert "| sbx (JAX) |  | not installed |  |" in update.report(changed)


def test_the_authors_graph_is_a_multiple_of_the_eager_loop():
    spent = {"eager loop": [10.0, 20.0], "step of hiro": [8.0, 16.0], "step of new": [1.0, 1.0]}
    feeds: Any = dict.fromkeys(["hiro", "new"])
    rows = update._learners(spent, feeds)
    assert rows["hiro"]["ratio"] == summary([0.25, 0.25])
    assert rows["new"] == {"ms": summary([1, 1])}


def test_no_package_of_that_name():
    assert peers.installed("no-such-package-of-this-name") is None
    assert peers.installed("torch") is not None
