"""Folders of finished runs and scripted drivers, read and checked before they enter an archive."""

from __future__ import annotations

import getpass
import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from algorithms.drivers import DriverConfig
from algorithms.settings import RunConfig
from analysis.archive import rows
from analysis.archive.manifest import ArchiveError, Entry, Rows, job_of
from analysis.archive.store import DRIVERS, Content
from analysis.runs import check_grid, grid, read_curves, read_evaluations, read_others
from analysis.study_tables import FILES
from envs.strict import digest

#: Folders of a results folder: those that hold runs and drivers, and the one with copies of finished runs.
KINDS = ("runs", "drivers")
CHECKPOINTS = "checkpoints"


class Incoming(NamedTuple):
    """A run or driver that is to be added.

    Attributes:
        entry: what the manifest will say.
        content: its rows, by table.
        columns: those of its tables, by digest.
    """

    entry: Entry
    content: Content
    columns: dict[str, list[str]]


def folders_below(paths: Sequence[Path]) -> list[Path]:
    """The folders of runs and drivers: those given, or all that lie below them.

    Raises:
        ArchiveError: there is none in one of them, or they are of several results folders.
    """
    found: dict[Path, None] = {}
    for path in paths:
        here = [path] if (path / "run.json").is_file() else sorted(_below(path))
        if not here:
            raise ArchiveError(f"{path}: there is no finished run or driver (no run.json)")
        if len(results := sorted({above for folder in here if (above := _results(folder))})) > 1:
            raise ArchiveError(
                f"{path}: there are several results folders in it, {results[0]} and {results[1]}; "
                "name the folders runs and drivers of one"
            )
        found |= dict.fromkeys(here)
    return list(found)


def _below(path: Path) -> Iterator[Path]:
    """Folders with a run or driver, without the copies that lie among checkpoints."""
    folders = (file.parent for file in path.rglob("run.json"))
    return (folder for folder in folders if CHECKPOINTS not in (path.name, *folder.relative_to(path).parts))


def _results(folder: Path) -> Path | None:
    """The results folder that a run or driver lies in, if it does."""
    return next((above.parent for above in folder.parents if above.name in KINDS), None)


def read(folder: Path, by: str) -> Incoming:
    """Read and check a folder.

    Args:
        folder: of a run or driver.
        by: who adds it.

    Raises:
        ArchiveError: it is not complete, its hash is not that of its settings, or its rows are not those that its
            settings ask for, or the code of today does not know them.
    """
    description = _description(folder)
    entry = Entry(key="", description=description, sha256=digest(description), tables={}, added=_now(), by=by)
    try:
        job = job_of(entry)
        content = _rows_of_driver(job, folder) if isinstance(job, DriverConfig) else _rows_of_run(job, folder)
    except ValueError as error:
        raise ArchiveError(f"{folder}: {str(error).removeprefix(': ')}") from None
    columns = {digest(list(table.columns)): list(table.columns) for table in content.values()}
    tables = {name: _record(table) for name, table in content.items()}
    return Incoming(entry.model_copy(update={"key": job.key, "tables": tables}), content, columns)


def _description(folder: Path) -> dict[str, Any]:
    try:
        description: Any = json.loads((folder / "run.json").read_text())
    except (OSError, ValueError) as error:
        raise ArchiveError(f"{folder}: run.json cannot be read: {error}") from None
    if not isinstance(description, dict):
        raise ArchiveError(f"{folder}: run.json is damaged: it is no object of keys and values")
    return description


def _rows_of_run(run: RunConfig, folder: Path) -> Content:
    """Every row of a training; timing has those of the log points, too."""
    found: Mapping[str, pd.DataFrame] = read_curves(run, folder)._asdict() | read_others(run, folder)._asdict()
    check_grid(run, "timing.csv", found["timing"], grid(run.run.steps, run.run.log_every))
    return {table: found[file] for table, file in FILES.items()}


def _rows_of_driver(job: DriverConfig, folder: Path) -> Content:
    return {DRIVERS: read_evaluations(job, folder, [job.step])}


def _record(table: pd.DataFrame) -> Rows:
    return Rows(rows=len(table), columns=digest(list(table.columns)), sha256=rows.checksum(table))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def name_of_user() -> str:
    """Who adds something: the name that git signs commits with or, failing that, the login."""
    try:
        named = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, check=False)
    except OSError:
        return getpass.getuser()
    return named.stdout.strip() or getpass.getuser()
