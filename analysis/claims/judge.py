"""From results to a verdict on every comparison of every claim.

A comparison of runs that are shorter than the paper's, or of fewer seeds, is inconclusive, whatever it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from analysis import style
from analysis.claims.comparison import Claim, Comparison
from analysis.claims.evidence import Array, Evidence, Samples, Verdict, holm, is_degenerate
from analysis.claims.results import Missing, Results
from analysis.power import FEWEST, MOST, needed
from analysis.reduction import SEPARATOR

REDUCED = "reduced run"
EQUAL = "all seeds of all have the same value: there is nothing to compare"
#: Effects for which the number of seeds is worked out are multiples of this many standard deviations.
EFFECT_STEP = 0.25

COLUMNS = [
    *("claim", "section", "statement", "task", "comparison", "test"),
    *("effect", "ci_low", "ci_high", "unit", "p_value", "n_seeds", "verdict", "lacks", "reduced", "reduced_why"),
    *("part", "limit", "standard", "standard_low", "standard_high"),
]


@dataclass(frozen=True)
class Outcome:
    """What a comparison shows.

    Attributes:
        comparison: which one.
        evidence: None where something is missing.
        seeds: smallest number of seeds of a sample.
        is_degenerate: whether all values are the same.
        missing: what is missing.
        reduced_why: how the runs, and those of its guards, are reduced; nothing if they are not.
        guards: what its guards show.
        valueless: how many seeds of how many have no value, in words; nothing if all have one.
    """

    comparison: Comparison
    evidence: Evidence | None = None
    seeds: int = 0
    is_degenerate: bool = False
    missing: str = ""
    reduced_why: tuple[str, ...] = ()
    guards: tuple[Outcome, ...] = ()
    valueless: str = ""


def judge(results: Results, claims: Iterable[Claim]) -> pd.DataFrame:
    """One row per comparison of the claims, with the columns :data:`COLUMNS`."""
    rows: list[dict[str, Any]] = []
    for claim in claims:
        outcomes = [outcome(results, comparison) for comparison in claim.comparisons]
        p_values = adjusted(claim, outcomes)
        rows += [row(claim, found, p) for found, p in zip(outcomes, p_values, strict=True)]
    return pd.DataFrame(rows, columns=COLUMNS)


def outcome(results: Results, comparison: Comparison) -> Outcome:
    """Test one comparison, and its guards."""
    guards = tuple(outcome(results, guard.comparison) for guard in comparison.guards)
    found = _tested(results, comparison)
    reasons = [why for each in (found, *guards) for why in each.reduced_why]
    return replace(found, guards=guards, reduced_why=tuple(dict.fromkeys(reasons)))


def _tested(results: Results, comparison: Comparison) -> Outcome:
    reduced: tuple[str, ...] = ()
    try:
        labels = _labels(results, comparison)
        reduced = _reduced(results, comparison, labels)
        samples = [_values(results, comparison, task, label) for task, label in labels]
    except Missing as missing:
        return Outcome(comparison, missing=str(missing), reduced_why=reduced)
    seeds, valueless = min(len(sample) for sample in samples), _valueless(results, labels, samples)
    if seeds < 2:
        lacks = "needs two seeds with a value"
        return Outcome(comparison, None, seeds, missing=lacks, reduced_why=reduced, valueless=valueless)
    evidence = comparison.test.judge(samples)
    return Outcome(comparison, evidence, seeds, is_degenerate(samples), "", reduced, valueless=valueless)


def _labels(results: Results, comparison: Comparison) -> list[tuple[str, str]]:
    """Task and label of each sample."""
    cells = list(comparison.cells)
    if comparison.by_ratio:
        table = results.cells("cooperation")
        ratios: Mapping[str, float] = dict(zip(table["label"], table["cooperation_ratio"], strict=True))
        cells.sort(key=lambda cell: ratios.get(cell.label(results), nan))
    return [(cell.task, cell.label(results)) for cell in cells]


def _values(results: Results, comparison: Comparison, task: str, label: str) -> Array:
    return comparison.measure.read(results, task, label).dropna().to_numpy(np.float64)


def _valueless(results: Results, labels: list[tuple[str, str]], samples: Samples) -> str:
    """Of the cell that lacks most: how many of its seeds have no value."""
    numbers = [(results.seeds(*label), len(sample)) for label, sample in zip(labels, samples, strict=True)]
    seeds, values = max(numbers, key=lambda number: number[0] - number[1])
    return f"{seeds - values} of {seeds} seeds have no value" if values < seeds else ""


def _reduced(results: Results, comparison: Comparison, labels: list[tuple[str, str]]) -> tuple[str, ...]:
    """How any of the runs or drivers behind a comparison is reduced, each reason once."""
    task = comparison.cells[0].task
    besides = [(cell.task, label) for cell in comparison.cells for label in cell.rests_on]
    names = [*labels, *besides, *((task, name) for name in (*comparison.also, *comparison.drivers))]
    return tuple(dict.fromkeys(why for where, name in names for why in results.reduced(where, name)))


def adjusted(claim: Claim, outcomes: list[Outcome]) -> list[float]:
    """Holm's adjustment of two-sided p-values within each part of a claim; NaN where something is missing."""
    p_values = [nan] * len(outcomes)
    for part in dict.fromkeys(found.comparison.part for found in outcomes):
        here = [n for n, found in enumerate(outcomes) if found.comparison.part == part and found.evidence]
        raw = [found.evidence.p_value for n, found in enumerate(outcomes) if n in here and found.evidence]
        for n, value in zip(here, holm(raw, claim.family(part)), strict=True):
            p_values[n] = value
    return p_values


def verdict(claim: Claim, found: Outcome, p_value: float) -> tuple[Verdict, str]:
    """The verdict, and what is lacking where it is inconclusive."""
    if found.reduced_why:
        reasons = style.reductions(pd.DataFrame({"reduced_why": [SEPARATOR.join(found.reduced_why)]}))
        text = f"{REDUCED}: {', '.join(reasons)}"
        return "inconclusive", f"{text}; {found.missing}" if found.missing else text
    if lacks := unjudgeable(found):
        return "inconclusive", lacks
    assert found.evidence is not None
    said = found.evidence.verdict(p_value)
    if said == "inconclusive":
        return said, EQUAL if found.is_degenerate else seeds_needed(claim, found)
    return guarded(said, found)


def unjudgeable(found: Outcome) -> str:
    """What keeps a comparison from being judged at all; nothing if it can be."""
    if found.evidence is None or found.valueless:
        return "; ".join(text for text in (found.missing, found.valueless) if text)
    few = f"needs at least {FEWEST} seeds with a value, here {found.seeds}"
    return few if found.seeds < FEWEST else ""


def guarded(said: Verdict, found: Outcome) -> tuple[Verdict, str]:
    """A verdict stands if those of its guards do that it needs."""
    for guard, shown in zip(found.comparison.guards, found.guards, strict=True):
        if guard.verdict == said and (lacks := unjudgeable(shown) or _not_held(shown, guard.otherwise)):
            return "inconclusive", lacks
    return said, ""


def _not_held(shown: Outcome, otherwise: str) -> str:
    return "" if shown.evidence is not None and shown.evidence.verdict() == "supported" else otherwise


def seeds_needed(claim: Claim, found: Outcome) -> str:
    """How many seeds would decide, were the true effect as large as the one that was found."""
    assert found.evidence is not None
    effect = found.evidence.standard[0]
    if not np.isfinite(effect):
        return f"more seeds than {found.seeds}"
    size = max(EFFECT_STEP, EFFECT_STEP * round(abs(effect) / EFFECT_STEP))
    family = claim.family(found.comparison.part)
    number = needed(found.comparison.test, float(np.copysign(size, effect)), family)
    text = f"more than {MOST}" if number is None else f"about {max(number, found.seeds + 1)}"
    return f"seeds: {text} per cell would decide at this effect, here {found.seeds}"


def row(claim: Claim, found: Outcome, p_value: float) -> dict[str, Any]:
    """One row of the table."""
    comparison = found.comparison
    said, lacks = verdict(claim, found, p_value)
    evidence = found.evidence or Evidence(nan, nan, nan, nan, nan, (nan, nan, nan))
    return {
        "claim": claim.id,
        "section": claim.section,
        "statement": claim.statement,
        "task": comparison.task,
        "comparison": comparison.text,
        "test": comparison.test.name,
        "effect": evidence.effect,
        "ci_low": evidence.low,
        "ci_high": evidence.high,
        "unit": comparison.unit,
        "p_value": p_value,
        "n_seeds": found.seeds,
        "verdict": said,
        "lacks": lacks,
        "reduced": bool(found.reduced_why),
        "reduced_why": SEPARATOR.join(found.reduced_why),
        "part": comparison.part,
        "limit": comparison.why,
        "standard": evidence.standard[0],
        "standard_low": evidence.standard[1],
        "standard_high": evidence.standard[2],
    }
