"""The tables of a preset's studies, as far as they are there, and what each cell says by seed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import style
from analysis.products import DRIVEN, JUDGED
from analysis.reduction import SEPARATOR

Study = Mapping[str, pd.DataFrame]


#: Said of a cell whose statistics do not tell what was run of it.  Reasons on steps are printed in full.
UNKNOWN = "an unknown number of steps"


class Missing(ValueError):
    """Something that a claim needs is not there; the text says what."""


class Results:
    """What was run, whichever study it belongs to: cells that studies share are trained once.

    Args:
        studies: tables by study.
        tasks: tasks that are looked at.
    """

    def __init__(self, studies: Mapping[str, Study], tasks: tuple[str, ...]) -> None:
        self._studies, self.tasks = studies, tasks

    @classmethod
    def read(cls, tables: Path, preset: Mapping[str, Any]) -> Results:
        """Read the selected studies' folders.  One that is not there at all counts as not run.

        Raises:
            ValueError: a folder lacks one of its tables.
        """
        studies = {study: _read(tables / study) for study in preset["studies"] if (tables / study).is_dir()}
        return cls(studies, tuple(preset["tasks"]))

    @property
    def studies(self) -> tuple[str, ...]:
        """Those that there are tables of."""
        return tuple(self._studies)

    def cells(self, study: str) -> pd.DataFrame:
        """The cells of a study.

        Raises:
            Missing: there is no such study.
        """
        if study not in self._studies:
            raise Missing(f"runs missing: study {study}")
        return self._studies[study]["cells"]

    def label(self, task: str, study: str, column: str, value: float, algorithm: str) -> str:
        """The cell of a study's task and algorithm whose setting has a value, such as a cooperation ratio.

        Raises:
            Missing: there is none.
        """
        cells = self.cells(study)
        here = cells[(cells["task"] == task) & (cells["algorithm"] == algorithm)]
        # A delta given as a number may be any share of what HRL reaches.
        here = here[~here["variant"].str.startswith("delta_")]
        found = here[(here[column] - value).abs() < 1e-3 * max(1.0, abs(value))]
        if found.empty:
            name, what = style.algorithm_name(algorithm), column.replace("_", " ")
            raise Missing(f"runs missing: {name} with {what} {value:g} on {style.task_name(task)}")
        return str(found["label"].iloc[0])

    def rows(self, table: str, task: str, label: str) -> pd.DataFrame:
        """The rows of a cell, from the first study that has it.

        Raises:
            Missing: no study has the cell, or its table has no rows.
        """
        found = self._of_cell(table, task, label)
        if found is None or found.empty:
            raise Missing(f"runs missing: {style.algorithm_name(label)} on {style.task_name(task)}")
        return found

    def _of_cell(self, table: str, task: str, label: str) -> pd.DataFrame | None:
        if task not in self.tasks:
            return None
        for study in self._studies.values():
            cells = study["cells"]
            if ((cells["task"] == task) & (cells["label"] == label)).any():
                rows = study[table]
                return rows[(rows["task"] == task) & (rows["label"] == label)]
        return None

    def column(self, table: str, task: str, label: str, name: str) -> pd.DataFrame:
        """The rows of a cell's table that has a column with values.

        Raises:
            Missing: it has no such column, or no value in it.
        """
        rows = self.rows(table, task, label)
        if name not in rows or rows[name].isna().all():
            raise Missing(f"needs '{name}' in table '{table}' of {style.algorithm_name(label)}, which has none")
        return rows

    def driver(self, task: str, driver: str) -> pd.DataFrame:
        """Evaluations of a scripted driver.

        Raises:
            Missing: there are none.
        """
        rows = self._of_drivers()
        found = rows[(rows["task"] == task) & (rows["driver"] == driver)]
        if found.empty or task not in self.tasks:
            raise Missing(f"runs missing: driver {style.driver_name(driver)} on {style.task_name(task)}")
        return found

    def reduced(self, task: str, name: str) -> list[str]:
        """How a cell, or a scripted driver, is reduced against the paper's; nothing if it is not, or not there.

        One of which nothing is known counts as reduced.
        """
        return self._reasons.get((task, name), [UNKNOWN] if self.seeds(task, name) else [])

    def seeds(self, task: str, name: str) -> int:
        """How many seeds of a cell, or of a scripted driver, there are."""
        rows = self._of_cell("runs", task, name)
        if rows is None:
            drivers = self._of_drivers()
            rows = drivers[(drivers["task"] == task) & (drivers["driver"] == name)]
        return int(rows["seed"].nunique())

    def _of_drivers(self) -> pd.DataFrame:
        rows = self._studies.get(DRIVEN, {}).get("drivers", pd.DataFrame())
        return rows.reindex(columns=["task", "driver", "seed"]) if rows.empty else rows

    @cached_property
    def _reasons(self) -> dict[tuple[str, str], list[str]]:
        found: dict[tuple[str, str], list[str]] = {}
        for study in self._studies.values():
            for table, column in (("final", "label"), ("driver_statistics", "driver")):
                # Without drivers their statistics lack the columns on what was run.
                columns = ["task", column, "reduced_why"]
                rows = study[table].reindex(columns=columns).drop_duplicates().dropna()
                for task, name, why in rows.to_numpy():
                    reasons = found.setdefault((task, name), [])
                    reasons += [reason for reason in why.split(SEPARATOR) if reason and reason not in reasons]
        return found


def _read(folder: Path) -> Study:
    missing = [name for name in JUDGED if not (folder / f"{name}.parquet").exists()]
    if missing:
        raise ValueError(f"{folder}: there is no {' and no '.join(f'{name}.parquet' for name in missing)}")
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in JUDGED}
