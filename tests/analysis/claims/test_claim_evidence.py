"""Tests of the statistical tests: against brute force, closed forms, scipy and values from textbooks."""

from __future__ import annotations

from math import sqrt

import brute_force
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.claims.counts import Share, Sooner, log_rank, wilson
from analysis.claims.evidence import Evidence, from_probability, holm, in_standard_deviations, is_degenerate
from analysis.claims.location import Between, Location, contrast, t_interval
from analysis.claims.ranks import (
    Improvement,
    SignedRank,
    Trend,
    critical_rank_sum,
    hodges_lehmann,
    jonckheere,
    mann_whitney,
    probability_of_improvement,
    signed_rank,
    spearman,
)
from analysis.claims.resampling import (
    Aggregate,
    Best,
    MeanImprovement,
    Peak,
    Sensitivity,
    iqm_difference,
    mean_improvement,
    percentiles,
    resampled_improvement,
    resamples,
    share_below,
)

distinct = st.lists(st.integers(-1_000, 1_000), min_size=9, max_size=9, unique=True).map(np.array)
tied = st.lists(st.integers(0, 3), min_size=9, max_size=9).map(lambda values: np.array(values, dtype=float))


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(3)


@settings(max_examples=25, deadline=None)
@given(distinct)
def test_mann_whitney_is_the_share_of_all_splits(values: np.ndarray):
    first, second = values[:4] / 7, values[4:] / 7
    assert mann_whitney(first, second) == pytest.approx(brute_force.mann_whitney(list(first), list(second)))
    assert probability_of_improvement(first, second) == pytest.approx(brute_force.improvement(first, second))


@settings(max_examples=25, deadline=None)
@given(tied)
def test_ties_count_half(values: np.ndarray):
    first, second = values[:4], values[4:]
    assert probability_of_improvement(first, second) == pytest.approx(brute_force.improvement(first, second))


def test_with_ties_mann_whitney_is_close_to_all_splits():
    first, second = [3.0, 3, 4, 5, 6, 6], [1.0, 2, 3, 3, 4, 5]
    exact = brute_force.mann_whitney(first, second)
    assert mann_whitney(np.array(first), np.array(second)) == pytest.approx(exact, abs=0.02)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 500), min_size=8, max_size=8, unique=True),
    st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_signed_rank_is_the_share_of_all_signs(sizes: list[int], is_positive: list[bool]):
    values = [size / 3 if plus else -size / 3 for size, plus in zip(sizes, is_positive, strict=True)]
    assert signed_rank(np.array(values)) == pytest.approx(brute_force.signed_rank(values))


@pytest.mark.parametrize("number", [3, 5, 6, 8, 10, 12])
def test_critical_rank_sums_are_those_of_all_signs(number: int):
    assert critical_rank_sum(number) == brute_force.critical_rank_sum(number)


@pytest.mark.parametrize(("number", "tabulated"), [(6, 0), (8, 3), (10, 8), (15, 25), (20, 52), (25, 89)])
def test_critical_rank_sums_are_those_of_tables(number: int, tabulated: int):
    assert critical_rank_sum(number) == tabulated


@settings(max_examples=20, deadline=None)
@given(distinct)
def test_the_interval_of_paired_differences_is_that_of_their_test(values: np.ndarray):
    """A limit outside the interval is one that the test finds significant, and one inside is not."""
    values = values / 3
    effect, low, high = hodges_lehmann(values)
    assert (effect, low, high) == pytest.approx(brute_force.hodges_lehmann(list(values), critical_rank_sum(9)))
    for limit, outside in ((low - 0.01, True), (low + 0.01, False), (high + 0.01, True), (high - 0.01, False)):
        evidence = SignedRank(limit).judge([values])
        assert (evidence.p_value <= 0.05) == outside


def test_too_few_differences_have_no_interval():
    assert hodges_lehmann(np.array([1.0, 2, 3])) == (2.0, -np.inf, np.inf)


@settings(max_examples=8, deadline=None)
@given(distinct)
def test_trend_is_close_to_all_arrangements(values: np.ndarray):
    samples = [values[:3] / 7, values[3:6] / 7, values[6:] / 7]
    exact = brute_force.jonckheere([list(sample) for sample in samples])
    assert jonckheere(samples) == pytest.approx(exact, abs=0.06)  # without correction for continuity


def test_trend_is_the_normal_approximation_of_textbooks(random: np.random.Generator):
    samples = [random.normal(size=10) + 0.3 * place for place in range(5)]
    sizes, total = np.full(5, 10), 50
    statistic = brute_force.jonckheere_statistic(samples)
    expected = (total**2 - (sizes**2).sum()) / 4
    variance = (total**2 * (2 * total + 3) - (sizes**2 * (2 * sizes + 3)).sum()) / 72
    assert jonckheere(samples) == pytest.approx(stats.norm.sf((statistic - expected) / sqrt(variance)))


def test_correlation_is_that_of_scipy(random: np.random.Generator):
    samples = [np.round(random.normal(size=n) + n / 5, 1) for n in (5, 6, 7)]
    order = np.repeat([0, 1, 2], [5, 6, 7])
    assert spearman(*samples) == pytest.approx(stats.spearmanr(order, np.concatenate(samples)).statistic)
    many = [np.stack([sample, -sample]) for sample in samples]
    assert spearman(*many)[1] == pytest.approx(-spearman(*samples))
    assert spearman(np.ones(3), np.ones(4)) == 0


def test_means_are_compared_as_by_scipy(random: np.random.Generator):
    first, second = random.normal(1, 2, 10), random.normal(0, 1, 7)
    theirs = stats.ttest_ind(first, second, equal_var=False, alternative="greater")
    ours = Location().judge([first, second])
    assert ours.support == pytest.approx(theirs.pvalue)
    assert ours.support + ours.contradict == pytest.approx(1)
    both = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((both.low, both.high))
    below = Location(direction=-1).judge([first, second])
    assert (below.support, below.effect) == pytest.approx((ours.contradict, ours.effect))
    assert below.standard[0] == pytest.approx(-ours.standard[0])
    one = Location("", (1.0,), 0.5).judge([first])
    assert one.support == pytest.approx(stats.ttest_1samp(first, 0.5, alternative="greater").pvalue)


def test_a_margin_moves_the_limit(random: np.random.Generator):
    first, second = random.normal(0, 1, 10), random.normal(0, 1, 10)
    shifted = Location().judge([first + 0.8, second])
    assert Location(limit=-0.8).judge([first, second]).support == pytest.approx(shifted.support)


def test_a_contrast_adds_up_weighted_means():
    samples = [np.array([1.0, 3]), np.array([2.0, 4, 6]), np.array([0.0, 1])]
    value, error, freedom = contrast(samples, (0.5, 0.5, -1))
    parts = [0.25 * 2 / 2, 0.25 * 4 / 3, 0.5 / 2]
    assert value == pytest.approx(0.5 * 2 + 0.5 * 4 - 0.5)
    assert error == pytest.approx(sqrt(sum(parts)))
    assert freedom == pytest.approx(sum(parts) ** 2 / (parts[0] ** 2 + parts[1] ** 2 / 2 + parts[2] ** 2))


def test_equivalence_is_two_one_sided_tests(random: np.random.Generator):
    first, second = random.normal(0, 0.1, 10), random.normal(0, 0.1, 10)
    ours = Between((-0.2, 0.2)).judge([first, second])
    lower = stats.ttest_ind(first + 0.2, second, equal_var=False, alternative="greater").pvalue
    upper = stats.ttest_ind(first - 0.2, second, equal_var=False, alternative="less").pvalue
    assert ours.support == pytest.approx(max(lower, upper))
    assert (ours.verdict() == "supported") == (ours.low > -0.2 and ours.high < 0.2)
    far = Between((-0.2, 0.2)).judge([first + 1, second])
    assert far.verdict() == "contradicted"
    assert far.low > 0.2
    assert far.standard[2] < 0


def test_how_far_inside_the_bounds_is_measured_from_the_nearer_one():
    sample = np.array([0.0, 1, 2])  # standard deviation 1
    assert Between((-1, 3), weights=(1.0,)).judge([sample]).standard[0] == pytest.approx(2)
    assert Between((0.5, 9), weights=(1.0,)).judge([sample]).standard[0] == pytest.approx(0.5)
    assert Between((2, 9), weights=(1.0,)).judge([sample]).standard[0] == pytest.approx(-1)


def test_samples_without_spread_get_the_p_value_of_the_most_extreme_arrangement():
    ones, zeros = np.ones(4), np.zeros(4)
    assert Location().judge([ones, zeros]).support == pytest.approx(1 / 70)
    assert Location().judge([zeros, zeros]).p_value == 1
    assert Location("", (1.0,), 0.34, -1).judge([zeros]).support == pytest.approx(1 / 16)
    assert is_degenerate([zeros, zeros])
    assert not is_degenerate([zeros])
    assert t_interval(contrast([ones, zeros], (1, -1))) == (1, 1)


def test_the_spread_of_settings_is_that_of_their_means(random: np.random.Generator):
    """Of many seeds, the standard deviations of what was put in."""
    samples = [random.normal(mean, 1, 1_000) for mean in (0, 1, 2, 3, 5, 5, 6)]
    assert Sensitivity(4, 3).judge(samples).effect == pytest.approx(sqrt(5 / 3) - sqrt(1 / 3), abs=0.1)


def test_noise_of_seeds_is_no_dependence_on_a_setting(random: np.random.Generator):
    """Fixed lambdas whose seeds scatter, but whose means are all the same, do not matter; single means do."""
    means, noise = np.zeros(7), np.array([10.0] * 4 + [1.0] * 3)
    equal = [sample - sample.mean() for sample in random.normal(size=(7, 10))]
    noisy = [m + s * e for m, s, e in zip(means, noise, equal, strict=True)]
    assert Sensitivity(4, 3).judge(noisy).verdict() == "inconclusive"
    apart = [sample + mean for sample, mean in zip(equal, (0, 5, 10, 20, 3, 3, 3), strict=True)]
    assert Sensitivity(4, 3).judge(apart).verdict() == "supported"
    assert Sensitivity(3, 4).judge(apart[::-1]).verdict() == "contradicted"


def test_samples_that_are_equal_without_spread_lie_within_a_margin():
    ones = [np.ones(10), np.ones(10)]
    assert Between((-0.1, 0.1)).judge(ones).verdict() == "supported"
    assert Location(limit=-0.1).judge(ones).verdict() == "supported"
    assert Location().judge(ones).verdict() == "inconclusive"


def test_shares_have_wilsons_interval_and_the_binomial_test():
    z, n, p = stats.norm.ppf(0.975), 50, 0.9
    middle, half = (
        (p + z**2 / (2 * n)) / (1 + z**2 / n),
        z / (1 + z**2 / n) * sqrt(p * (1 - p) / n + z**2 / 4 / n**2),
    )
    assert wilson(45, 50) == pytest.approx((middle - half, middle + half))
    values = np.array([1.0] * 9 + [0])
    assert Share().judge([values]).support == pytest.approx(11 / 1024)
    assert Share().judge([1 - values]).contradict == pytest.approx(11 / 1024)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 20), min_size=12, max_size=12), st.lists(st.booleans(), min_size=12, max_size=12))
def test_the_log_rank_test_counts_events_and_those_at_risk(times: list[int], never: list[bool]):
    values = [float("inf") if gone else float(time) for time, gone in zip(times, never, strict=True)]
    first, second = values[:6], values[6:]
    observed, expected, variance = brute_force.log_rank(first, second)
    if variance > 1e-9:
        p_value = stats.norm.sf((observed - expected) / sqrt(variance))
        assert log_rank(np.array(first), np.array(second)) == pytest.approx(p_value)


def test_those_who_are_there_sooner_are_found_sooner():
    fast, slow = np.arange(10.0), np.r_[np.arange(10.0) + 8, np.full(3, np.inf)]
    assert Sooner().judge([fast, slow]).verdict() == "supported"
    assert Sooner().judge([slow, fast]).verdict() == "contradicted"
    assert Sooner().judge([fast, slow]).effect == pytest.approx(brute_force.improvement(-fast, -slow))
    nobody = np.full(5, np.inf)
    assert Sooner().judge([nobody, nobody]).p_value == 1
    assert Sooner().judge([nobody, nobody]).effect == 0.5


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.integers(0, 5))
def test_holm_steps_down(p_values: list[float], more: int):
    family = len(p_values) + more
    ours = [p <= 0.05 for p in holm(p_values, family)]
    assert ours == brute_force.holm(p_values, family, 0.05)


def test_holm_on_a_known_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.01, 0.5], 20) == pytest.approx([0.2, 1.0])
    assert holm([]) == []


def test_aggregates_are_of_pooled_values(random: np.random.Generator):
    samples = [random.normal(size=10) for _ in range(6)]
    pools = np.concatenate(samples[:3]), np.concatenate(samples[3:])
    expected = brute_force.interquartile_mean(pools[0]) - brute_force.interquartile_mean(pools[1])
    assert iqm_difference(samples) == pytest.approx(expected)
    pairs = [brute_force.improvement(samples[n], samples[n + 3]) for n in range(3)]
    assert mean_improvement(samples) == pytest.approx(np.mean(pairs))


def test_bootstrap_intervals_agree_with_scipy(random: np.random.Generator):
    samples = [random.normal(size=12) for _ in range(2)]
    ours = percentiles(resamples(samples, iqm_difference, number=20_000))
    theirs = stats.bootstrap(
        samples,
        lambda x, y, axis: stats.trim_mean(x, 0.25, axis=axis) - stats.trim_mean(y, 0.25, axis=axis),
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_counting_how_often_seeds_are_drawn_is_resampling(random: np.random.Generator):
    samples = [np.round(random.normal(size=size), 1) for size in (8, 9, 10, 7)]
    counted, drawn = resampled_improvement(samples, 20_000), resamples(samples, mean_improvement, 20_000, seed=1)
    assert counted.mean() == pytest.approx(drawn.mean(), abs=0.005)
    assert percentiles(counted) == pytest.approx(percentiles(drawn), abs=0.01)


def test_the_bootstrap_of_a_mean_has_the_spread_that_theory_says(random: np.random.Generator):
    sample = random.normal(size=30)
    values = resamples([sample], lambda drawn: drawn[0].mean(axis=-1), number=20_000)
    assert values.std() == pytest.approx(sample.std() / sqrt(30), rel=0.03)


def test_a_share_of_resamples_is_never_0():
    assert share_below(np.ones(99), 0) == 0.01
    assert share_below(np.ones(99), 1) == 1


def test_the_parabola_peaks_where_it_should():
    places = (0.0, 0.25, 0.5, 0.75, 1.0)
    peak = Peak(places, (0.6, 0.9))
    curve = [np.array([[5 - (place - 0.7) ** 2]]) for place in places]
    assert peak.peaks(curve)[0] == pytest.approx(0.7)
    assert peak.peaks([-sample for sample in curve])[0] == 0
    assert peak.peaks([np.array([[place**2]]) for place in places])[0] == 1
    assert peak.peaks([np.array([[3 * place - place**2]]) for place in places])[0] == 1


def test_the_best_setting_is_supported_and_any_other_contradicted(random: np.random.Generator):
    samples = [random.normal(mean, 0.1, 10) for mean in (0, 1, 3, 2)]
    assert Best(4, 2).judge(samples).verdict() == "supported"
    assert Best(4, 2).judge(samples).effect == 1
    for other in (0, 1, 3):
        assert Best(4, other).judge(samples).verdict() == "contradicted"


def test_equal_settings_decide_nothing():
    assert Best(2, 0).judge([np.arange(10.0), np.arange(10.0)]).verdict() == "inconclusive"


def test_a_verdict_needs_a_p_value_of_5_per_cent():
    evidence = Evidence(1, 0, 2, 0.02, 0.98, (1, 0, 2))
    assert (evidence.p_value, evidence.verdict()) == (0.04, "supported")
    assert evidence.verdict(0.06) == "inconclusive"
    assert evidence._replace(support=0.98, contradict=0.02).verdict() == "contradicted"


def test_probabilities_are_distances_of_normal_distributions():
    assert from_probability(0.5) == 0
    assert from_probability(stats.norm.cdf(1 / sqrt(2))) == pytest.approx(1)
    assert (from_probability(0), from_probability(1)) == (-4, 4)
    assert in_standard_deviations([1, 3, -1], 2) == (0.5, -0.5, 1.5)
    assert np.isnan(in_standard_deviations([1, 2, 3], 0)).all()


TESTS = [
    Location(),
    Location("", (1.0,), 3.0, -1),
    Between((0.6, 0.8), weights=(1.0,)),
    Sensitivity(4, 3),
    Improvement(),
    Improvement(-1),
    SignedRank(1.0, -1),
    Trend(5, -1),
    Share(),
    Sooner(),
    Aggregate(5, -0.05),
    MeanImprovement(4),
    Best(6, 3),
]


@pytest.mark.parametrize("test", TESTS, ids=lambda test: type(test).__name__)
def test_the_same_samples_give_the_same_evidence_with_or_without_intervals(test, random: np.random.Generator):
    samples = test.draw(random, 10, 0.7)
    evidence, again = test.judge(samples), test.judge(samples)
    np.testing.assert_equal(evidence, again)
    bare = test.judge(samples, interval=False)
    assert (bare.effect, bare.support, bare.contradict) == (evidence.effect, evidence.support, evidence.contradict)


@pytest.mark.parametrize("test", TESTS, ids=lambda test: type(test).__name__)
def test_made_up_samples_have_the_effect_that_was_asked_for(test, random: np.random.Generator):
    """Of many seeds, where the estimate is close to the truth."""
    for effect in (0.9, -0.4):
        seeds = 150 if isinstance(test, MeanImprovement) else 500
        found = test.judge(test.draw(random, seeds, effect), interval=False)
        assert found.standard[0] == pytest.approx(effect, abs=0.15)
        assert found.verdict() == ("supported" if effect > 0 else "contradicted")
