"""Table of final performance by setting (lambda, delta, reading of the gradient, units), with the best one marked.

For the studies ``fixed_lambda``, ``gradient_forms``, ``input_scale``, ``saturation`` and ``e1_search``.

python -m analysis.tables.sensitivity --final final.parquet --cells cells.parquet \
    --evaluation-statistics evaluation_statistics.parquet --out e1_search.md
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from analysis import command, style
from analysis.by_seed import final_rows
from analysis.headline import Headline, headline
from analysis.tables.columns import EXTENT, NUMBERS, extent, over_seeds
from analysis.tables.writing import decimal_places, significant
from analysis.variants import RETURN_FRACTION, gradient_name, setting_name

IDENTITY = ["study", "task", "algorithm", "label", "gradient", "input_scale", "metric"]
SETTINGS = ["fixed_lambda", "delta_share", "delta", "output_penalty", "manager_actor_start"]
CELL = ["task", "label", "gradient", "input_scale", "worker_return", *SETTINGS]


def select(final: pd.DataFrame, cells: pd.DataFrame, evaluations: pd.DataFrame) -> pd.DataFrame:
    """The rows of the table by task and metric, with settings; tasks and cells keep the order of ``cells``.

    The first metric of a task is its headline.  ``best`` marks the setting with the greatest mean of it, among
    those of one task and algorithm; where there is no other setting, there is no best one.

    Args:
        final: statistics of final training performance.
        cells: the study's cells.
        evaluations: statistics of evaluations, of which the last count.

    Raises:
        ValueError: no cell has statistics.
    """
    parts = []
    for task, here in cells.groupby("task", sort=False):
        shown = headline(str(task))
        best = best_labels(_of_metric(shown, here, final, evaluations))
        for metric in dict.fromkeys((shown, RETURN_FRACTION)):
            rows = _of_metric(metric, here, final, evaluations)
            parts.append(rows.assign(best=rows["label"].isin(best)))
    rows = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    if rows.empty:
        raise ValueError("there are no statistics of any of the study's cells")
    return rows


def _of_metric(
    shown: Headline, cells: pd.DataFrame, final: pd.DataFrame, evaluations: pd.DataFrame
) -> pd.DataFrame:
    """One metric's statistics with the settings of the cells, in the cells' order."""
    return cells[CELL].merge(final_rows(shown, final, evaluations), on=["task", "label"])


def best_labels(rows: pd.DataFrame) -> list[str]:
    """Of every algorithm with several settings the labels with the greatest mean; rows of one task and metric."""
    groups = [group for _, group in rows.groupby("algorithm", sort=False) if len(group) > 1]
    return [label for group in groups for label in group.loc[group["mean"] == group["mean"].max(), "label"]]


def numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for programs: names as in the configuration, numbers to six significant digits."""
    return pd.concat([rows[IDENTITY], significant(rows[SETTINGS + NUMBERS]), rows[["best", *EXTENT]]], axis=1)


def readable(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for readers: full names, rounded numbers, and in short how a run is reduced."""
    lines = []
    for _, group in rows.groupby(["task", "metric"], sort=False):
        decimals = decimal_places(float(group[["mean", "std"]].abs().to_numpy().max()))
        lines += [_readable(row, decimals) for row in group.to_dict("records")]
    return pd.DataFrame(lines)


def _readable(row: Mapping[Hashable, Any], decimals: int) -> dict[str, str]:
    return {
        "Task": style.task_name(row["task"]),
        "Algorithm": style.algorithm_name(row["algorithm"]),
        "Setting": setting_name(row),
        "Gradient": gradient_name(row["gradient"]),
        "Inputs": row["input_scale"],
        "Metric": style.metric_name(row["metric"]),
        **over_seeds(row, decimals),
        "Best": "best" if row["best"] else "",
        **extent(row),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    tables = ["final", "cells", "evaluation_statistics"]
    command.table("sensitivity", select, (numbers, readable), tables, arguments=arguments)


if __name__ == "__main__":
    main()
