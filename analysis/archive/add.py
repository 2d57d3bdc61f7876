"""Adding to an archive: what is there already is left alone, and nothing is overwritten unasked.

An archive has each seed of a cell (task and label) once, and each driver of a task once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from algorithms.drivers import DriverConfig
from algorithms.nested import DELTA, FROM_OTHERS, NOT_DECISIVE, POLICY
from algorithms.settings import format_seeds
from analysis.archive import incoming, store
from analysis.archive.incoming import Incoming
from analysis.archive.manifest import ArchiveError, Entry, Job, Manifest, job_of, only, pruned, was_measured
from analysis.archive.rows import Identity

#: What makes a run or driver longer and no other experiment.
EXTENT = (*NOT_DECISIVE, "run", "step", "episodes")
#: Depends on the machine, so that the same run has other rows of it each time.
INCIDENTAL = "timing"


class Refusals(ArchiveError):
    """Several things that cannot be added, one line each."""


class Outcome(NamedTuple):
    """What became of an addition: lines to print, and the manifest."""

    lines: list[str]
    manifest: Manifest


def add(folder: Path, paths: Sequence[Path], by: str, *, replace: bool = False) -> Outcome:
    """Add runs and drivers to an archive, all of them or none.

    Args:
        folder: of the archive; made if it is not there.
        paths: of run folders, driver folders, or folders that hold such.
        by: who adds them.
        replace: let a longer run, or one with other settings, take the place of what is there.

    Raises:
        ArchiveError: the archive is damaged, or a run cannot be added; :class:`Refusals` names each.
    """
    found, refused = _read(incoming.folders_below(paths), by)
    with store.locked(folder):
        archive = store.read_or_begin(folder)
        manifest, lines, new = archive.manifest, list[str](), dict[Identity, store.Content]()
        given: set[Identity] = set()
        for each in found:
            before = manifest
            try:
                manifest, line = with_entry(before, each, given, replace=replace)
                lines.append(line)
            except ArchiveError as error:
                refused.append(str(error))
            given.add(each.entry.identity)
            if manifest is not before:
                # Of what is there already the rows stay, since the incidental ones may differ.
                new[each.entry.identity] = each.content
        if refused:
            raise Refusals("\n".join(refused))
        if new:
            manifest = pruned(manifest)
            store.change(archive, manifest, new)
    return Outcome(lines, manifest)


def _read(folders: Iterable[Path], by: str) -> tuple[list[Incoming], list[str]]:
    """What can be added, and why the rest cannot."""
    found, refused = [], []
    for path in folders:
        try:
            found.append(incoming.read(path, by))
        except ArchiveError as error:
            refused.append(str(error))
    return found, refused


def with_entry(
    manifest: Manifest, each: Incoming, given: Collection[Identity], *, replace: bool
) -> tuple[Manifest, str]:
    """A manifest with one more run or driver, and what to say about it; the same one if it is there already.

    Args:
        manifest: before.
        each: what is added.
        given: what was given before it in the same call; it must not be replaced.
        replace: see :func:`add`.

    Raises:
        ArchiveError: what is there must not be replaced.
    """
    entry, job = each.entry, job_of(each.entry)
    kind = "drivers" if isinstance(job, DriverConfig) else "runs"
    there = getattr(manifest, kind)
    rivals = [other for other in there if _compete(other, job)]
    if any(_is_same(other, entry) for other in rivals):
        return manifest, f"{entry.key}: archived already, nothing to do"
    for other in rivals:
        if other.identity in given:
            difference = describe_difference(other, entry)
            raise ArchiveError(f"{entry.key}: {other.key} is given as well, {difference}; add one of them")
        _check_replacement(other, entry, job, replace=replace)
    kept = [other for other in there if other not in rivals]
    episodes = [file for file in manifest.episodes if (file.key, file.hash) not in {o.identity for o in rivals}]
    update = {kind: [*kept, entry], "columns": manifest.columns | each.columns, "episodes": episodes}
    replaced = "; ".join(f"replaced {description(other)}" for other in rivals)
    return manifest.model_copy(update=update), f"{description(entry)}: {replaced or 'added'}"


def _compete(other: Entry, job: Job) -> bool:
    """Whether an entry holds a seed of the same cell, or the same driver."""
    config = other.description["config"]
    same = ("task", "driver") if isinstance(job, DriverConfig) else ("task", "algorithm", "variant")
    if any(config.get(name) != getattr(job, name) for name in same):
        return False
    return isinstance(job, DriverConfig) or bool({*config["seeds"]} & {*job.seeds})


def _is_same(other: Entry, entry: Entry) -> bool:
    """Whether both are the same run, with the same numbers."""
    sums = [{name: table.sha256 for name, table in each.tables.items()} for each in (other, entry)]
    for each in sums:
        each.pop(INCIDENTAL, None)
    return other.identity == entry.identity and sums[0] == sums[1]


def _check_replacement(other: Entry, entry: Entry, job: Job, *, replace: bool) -> None:
    """Raises an :class:`ArchiveError` unless an entry may take the place of another one."""
    seeds = other.description["config"]["seeds"]
    if other.hash == entry.hash:  # a group of seeds learns other numbers than each of them alone
        reason = "is archived with the same settings and other numbers"
        raise ArchiveError(f"{entry.key}: {other.key} {reason}; it stays as it is")
    if lost := sorted({*seeds} - {*job.seeds}):
        raise ArchiveError(
            f"{entry.key}: {other.key} is archived; seed {lost[0]} of it would be lost, add all of its seeds"
        )
    difference = describe_difference(other, entry)
    if not replace:
        raise ArchiveError(f"{entry.key}: {other.key} is archived, {difference}; --replace takes the new one")
    if _chosen(other) == _chosen(entry) and extent(entry) < extent(other):
        raise ArchiveError(f"{entry.key}: {other.key} is archived, {difference}; the new one is shorter")


def _chosen(entry: Entry) -> dict[str, Any]:
    """The settings that make an experiment another one, without its length and what comes from other runs."""
    measured = [DELTA] * was_measured(entry)
    return only(entry.description["config"], [*EXTENT, POLICY, *measured])


def describe_difference(other: Entry, entry: Entry) -> str:
    """The first setting in which an archived entry differs from a new one, in words."""
    theirs, ours = (only(each.description["config"], ["run.checkpoint_every"]) for each in (other, entry))
    different = [key for key in ours | theirs if ours.get(key) != theirs.get(key)]
    # Settings first, then the extent, and then what comes from other runs.
    different.sort(key=lambda key: 2 if key in FROM_OTHERS else key.split(".")[0] in EXTENT)
    key = next(iter(different), "hash")
    return f"where {key} is {theirs.get(key, other.hash)} instead of {ours.get(key, entry.hash)}"


def extent(entry: Entry) -> tuple[int, int]:
    """How long a training is, or how many episodes a driver drove; then the number of seeds."""
    config = entry.description["config"]
    return (config["episodes"] if "driver" in config else config["run"]["steps"]), len(config["seeds"])


def description(entry: Entry) -> str:
    """An entry in a few words."""
    config = entry.description["config"]
    size, _ = extent(entry)
    what = f"{size} episodes" if "driver" in config else f"{size:,} steps"
    return f"{entry.key} ({what}, seeds {format_seeds(config['seeds'])}, hash {entry.hash})"
