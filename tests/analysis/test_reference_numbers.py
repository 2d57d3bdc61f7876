"""The published numbers agree with themselves: words with numbers, and what is derived with its derivation."""

from __future__ import annotations

import re
from math import isnan, sqrt
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from analysis.references import Reference, load
from envs.tasks import describe

REFERENCES = load(Path(__file__).parents[2] / "results/references/references.csv")
TRUST = {
    *("stated_text", "stated_table", "authors_artifact", "code_default", "derived_exact", "derived_simulation"),
    *("secondary_summary", "issue_comment"),
}
EVERY = list(REFERENCES.values())
#: Human drivers of the ring: desired speed, headway, jam distance, exponent, length, number (section 5.1 of Flow).
V0, T, S0, EXPONENT, LENGTH, CARS = 30.0, 1.0, 2.0, 4, 5.0, 22


def value(name: str) -> float:
    return REFERENCES[name].number("value")


def test_every_row_has_a_source_a_trust_level_and_a_check():
    assert len(EVERY) == 176
    for reference in EVERY:
        assert reference.source.strip(), reference.id
        assert reference.trust in TRUST, reference.id
        assert reference.check in {"hard", "soft", "info"}, reference.id
        assert reference.metric or reference.condition, reference.id


def test_no_row_is_a_number_of_a_figure():
    assert not [found.id for found in EVERY if "digiti" in found.trust + found.notes + found.source]


@pytest.mark.parametrize("reference", EVERY, ids=lambda found: found.id)
def test_numbers_agree_with_the_text(reference: Reference):
    """Each number stands in the text of the value, and a value that is a number is that number."""
    try:
        assert reference.values == [float(reference.value)]
    except ValueError:
        pieces = {float(piece) for piece in re.findall(r"\d+(?:\.\d+)?(?:e\d+)?", reference.value)}
        assert {abs(number) for number in reference.values} <= pieces
        for number in reference.values:
            assert (f"-{abs(number):g}" in reference.value) == (number < 0)


@pytest.mark.parametrize("reference", EVERY, ids=lambda found: found.id)
def test_bands_are_around_their_numbers(reference: Reference):
    low, high = reference.band
    assert isnan(low) or low <= high
    for number in reference.values if not isnan(low) else []:
        assert low <= number <= high
    for end in (reference.low, reference.high):
        stated = f"{reference.value} {reference.notes}"
        assert not end or is_stated(float(end), stated, reference)


def is_stated(end: float, stated: str, reference: Reference) -> bool:
    """Whether an end of a band is in value or notes, or follows from what they say."""
    numbers = {float(piece) for piece in re.findall(r"-?\d+(?:\.\d+)?(?:e\d+)?", stated.replace(",", ""))}
    derived = {
        "P04": {0.625, 0.875},  # in the middle to the neighbours
        "A01": {2.95, 3.27},  # 5 %
        "A03": {0.72, 0.80},
        "A04": {1413.0, 1561.0},  # 5 %
        "S01": {1463.0, 1789.0},  # 10 %
        "D15": {-8.0, 8.0},
        "P02": {-700.0, -500.0},
    }
    return end in numbers | {-number for number in numbers} or end in derived.get(reference.id, set())


def test_words_have_no_numbers():
    words = {found.id for found in EVERY if not found.values and isnan(found.band[0])}
    assert words == {"A12", "AC_plot_73", "AC_ring/highway_81", "H_noOPC", "D22", "D24"}


def gap(speed: float) -> float:
    """Distance to the leader in uniform traffic of the intelligent driver model."""
    return (S0 + speed * T) / sqrt(1 - (speed / V0) ** EXPONENT)


def uniform_speed(length: float, gaps: int = CARS) -> float:
    room = length - CARS * LENGTH
    return float(optimize.brentq(lambda speed: gaps * gap(speed) - room, 1e-6, V0 - 1e-6))


@pytest.mark.parametrize("length", [220, 230, 240, 245, 250, 260, 270])
def test_uniform_traffic_on_the_ring(length: int):
    reference, speed = REFERENCES[f"D01_{length}"], uniform_speed(length)
    assert speed == pytest.approx(reference.number("value"), abs=1e-3)
    assert f"1500*0.1*v^2={150 * speed**2:.0f}" in reference.notes
    assert float(reference.notes.rpartition("v=")[2]) == pytest.approx(uniform_speed(length, CARS - 1), abs=1e-4)


def test_bounds_of_the_return_on_the_ring():
    speeds = np.array([uniform_speed(length) for length in range(220, 271)])
    fewer_gaps = np.array([uniform_speed(length, CARS - 1) for length in range(220, 271)])
    assert speeds.mean() == pytest.approx(value("D02"), abs=1e-4)
    assert np.mean(150 * speeds**2) == pytest.approx(value("D03"), abs=0.1)
    assert np.mean(150 * fewer_gaps**2) == pytest.approx(float(REFERENCES["D03"].high), abs=0.1)
    assert np.mean(1500 * 0.1 / CARS * (CARS * speeds) ** 2) == pytest.approx(value("D04"), abs=1)
    assert np.mean(150 * sqrt(CARS) * speeds) == pytest.approx(value("D04b"), abs=0.1)


@pytest.mark.parametrize("end", [5, 6, 7])
def test_flow_behind_the_slow_end_of_the_highway(end: int):
    assert 3600 * end / (gap(end) + LENGTH) == pytest.approx(value(f"D12_{end}"), abs=1)


def test_other_numbers_of_the_highway():
    assert 3600 * 24.1 / (gap(24.1) + LENGTH) == pytest.approx(value("D13"), abs=1)
    assert value("D14") == 1500 * 0.1 * V0**2


@pytest.mark.parametrize("delta", [600, 450, 300, 150, 50, 0])
def test_cooperation_ratios(delta: int):
    assert (-600 + delta) / -600 == pytest.approx(value(f"P03_{delta}"), abs=5e-5)


def test_a_stationary_ant():
    def from_origin(x: float, y: float) -> float:
        return sqrt(x * x + y * y)

    mean, _ = integrate.dblquad(from_origin, -4, 20, -4, 20, epsabs=1e-4)
    assert -500 * mean / 24**2 == pytest.approx(value("D17"), abs=2)
    assert -500 * np.mean([16, 16, sqrt(2) * 16]) == pytest.approx(value("D18"), abs=1)
    assert -500 * np.mean([20, 20, sqrt(2) * 20]) == pytest.approx(value("D19"), abs=1)
    assert value("D15") == value("PC00") == value("PC01")
    assert value("D16") == 0


def test_goal_errors_that_worker_returns_mean():
    returns = np.array([600, 450, 300, 150, 50])
    np.testing.assert_allclose((1 - value("PC16")) * returns, REFERENCES["D20"].values)


def test_the_length_of_random_goals():
    """Goals of 15 dimensions, uniform in the box of the Ant, which the task defines."""
    task = describe("ant_gather")[0]
    goals = np.random.default_rng(0).uniform(task.goal_low, task.goal_high, (200_000, len(task.goal_low)))
    assert np.linalg.norm(goals, axis=1).mean() == pytest.approx(value("D21"), abs=0.02)
    longest = np.linalg.norm(np.maximum(np.abs(task.goal_low), np.abs(task.goal_high)))
    assert f"max {longest:.2f}" in REFERENCES["D21"].metric


def test_the_smallest_significant_probabilities_of_improvement():
    """Exact distribution of Mann and Whitney's U for ten against ten, by counting."""
    ways = {(0, 0): np.ones(1)}
    for n in range(11):
        for m in range(11):
            if n and m:
                with_last = np.r_[np.zeros(m), ways[n - 1, m]]
                without = ways[n, m - 1]
                size = max(len(with_last), len(without))
                ways[n, m] = np.pad(with_last, (0, size - len(with_last))) + np.pad(
                    without, (0, size - len(without))
                )
            else:
                ways[n, m] = np.ones(1)
    upper = ways[10, 10][::-1].cumsum() / ways[10, 10].sum()

    def smallest(level: float) -> float:
        return (100 - int(np.flatnonzero(upper <= level).max())) / 100

    assert [smallest(0.05), smallest(0.025)] == pytest.approx(REFERENCES["D23"].values)
    text = REFERENCES["D23"].condition
    assert f"over 4 baselines: {smallest(0.05 / 4):.2f}" in text
    assert f"over 20 tests: {smallest(0.05 / 20):.2f}" in text


def test_intervals_of_success_rates():
    ends = [stats.binomtest(count, 50).proportion_ci(method="wilson") for count in (50, 45, 0)]
    assert REFERENCES["D24"].value == " / ".join(f"{round(end.low, 3):g}-{round(end.high, 3):g}" for end in ends)
