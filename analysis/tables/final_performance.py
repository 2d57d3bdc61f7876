"""Table of final performance: every task and algorithm, over seeds, and scripted drivers where there is traffic.

python -m analysis.tables.final_performance --final final.parquet \
    --evaluation-statistics evaluation_statistics.parquet --driver-statistics driver_statistics.parquet \
    --out final_performance.md
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from analysis import command, style
from analysis.headline import MEAN, headline, last_evaluations, select_drivers
from analysis.headline import select as select_headlines
from analysis.tables.columns import EXTENT, NUMBERS, extent, over_seeds
from analysis.tables.writing import decimal_places, significant
from envs.names import TASKS

#: The metrics of the table besides a task's headline, where it has them.
METRICS = ("return_mean100", "return_fraction_mean100")
#: On tasks with traffic besides: metrics of the last evaluation, in which scripted drivers met the same starts.
EVALUATED = ("return", "return_fraction", "throughput")
IDENTITY = ["task", "label", "metric"]


def select(final: pd.DataFrame, evaluations: pd.DataFrame, drivers: pd.DataFrame) -> pd.DataFrame:
    """The rows of the table by task and metric; tasks, algorithms and drivers keep the order of the statistics.

    Drivers follow the algorithms where these are evaluated from the same starts, under their name as ``label``.

    Args:
        final: statistics of final training performance.
        evaluations: statistics of evaluations, of which the last count.
        drivers: statistics of scripted drivers.
    """
    final, evaluations = (table[table["study"] == "main"] for table in (final, last_evaluations(evaluations)))
    means = evaluations[evaluations["target"] == MEAN]
    headlines = select_headlines(final, evaluations)
    parts: list[pd.DataFrame] = []
    for task, rows in final.groupby("task", sort=False):
        shown = headline(str(task)).metric
        by_metric = {shown: headlines[headlines["task"] == task]}
        by_metric |= {metric: rows[rows["metric"] == metric] for metric in METRICS if metric != shown}
        parts += by_metric.values()
        for metric in EVALUATED if has_traffic(str(task)) else ():
            others = select_drivers(drivers, str(task), metric)
            parts += [
                means[(means["task"] == task) & (means["metric"] == metric)],
                others.assign(label=others["driver"]),
            ]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)  # an empty one has other types


def has_traffic(task: str) -> bool:
    """Whether scripted drivers can drive on a task."""
    return task in TASKS and TASKS[task].is_traffic


def numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for programs: names as in the configuration, numbers to six significant digits."""
    return pd.concat([rows[IDENTITY], significant(rows[NUMBERS]), rows[EXTENT]], axis=1)


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
        "Algorithm": name(row),
        "Metric": style.metric_name(row["metric"]),
        **over_seeds(row, decimals),
        **extent(row),
    }


def name(row: Mapping[Hashable, Any]) -> str:
    """The name of a row's algorithm or driver for readers; a driver has trained for no steps."""
    return style.algorithm_name(row["label"]) if row["steps_run"] else style.driver_name(row["label"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    tables = ["final", "evaluation_statistics", "driver_statistics"]
    command.table("final_performance", select, (numbers, readable), tables, arguments=arguments)


if __name__ == "__main__":
    main()
