"""Table of published numbers beside ours: deviation, and whether ours is within the published band."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import inf, isfinite, isnan, nan
from typing import Any

import numpy as np
import pandas as pd

from analysis import style
from analysis.claims.counterparts import Counterpart, every
from analysis.claims.results import Missing, Results
from analysis.reduction import SEPARATOR
from analysis.references import Reference, References
from analysis.tables.writing import DASH, MINUS, significant

COLUMNS = [
    *("reference", "task", "label", "metric", "published", "low", "high", "ours", "std", "n_seeds", "deviation"),
    *("relative", "inside", "lacks", "reduced", "reduced_why", "remark", "is_certain", "check", "trust", "source"),
]
NUMBERS = ["published", "low", "high", "ours", "std", "deviation", "relative"]
#: What settings of the preset and quantities of the theory are allowed to be off by: rounding of what is printed.
ROUNDING = 1e-3


def select(results: Results, references: References) -> pd.DataFrame:
    """One row per counterpart, in the order of the references.

    Args:
        results: what was run.
        references: published numbers.
    """
    order = list(references)
    found = sorted(every(), key=lambda counterpart: order.index(references[counterpart.reference].id))
    return pd.DataFrame([_row(results, found, references[found.reference]) for found in found], columns=COLUMNS)


def _row(results: Results, counterpart: Counterpart, reference: Reference) -> dict[str, Any]:
    ours = {"task": counterpart.cell.task, "label": counterpart.cell.name, "metric": counterpart.measure.name}
    lacks, values, reduced = "", pd.Series(dtype=float), list[str]()
    try:
        ours["label"] = counterpart.cell.label(results)
        values = counterpart.measure.read(results, ours["task"], ours["label"]).dropna()
        behind = [(ours["task"], ours["label"]), *_behind(results, counterpart)]
        reduced = list(dict.fromkeys(why for task, label in behind for why in results.reduced(task, label)))
    except Missing as missing:
        lacks = str(missing)
    row = (
        {"reference": reference.id} | ours | _numbers(values, reference.values[counterpart.entry], band(reference))
    )
    row |= {"lacks": lacks, "reduced": bool(reduced), "reduced_why": SEPARATOR.join(reduced)}
    source = "; ".join(part for part in (reference.condition, reference.source) if part)
    about = {"is_certain": counterpart.is_certain, "check": reference.check}
    about |= {"trust": reference.trust, "source": source}
    row["inside"] = row["inside"] if counterpart.is_comparable else ""
    return row | {"remark": counterpart.remark} | about


def _behind(results: Results, counterpart: Counterpart) -> list[tuple[str, str]]:
    """The cells on whose results ours depends besides: for the ratios also HRL's."""
    cells = [*counterpart.rests_on, counterpart.cell]
    found = [(cell.task, cell.label(results)) for cell in cells]
    return found + [(cell.task, label) for cell in cells for label in cell.rests_on]


def _numbers(values: pd.Series, published: float, published_band: tuple[float, float]) -> dict[str, Any]:
    """What is published, our values of seeds, and how they compare."""
    low, high = published_band
    ours = float(values.mean()) if len(values) else nan
    return {
        "published": published,
        "low": low,
        "high": high,
        "ours": ours,
        "std": float(np.std(values)) if len(values) else nan,
        "n_seeds": len(values),
        "deviation": ours - published,
        "relative": (ours - published) / abs(published) if published else nan,
        "inside": inside(values, low, high),
    }


def band(reference: Reference) -> tuple[float, float]:
    """The published band or, where an exact number is meant to be met (``hard``), its rounding."""
    low, high = reference.band
    if reference.check == "hard" and (isnan(low) or low == high):
        value = reference.values[0]
        return value - ROUNDING * abs(value), value + ROUNDING * abs(value)
    return low, high


def inside(values: pd.Series, low: float, high: float) -> str:
    """``yes`` if the mean over seeds is in the band, else ``no``: room for its error would reward few seeds.

    Nothing where there is no number of ours, or no band.
    """
    if values.empty or isnan(low) or isnan(high):
        return ""
    return "yes" if low <= float(values.mean()) <= high else "no"


def counted(rows: pd.DataFrame) -> str:
    """How many results at full length are inside and outside; what is certain beforehand is none."""
    inside = rows.loc[~rows["reduced"] & ~rows["is_certain"], "inside"].value_counts()
    return f"{inside.get('yes', 0)} inside their band, {inside.get('no', 0)} outside"


def numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for programs; ends that are open are empty."""
    return rows.assign(**{name: significant(rows[[name]].replace([-inf, inf], nan))[name] for name in NUMBERS})


def readable(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for readers."""
    return pd.DataFrame([_readable(row) for row in rows.to_dict("records")])


def _readable(row: Mapping[Hashable, Any]) -> dict[str, str]:
    reduced = ", ".join(style.reductions(pd.DataFrame([row])))
    remarks = (row["remark"], row["lacks"], reduced and f"reduced: {reduced}")
    name = style.DRIVER_NAMES.get(row["label"]) or style.algorithm_name(row["label"])
    return {
        "Reference": row["reference"],
        "Task": style.task_name(row["task"]),
        "Who": row["label"] if row["lacks"] else name,
        "Metric": row["metric"],
        "Published": short(row["published"]),
        "Band": range_text(row["low"], row["high"]),
        "Ours": short(row["ours"]) + (f" ± {short(row['std'])}" if row["n_seeds"] > 1 else ""),
        "Seeds": str(row["n_seeds"]) if row["n_seeds"] else DASH,
        "Deviation": short(row["deviation"]),
        "Inside": row["inside"] or DASH,
        "Remarks": "; ".join(remark for remark in remarks if remark),
    }


def short(value: float) -> str:
    """Four significant digits, with a real minus sign; a dash where there is no number."""
    if not isfinite(value):
        return DASH
    text = f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
    return text.replace("-", MINUS)


def range_text(low: float, high: float) -> str:
    """A band for readers."""
    if isnan(low) or isnan(high):
        return DASH
    if low == -inf:
        return f"to {short(high)}"
    return f"from {short(low)}" if high == inf else f"{short(low)} to {short(high)}"
