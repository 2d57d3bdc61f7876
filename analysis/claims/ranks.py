"""Tests of ranks, which no outlier can decide: Mann and Whitney's, Wilcoxon's, Jonckheere and Terpstra's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import ClassVar

import numpy as np
from scipy import stats

from analysis.claims.evidence import (
    CONFIDENCE,
    FARTHEST,
    LEVEL,
    RESAMPLES,
    Array,
    Evidence,
    Samples,
    from_probability,
    in_standard_deviations,
    standard_deviation,
)

#: Samples larger than this get the normal approximation of Mann and Whitney's test, which is as good by then.
EXACT = 40


def probability_of_improvement(first: Array, second: Array, axis: int = -1) -> Array:
    """P(X > Y) + P(X = Y) / 2 over all pairs of seeds along the last axis, shape [...]."""
    first, second = first[..., :, None], second[..., None, :]
    above, below = ((first > second).mean(axis=(-2, -1)), (first < second).mean(axis=(-2, -1)))
    return np.asarray((1 + above - below) / 2)


def resampled_interval(samples: Samples, statistic: Callable[..., Array]) -> tuple[float, float]:
    """95 % percentile bootstrap interval of a statistic that takes ``axis``; samples are resampled one by one."""
    result = stats.bootstrap(
        tuple(samples),
        statistic,
        n_resamples=RESAMPLES,
        batch=500,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


@dataclass(frozen=True)
class Improvement:
    """Whether a seed of the first sample probably lies above one of the second: Mann and Whitney's test.

    The effect is the probability that it lies on the side that the claim names, ties counting half.

    Attributes:
        direction: 1 if the claim says "above", -1 if it says "below".
        name: what the test is called.
    """

    unit: ClassVar[str] = "probability"
    direction: int = 1
    name: str = "probability of improvement (Mann-Whitney)"

    def judge(self, samples: Samples, *, interval: bool = True) -> Evidence:
        """See :class:`analysis.claims.evidence.Test`."""
        first, second = (self.direction * sample for sample in samples)
        effect = float(probability_of_improvement(first, second))
        low, high = effect, effect
        if interval:
            low, high = resampled_interval([first, second], probability_of_improvement)
        support, contradict = (mann_whitney(*pair) for pair in ((first, second), (second, first)))
        standard = (from_probability(effect), from_probability(low), from_probability(high))
        return Evidence(effect, low, high, support, contradict, standard)

    def draw(self, random: np.random.Generator, seeds: int, effect: float) -> list[Array]:
        """See :class:`analysis.claims.evidence.Test`."""
        return [random.normal(size=seeds) + self.direction * effect, random.normal(size=seeds)]


def mann_whitney(first: Array, second: Array) -> float:
    """One-sided p-value against "the first is not above the second"; exact for small samples without ties."""
    pooled = np.concatenate([first, second])
    if np.ptp(pooled) == 0:
        return 1.0
    is_exact = len(np.unique(pooled)) == len(pooled) and len(pooled) <= 2 * EXACT
    method = "exact" if is_exact else "asymptotic"
    return float(stats.mannwhitneyu(first, second, alternative="greater", method=method).pvalue)


@dataclass(frozen=True)
class SignedRank:
    """Whether values lie on one side of a limit: Wilcoxon's test, of one sample or of paired differences.

    The effect is the median of the means of all pairs of values (Hodges and Lehmann), which is the estimate that
    belongs to this test, as does its interval.

    Attributes:
        limit: of the values.
        direction: 1 if the claim says "above", -1 if it says "below".
        name: what the test is called.
    """

    unit: ClassVar[str] = ""
    limit: float = 0.0
    direction: int = 1
    name: str = "paired differences (Wilcoxon)"

    def judge(self, samples: Samples, *, interval: bool = True) -> Evidence:
        """See :class:`analysis.claims.evidence.Test`."""
        (values,) = samples
        effect, low, high = hodges_lehmann(values)
        beyond = self.direction * (values - self.limit)
        distances = [self.direction * (value - self.limit) for value in (effect, low, high)]
        standard = in_standard_deviations(distances, standard_deviation(samples))
        return Evidence(effect, low, high, signed_rank(beyond), signed_rank(-beyond), standard)

    def draw(self, random: np.random.Generator, seeds: int, effect: float) -> list[Array]:
        """See :class:`analysis.claims.evidence.Test`."""
        return [self.limit + self.direction * effect + random.normal(size=seeds)]


def signed_rank(values: Array) -> float:
    """One-sided p-value against "values are not above 0"; exact for up to 50 values without ties."""
    if not np.any(values):
        return 1.0
    return float(stats.wilcoxon(values, alternative="greater").pvalue)


def hodges_lehmann(values: Array) -> tuple[float, float, float]:
    """Median of the means of all pairs of values, each with itself too, and its exact 95 % interval."""
    first, second = np.triu_indices(len(values))
    means = np.sort((values[first] + values[second]) / 2)
    cut = critical_rank_sum(len(values))
    low, high = (means[cut], means[-1 - cut]) if cut >= 0 else (-np.inf, np.inf)
    return float(np.median(means)), float(low), float(high)


@lru_cache(maxsize=256)
def critical_rank_sum(number: int) -> int:
    """The largest rank sum whose probability, or that of less, is at most 2.5 %; -1 if there is none.

    Every one of the numbers 1 to n is in the sum with probability 1/2.
    """
    probabilities = np.ones(1)
    for rank in range(1, number + 1):
        longer = np.zeros(len(probabilities) + rank)
        longer[: len(probabilities)] += probabilities / 2
        longer[rank:] += probabilities / 2
        probabilities = longer
    return int(np.searchsorted(probabilities.cumsum(), LEVEL / 2, side="right")) - 1


@dataclass(frozen=True)
class Trend:
    """Whether ordered samples rise or fall: Jonckheere and Terpstra's test.

    Its statistic is that of Kendall's tau between the samples' order and the values, and so is its variance, ties
    included.  The effect is Spearman's correlation.

    Attributes:
        groups: number of samples, used for made-up ones only.
        direction: 1 if the claim says that values rise, -1 if they fall.
        name: what the test is called.
    """

    unit: ClassVar[str] = "correlation"
    groups: int
    direction: int = 1
    name: str = "trend over ordered settings (Jonckheere-Terpstra)"

    def judge(self, samples: Samples, *, interval: bool = True) -> Evidence:
        """See :class:`analysis.claims.evidence.Test`."""
        effect = float(spearman(*samples))
        low, high = resampled_interval(samples, spearman) if interval else (effect, effect)
        support, contradict = (jonckheere([sign * sample for sample in samples]) for sign in self._signs)
        ends = [_from_correlation(self.direction * value) for value in (effect, low, high)]
        return Evidence(effect, low, high, support, contradict, (ends[0], min(ends[1:]), max(ends[1:])))

    @property
    def _signs(self) -> tuple[int, int]:
        return self.direction, -self.direction

    def draw(self, random: np.random.Generator, seeds: int, effect: float) -> list[Array]:
        """See :class:`analysis.claims.evidence.Test`; means rise or fall evenly."""
        places = np.arange(self.groups) - (self.groups - 1) / 2
        step = self.direction * effect / (2 * np.std(places))
        return [random.normal(size=seeds) + step * place for place in places]


def jonckheere(samples: Samples) -> float:
    """One-sided p-value against "values do not rise from sample to sample" (normal approximation)."""
    order = np.repeat(np.arange(len(samples)), [len(sample) for sample in samples])
    values = np.concatenate(list(samples))
    if np.ptp(values) == 0:
        return 1.0
    return float(stats.kendalltau(order, values, alternative="greater", method="asymptotic").pvalue)


def spearman(*samples: Array, axis: int = -1) -> Array:
    """Correlation between the ranks of values along the last axis and those of their samples, shape [...]."""
    values = stats.rankdata(np.concatenate(samples, axis=-1), axis=-1)
    order = stats.rankdata(np.repeat(np.arange(len(samples)), [sample.shape[-1] for sample in samples]))
    values, order = values - values.mean(axis=-1, keepdims=True), order - order.mean()
    norms = np.sqrt((values**2).sum(axis=-1) * (order**2).sum())
    return np.asarray(np.divide((values * order).sum(axis=-1), norms, out=np.zeros_like(norms), where=norms > 0))


def _from_correlation(correlation: float) -> float:
    """The distance, in standard deviations within groups, that gives a correlation (Cohen's d from r)."""
    if abs(correlation) >= 1:
        return float(np.copysign(FARTHEST, correlation))
    return float(np.clip(2 * correlation / sqrt(1 - correlation**2), -FARTHEST, FARTHEST))
