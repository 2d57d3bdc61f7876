from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks import goals, relabelling


@pytest.fixture(scope="module")
def result() -> Any:
    """As read back from the file."""
    return json.loads(json.dumps(relabelling.measure(rounds=2, calls=1, buffer_steps=1_500)))


def test_both_are_timed(result: Any):
    assert result["rows"] == 128 * 10 * 10
    layers = (45 + 15) * 256 + 256 * 256 + 256 * 8
    assert result["megaflop"] == pytest.approx(2 * 12_800 * layers / 1e6)
    assert result["ms"].keys() == {"relabelling", "bare products"}
    assert result["relative"]["repeats"] == 2


def test_the_goal_is_a_ratio(result: Any):
    (goal,) = relabelling.goals_of(result)
    assert goal["measured"] == result["relative"]["median"]
    assert goal["goal"] == goals.RELABELLING


def test_the_report_has_a_row_each(result: Any):
    assert relabelling.report(result).count("\n| ") == 4
