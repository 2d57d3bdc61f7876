"""How often claims are called supported and contradicted, against what the statistics promise.

The short form of each test is run by default; the full one, of 400 draws for every kind of test, with ``-m slow``.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from analysis import power as powers
from analysis.claims.counts import Share, Sooner
from analysis.claims.evidence import LEVEL, holm
from analysis.claims.evidence import Test as StatisticalTest
from analysis.claims.location import Between, Location
from analysis.claims.ranks import Improvement, SignedRank, Trend
from analysis.claims.resampling import Aggregate, Best, MeanImprovement, Peak, Sensitivity

SEEDS = 10
PLACES = (0.0, 0.25, 0.5, 0.75, 1.0)
QUICK: list[StatisticalTest] = [
    Location(),
    Location("", (1.0,), 3.02),
    Location("", (1 / 3, -1 / 3, 1 / 3, -1 / 3, 1 / 3, -1 / 3, -1 / 2, 1 / 2, -1 / 2, 1 / 2)),
    Between((-0.1, 0.1)),
    Between((-700.0, -500.0), weights=(1.0,)),
    Sensitivity(4, 3),
    Improvement(),
    SignedRank(1.0, -1),
    Trend(6, -1),
    Share(),
    Sooner(),
]
RESAMPLED: list[StatisticalTest] = [
    Aggregate(5, -0.05),
    MeanImprovement(4),
    Best(6, 3),
    Peak(PLACES, (0.625, 0.875)),
]


def rates(test: StatisticalTest, effect: float, draws: int, seed: int = 1) -> dict[str, float]:
    random = np.random.default_rng(seed)
    found = [test.judge(test.draw(random, SEEDS, effect), interval=False).verdict() for _ in range(draws)]
    return {name: found.count(name) / draws for name in ("supported", "contradicted", "inconclusive")}


def most(share: float, draws: int) -> float:
    """The share and three standard errors of it."""
    return share + 3 * sqrt(share * (1 - share) / draws)


def named(test: StatisticalTest) -> str:
    return f"{type(test).__name__}{len(test.weights) if isinstance(test, Location | Between) else ''}"


def check_limit(test: StatisticalTest, draws: int) -> None:
    """On the limit itself a claim neither holds nor does not: each verdict is an error, of at most 2.5 %."""
    found = rates(test, -1e-9, draws)
    assert found["supported"] <= most(LEVEL / 2, draws), found
    if not isinstance(test, Between | Peak):  # where a bound is the limit, it is one of two
        assert found["contradicted"] <= most(LEVEL / 2, draws), found


def check_power(test: StatisticalTest, effect: float, draws: int) -> None:
    """The power that is predicted is that of the verdicts."""
    predicted = powers.power(test, SEEDS, effect)
    wanted = "supported" if effect > 0 else "contradicted"
    assert rates(test, effect, draws)[wanted] == pytest.approx(predicted, abs=0.1 + 2 * sqrt(0.25 / draws))


@pytest.mark.parametrize("test", QUICK, ids=named)
def test_on_the_limit_verdicts_are_rare(test: StatisticalTest):
    check_limit(test, 300)


@pytest.mark.parametrize("test", QUICK[:2] + QUICK[6:7] + QUICK[9:10], ids=named)
def test_verdicts_are_as_frequent_as_predicted(test: StatisticalTest):
    check_power(test, 1.2, 60)


@pytest.mark.parametrize("test", QUICK, ids=named)
def test_a_claim_that_is_false_by_far_is_contradicted(test: StatisticalTest):
    found = rates(test, -3.0, 40)
    assert found["supported"] == 0
    assert found["contradicted"] >= 0.8, found


@pytest.mark.slow
@pytest.mark.parametrize("test", QUICK + RESAMPLED, ids=named)
def test_on_the_limit_verdicts_are_rare_in_400_draws(test: StatisticalTest):
    check_limit(test, 400)


@pytest.mark.slow
@pytest.mark.parametrize("effect", [0.8, -1.2, 1.6])
@pytest.mark.parametrize("test", QUICK + RESAMPLED[:3], ids=named)
def test_verdicts_are_as_frequent_as_predicted_in_400_draws(test: StatisticalTest, effect: float):
    predicted = powers.power(test, SEEDS, effect, draws=400)
    wanted = "supported" if effect > 0 else "contradicted"
    assert rates(test, effect, 400)[wanted] == pytest.approx(predicted, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["exponential", "uniform", "mixture", "ties"])
def test_seeds_that_are_not_normal_mislead_no_more_often(kind: str):
    """Tests of ranks hold their level whatever the distribution, those of means nearly so."""
    random, draws = np.random.default_rng(5), 400
    make = {
        "exponential": lambda: random.exponential(size=SEEDS),
        "uniform": lambda: random.uniform(size=SEEDS),
        "mixture": lambda: random.normal(size=SEEDS) + 5 * (random.random(SEEDS) < 0.3),
        "ties": lambda: random.integers(0, 3, SEEDS).astype(float),
    }[kind]
    for test in (Location(), Improvement()):
        found = [test.judge([make(), make()], interval=False).verdict() for _ in range(draws)]
        assert found.count("supported") / draws <= most(LEVEL / 2, draws), (kind, test)
        assert found.count("contradicted") / draws <= most(LEVEL / 2, draws), (kind, test)


def family_error(draws: int, seed: int = 2) -> float:
    """How often any of 20 comparisons with one and the same sample is called supported although none is."""
    random, test, errors = np.random.default_rng(seed), Location(), 0
    for _ in range(draws):
        cher = random.normal(size=(5, SEEDS))
        found = [test.judge([mine, random.normal(size=SEEDS)]) for mine in cher for _ in range(4)]
        adjusted = holm([evidence.p_value for evidence in found], 20)
        errors += any(e.verdict(p) == "supported" for e, p in zip(found, adjusted, strict=True))
    return errors / draws


def test_in_a_family_of_20_any_false_support_is_rare():
    assert family_error(150) <= most(LEVEL / 2, 150)


@pytest.mark.slow
def test_in_a_family_of_20_any_false_support_is_rare_in_400_draws():
    assert family_error(1_000) <= most(LEVEL / 2, 1_000)
