"""Checks of the values that the traffic tasks take at a reset."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

LARGEST_SIMULATION_SEED = 100_000


def whole_number(name: str, value: Any, low: int, high: int | None = None) -> int:
    """The value as a whole number.

    Raises:
        ValueError: it is none, or out of range.
    """
    number = int(value) if isinstance(value, Integral) and not isinstance(value, bool) else None
    if number is None or number < low or (high is not None and number > high):
        allowed = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} must be a whole number {allowed}, got {value!r}")
    return number


def one_of(name: str, value: Any, allowed: Sequence[float]) -> float:
    """The value as one of some numbers.

    Raises:
        ValueError: it is none of them.
    """
    if not isinstance(value, Real) or isinstance(value, bool) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(f'{item:g}' for item in allowed)}, got {value!r}")
    return float(value)
