"""Tests of shares of seeds, and of when seeds get somewhere, if they ever do."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, sin, sqrt
from typing import ClassVar

import numpy as np
from scipy import stats

from analysis.claims.evidence import CONFIDENCE, Array, Evidence, Samples, from_probability
from analysis.claims.ranks import probability_of_improvement, resampled_interval


@dataclass(frozen=True)
class Share:
    """Whether more than a certain share of seeds do something: exact binomial test, Wilson's interval.

    Attributes:
        limit: the share.
        name: what the test is called.
    """

    unit: ClassVar[str] = "share"
    limit: float = 0.5
    name: str = "share of seeds (binomial)"

    def judge(self, samples: Samples, *, interval: bool = True) -> Evidence:
        """See :class:`analysis.claims.evidence.Test`; values are 0 or 1."""
        (values,) = samples
        count, number = int(values.sum()), len(values)
        greater, less = (stats.binomtest(count, number, self.limit, alternative=a) for a in ("greater", "less"))
        share, (low, high) = count / number, wilson(count, number)
        standard = self._standard(share), self._standard(low), self._standard(high)
        return Evidence(share, low, high, float(greater.pvalue), float(less.pvalue), standard)

    def _standard(self, share: float) -> float:
        """Cohen's h, which is to shares what differences in standard deviations are to means."""
        return 2 * asin(sqrt(share)) - 2 * asin(sqrt(self.limit))

    def draw(self, random: np.random.Generator, seeds: int, effect: float) -> list[Array]:
        """See :class:`analysis.claims.evidence.Test`."""
        return [(random.random(seeds) < self.share(effect)).astype(np.float64)]

    def share(self, effect: float) -> float:
        """The share of seeds that lies so far (Cohen's h) beyond the limit."""
        return sin(float(np.clip(effect / 2 + asin(sqrt(self.limit)), 0, np.pi / 2))) ** 2


def wilson(count: int, number: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    found = stats.binomtest(count, number).proportion_ci(CONFIDENCE, method="wilson")
    return float(found.low), float(found.high)


@dataclass(frozen=True)
class Sooner:
    """Whether seeds of the first sample get somewhere sooner than those of the second: log-rank test.

    Values are times, infinite where a seed never got there.  The effect is the probability that a seed of the
    first sample is there sooner than one of the second; where neither ever is, each is with probability 1/2.

    Attributes:
        name: what the test is called.
    """

    unit: ClassVar[str] = "probability"
    name: str = "time to a level (log-rank)"

    def judge(self, samples: Samples, *, interval: bool = True) -> Evidence:
        """See :class:`analysis.claims.evidence.Test`."""
        first, second = (-stats.rankdata(np.concatenate(list(samples)))[part] for part in _parts(samples))
        effect = float(probability_of_improvement(first, second))
        low, high = effect, effect
        if interval:
            low, high = resampled_interval([first, second], probability_of_improvement)
        standard = (from_probability(effect), from_probability(low), from_probability(high))
        return Evidence(effect, low, high, log_rank(*samples), log_rank(*samples[::-1]), standard)

    def draw(self, random: np.random.Generator, seeds: int, effect: float) -> list[Array]:
        """See :class:`analysis.claims.evidence.Test`."""
        return [random.normal(size=seeds) - effect, random.normal(size=seeds)]


def _parts(samples: Samples) -> tuple[slice, slice]:
    number = len(samples[0])
    return slice(0, number), slice(number, None)


def log_rank(first: Array, second: Array) -> float:
    """One-sided p-value against "the first sample is not sooner than the second"."""
    both = np.concatenate([first, second])
    if not np.isfinite(both).any() or np.ptp(both) == 0:
        return 1.0
    latest = both[np.isfinite(both)].max() + 1  # when those that never get there are seen last
    seen = [
        stats.CensoredData(uncensored=s[np.isfinite(s)], right=np.full(np.isinf(s).sum(), latest))
        for s in (first, second)
    ]
    return float(stats.logrank(*seen, alternative="greater").pvalue)  # greater: more events than expected
