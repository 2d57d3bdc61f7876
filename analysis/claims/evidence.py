"""What a statistical test says, and how a verdict follows from it.

Every test takes samples, one array of seeds each, and returns an :class:`Evidence` with two one-sided p-values:
one against "the claim does not hold", one against "the claim holds".  Half the level goes to each side: a claim
that is not true is called supported in at most 2.5 % of all repetitions, a true one contradicted in as few.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nan, sqrt
from typing import ClassVar, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
Samples = Sequence[Array]
Verdict = Literal["supported", "contradicted", "inconclusive"]

CONFIDENCE = 0.95
LEVEL = 1 - CONFIDENCE
RESAMPLES = 2_000
#: Beyond this many standard deviations effects are all the same; a probability of 1 would be infinitely many.
FARTHEST = 4.0


class Evidence(NamedTuple):
    """What a test says.

    Attributes:
        effect: estimate, in the unit of what was measured.
        low, high: its 95 % interval.
        support: one-sided p-value against "the claim does not hold".
        contradict: one-sided p-value against "the claim holds".
        standard: how far the effect lies on the claim's side of the test's limit, in standard deviations over
            seeds, and its interval.
    """

    effect: float
    low: float
    high: float
    support: float
    contradict: float
    standard: tuple[float, float, float]

    @property
    def p_value(self) -> float:
        """Two-sided."""
        return min(1.0, 2 * min(self.support, self.contradict))

    def verdict(self, p_value: float | None = None) -> Verdict:
        """What follows at the level of 5 %, by default from the p-value as it is, without any correction."""
        if (self.p_value if p_value is None else p_value) > LEVEL:
            return "inconclusive"
        return "supported" if self.support < self.contradict else "contradicted"


class Test(Protocol):
    """A statistical test of samples of seeds.

    Attributes:
        unit: of the effect, if it is not that of the values.
    """

    unit: ClassVar[str]

    @property
    def name(self) -> str:
        """What the test is called."""

    def judge(self, samples: Samples, *, interval: bool = True) -> Evidence:
        """Test samples.

        Args:
            samples: values of seeds, shape [seeds] each, finite.
            interval: whether to compute intervals that need resampling; p-values do not depend on it.
        """

    def __hash__(self) -> int:
        """Equal tests judge alike, and so can be looked up."""

    def draw(self, random: np.random.Generator, seeds: int, effect: float) -> Samples:
        """Made-up samples whose true effect lies so many standard deviations on the claim's side of the limit.

        Values of seeds are normal with a standard deviation of 1; negative effects lie on the other side.
        """


def is_degenerate(samples: Samples) -> bool:
    """Whether several samples consist of a single value, so that there is nothing to compare."""
    return len(samples) > 1 and bool(np.ptp(np.concatenate(list(samples))) == 0)


def holm(p_values: Sequence[float], family: int | None = None) -> list[float]:
    """Holm's step-down adjustment of p-values, which keeps the probability of any false one in a family.

    Args:
        p_values: those at hand.
        family: how many there are in the family, by default those at hand; the others count as 1.

    Returns:
        Adjusted p-values, in the order given.
    """
    size = max(family or 0, len(p_values))
    adjusted, largest = np.ones(len(p_values)), 0.0
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        largest = max(largest, min(1.0, (size - rank) * p_values[index]))
        adjusted[index] = largest
    return [float(value) for value in adjusted]


def standard_deviation(samples: Samples) -> float:
    """Root of the mean variance (divided by n - 1) within samples."""
    return sqrt(np.mean([np.var(sample, ddof=1) for sample in samples]))


def in_standard_deviations(values: Sequence[float], deviation: float) -> tuple[float, float, float]:
    """Differences in units of a standard deviation, at most :data:`FARTHEST` of them; NaN without any spread."""
    if deviation <= 0:
        return nan, nan, nan
    estimate, low, high = (float(np.clip(value / deviation, -FARTHEST, FARTHEST)) for value in values)
    return estimate, min(low, high), max(low, high)


def from_probability(probability: float) -> float:
    """The distance between two normal distributions, in standard deviations, that gives P(X > Y)."""
    distance = sqrt(2) * stats.norm.ppf(probability) if 0 < probability < 1 else inf * (probability - 0.5)
    return float(np.clip(distance, -FARTHEST, FARTHEST))
