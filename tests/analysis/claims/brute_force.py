"""The same statistics by brute force: plain loops, and every arrangement instead of a distribution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from math import comb
from statistics import mean, median

Sample = Sequence[float]


def improvement(first: Sample, second: Sample) -> float:
    points = sum((x > y) + 0.5 * (x == y) for x in first for y in second)
    return points / (len(first) * len(second))


def splits(pooled: Sample, size: int) -> Iterator[tuple[list[float], list[float]]]:
    for chosen in combinations(range(len(pooled)), size):
        yield [pooled[n] for n in chosen], [pooled[n] for n in range(len(pooled)) if n not in chosen]


def mann_whitney(first: Sample, second: Sample) -> float:
    """Share of all splits whose probability of improvement is as large."""
    observed = improvement(first, second)
    found = [improvement(*split) >= observed - 1e-12 for split in splits([*first, *second], len(first))]
    return sum(found) / comb(len(first) + len(second), len(first))


def rank_sum(values: Sample, signs: Sequence[int]) -> int:
    """Sum of the ranks, by size, of those that count as positive; there are no ties."""
    order = sorted(abs(value) for value in values)
    return sum(order.index(abs(value)) + 1 for value, sign in zip(values, signs, strict=True) if sign > 0)


def signed_rank(values: Sample) -> float:
    """Share of all choices of signs whose rank sum is as large."""
    observed = rank_sum(values, [1 if value > 0 else -1 for value in values])
    every = list(product((-1, 1), repeat=len(values)))
    return sum(rank_sum(values, signs) >= observed for signs in every) / len(every)


def critical_rank_sum(number: int, level: float = 0.025) -> int:
    sums = [sum(n + 1 for n, sign in enumerate(signs) if sign) for signs in product((0, 1), repeat=number)]
    allowed = [cut for cut in range(max(sums)) if sum(s <= cut for s in sums) <= level * len(sums)]
    return max(allowed, default=-1)


def hodges_lehmann(values: Sample, cut: int) -> tuple[float, float, float]:
    means = sorted((values[i] + values[j]) / 2 for i in range(len(values)) for j in range(i, len(values)))
    return median(means), means[cut], means[len(means) - 1 - cut]


def jonckheere_statistic(samples: Sequence[Sample]) -> float:
    """Number of pairs from different samples, the earlier below the later; ties count half."""
    return sum(
        (x < y) + 0.5 * (x == y)
        for i, first in enumerate(samples)
        for second in samples[i + 1 :]
        for x in first
        for y in second
    )


def arrangements(pooled: list[float], sizes: Sequence[int]) -> Iterator[list[list[float]]]:
    if not sizes:
        yield []
        return
    for sample, rest in splits(pooled, sizes[0]):
        for others in arrangements(rest, sizes[1:]):
            yield [sample, *others]


def jonckheere(samples: Sequence[Sample]) -> float:
    """Share of all arrangements whose statistic is as large."""
    observed = jonckheere_statistic(samples)
    pooled = [value for sample in samples for value in sample]
    found = [
        jonckheere_statistic(made) >= observed - 1e-12
        for made in arrangements(pooled, [len(sample) for sample in samples])
    ]
    return sum(found) / len(found)


def holm(p_values: Sequence[float], family: int, level: float) -> list[bool]:
    """Which hypotheses fall, step by step from the smallest."""
    fallen = [False] * len(p_values)
    for step, n in enumerate(sorted(range(len(p_values)), key=lambda n: p_values[n])):
        if p_values[n] > level / (family - step):
            break
        fallen[n] = True
    return fallen


def interquartile_mean(values: Sample) -> float:
    cut = len(values) // 4
    return mean(sorted(values)[cut : len(values) - cut])


def log_rank(first: Sample, second: Sample) -> tuple[float, float, float]:
    """Observed and expected events of the first sample, and the variance; infinite times never happen."""
    observed = expected = variance = 0.0
    for time in sorted({t for t in (*first, *second) if t != float("inf")}):
        at_risk = sum(t >= time for t in first), sum(t >= time for t in second)
        events = sum(t == time for t in first), sum(t == time for t in second)
        n, d = sum(at_risk), sum(events)
        observed += events[0]
        expected += d * at_risk[0] / n
        if n > 1:
            variance += d * (at_risk[0] / n) * (at_risk[1] / n) * (n - d) / (n - 1)
    return observed, expected, variance
