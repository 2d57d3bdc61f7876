"""Verdicts on the paper's claims, as the page shows them: the claims in order, each with a row per comparison."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from analysis import style
from analysis.tables.writing import DASH, decimal_places, round_to

#: Verdicts in the order in which they are counted, with a sign that needs no colour.
VERDICTS = {"supported": "✓", "contradicted": "✗", "inconclusive": "?"}
TEXTS = ["claim", "section", "statement", "task", "comparison", "test", "unit", "verdict", "lacks", "reduced_why"]
NUMBERS = ["effect", "ci_low", "ci_high", "p_value", "n_seeds"]
#: Below this a p-value has no digits of its own.
SMALL = 0.001

Row = Mapping[Hashable, Any]


class Comparison(NamedTuple):
    """A claim's comparison on one task, in words for readers."""

    task: str
    comparison: str
    test: str
    effect: str
    p_value: str
    seeds: str
    verdict: str
    lacks: str
    reduced: str


class Claim(NamedTuple):
    """A claim of the paper."""

    name: str
    section: str
    statement: str
    comparisons: list[Comparison]


class Verdicts(NamedTuple):
    """All claims, how many comparisons have each verdict, and how many rest on reduced runs."""

    claims: list[Claim]
    counts: dict[str, int]
    reduced: int


def read(path: Path) -> Verdicts:
    """Read ``claims.csv``.

    Raises:
        ValueError: a column is not there, or a verdict is none of the three.
    """
    rows = pd.read_csv(path, dtype=dict.fromkeys(TEXTS, str))
    if lost := [name for name in (*TEXTS, *NUMBERS, "reduced") if name not in rows]:
        raise ValueError(f"'{path}' has no column {', '.join(lost)}")
    rows[TEXTS] = rows[TEXTS].fillna("")
    if unknown := sorted(set(rows["verdict"]) - set(VERDICTS)):
        raise ValueError(f"'{path}' has the verdict '{unknown[0]}'; allowed: {', '.join(VERDICTS)}")
    counts = {verdict: int((rows["verdict"] == verdict).sum()) for verdict in VERDICTS}
    claims = [claim(group.to_dict("records")) for _, group in rows.groupby("claim", sort=False)]
    return Verdicts(claims, counts, int(rows["reduced"].sum()))


def claim(rows: list[dict[Hashable, Any]]) -> Claim:
    """A claim from its rows."""
    first = rows[0]
    return Claim(first["claim"], first["section"], first["statement"], [comparison(row) for row in rows])


def comparison(row: Row) -> Comparison:
    """A comparison from its row."""
    return Comparison(
        task=style.task_name(row["task"]) if row["task"] else DASH,
        comparison=row["comparison"],
        test=row["test"],
        effect=effect(row),
        p_value=p_value(row["p_value"]),
        seeds=round_to(row["n_seeds"], 0),
        verdict=row["verdict"],
        lacks=row["lacks"],
        reduced=", ".join(style.reductions(pd.DataFrame([row]))) if row["reduced"] else "",
    )


def effect(row: Row) -> str:
    """The effect with its interval and unit, all with the decimals that the largest of them needs."""
    values = [float(row[name]) for name in ("effect", "ci_low", "ci_high")]
    decimals = decimal_places(max((abs(value) for value in values if isfinite(value)), default=0.0))
    middle, low, high = (round_to(value, decimals) for value in values)
    interval = f" [{low}, {high}]" if isfinite(values[1]) else ""
    unit = f" {row['unit']}" if row["unit"] and middle != DASH else ""
    return f"{middle}{interval}{unit}"


def p_value(value: float) -> str:
    """Three decimals."""
    return f"< {SMALL}" if value < SMALL else round_to(value, 3)
