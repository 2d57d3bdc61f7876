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
from algorithms.studies import cells, preset_from, reference, source, worker_returns
from analysis.products import DRIVEN
from analysis.runs import (
    CollectError,
    StaleRun,
    check_description,
    read_description,
    read_evaluations,
    read_extras,
    read_run,
    with_source,
)
from analysis.study_tables import FILES, Driven, Finished, Tables, assemble, driver_rows, write


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
    origins = Origins(preset, study, folders)
    finished: list[Finished] = []
    stale: list[StaleRun] = []
    for planned_run in cells(preset, study):
        try:
            finished.append(read_finished(preset, planned_run, origins, folders.runs))
        except StaleRun as error:
            stale.append(error)
    if stale:
        raise StaleRun(stale[0].reason, stale[0].folder, [other.folder for other in stale[1:]])
    driven = read_drivers(preset, folders.drivers) if study == DRIVEN else []
    return assemble(study, finished, driven)


def read_finished(preset: Mapping[str, Any], planned_run: RunConfig, origins: Origins, runs: Path) -> Finished:
    """Read one run of a study.

    Raises:
        CollectError: see :func:`collect`.
        ConfigError: likewise.
    """
    run = origins.complete(planned_run)
    curves = read_run(run, runs, depends_on_others=run is not planned_run)._asdict()
    files = curves | read_extras(run, runs)._asdict()
    return Finished(
        run=run,
        planned=planned_run,
        taken=source(preset, planned_run),
        description=read_description(run, runs / run.key),
        worker_return=origins.worker_return(run),
        files={table: files[file] for table, file in FILES.items()},
    )


def read_drivers(preset: Mapping[str, Any], folder: Path) -> list[Driven]:
    """Read the results of every driver that a preset asks for, in the preset's order of tasks and drivers.

    Args:
        preset: a merged preset.
        folder: the folder that holds those of the drivers.

    Raises:
        CollectError: a driver's results are missing, differ from the preset, or have missing or surplus rows.
    """
    driven = []
    for job in planned(preset):
        check_description(job, folder / job.key)
        driven.append(Driven(job, read_evaluations(job, folder / job.key, [job.step])))
    return driven


def collect_drivers(preset: Mapping[str, Any], folder: Path) -> pd.DataFrame:
    """The rows of every driver that a preset asks for, see :func:`read_drivers`; none if it asks for none."""
    return driver_rows(read_drivers(preset, folder))


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
    write(tables, options.out)


if __name__ == "__main__":
    main()
