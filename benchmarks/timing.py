"""Timing of several callables in turn, and statistics of what was timed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

#: A number that was measured several times: ``median``, ``lower`` and ``upper`` quartile, and ``repeats``.
Summary = dict[str, float]

#: Milliseconds per call of one callable, one value per round.
Rounds = list[float]


def in_turn(
    work: Mapping[str, Callable[[], object]], *, rounds: int, calls: int, warmup: int = 0
) -> dict[str, Rounds]:
    """Time each callable in every round, so that a slower spell of the machine meets all of them.

    Every round begins with another callable, since the first one finds the caches as the last one left them.

    Args:
        work: callables by name.
        rounds: how often each is timed.
        calls: calls per round; their mean is one value.
        warmup: calls of each before the first round, not timed.

    Returns:
        Milliseconds per call, by name, one value per round.
    """
    for call in work.values():
        for _ in range(warmup):
            call()
    times: dict[str, Rounds] = {name: [] for name in work}
    for number in range(rounds):
        for name in rotated(list(work), number):
            call = work[name]
            start = time.perf_counter()
            for _ in range(calls):
                call()
            times[name].append(1000 * (time.perf_counter() - start) / calls)
    return times


def rotated(names: Sequence[str], by: int) -> list[str]:
    """The names in their order, beginning with another one."""
    first = by % len(names) if names else 0
    return [*names[first:], *names[:first]]


def elapsed(call: Callable[[], object]) -> float:
    """Milliseconds that one call takes."""
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)


def summary(values: Sequence[float]) -> Summary:
    """Median and quartiles.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("nothing was measured; at least one value is needed")
    quartiles = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
    lower, median, upper = quartiles
    return {"median": median, "lower": lower, "upper": upper, "repeats": len(values)}


def ratio(times: Sequence[float], reference: Sequence[float]) -> Summary:
    """How many times as long as a reference: the ratio within each round, so that the machine's pace drops out.

    Raises:
        ValueError: the two were not timed in the same rounds.
    """
    if len(times) != len(reference):
        raise ValueError(f"{len(times)} rounds cannot be compared with {len(reference)}; time them in turn")
    return summary([value / base for value, base in zip(times, reference, strict=True)])
