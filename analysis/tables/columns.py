"""Columns for readers that tables of statistics over seeds share."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import isfinite
from typing import Any

import pandas as pd

from analysis import style
from analysis.tables.writing import DASH, round_to

#: Columns of a table of statistics: numbers over seeds, and what was run.
NUMBERS = ["mean", "std", "iqm", "ci_low", "ci_high"]
EXTENT = ["n_seeds", "seeds_run", "seeds_paper", "steps_run", "steps_paper", "reduced_why"]

Row = Mapping[Hashable, Any]


def over_seeds(row: Row, decimals: int) -> dict[str, str]:
    """Mean, standard deviation, interquartile mean and its interval, rounded alike."""
    mean, std, iqm, low, high = (round_to(row[name], decimals) for name in NUMBERS)
    interval = f"[{low}, {high}]" if isfinite(row["ci_low"]) else DASH
    return {"Mean": mean, "SD": std, "IQM": iqm, "95 % interval of IQM": interval}


def extent(row: Row) -> dict[str, str]:
    """Seeds that have a value, steps that were run, and in short how the run is reduced."""
    return {
        "Seeds": str(row["n_seeds"]),
        "Steps": f"{row['steps_run']:,}" if row["steps_run"] else DASH,
        "Reduced": ", ".join(style.reductions(pd.DataFrame([row]))),
    }
