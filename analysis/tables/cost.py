"""Table of cost: wall time, CPU time and memory of the trainings of every task and algorithm, over seeds.

Several studies can share a training; it has one row, in the order of the studies.

python -m analysis.tables.cost --timing main/timing.parquet visual/timing.parquet \
    --statistics main/statistics.parquet visual/statistics.parquet --out cost.md
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import command, style
from analysis.command import Option
from analysis.tables.writing import decimal_places, round_to, significant

#: Seconds per hour.
HOUR = 3600.0
CELL = ["task", "label"]
EXTENT = ["seeds_run", "seeds_paper", "steps_run", "steps_paper", "reduced_why"]

#: What the table tells of every training, and how it names it to readers.
QUANTITIES = {
    "wall_hours": "Wall time (h)",
    "cpu_hours": "CPU time (h)",
    "memory_mb": "Peak memory (MB)",
    "steps_per_second": "Steps per second",
}
OVER_SEEDS = ("mean", "min", "max")
NUMBERS = [f"{name}_{statistic}" for name in QUANTITIES for statistic in OVER_SEEDS]


def select(timing: Sequence[pd.DataFrame], statistics: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One row per task and label: each quantity's mean, minimum and maximum over seeds, restarts, and the extent.

    Args:
        timing: rows of ``timing.csv``, a table per study.
        statistics: statistics of training, for how far the runs went, a table per study.

    Raises:
        ValueError: there are no trainings, or one of them is not in the statistics.
    """
    trainings = each_once(timing)
    if trainings.empty:
        raise ValueError("there is no timing of any training")
    groups = totals(trainings).groupby(CELL, sort=False)
    table = groups[list(QUANTITIES)].agg(list(OVER_SEEDS))
    table.columns = pd.Index(NUMBERS)
    table["restarts_max"] = groups["restarts"].max()
    table["n_seeds"] = groups.size()
    extents = pd.concat(statistics).drop_duplicates(CELL).set_index(CELL)[EXTENT]
    if lost := [key for key in table.index if key not in extents.index]:
        raise ValueError(f"there is timing of {'/'.join(lost[0])}, but there are no statistics of it")
    return table.join(extents).reset_index()


def each_once(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of every task and label from the first study that has them."""
    rows = pd.concat(tables, ignore_index=True)
    return rows.merge(rows.drop_duplicates(CELL)[[*CELL, "study"]])


def totals(timing: pd.DataFrame) -> pd.DataFrame:
    """What every seed's training has taken by its last log point: the quantities, and restarts."""
    last = timing.sort_values("step", kind="stable").groupby([*CELL, "seed"], sort=False).tail(1).sort_index()
    return last.assign(
        wall_hours=last["wall_time"] / HOUR,
        cpu_hours=last["cpu_time"] / HOUR,
        steps_per_second=last["step"] / last["wall_time"],
    )


def numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for programs: names as in the configuration, numbers to six significant digits."""
    return pd.concat([rows[CELL], significant(rows[NUMBERS]), rows[["restarts_max", "n_seeds", *EXTENT]]], axis=1)


def readable(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for readers: means with the range over seeds, and in short how a run is reduced."""
    return pd.DataFrame([_readable(row) for row in rows.to_dict("records")])


def _readable(row: Mapping[Hashable, Any]) -> dict[str, str]:
    return {
        "Task": style.task_name(row["task"]),
        "Algorithm": style.algorithm_name(row["label"]),
        "Steps": f"{row['steps_run']:,}",
        **{title: _with_range(row, name) for name, title in QUANTITIES.items()},
        "Restarts": str(row["restarts_max"]),
        "Seeds": str(row["n_seeds"]),
        "Reduced": ", ".join(style.reductions(pd.DataFrame([row]))),
    }


def _with_range(row: Mapping[Hashable, Any], name: str) -> str:
    """The mean, and from the least to the most where seeds differ."""
    decimals = decimal_places(row[f"{name}_max"])
    mean, least, most = (round_to(row[f"{name}_{statistic}"], decimals) for statistic in OVER_SEEDS)
    return mean if least == most else f"{mean} [{least}, {most}]"


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    options = [
        Option(name, f"{command.TABLES[name]}, a file per study (parquet)", read_all, command.FILES)
        for name in ("timing", "statistics")
    ]
    command.table("cost", select, (numbers, readable), options=options, arguments=arguments)


def read_all(paths: Sequence[Path]) -> list[pd.DataFrame]:
    """The tables of several files."""
    return [pd.read_parquet(path) for path in paths]


if __name__ == "__main__":
    main()
