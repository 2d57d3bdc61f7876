from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.wall_clock import add_seconds, at_end, over_time


def evaluations(seeds: dict[int, dict[int, float]], label: str = "cher") -> pd.DataFrame:
    """A value per seed and step."""
    rows = [(label, seed, step, value) for seed, curve in seeds.items() for step, value in curve.items()]
    return pd.DataFrame(rows, columns=["label", "seed", "step", "return"])


def timing(seconds: dict[int, dict[int, float]], label: str = "cher") -> pd.DataFrame:
    """Seconds per seed and step."""
    rows = [(label, seed, step, at) for seed, times in seconds.items() for step, at in times.items()]
    return pd.DataFrame(rows, columns=["label", "seed", "step", "wall_time"])


def test_time_is_that_of_the_step_and_even_between_log_points():
    rows = add_seconds(
        evaluations({3: {100: 0, 300: 0, 400: 0, 600: 0}}), timing({3: {200: 2.0, 400: 3.0, 600: 7.0}})
    )
    assert rows["seconds"].tolist() == [1.0, 2.5, 3.0, 7.0]


def test_every_seed_has_times_of_its_own():
    values = evaluations({0: {100: 1}, 1: {100: 2}})
    rows = add_seconds(values, timing({1: {100: 5.0}, 0: {100: 4.0}}))
    assert rows[["seed", "return", "seconds"]].values.tolist() == [[0, 1, 4], [1, 2, 5]]


@pytest.mark.parametrize("times", [{0: {100: 1.0}}, {1: {200: 1.0}}])
def test_missing_times_are_named(times: dict[int, dict[int, float]]):
    with pytest.raises(ValueError, match=r"^timing of cher, seed 0, does not reach step 1,200$"):
        add_seconds(evaluations({0: {1200: 1}}), timing(times))


def test_statistics_at_common_times():
    """One seed is twice as fast as the other; both rise by 10 per step."""
    values = evaluations({0: {1: 10, 2: 20, 3: 30}, 1: {1: 10, 2: 20, 3: 30}})
    rows = add_seconds(values, timing({0: {1: 1, 2: 2, 3: 3}, 1: {1: 2, 2: 4, 3: 6}}))
    curve = over_time(rows, "return", points=3)
    assert curve["seconds"].tolist() == [2.0, 2.5, 3.0]
    assert curve["mean"].tolist() == [15.0, 18.75, 22.5]
    assert curve["std"].tolist() == [5.0, 6.25, 7.5]
    assert set(curve["label"]) == {"cher"}
    assert at_end(rows, "return").values.tolist() == [["cher", 4.5, 3.0, 6.0, 30.0]]


def test_without_common_times_there_is_no_curve_but_an_end():
    values = evaluations({0: {1: 10, 2: 20}, 1: {1: 30, 2: 40}})
    rows = add_seconds(values, timing({0: {1: 1, 2: 2}, 1: {1: 3, 2: 4}}))
    assert over_time(rows, "return").empty
    assert list(over_time(rows, "return").columns) == ["label", "seconds", "mean", "std"]
    assert at_end(rows, "return").values.tolist() == [["cher", 3.0, 2.0, 4.0, 30.0]]


def test_values_that_are_missing_are_left_out():
    values = evaluations({0: {1: 10, 2: np.nan, 3: 30}, 1: {1: np.nan, 2: np.nan, 3: np.nan}})
    rows = add_seconds(values, timing({0: {1: 1, 2: 2, 3: 3}, 1: {1: 1, 2: 2, 3: 3}}))
    assert over_time(rows, "return", points=3)["mean"].tolist() == [10, 20, 30]
    assert at_end(rows, "return")["mean"].tolist() == [30]


def test_labels_keep_their_order_and_do_not_mix():
    both = pd.concat([evaluations({0: {1: 1, 2: 1}}, "hrl"), evaluations({0: {1: 5, 2: 5}}, "cher")])
    times = pd.concat([timing({0: {1: 1, 2: 2}}, "cher"), timing({0: {1: 3, 2: 4}}, "hrl")])
    rows = add_seconds(both, times)
    assert at_end(rows, "return")[["label", "seconds", "mean"]].values.tolist() == [["hrl", 4, 1], ["cher", 2, 5]]
    curve = over_time(rows, "return", points=2)
    assert curve[["label", "seconds", "mean"]].values.tolist() == [
        ["hrl", 3, 1],
        ["hrl", 4, 1],
        ["cher", 1, 5],
        ["cher", 2, 5],
    ]


@given(st.lists(st.tuples(st.floats(0.1, 5), st.floats(-5, 5)), min_size=1, max_size=5))
def test_curves_lie_between_the_seeds_and_within_common_times(seeds: list[tuple[float, float]]):
    """Every seed keeps its own value all the time, at its own speed."""
    values = {seed: dict.fromkeys((1, 5, 9), value) for seed, (_, value) in enumerate(seeds)}
    times = {seed: {step: step * pace for step in (1, 5, 9)} for seed, (pace, _) in enumerate(seeds)}
    rows = add_seconds(evaluations(values), timing(times))
    curve, paces = over_time(rows, "return"), [pace for pace, _ in seeds]
    constants = [value for _, value in seeds]
    np.testing.assert_allclose(curve["mean"], np.mean(constants), atol=1e-12)
    np.testing.assert_allclose(curve["std"], np.std(constants), atol=1e-12)
    assert curve.empty == (max(paces) >= 9 * min(paces)) or np.isclose(max(paces), 9 * min(paces))
    if len(curve):
        np.testing.assert_allclose(curve["seconds"].iloc[[0, -1]], [max(paces), 9 * min(paces)])
