"""Tests by bootstrap: aggregates over tasks, and which of several settings is the best one.

Seeds are resampled within each task or setting (strata), never across.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import nan, sqrt
from typing import ClassVar

import numpy as np
from scipy import stats

from analysis.claims.evidence import (
    CONFIDENCE,
    RESAMPLES,
    Array,
    Evidence,
    Samples,
    from_probability,
    in_standard_deviations,
    standard_deviation,
)
from analysis.claims.ranks import probability_of_improvement

Statistic = Callable[[Samples], Array]


def resamples(samples: Samples, statistic: Statistic, number: int = RESAMPLES, seed: int = 0) -> Array:
    """A statistic of bootstrap resamples, [number]; it takes samples of the shape [number, seeds]."""
    random = np.random.default_rng(seed)
    return statistic([sample[random.integers(len(sample), size=(number, len(sample)))] for sample in samples])


def percentiles(values: Array) -> tuple[float, float]:
    """The middle 95 % of resampled values."""
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def share_below(values: Array, limit: float) -> float:
    """Share of resampled values at or below a limit, never 0: the sample itself counts as a resample."""
    return float((1 + (values <= limit).sum()) / (1 + len(values)))


def iqm_difference(samples: Samples) -> Array:
    """Difference of the interquartile means of two halves of the samples, each pooled; shape [...]."""
    half = len(samples) // 2
    pools = (np.concatenate(list(part), axis=-1) for part in (samples[:half], samples[half:]))
    first, second = (stats.trim_mean(pool, 0.25, axis=-1) for pool in pools)
    return np.asarray(first - second)


def mean_improvement(samples: Samples) -> Array:
    """Probability of improvement of the first half of the samples over the second, averaged over tasks; [...]."""
    half = len(samples) // 2
    pairs = zip(samples[:half], samples[half:], strict=True)
    return np.asarray(np.mean([probability_of_improvement(*pair) for pair in pairs], axis=0))


def resampled_improvement(samples: Samples, number: int = RESAMPLES, seed: int = 0) -> Array:
    """:func:`mean_improvement` of bootstrap resamples, [number], from how often each seed is drawn."""
    random, half = np.random.default_rng(seed), len(samples) // 2
    total = np.zeros(number)
    for first, second in zip(samples[:half], samples[half:], strict=True):
        wins = (np.sign(first[:, None] - second) + 1) / 2
        sizes = len(first), len(second)
        counts = [random.multinomial(size, np.full(size, 1 / size), size=number) for size in sizes]
        total += ((counts[0] @ wins) * counts[1]).sum(axis=1) / (len(first) * len(second))
    return total / half


@dataclass(frozen=True)
class Aggregate:
    """Whether the interquartile mean over tasks and seeds of one algorithm is not below that of another.

    Samples are those of the first algorithm on every task, then those of the second, in normalised units.

    Attributes:
        tasks: their number.
        limit: minus the margin of non-inferiority.
        name: what the test is called.
    """

    unit: ClassVar[str] = ""
    tasks: int
    limit: float = 0.0
    name: str = "difference of interquartile means (stratified bootstrap)"

    def judge(self, samples: Samples, *, interval: bool = True) -> Evidence:
        """See :class:`analysis.claims.evidence.Test`."""
        effect, values = float(iqm_difference(samples)), resamples(samples, iqm_difference)
        low, high = percentiles(values)
        support, contradict = share_below(values, self.limit), share_below(-values, -self.limit)
        distances = [value - self.limit for value in (effect, low, high)]
        standard = in_standard_deviations(distances, standard_deviation(samples))
        return Evidence(effect, low, high, support, contradict, standard)

    def draw(self, random: np.random.Generator, seeds: int, effect: float) -> list[Array]:
        """See :class:`analysis.claims.evidence.Test`."""
        first = [random.normal(size=seeds) + self.limit + effect for _ in range(self.tasks)]
        return first + [random.normal(size=seeds) for _ in range(self.tasks)]


@dataclass(frozen=True)
class MeanImprovement:
    """Whether, averaged over tasks, a seed of one algorithm probably lies above one of another.

    Samples are as in :class:`Aggregate`, in any units.

    Attributes:
        tasks: their number.
        name: what the test is called.
    """

    unit: ClassVar[str] = "probability"
    tasks: int
    name: str = "probability of improvement over tasks (stratified bootstrap)"

    def judge(self, samples: Samples, *, interval: bool = True) -> Evidence:
        """See :class:`analysis.claims.evidence.Test`."""
        effect, values = float(mean_improvement(samples)), resampled_improvement(samples)
        low, high = percentiles(values)
        standard = (from_probability(effect), from_probability(low), from_probability(high))
        return Evidence(effect, low, high, share_below(values, 0.5), share_below(-values, -0.5), standard)

    def draw(self, random: np.random.Generator, seeds: int, effect: float) -> list[Array]:
        """See :class:`analysis.claims.evidence.Test`."""
        first = [random.normal(size=seeds) + effect for _ in range(self.tasks)]
        return first + [random.normal(size=seeds) for _ in range(self.tasks)]


@dataclass(frozen=True)
class Best:
    """Whether one of several settings has the greatest mean; the effect is the share of resamples where it has.

    Attributes:
        settings: their number.
        claimed: which of them, from 0.
        name: what the test is called.
    """

    unit: ClassVar[str] = "probability"
    settings: int
    claimed: int
    name: str = "best setting (bootstrap)"

    def judge(self, samples: Samples, *, interval: bool = True) -> Evidence:
        """See :class:`analysis.claims.evidence.Test`."""
        leads = resamples(samples, self.leads)
        is_best = leads.min(axis=-1) > 0
        # Which of the others is ahead is not known beforehand, so that each of them counts (Bonferroni).
        behind = min(share_below(-lead, 0) for lead in leads.T)
        deviation = standard_deviation(samples)
        lead = float(self.leads([sample[None] for sample in samples]).min())
        standard = in_standard_deviations([lead] * 3, deviation)[0]
        support, contradict = share_below(leads.min(axis=-1), 0), min(1.0, (self.settings - 1) * behind)
        return Evidence(float(is_best.mean()), nan, nan, support, contradict, (standard, nan, nan))

    def leads(self, samples: Samples) -> Array:
        """By how much the claimed setting's mean exceeds that of every other, shape [..., settings - 1]."""
        means = np.stack([sample.mean(axis=-1) for sample in samples], axis=-1)
        return means[..., [self.claimed]] - np.delete(means, self.claimed, axis=-1)

    def draw(self, random: np.random.Generator, seeds: int, effect: float) -> list[Array]:
        """See :class:`analysis.claims.evidence.Test`; all other settings are equal."""
        lead = [effect * (setting == self.claimed) for setting in range(self.settings)]
        return [random.normal(size=seeds) + mean for mean in lead]


@dataclass(frozen=True)
class Peak:
    """Whether a parabola through values at several places has its greatest value, within them, near one place.

    A place has no standard deviation over seeds, and so no standardised effect.

    Attributes:
        places: of the samples.
        bounds: near means between these.
        name: what the test is called.
    """

    unit: ClassVar[str] = "cooperation ratio"
    places: tuple[float, ...]
    bounds: tuple[float, float]
    name: str = "peak of a fitted parabola (bootstrap)"

    def judge(self, samples: Samples, *, interval: bool = True) -> Evidence:
        """See :class:`analysis.claims.evidence.Test`."""
        effect = float(self.peaks([sample[None] for sample in samples])[0])
        values = resamples(samples, self.peaks)
        (low, high), (lower, upper) = percentiles(values), self.bounds
        is_near = ((values >= lower) & (values <= upper)).astype(np.float64)
        support = share_below(is_near, 0.5)
        contradict = min(share_below(-values, -lower), share_below(values, upper))
        return Evidence(effect, low, high, support, contradict, (nan, nan, nan))

    def peaks(self, samples: Samples) -> Array:
        """Where the parabola of least squares through the means is greatest, shape [...]."""
        means = np.stack([sample.mean(axis=-1) for sample in samples])
        curvature, slope, _ = np.polyfit(self.places, means, 2)
        low, high = min(self.places), max(self.places)
        top = np.divide(-slope, 2 * curvature, out=np.full_like(slope, nan), where=curvature < 0)
        edge = np.where(curvature * (high + low) + slope > 0, high, low)
        return np.asarray(np.where(np.isnan(top), edge, np.clip(top, low, high)))

    def draw(self, random: np.random.Generator, seeds: int, effect: float) -> list[Array]:
        """See :class:`analysis.claims.evidence.Test`; the effect is the height of the parabola over its ends."""
        middle = sum(self.bounds) / 2 if effect > 0 else self.bounds[0]
        height = abs(effect) / max((place - middle) ** 2 for place in self.places)
        return [random.normal(size=seeds) - height * (place - middle) ** 2 for place in self.places]


@dataclass(frozen=True)
class Sensitivity:
    """Whether means of settings differ more in one group of samples than in another.

    The effect is the difference of the standard deviations of the settings' means, less what seeds contribute to
    them.  Resamples are spread by sqrt(n / (n - 1)), and seeds contribute to theirs a second time.

    Attributes:
        groups: how many samples belong to the first group.
        others: how many, after these, belong to the second.
        name: what the test is called.
    """

    unit: ClassVar[str] = ""
    groups: int
    others: int
    name: str = "standard deviations of settings' means (bootstrap)"

    def judge(self, samples: Samples, *, interval: bool = True) -> Evidence:
        """See :class:`analysis.claims.evidence.Test`."""
        effect = float(self.difference([sample[None] for sample in samples], 1)[0])
        wider = [s.mean() + (s - s.mean()) * sqrt(len(s) / (len(s) - 1)) for s in samples]
        values = resamples(wider, lambda drawn: self.difference(drawn, 2))
        low, high = percentiles(values)
        standard = in_standard_deviations((effect, low, high), standard_deviation(samples))
        return Evidence(effect, low, high, share_below(values, 0), share_below(-values, 0), standard)

    def difference(self, samples: Samples, noise: int) -> Array:
        """Of the two groups' standard deviations, shape [...]; seeds contribute to means so many times."""
        first, second = (_between(part, noise) for part in (samples[: self.groups], samples[self.groups :]))
        return np.asarray(first - second)

    def draw(self, random: np.random.Generator, seeds: int, effect: float) -> list[Array]:
        """See :class:`analysis.claims.evidence.Test`; the smaller of the two standard deviations is 1."""
        deviations = (1 + max(effect, 0), 1 + max(-effect, 0))
        means = []
        for number, deviation in zip((self.groups, self.others), deviations, strict=True):
            places = np.arange(number) - (number - 1) / 2
            means += list(deviation * places / np.std(places, ddof=1))
        return [random.normal(size=seeds) + mean for mean in means]


def _between(samples: Samples, noise: int) -> Array:
    """Standard deviation of samples' means, without what the spread within samples adds; 0 if that is more."""
    means = np.stack([sample.mean(axis=-1) for sample in samples])
    within = np.mean([sample.var(axis=-1, ddof=1) / sample.shape[-1] for sample in samples], axis=0)
    return np.asarray(np.sqrt(np.maximum(means.var(axis=0, ddof=1) - noise * within, 0)))
