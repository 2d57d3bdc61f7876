"""A quantity of the suite, measured, beside the reference that it must agree with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from analysis.references import References

Value = float | str
Level = Literal["hard", "soft"]
Verdict = Literal["agrees", "deviates", "wrong"]


@dataclass(frozen=True)
class Check:
    """What is measured, and how near it must be.

    Attributes:
        reference: id of a row of ``results/references/references.csv``, whose value is expected.
        what: what is measured, and where, for readers.
        measure: measures it; a text must be equal to the row's.
        band: relative deviation within which it agrees; beyond it, it deviates.
        limit: relative deviation beyond which it is wrong; None: the band, so that every deviation is wrong.
        level: ``hard`` for what is exact or takes seconds, ``soft`` for simulations of minutes.
    """

    reference: str
    what: str
    measure: Callable[[], Value]
    band: float = 1e-9
    limit: float | None = None
    level: Level = "hard"

    @property
    def name(self) -> str:
        """Unique among the checks."""
        return f"{self.reference}: {self.what}"


@dataclass(frozen=True)
class Outcome:
    """What a check found.

    Attributes:
        check: the check.
        expected: the reference's value.
        measured: ours; empty where the measurement failed.
        verdict: ``agrees``, ``deviates`` (outside the band, within the limit) or ``wrong``.
        error: why it could not be measured, in one line; else empty.
    """

    check: Check
    expected: Value
    measured: Value
    verdict: Verdict
    error: str = ""

    @property
    def deviation(self) -> float:
        """Relative deviation, absolute where 0 is expected; NaN for texts."""
        return deviation(self.measured, self.expected)


def deviation(measured: Value, expected: Value) -> float:
    """How far a number is from what is expected, as a share of that, or itself where that is 0; NaN for texts."""
    if isinstance(measured, str) or isinstance(expected, str):
        return math.nan
    return (measured - expected) / (abs(expected) or 1)


def judge(check: Check, measured: Value, expected: Value) -> Verdict:
    """Whether a measurement is near enough to the reference."""
    if isinstance(measured, str) or isinstance(expected, str):
        return "agrees" if measured == expected else "wrong"
    far = abs(deviation(measured, expected))
    if far <= check.band:
        return "agrees"
    return "deviates" if check.limit is not None and far <= check.limit else "wrong"


def run(checks: Iterable[Check], references: References) -> Iterator[Outcome]:
    """Measure everything, in order.  A measurement that fails is wrong, and stops no other."""
    for check in checks:
        row = references[check.reference]
        try:
            measured = check.measure()
        except Exception as error:  # whatever it is, the table must say which quantity it kept from being measured
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            yield Outcome(check, row.value, "", "wrong", reason)
            continue
        expected: Value = row.value if isinstance(measured, str) else row.number("value")
        yield Outcome(check, expected, measured, judge(check, measured, expected))
