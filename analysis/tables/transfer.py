"""Table of the transfer study: workers from Ant Gather under new managers, at every evaluation point.

python -m analysis.tables.transfer --evaluation-statistics evaluation_statistics.parquet --cells cells.parquet \
    --out transfer.md
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd

from analysis import command, style
from analysis.frozen_workers import evaluation_points, final_evaluations, make_task
from analysis.headline import MEAN
from analysis.tables.writing import DASH, decimal_places, round_to, significant

METRICS = ("success", "entered", "final_distance")
STATISTICS = ("mean", "std", "iqm", "ci_low", "ci_high")
NUMBERS = [f"{metric}_{statistic}" for metric in METRICS for statistic in STATISTICS]
IDENTITY = ["task", "source", "source_algorithm", "label", "algorithm", "target", "point", "x", "y"]
EXTENT = ["n_seeds", "seeds_run", "seeds_paper", "steps_run", "steps_paper", "reduced_why"]


def select(evaluations: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """One row per task, worker, manager and evaluation point, nearest first and their mean last.

    Args:
        evaluations: statistics of evaluations, of which the last count.
        cells: the study's cells.

    Raises:
        ValueError: no manager on a transferred worker was evaluated.
    """
    rows = final_evaluations(evaluations, cells, METRICS)
    lines = []
    for task, group in rows.groupby("task", sort=False):
        places: dict[str, dict[str, Any]] = {
            point.name: {"point": str(point.number), "x": point.x, "y": point.y, "walk": point.walk}
            for point in evaluation_points(make_task(str(task)))
        }
        places[MEAN] = {"point": MEAN, "x": np.nan, "y": np.nan, "walk": np.nan}
        for _, run in group.groupby("label", sort=False):
            lines += [_line(run[run["target"] == name], place) for name, place in places.items()]
    return pd.DataFrame([line for line in lines if line])


def _line(rows: pd.DataFrame, place: Mapping[str, Any]) -> dict[Hashable, Any]:
    """All metrics at one point side by side; empty if there are none."""
    if rows.empty:
        return {}
    metrics = {row["metric"]: row for row in rows.to_dict("records")}
    names = ((metric, statistic) for metric in METRICS for statistic in STATISTICS)
    numbers = {f"{metric}_{name}": metrics.get(metric, {}).get(name, np.nan) for metric, name in names}
    return rows.iloc[0].to_dict() | dict(place) | numbers


def numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for programs: names as in the configuration, numbers to six significant digits."""
    return pd.concat([rows[IDENTITY], significant(rows[["walk", *NUMBERS]]), rows[EXTENT]], axis=1)


def readable(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for readers: full names, rounded numbers, and in short how a run is reduced."""
    scale = float(rows[["final_distance_mean", "final_distance_std"]].abs().to_numpy().max())
    return pd.DataFrame([_readable(row, decimal_places(scale)) for row in rows.to_dict("records")])


def _readable(row: Mapping[Hashable, Any], decimals: int) -> dict[str, str]:
    low, high = (round_to(row[f"success_{end}"], 2) for end in ("ci_low", "ci_high"))
    place = f" ({row['x']:g}, {row['y']:g})" if isfinite(row["walk"]) else ""
    return {
        "Task": style.task_name(row["task"]),
        "Worker": style.algorithm_name(row["worker"]),
        "Manager": style.algorithm_name(row["algorithm"]),
        "Point (x, y in m)": f"{row['point']}{place}",
        "Walk in m": round_to(row["walk"], 0),
        "Success ± SD": _with_spread(row, "success", 2),
        "95 % interval of IQM": f"[{low}, {high}]" if isfinite(row["success_ci_low"]) else DASH,
        "Entered ± SD": _with_spread(row, "entered", 2),
        "Final distance ± SD in m": _with_spread(row, "final_distance", decimals),
        "Seeds": str(row["n_seeds"]),
        "Steps": f"{row['steps_run']:,}",
        "Reduced": ", ".join(style.reductions(pd.DataFrame([row]))),
    }


def _with_spread(row: Mapping[Hashable, Any], metric: str, decimals: int) -> str:
    mean, spread = (round_to(row[f"{metric}_{name}"], decimals) for name in ("mean", "std"))
    return f"{mean} ± {spread}" if isfinite(row[f"{metric}_mean"]) else DASH


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    tables = ["evaluation_statistics", "cells"]
    command.table("transfer", select, (numbers, readable), tables, arguments=arguments)


if __name__ == "__main__":
    main()
