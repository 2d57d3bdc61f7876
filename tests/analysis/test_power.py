"""How many seeds a claim needs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis import power
from analysis.claims.catalogue.every import claim
from analysis.claims.counts import Share
from analysis.claims.location import Between, Location
from analysis.claims.ranks import Improvement

ONE = Location("", (1.0,))


def test_the_power_of_a_t_test_is_that_of_tables():
    """Cohen (1988): two samples, d = 0.5, 64 each, and d = 0.8, 26 each: a power of 0.80 at 5 %, two-sided."""
    assert power.power(Location(), 64, 0.5) == pytest.approx(0.80, abs=0.005)
    assert power.power(Location(), 26, 0.8) == pytest.approx(0.80, abs=0.01)
    assert power.needed(Location(), 0.5) == 64
    assert power.needed(Location(), -0.5) == 64
    assert power.needed(ONE, 0.5) == 34  # the same for one sample


def test_a_family_costs_seeds():
    numbers = [power.needed(Location(), 1.0, family) for family in (1, 4, 20)]
    assert numbers == sorted(set(numbers))
    assert numbers[0] == 17


def test_an_effect_that_is_too_small_needs_more_than_can_be_had():
    assert power.needed(Location(), 0.1) is None


def test_the_power_of_a_share_is_exact():
    """With 10 seeds 9 are needed, at 5 % two-sided."""
    share = Share().share(1.0)
    assert power.power(Share(), 10, 1.0) == pytest.approx(stats.binom.sf(8, 10, share))
    assert power.power(Share(), 10, -1.0) == pytest.approx(stats.binom.cdf(1, 10, Share().share(-1.0)))


def test_equivalence_needs_a_margin_that_is_wide_in_standard_deviations():
    """The margin is so many standard deviations; two one-sided tests at 2.5 % each."""
    exact = 2 * stats.norm.cdf(1.5 / (2 / 10) ** 0.5 - stats.norm.ppf(0.975)) - 1
    assert power.power(Between((-0.1, 0.1)), 10, 1.5, draws=100) == pytest.approx(exact, abs=0.12)


def test_ranks_cost_little():
    """Mann and Whitney's test has 95.5 % of the efficiency of the t test on normal values."""
    assert power.power(Improvement(), 20, 1.0) == pytest.approx(power.power(Location(), 20, 1.0), abs=0.1)


def test_the_spread_of_interquartile_means_is_that_of_normal_values():
    values = np.random.default_rng(0).normal(size=(4_000, 50))
    found = stats.trim_mean(values, 0.25, axis=1).var() * 50
    assert found == pytest.approx(power.IQM_VARIANCE, rel=0.06)


def test_the_same_question_has_the_same_answer():
    assert power.power(Improvement(), 8, 1.0, draws=30) == power.power(Improvement(), 8, 1.0, draws=30)


def test_a_table_says_how_many_seeds_by_kind_of_test():
    table = power.table([claim("C25"), claim("C20")], [1.0, 2.0])
    assert list(table.columns) == ["claim", "test", "family", "seeds at 1 SD", "seeds at 2 SD"]
    assert list(table["claim"]) == ["C25", "C20"]
    assert list(table["family"]) == ["1", "3"]
    assert (table["seeds at 1 SD"].astype(int) > table["seeds at 2 SD"].astype(int)).all()


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]):
    power.main(["--claim", "C20", "--effect", "0.2", "1"])
    printed = capsys.readouterr().out
    assert "| C20" in printed
    assert "> 100" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--claim", "C99"], "power: there is no claim 'C99'; allowed: C1, C2"),
        (["--effect", "0"], "power: effects must not be 0"),
        (["--power", "1"], "power: effects must not be 0, and the power must lie between 0 and 1"),
    ],
)
def test_a_wrong_question_is_refused(arguments: list[str], message: str):
    with pytest.raises(SystemExit, match=message):
        power.main(arguments)
