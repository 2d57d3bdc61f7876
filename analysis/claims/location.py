"""Tests of means: Welch's, and what follows from it for one sample, for contrasts, bounds and equivalence."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, nan, sqrt
from typing import ClassVar, NamedTuple

import numpy as np
from scipy import stats

from analysis.claims.evidence import (
    CONFIDENCE,
    Array,
    Evidence,
    Samples,
    in_standard_deviations,
    standard_deviation,
)


class Estimate(NamedTuple):
    """A weighted sum of means, its standard error and Satterthwaite's degrees of freedom."""

    value: float
    error: float
    freedom: float


def contrast(samples: Samples, weights: tuple[float, ...]) -> Estimate:
    """Estimate a weighted sum of the means of independent samples with variances of their own.

    With weights (1, -1) this is Welch's test, with (1,) Student's of one sample.
    """
    parts = np.array([w**2 * np.var(s, ddof=1) / len(s) for w, s in zip(weights, samples, strict=True)])
    value = float(sum(w * np.mean(s) for w, s in zip(weights, samples, strict=True)))
    spread = sum(part**2 / (len(s) - 1) for part, s in zip(parts, samples, strict=True))
    return Estimate(value, sqrt(parts.sum()), float(parts.sum() ** 2 / spread) if spread > 0 else nan)


def above(samples: Samples, weights: tuple[float, ...], limit: float) -> float:
    """One-sided p-value against "the weighted sum of means is not above the limit"."""
    value, error, freedom = contrast(samples, weights)
    if error > 0:
        return float(stats.t.sf((value - limit) / error, freedom))
    return _exact(samples) if value > limit else 1.0


def _exact(samples: Samples) -> float:
    """The p-value of the most extreme of all arrangements of one or two samples, which have no spread."""
    sizes = [len(sample) for sample in samples]
    if len(sizes) > 2:
        return 1.0
    return 0.5 ** sizes[0] if len(sizes) == 1 else 1 / comb(sum(sizes), sizes[0])


def t_interval(estimate: Estimate) -> tuple[float, float]:
    """95 % interval of a weighted sum of means."""
    if estimate.error == 0:
        return estimate.value, estimate.value
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, estimate.freedom)) * estimate.error
    return estimate.value - half, estimate.value + half


@dataclass(frozen=True)
class Location:
    """Whether a weighted sum of means lies on one side of a limit.

    Attributes:
        name: what the test is called.
        weights: of the samples' means; (1, -1) is the difference of two.
        limit: minus a margin makes a test of non-inferiority of a test of superiority.
        direction: 1 if the claim says "above", -1 if it says "below".
    """

    unit: ClassVar[str] = ""
    name: str = "difference of means (Welch)"
    weights: tuple[float, ...] = (1.0, -1.0)
    limit: float = 0.0
    direction: int = 1

    def judge(self, samples: Samples, *, interval: bool = True) -> Evidence:
        """See :class:`analysis.claims.evidence.Test`."""
        weights, limit = tuple(self.direction * weight for weight in self.weights), self.direction * self.limit
        against = tuple(-weight for weight in weights)
        estimate = contrast(samples, self.weights)
        low, high = t_interval(estimate)
        distances = [self.direction * (value - self.limit) for value in (estimate.value, low, high)]
        return Evidence(
            estimate.value,
            low,
            high,
            above(samples, weights, limit),
            above(samples, against, -limit),
            in_standard_deviations(distances, standard_deviation(samples)),
        )

    def draw(self, random: np.random.Generator, seeds: int, effect: float) -> list[Array]:
        """See :class:`analysis.claims.evidence.Test`."""
        samples = [random.normal(size=seeds) for _ in self.weights]
        samples[0] += (self.limit + self.direction * effect) / self.weights[0]
        return samples


@dataclass(frozen=True)
class Between:
    """Whether a weighted sum of means lies within bounds: two one-sided tests.

    Attributes:
        bounds: lower and upper; -margin and margin are a test of equivalence.
        name: what the test is called.
        weights: of the samples' means.
    """

    unit: ClassVar[str] = ""
    bounds: tuple[float, float]
    name: str = "equivalence (two one-sided tests)"
    weights: tuple[float, ...] = (1.0, -1.0)

    def judge(self, samples: Samples, *, interval: bool = True) -> Evidence:
        """See :class:`analysis.claims.evidence.Test`."""
        (lower, upper), against = self.bounds, tuple(-weight for weight in self.weights)
        estimate = contrast(samples, self.weights)
        low, high = t_interval(estimate)
        inside = (above(samples, self.weights, lower), above(samples, against, -upper))
        outside = (above(samples, self.weights, upper), above(samples, against, -lower))
        return Evidence(
            estimate.value,
            low,
            high,
            max(inside),
            min(outside),
            self._standard(samples, estimate.value, low, high),
        )

    def _standard(self, samples: Samples, *values: float) -> tuple[float, float, float]:
        """How far inside the nearer bound the effect and its interval are; an interval may straddle the middle."""
        (lower, upper), (value, low, high) = self.bounds, values
        nearest = [min(number - lower, upper - number) for number in (value, low, high)]
        middle = float(np.clip((lower + upper) / 2, low, high))
        best = min(middle - lower, upper - middle)
        estimate, worst, most = nearest[0], min(nearest[1:]), max(*nearest[1:], best)
        return in_standard_deviations((estimate, worst, most), standard_deviation(samples))

    def draw(self, random: np.random.Generator, seeds: int, effect: float) -> list[Array]:
        """See :class:`analysis.claims.evidence.Test`; positive effects lie in the middle of the bounds."""
        lower, upper = self.bounds
        half, middle = (upper - lower) / 2, (upper + lower) / 2
        samples = [random.normal(size=seeds) for _ in self.weights]
        scale = half / effect if effect > 0 else 1.0
        place = middle if effect > 0 else upper - effect
        return [scale * sample + (place / self.weights[0] if n == 0 else 0) for n, sample in enumerate(samples)]
