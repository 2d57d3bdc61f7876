"""The list of everything that an archive holds: a complete description and checksums of each run and driver."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from algorithms.drivers import DriverConfig
from algorithms.nested import flatten
from algorithms.settings import RunConfig
from envs.strict import Strict, digest, parse

#: The archive of the repository.
ARCHIVE = Path(__file__).parents[2] / "results/archive"
FILE = "manifest.json"

Job = RunConfig | DriverConfig


class ArchiveError(ValueError):
    """An archive that cannot be read, or something that cannot be added to it.  The message is one line."""


class Rows(Strict):
    """The rows of an entry in one table.

    Attributes:
        rows: their number.
        columns: which of ``Manifest.columns`` they have.
        sha256: checksum, see :func:`analysis.archive.rows.checksum`.
    """

    rows: int
    columns: str
    sha256: str


class Entry(Strict):
    """A run or a scripted driver.

    Attributes:
        key: task, label and seeds of a run, or task and name of a driver; the path that it had below a results
            folder.
        description: content of its ``run.json``.
        sha256: checksum of that.
        tables: its rows, by table.
        added: when it was added, in UTC.
        by: who did.
    """

    key: str
    description: dict[str, Any]
    sha256: str
    tables: dict[str, Rows]
    added: str
    by: str

    @property
    def hash(self) -> str:
        """Digest of its configuration."""
        return str(self.description.get("hash"))

    @property
    def identity(self) -> tuple[str, str]:
        """What tells its rows from those of all other entries."""
        return self.key, self.hash


class Episodes(Strict):
    """Episodes of a run's or driver's first seed, step by step or vehicle by vehicle.

    Attributes:
        path: the one that the file had below a results folder.
        key: of the run or driver.
        hash: of its configuration.
        seed: the first one.
        sha256: checksum of the file.
        added: when it was added, in UTC.
        by: who did.
    """

    path: Annotated[str, Field(pattern=r"^(trajectories|recordings)/\w+/[\w.-]+\.parquet$")]
    key: str
    hash: str
    seed: int
    sha256: str
    added: str
    by: str

    @property
    def kept(self) -> str:
        """Path of the file in the archive, for this content alone: no new file takes the place of one in use."""
        return f"{self.path.removesuffix('.parquet')}.{self.sha256[:16]}.parquet"


class Manifest(Strict):
    """What an archive holds, in the order in which it was added.

    Attributes:
        format: of the archive.
        columns: names of columns in order, by their digest.
        runs: trainings.
        drivers: scripted drivers.
        episodes: files of episodes.
    """

    format: Literal[1]
    columns: dict[str, list[str]]
    runs: list[Entry]
    drivers: list[Entry]
    episodes: list[Episodes]


EMPTY = Manifest(format=1, columns={}, runs=[], drivers=[], episodes=[])


def load(folder: Path) -> Manifest:
    """Read the manifest of an archive.

    Raises:
        ArchiveError: there is none, it is damaged, or an entry's description is not the one that was added.
    """
    try:
        content: Any = json.loads((folder / FILE).read_text())
    except FileNotFoundError:
        raise ArchiveError(f"there is no archive in {folder}: no {FILE}") from None
    except (OSError, ValueError) as error:
        raise ArchiveError(f"archive {folder}: {FILE} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise ArchiveError(f"archive {folder}: {FILE} is damaged: it is no object of keys and values")
    try:
        manifest = parse(Manifest, content)
    except ValueError as error:
        raise ArchiveError(f"archive {folder}: {FILE} is damaged: {error}") from None
    for entry in (*manifest.runs, *manifest.drivers):
        if digest(entry.description) != entry.sha256:
            raise ArchiveError(f"archive {folder}: {FILE}: the description of {entry.key} has been changed")
    return manifest


def to_text(manifest: Manifest) -> str:
    """The content of the file."""
    return json.dumps(manifest.model_dump(mode="json"), indent=1) + "\n"


def pruned(manifest: Manifest) -> Manifest:
    """Without the columns that no entry has."""
    used = {rows.columns for entry in (*manifest.runs, *manifest.drivers) for rows in entry.tables.values()}
    return manifest.model_copy(
        update={"columns": {key: names for key, names in manifest.columns.items() if key in used}}
    )


def job_of(entry: Entry) -> Job:
    """The configuration of a run or driver.

    Raises:
        ArchiveError: the code of today cannot read it, or its hash is another one.
    """
    config = entry.description.get("config")
    if not isinstance(config, dict):
        raise ArchiveError(f"{entry.key}: run.json has no config")
    try:
        job: Job = parse(DriverConfig, config) if "driver" in config else parse(RunConfig, config)
    except ValueError as error:
        raise ArchiveError(f"{entry.key}: its settings cannot be read: {error}") from None
    if job.hash != entry.hash:
        raise ArchiveError(f"{entry.key}: hash {entry.hash} is not that of its config, {job.hash}")
    return job


def was_measured(entry: Entry) -> bool:
    """Whether a run took delta from the worker return of HRL runs; otherwise it was chosen, or there is none."""
    return bool(entry.description.get("worker_return"))


def only(values: dict[str, Any], leaving_out: Iterable[str]) -> dict[str, Any]:
    """Settings under dotted keys, without some of them and whole sections; nothing is None."""
    gone = tuple(leaving_out)
    return {
        key: value
        for key, value in flatten(values).items()
        if value is not None and not any(key == name or key.startswith(f"{name}.") for name in gone)
    }
