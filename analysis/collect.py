"""Collect the results of a study: one table per kind of file, and one of the cells and their settings.

    python -m analysis.collect --preset quick --study main --out results/quick/tables/main

A run that is missing, or is not what the preset asks for, is refused (:mod:`analysis.runs`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from algorithms import delta
from algorithms.config import ConfigError, add_preset_arguments, require
from algorithms.drivers import planned
from algorithms.settings import RunConfig
from algorithms.studies import cells, preset_from, reference, worker_returns
from analysis.products import DRIVEN
from analysis.runs import (
    CollectError,
    StaleRun,
    check_description,
    read_evaluations,
    read_extras,
    read_run,
    with_source,
)

#: Columns that say which run a row belongs to, and which driver.
HEAD = ["study", "task", "algorithm", "variant", "label"]
DRIVER_HEAD = ["task", "driver"]


class Tables(NamedTuple):
    """Rows of all runs of a study: ``HEAD``, then the columns of the file of this name in the run folders.

    Attributes:
        cells: one row per cell instead, with the settings that tell cells apart, see :func:`settings`.
        runs: ``progress.csv``.
        evaluations: also that of ``drivers``, with ``DRIVER_HEAD`` instead.
        probes: no rows without a manager.
        proposals: no rows without a manager.
        timing: depends on the machine.
        drivers: ``evaluations.csv`` of scripted drivers; no rows but in the study that they belong to.
    """

    cells: pd.DataFrame
    runs: pd.DataFrame
    evaluations: pd.DataFrame
    probes: pd.DataFrame
    proposals: pd.DataFrame
    timing: pd.DataFrame
    drivers: pd.DataFrame


class Folders(NamedTuple):
    """Where finished runs, scripted drivers and worker returns are."""

    runs: Path
    drivers: Path
    worker_returns: Path

    @classmethod
    def below(cls, results: Path) -> Folders:
        """The usual places in a results folder."""
        return cls(results / "runs", results / "drivers", results / "tables/worker_return")


class Origins:
    """What the runs of a study take from finished runs: a delta from worker returns, a worker from a policy.

    Args:
        preset: a merged preset.
        study: name of the study.
        folders: where results are.
    """

    def __init__(self, preset: Mapping[str, Any], study: str, folders: Folders) -> None:
        self._preset, self._study, self._folders = preset, study, folders

    @cached_property
    def worker_returns(self) -> dict[tuple[str, str], float]:
        """J_HRL by task and label of the HRL runs, of those that some run of the study needs."""
        needed = worker_returns(self._preset, cells(self._preset, self._study))
        read = {(task, label): self._path(task, label) for task, label in needed}
        return {key: delta.read(path, *key)["worker_return"] for key, path in read.items()}

    def worker_return(self, run: RunConfig) -> float | None:
        """J_HRL that a run's delta is to be seen against; None if it has no delta, or it is not known."""
        if run.cher is None:
            return None
        return self.worker_returns.get((run.task, reference(self._preset, run)[0].label))

    def complete(self, run: RunConfig) -> RunConfig:
        """A run with nothing left open.

        Raises:
            ConfigError: what it needs is missing or not allowed.
        """
        if run.needs_worker_return:
            label = reference(self._preset, run)[0].label
            run, _ = delta.complete(run, self._path(run.task, label), label)
        return with_source(self._preset, run, self._folders.runs)

    def _path(self, task: str, label: str) -> Path:
        return self._folders.worker_returns / task / f"{label}.json"


def collect(preset: Mapping[str, Any], study: str, folders: Folders) -> Tables:
    """Read every run of a study, in the study's order of tasks, algorithms and variants.

    Raises:
        CollectError: a run is missing, differs from the preset, or has missing, repeated or surplus rows.  All
            runs that are stale are named at once.
        ConfigError: a worker return or policy that some run needs is missing or not allowed.
    """
    origins, described = Origins(preset, study, folders), {}
    rows: dict[str, list[pd.DataFrame]] = {}
    stale: list[StaleRun] = []
    for planned_run in cells(preset, study):
        run = origins.complete(planned_run)
        try:
            progress, evaluations = read_run(run, folders.runs, depends_on_others=run is not planned_run)
        except StaleRun as error:
            stale.append(error)
            continue
        tables = {"runs": progress, "evaluations": evaluations}
        tables |= read_extras(run, folders.runs)._asdict()
        head = dict(zip(HEAD, [study, run.task, run.algorithm, run.variant or "", run.label], strict=True))
        described[run.task, run.label] = head | settings(run, origins.worker_return(run))
        for name, table in tables.items():
            rows.setdefault(name, []).append(_with_head(table, head))
    if stale:
        raise StaleRun(stale[0].reason, stale[0].folder, [other.folder for other in stale[1:]])
    drivers = collect_drivers(preset if study == DRIVEN else {**preset, "drivers": []}, folders.drivers)
    joined = {name: _joined(parts) for name, parts in rows.items()}
    return Tables(cells=pd.DataFrame(list(described.values())), **joined, drivers=drivers)


def settings(run: RunConfig, worker_return: float | None) -> dict[str, Any]:
    """What tells the cells of a study apart, as one row; a text is empty and a number NaN where there is none.

    Args:
        run: with nothing left open.
        worker_return: J_HRL, if it is known.

    Returns:
        ``delta``, ``delta_share``, ``worker_return`` (J_HRL), ``cooperation_ratio`` = 1 - delta / J_HRL (section
        5.4, footnote 2; 0 for HRL), ``fixed_lambda``, ``gradient``, and ``source`` and ``source_algorithm``, the
        run whose worker was taken over.
    """
    value, ratio = (run.cher.delta if run.cher else None), 0.0 if run.algorithm == "hrl" else None
    if value is not None and worker_return is not None:
        ratio = 1 - value / worker_return
    numbers = {
        "delta": value,
        "delta_share": run.cher.delta_share if run.cher else None,
        "worker_return": worker_return,
        "cooperation_ratio": ratio,
        "fixed_lambda": run.cher_fixed.fixed_lambda if run.cher_fixed else None,
    }
    return {
        **{name: float("nan") if number is None else number for name, number in numbers.items()},
        "gradient": run.cooperation.gradient if run.cooperation else "",
        "source": run.transfer.label if run.transfer else "",
        "source_algorithm": run.transfer.algorithm if run.transfer else "",
    }


def collect_drivers(preset: Mapping[str, Any], folder: Path) -> pd.DataFrame:
    """Read the results of every driver that a preset asks for, in the preset's order of tasks and drivers.

    Args:
        preset: a merged preset.
        folder: the folder that holds those of the drivers.

    Returns:
        ``DRIVER_HEAD``, then the columns of ``evaluations.csv``; no rows if the preset asks for none.

    Raises:
        CollectError: a driver's results are missing, differ from the preset, or have missing or surplus rows.
    """
    tables = [pd.DataFrame(columns=[*DRIVER_HEAD, "seed", "step", "target"])]
    for job in planned(preset):
        check_description(job, folder / job.key)
        rows = read_evaluations(job, folder / job.key, [job.step])
        rows.insert(0, "task", job.task)
        rows.insert(1, "driver", job.driver)
        tables.append(rows)
    return pd.concat(tables[1:] or tables, ignore_index=True)


def _with_head(rows: pd.DataFrame, head: Mapping[str, str]) -> pd.DataFrame:
    return pd.concat([pd.DataFrame([head] * len(rows), columns=HEAD, index=rows.index), rows], axis=1)


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table; parts without rows have columns of other types, and count only if there is nothing else."""
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Collect the run folders of a study.")
    add_preset_arguments(parser)
    parser.add_argument("--study", default=DRIVEN)
    parser.add_argument("--results", type=Path, help="results folder (default: the preset's)")
    parser.add_argument("--out", type=Path, required=True, help="folder for one parquet file per table")
    options = parser.parse_args(arguments)
    try:
        preset = preset_from(options)
        require(options.study, preset["studies"], "study")
        tables = collect(preset, options.study, Folders.below(options.results or Path(preset["results"])))
    except (ConfigError, CollectError) as error:
        sys.exit(f"collect: {error}")
    options.out.mkdir(parents=True, exist_ok=True)
    for name, table in tables._asdict().items():
        table.to_parquet(options.out / f"{name}.parquet", index=False)


if __name__ == "__main__":
    main()
