"""Table of the levels of cooperation (section 5.4): constraint, lambda, performance, paths and goals.

python -m analysis.tables.cooperation --cells cells.parquet --final final.parquet --runs runs.parquet \
    --evaluation-statistics evaluation_statistics.parquet --out cooperation.md
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import isfinite, isnan
from typing import Any

import numpy as np
import pandas as pd

from analysis import command, style
from analysis.by_seed import final_by_seed, final_rows
from analysis.headline import Headline
from analysis.levels import delta_text
from analysis.tables.columns import EXTENT, NUMBERS, extent, over_seeds
from analysis.tables.writing import DASH, decimal_places, round_to, significant

#: How far a worker's return may lie from delta, relative to it, to count as being there.
TOLERANCE = 0.15

RETURN = Headline("training", "return_mean100")
WORKER_RETURN = Headline("training", "worker_q_current")
#: Means over seeds of other metrics, by the names of the table's columns.
MEANS = {
    "lambda": Headline("training", "lambda"),
    "path_length": Headline("evaluation", "path_length"),
    "goal_distance": Headline("evaluation", "goal_distance"),
    "episode_length": Headline("evaluation", "episode_length"),
}
IDENTITY = ["study", "task", "label"]
CELL = ["cooperation_ratio", "delta", "worker_return"]
WORKER = ["worker_return_final", "worker_return_std", "met", "matched"]


def select(
    cells: pd.DataFrame, final: pd.DataFrame, runs: pd.DataFrame, evaluations: pd.DataFrame
) -> pd.DataFrame:
    """One row per cell with a return, by task and rising cooperation ratio.

    Args:
        cells: the study's cells.
        final: statistics of final training performance.
        runs: training progress of every seed.
        evaluations: statistics of evaluations, of which the last count.

    Raises:
        ValueError: no cell has statistics.
    """
    keys = ["task", "label"]
    rows = cells[keys + CELL].merge(final_rows(RETURN, final, evaluations), on=keys)
    if rows.empty:
        raise ValueError("there are no statistics of any of the study's cells")
    worker = final_rows(WORKER_RETURN, final, evaluations)[[*keys, "mean", "std"]]
    rows = rows.merge(worker, on=keys, how="left", suffixes=("", "_worker"))
    rows = rows.rename(columns={"mean_worker": WORKER[0], "std_worker": WORKER[1]})
    for name, shown in MEANS.items():
        mean = final_rows(shown, final, evaluations)[[*keys, "mean"]].rename(columns={"mean": name})
        rows = rows.merge(mean, on=keys, how="left")
    shares = [_shares(runs, task, label, delta) for task, label, delta in rows[[*keys, "delta"]].to_numpy()]
    rows[WORKER[2:]] = np.array(shares, dtype=np.float64)
    tasks = list(cells["task"].unique())
    rows = rows.assign(order=rows["task"].map(tasks.index))
    return rows.sort_values(["order", "cooperation_ratio", "delta"], kind="stable", ignore_index=True)


def _shares(runs: pd.DataFrame, task: str, label: str, delta: float) -> tuple[float, float]:
    """:func:`constraint_shares` of one cell."""
    here = runs[(runs["task"] == task) & (runs["label"] == label)]
    return constraint_shares(final_by_seed(here, WORKER_RETURN.metric), delta)


def constraint_shares(returns: pd.Series, delta: float) -> tuple[float, float]:
    """The share of seeds that keep a constraint, and the share that end up at it.

    A seed with the return R is at delta if abs(R - delta) < 0.15 abs(delta), which no seed is where delta = 0.
    It keeps the constraint if it is at delta or R >= delta.

    Args:
        returns: the worker's final return by seed; seeds without a value do not count.
        delta: NaN where there is no constraint.

    Returns:
        Both shares; NaN without a constraint, and without any value.
    """
    values = returns.dropna().to_numpy(np.float64)
    if isnan(delta) or not len(values):
        return np.nan, np.nan
    matched = np.abs(values - delta) < TOLERANCE * abs(delta)
    return float((matched | (values >= delta)).mean()), float(matched.mean())


def numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for programs: names as in the configuration, numbers to six significant digits."""
    values = significant(rows[[*CELL, *WORKER, *MEANS, *NUMBERS]])
    names = {name: f"return_{name}" for name in NUMBERS}
    return pd.concat([rows[IDENTITY], values.rename(columns=names), rows[EXTENT]], axis=1)


def readable(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for readers: full names, rounded numbers, and in short how a run is reduced."""
    lines = []
    for _, group in rows.groupby("task", sort=False):
        decimals = decimal_places(float(group[["mean", "std"]].abs().to_numpy().max()))
        lines += [_readable(row, decimals) for row in group.to_dict("records")]
    return pd.DataFrame(lines)


def _readable(row: Mapping[Hashable, Any], decimals: int) -> dict[str, str]:
    performance = over_seeds(row, decimals)
    return {
        "Task": style.task_name(row["task"]),
        "Algorithm": style.algorithm_name(str(row["algorithm"])),
        "Ratio": percent(row["cooperation_ratio"]),
        "δ": delta_text(row["delta"]) if isfinite(row["delta"]) else DASH,
        "J_HRL": round_to(row["worker_return"], 0),
        "Worker return": _with_spread(round_to(row[WORKER[0]], 0), round_to(row[WORKER[1]], 0)),
        "Met": percent(row["met"]),
        "At δ": percent(row["matched"]),
        "λ": f"{row['lambda']:.3g}" if isfinite(row["lambda"]) else DASH,
        "Return": _with_spread(performance["Mean"], performance["SD"]),
        "IQM": performance["IQM"],
        "95 % interval": performance["95 % interval of IQM"],
        "Path (m)": round_to(row["path_length"], 1),
        "Goal distance": round_to(row["goal_distance"], 2),
        "Episode (steps)": round_to(row["episode_length"], 0),
        **extent(row),
    }


def percent(share: float) -> str:
    """A share in whole per cent; a dash where there is none."""
    return f"{100 * share:.0f} %" if isfinite(share) else DASH


def _with_spread(mean: str, std: str) -> str:
    return f"{mean} ± {std}" if mean != DASH else DASH


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    tables = ["cells", "final", "runs", "evaluation_statistics"]
    command.table("cooperation", select, (numbers, readable), tables, arguments=arguments)


if __name__ == "__main__":
    main()
