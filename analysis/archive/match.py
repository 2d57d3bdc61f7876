"""Which archived runs are data of which cell of a preset.

A run belongs to a cell of its task and label if all settings are those of the preset, but for the section ``run``
(length, reports, evaluation episodes), what comes from other runs, and the seeds.  In what it falls short of the
paper's is then said as of any other run.  With other settings it would be another experiment under the name of the
cell: it is not shown, and named.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from algorithms.drivers import DriverConfig
from algorithms.nested import DELTA, POLICY
from algorithms.sections import DynamicLambdaSettings
from algorithms.settings import RunConfig
from analysis.archive.manifest import ArchiveError, Entry, Manifest, job_of, only, was_measured
from analysis.reduction import SEPARATOR
from envs.strict import digest

#: Settings of a run, and of a driver, that need not be those of the preset.
EXTENT = ("seeds", "run")
EXTENT_OF_DRIVER = ("seeds", "step", "episodes")
#: What is said of the training that a worker comes from.
SOURCE = "source.hash"


class Archived(NamedTuple):
    """A run of the archive, and its configuration."""

    entry: Entry
    run: RunConfig

    def took_delta(self, planned: RunConfig) -> bool:
        """Whether its delta comes from HRL runs, as the preset plans it; one that was chosen does not."""
        return planned.needs_worker_return and was_measured(self.entry)


class Unused(NamedTuple):
    """Something in the archive that is not shown, and why."""

    key: str
    why: str


class Match(NamedTuple):
    """What an archive has for a cell.

    Attributes:
        planned: a run of the cell, as the preset plans it.
        used: runs that go together, in the order of their seeds; none if there is no data.
        unused: other runs of this task and label, by their keys, and why they are not used.
    """

    planned: RunConfig
    used: list[Archived]
    unused: list[Unused]


class Contents(NamedTuple):
    """What an archive has, by what it is asked for.

    Attributes:
        runs: by task and label.
        drivers: by task and driver.
        unreadable: entries whose settings the code of today cannot read.
    """

    runs: dict[tuple[str, str], list[Archived]]
    drivers: dict[tuple[str, str], tuple[Entry, DriverConfig]]
    unreadable: list[Unused]


def contents(manifest: Manifest) -> Contents:
    """Sort what an archive has."""
    found = Contents({}, {}, [])
    for entry in (*manifest.runs, *manifest.drivers):
        try:
            job = job_of(entry)
        except ArchiveError as error:
            found.unreadable.append(Unused(entry.key, str(error).removeprefix(f"{entry.key}: ")))
            continue
        if isinstance(job, DriverConfig):
            found.drivers[job.task, job.driver] = entry, job
        else:
            found.runs.setdefault((job.task, job.label), []).append(Archived(entry, job))
    return found


def match(planned: RunConfig, candidates: Sequence[Archived]) -> Match:
    """Find the data of a cell: of runs that go together those with the most steps, then the most seeds.

    Args:
        planned: a run of the cell, as the preset plans it.
        candidates: archived runs of its task and label.
    """
    unused: list[Unused] = []
    groups: dict[str, list[Archived]] = {}
    for candidate in candidates:
        if why := other_settings(candidate, planned):
            unused.append(Unused(candidate.entry.key, f"made with other settings: {why}"))
        else:
            groups.setdefault(digest(together(candidate)), []).append(candidate)
    if not groups:
        return Match(planned, [], unused)
    ordered = sorted(groups.values(), key=_extent, reverse=True)
    used = sorted(ordered[0], key=lambda archived: min(archived.run.seeds))
    unused += [
        Unused(other.entry.key, _does_not_go_with(other, used[0])) for group in ordered[1:] for other in group
    ]
    return Match(planned, used, unused)


def other_settings(archived: Archived, planned: RunConfig) -> str:
    """Which settings of a run are not those of the preset, in words; empty if it belongs to the cell.

    A delta that was chosen makes another experiment of a run, even if the preset leaves delta to the HRL runs; one
    that was measured does not.
    """
    from_others = [DELTA] * archived.took_delta(planned)
    from_others += [POLICY] * (planned.transfer is not None and planned.transfer.policy is None)
    theirs, ours = (only(each.experiment, [*EXTENT, *from_others]) for each in (archived.run, planned))
    if planned.needs_worker_return and DELTA in theirs:
        ours[DELTA] = f"{planned.section(DynamicLambdaSettings).delta_share} of the worker return of HRL"
    return _differences(theirs, ours)


def other_settings_of_driver(job: DriverConfig, planned: DriverConfig) -> str:
    """The same of a scripted driver."""
    theirs, ours = (only(each.record, EXTENT_OF_DRIVER) for each in (job, planned))
    return _differences(theirs, ours)


def _differences(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    return SEPARATOR.join(
        f"{key} is {theirs.get(key)}, the preset asks for {ours.get(key)}"
        for key in ours | theirs
        if theirs.get(key) != ours.get(key)
    )


def together(archived: Archived) -> dict[str, Any]:
    """What runs of other seeds must share, so that statistics over them mean something.

    The policy of a worker is another one for each seed; the settings that it was trained with are not, and their
    hash is none of a seed.
    """
    shared = only(archived.run.experiment, [POLICY])
    if archived.run.transfer is None:
        return shared
    return shared | {SOURCE: (archived.entry.description.get("source") or {}).get("hash", "unknown")}


def _extent(group: Sequence[Archived]) -> tuple[int, int]:
    return group[0].run.run.steps, sum(len(archived.run.seeds) for archived in group)


def _does_not_go_with(other: Archived, used: Archived) -> str:
    """Why a run is not shown beside another one of its cell."""
    theirs, ours = (together(each) for each in (other, used))
    key = next(key for key in ours | theirs if theirs.get(key) != ours.get(key))
    values = f"{key} is {theirs.get(key)}, not {ours.get(key)}"
    return f"does not go together with {used.entry.key}, which is shown: {values}"
