"""An archive on disk: what it holds, checked, and how it is changed as a whole or not at all.

Tables and files of episodes are written first and the manifest last, each in one move.  Rows and files that the
manifest does not know are what an interrupted change has left; nobody reads them, and the next change drops them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from filelock import FileLock

from algorithms.records import in_one_move
from algorithms.settings import label_of
from analysis.archive import rows
from analysis.archive.manifest import EMPTY, FILE, ArchiveError, Entry, Manifest, load, to_text
from analysis.study_tables import FILES

#: The table of scripted drivers, beside those of trainings.
DRIVERS = "drivers"
TABLES = (*FILES, DRIVERS)

#: Folders of episodes, as in the results.
KINDS = ("trajectories", "recordings")
#: Names of files of episodes: each carries the beginning of its checksum.
EPISODES = re.compile(r".+\.[0-9a-f]{16}\.parquet")

#: Rows of an entry, by table.
Content = dict[str, pd.DataFrame]


class Archive(NamedTuple):
    """What an archive holds.

    Attributes:
        folder: where it is.
        manifest: its list.
        parts: rows of every table, by entry.
        problems: entries whose rows are not those that were added, each in one line.
        left: number of parts that no entry owns.
    """

    folder: Path
    manifest: Manifest
    parts: Mapping[str, rows.Parts]
    problems: Sequence[str]
    left: int

    def content(self, entry: Entry) -> Content:
        """The rows of an entry, with the columns that they had in its files."""
        return {table: self._rows(entry, table) for table in entry.tables}

    def _rows(self, entry: Entry, table: str) -> pd.DataFrame:
        columns = self.manifest.columns[entry.tables[table].columns]
        found = self.parts[table].get(entry.identity)
        return rows.empty(columns) if found is None else found[columns].reset_index(drop=True)


def read(folder: Path) -> Archive:
    """Read an archive and check every entry.

    Raises:
        ArchiveError: there is none, or a file of it is missing or damaged.
    """
    manifest = load(folder)
    entries = {table: owners(manifest, table) for table in TABLES}
    needed = [table for table, some in entries.items() if any(entry.tables[table].rows for entry in some)]
    parts: dict[str, rows.Parts] = {table: {} for table in TABLES}
    parts |= {table: rows.read(folder / f"{table}.parquet") for table in needed}
    owned = {table: {entry.identity for entry in some} for table, some in entries.items()}
    left = sum(len(set(found) - owned[table]) for table, found in parts.items())
    archive = Archive(folder, manifest, parts, [], left)
    problems = [problem for table in TABLES for problem in _check(archive, table)]
    return archive._replace(problems=[*problems, *_check_episodes(archive)])


def read_checked(folder: Path) -> Archive:
    """Read an archive.

    Raises:
        ArchiveError: there is none, or something in it is not what was added.
    """
    archive = read(folder)
    if archive.problems:
        more = f" (and {len(archive.problems) - 1} more)" if len(archive.problems) > 1 else ""
        raise ArchiveError(f"archive {folder}: {archive.problems[0]}{more}; restore it, for example from git")
    return archive


def owners(manifest: Manifest, table: str) -> list[Entry]:
    """The entries that have rows in a table, or at least its columns."""
    return list(manifest.drivers if table == DRIVERS else manifest.runs)


def _check(archive: Archive, table: str) -> Iterator[str]:
    """One line per entry whose rows in a table are not those that were added."""
    for entry in owners(archive.manifest, table):
        said = entry.tables[table]
        try:
            found = archive._rows(entry, table)
        except KeyError as error:
            yield f"{table}.parquet: {entry.key}: column {error} is missing"
            continue
        if len(found) != said.rows:
            yield f"{table}.parquet: {entry.key} has {len(found)} rows instead of {said.rows}"
        elif rows.checksum(found) != said.sha256:
            yield f"{table}.parquet: the rows of {entry.key} have been changed: their checksum is another one"


def _check_episodes(archive: Archive) -> Iterator[str]:
    """One line per file of episodes that is missing, or not the one that was added."""
    for file in archive.manifest.episodes:
        try:
            content = (archive.folder / file.kept).read_bytes()
        except FileNotFoundError:
            yield f"{file.kept} is missing"
            continue
        if hashlib.sha256(content).hexdigest() != file.sha256:
            yield f"{file.kept} has been changed: its checksum is another one"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time changes an archive; the others wait."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        yield


def read_or_begin(folder: Path) -> Archive:
    """Read an archive, or begin one where there is none.

    Raises:
        ArchiveError: what is there is damaged, or files are there without a manifest.
    """
    if (folder / FILE).exists():
        return read_checked(folder)
    if stray := sorted(path.name for path in folder.glob("*.parquet")):
        raise ArchiveError(f"{folder} has no {FILE}, but {stray[0]}: it is no archive; choose another folder")
    return Archive(folder, EMPTY, {table: {} for table in TABLES}, [], 0)


def episode_files(folder: Path) -> Iterator[Path]:
    """Files that have been put there as episodes, those of an interrupted call as well."""
    below = (path for kind in KINDS for path in (folder / kind).glob("*/*.parquet"))
    return (path for path in below if EPISODES.fullmatch(path.name))


def change(archive: Archive, manifest: Manifest, new: Mapping[tuple[str, str], Content]) -> None:
    """Turn an archive into another one, while it is locked.

    Args:
        archive: as it is.
        manifest: as it is to be.
        new: rows of entries that it does not have yet, by identity.
    """
    for kind in (FILES, (DRIVERS,)):
        before, after = (owners(each, next(iter(kind))) for each in (archive.manifest, manifest))
        if [entry.identity for entry in before] != [entry.identity for entry in after]:
            gone = [entry for entry in before if entry not in after]
            for table in kind:
                _write_table(archive, table, [*gone, *after], new)
    with in_one_move(archive.folder / FILE) as partial:
        partial.write_text(to_text(manifest))
    kept = {archive.folder / file.kept for file in manifest.episodes}
    for path in set(episode_files(archive.folder)) - kept:
        path.unlink()
    for kind in (FILES, (DRIVERS,)):
        before, after = (owners(each, next(iter(kind))) for each in (archive.manifest, manifest))
        if any(entry not in after for entry in before):
            for table in kind:
                _write_table(archive, table, after, new)


def _write_table(
    archive: Archive, table: str, entries: Sequence[Entry], new: Mapping[tuple[str, str], Content]
) -> None:
    parts = []
    for entry in entries:
        content = new.get(entry.identity) or archive.content(entry)
        if len(content[table]):
            parts.append((head(entry), content[table]))
    path = archive.folder / f"{table}.parquet"
    if not parts:
        path.unlink(missing_ok=True)
        return
    with in_one_move(path) as partial:
        rows.write(partial, parts)


def head(entry: Entry) -> dict[str, str]:
    """What precedes the rows of an entry; also of one whose settings can no longer be read."""
    config = entry.description["config"]
    if "driver" in config:
        return {"key": entry.key, "task": config["task"], "driver": config["driver"], "hash": entry.hash}
    algorithm, variant = config["algorithm"], config.get("variant")
    named = {"algorithm": algorithm, "variant": variant or "", "label": label_of(algorithm, variant)}
    return {"key": entry.key, "task": config["task"], **named, "hash": entry.hash}
