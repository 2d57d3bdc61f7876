"""The run inventory: every training once, from the tables ``inventory`` of the studies, and what they took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

import pandas as pd

from algorithms.config import parse_seeds
from analysis import style
from analysis.report.readable import Column, Table
from analysis.tables.writing import DASH, round_to

#: Seconds per hour.
HOUR = 3600.0
CELL = ["task", "label"]
TRAINING = [*CELL, "seeds", "hash"]
TEXTS = ["study", *TRAINING, "commit", "finished", "device", "hardware", "versions"]
NUMBERS = ["steps", "wall_time", "resumed"]

COLUMNS = {
    "Task": "text",
    "Algorithm": "text",
    "Seeds": "number",
    "Steps": "number",
    "Wall time (h)": "number",
    "CPU time (h)": "number",
    "Resumed": "number",
    "Finished": "text",
    "Commit": "code",
    "Configuration": "code",
    "Machine": "number",
    "Software": "number",
    "Studies": "long",
    "Reduced": "reduced",
}

Row = Mapping[Hashable, Any]


class Inventory(NamedTuple):
    """All trainings.

    Attributes:
        trainings: a row each, with ``study`` (all of its studies), ``cpu_time`` in seconds, ``machine``, and
            ``reduced_why``.
        counts: number of trainings by machine, by versions and by commit, the most frequent first.
    """

    trainings: pd.DataFrame
    counts: dict[str, dict[str, int]]

    @property
    def finished(self) -> str:
        """When the newest training was finished, as it was written down."""
        return str(max(self.trainings["finished"]))

    @property
    def measured(self) -> int:
        """Number of trainings whose CPU time is known."""
        return int(self.trainings["cpu_time"].notna().sum())

    def hours(self, quantity: str) -> str:
        """Sum of ``wall_time`` or ``cpu_time`` over the trainings for which it is known."""
        return hours(float(self.trainings[quantity].sum()))

    def table(self) -> Table:
        """The trainings for readers; machines and software by their number in :attr:`counts`."""
        places = {
            name: {text: str(place) for place, text in enumerate(self.counts[name], start=1)}
            for name in ("machine", "versions")
        }
        why = {text: _in_short(text) for text in self.trainings["reduced_why"].unique()}
        rows = [list(_readable(row, places, why).values()) for row in self.trainings.to_dict("records")]
        return Table([Column(*column) for column in COLUMNS.items()], rows)


def build(
    inventories: Sequence[pd.DataFrame], timing: Sequence[pd.DataFrame], final: Sequence[pd.DataFrame]
) -> Inventory:
    """Bring together what the tables of the studies say of each training.

    Raises:
        ValueError: a column is not there, or there is no training.
    """
    trainings = each_once(pd.concat(inventories, ignore_index=True))
    times, whys = cpu_times(timing), reasons(final)
    trainings["cpu_time"] = [cpu_time(row, times) for row in trainings.to_dict("records")]
    trainings["reduced_why"] = [whys.get((task, label), "") for task, label in trainings[CELL].values]
    trainings["machine"] = [" on ".join(filter(None, pair)) for pair in trainings[["device", "hardware"]].values]
    counts = {name: dict(Counter(trainings[name]).most_common()) for name in ("machine", "versions", "commit")}
    return Inventory(trainings, counts)


def each_once(rows: pd.DataFrame) -> pd.DataFrame:
    """A row per training, with all studies that have it."""
    if lost := [name for name in (*TEXTS, *NUMBERS) if name not in rows]:
        raise ValueError(f"the inventory has no column {', '.join(lost)}")
    if rows.empty:
        raise ValueError("the inventory has no training")
    rows = rows.assign(**{name: rows[name].fillna("").astype(str) for name in TEXTS})
    studies = rows.groupby(TRAINING, sort=False)["study"].agg(", ".join)
    once = rows.drop_duplicates(TRAINING).drop(columns="study")
    return once.join(studies, on=TRAINING).reset_index(drop=True)


def cpu_times(timing: Sequence[pd.DataFrame]) -> dict[tuple[str, str, int], float]:
    """CPU time in seconds of every seed at its last log point, by task, label and seed."""
    if not timing:
        return {}
    rows = pd.concat(timing, ignore_index=True).sort_values("step", kind="stable")
    last = rows.drop_duplicates([*CELL, "seed"], keep="last")
    columns = (last[name].tolist() for name in (*CELL, "seed", "cpu_time"))
    return {(task, label, seed): seconds for task, label, seed, seconds in zip(*columns, strict=True)}


def cpu_time(training: Row, times: Mapping[tuple[str, str, int], float]) -> float:
    """CPU time of a training; each seed of a group repeats what all of them took together."""
    keys = [(training["task"], training["label"], seed) for seed in parse_seeds(training["seeds"])]
    return max((times[key] for key in keys if key in times), default=float("nan"))


def reasons(final: Sequence[pd.DataFrame]) -> dict[tuple[str, str], str]:
    """How the runs of every task and label are reduced."""
    return {(task, label): why for table in final for task, label, why in table[[*CELL, "reduced_why"]].values}


def hours(seconds: float) -> str:
    """Seconds as hours, with three decimals below one hour and one above."""
    if not isfinite(seconds):
        return DASH
    return round_to(seconds / HOUR, 1 if seconds >= HOUR else 3)


def _readable(row: Row, places: Mapping[str, Mapping[str, str]], why: Mapping[str, str]) -> dict[str, str]:
    """The texts of a training, in the order of :data:`COLUMNS`."""
    return {
        "Task": style.task_name(row["task"]),
        "Algorithm": style.algorithm_name(row["label"]),
        "Seeds": row["seeds"],
        "Steps": f"{row['steps']:,}",
        "Wall time (h)": hours(row["wall_time"]),
        "CPU time (h)": hours(row["cpu_time"]),
        "Resumed": str(row["resumed"]),
        "Finished": row["finished"].replace("T", " ") or DASH,
        "Commit": row["commit"] or DASH,
        "Configuration": row["hash"],
        "Machine": places["machine"][row["machine"]],
        "Software": places["versions"][row["versions"]],
        "Studies": row["study"],
        "Reduced": why[row["reduced_why"]],
    }


def _in_short(why: str) -> str:
    """How a training is reduced, as tables say it."""
    return ", ".join(style.reductions(pd.DataFrame({"reduced_why": [why]})))
