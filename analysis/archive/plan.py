"""What can be drawn of a preset from an archive, and what is missing for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from algorithms import drivers, studies
from algorithms.drivers import DriverConfig
from algorithms.settings import RunConfig
from analysis import products
from analysis.archive.manifest import ArchiveError, Entry, Episodes, Manifest
from analysis.archive.match import Archived, Contents, Match, Unused, contents, match, other_settings_of_driver
from analysis.products import Product
from envs.names import TASKS
from envs.strict import digest

#: Drawn of episodes alone.
EPISODES_ALONE = "figure_06"


class Plan(NamedTuple):
    """What an archive has for a preset.

    Attributes:
        preset: a merged preset.
        manifest: what the archive says that it has.
        contents: the same by what it is asked for.
        cells: by study, what there is for each of its cells, in the preset's order.
        drivers: data of the preset's scripted drivers, by task and driver.
        unused: archived drivers with other settings.
    """

    preset: Mapping[str, Any]
    manifest: Manifest
    contents: Contents
    cells: dict[str, list[Match]]
    drivers: dict[tuple[str, str], tuple[Entry, DriverConfig]]
    unused: list[Unused]

    def match(self, planned: RunConfig) -> Match:
        """The data of any cell, also of one that no selected study has."""
        return match(planned, self.contents.runs.get((planned.task, planned.label), []))


def make(preset: Mapping[str, Any], manifest: Manifest) -> Plan:
    """Find the data of every cell and driver that a preset selects.

    Raises:
        ArchiveError: there is nothing at all.
    """
    found = contents(manifest)
    plan = Plan(preset, manifest, found, {}, {}, [])
    for study in preset["studies"]:
        plan.cells[study] = [plan.match(run) for run in products.first_trainings(preset, [study]).values()]
    for job in drivers.planned(preset):
        if archived := found.drivers.get((job.task, job.driver)):
            if why := other_settings_of_driver(archived[1], job):
                plan.unused.append(Unused(archived[0].key, f"made with other settings: {why}"))
            else:
                plan.drivers[job.task, job.driver] = archived
    if not any(cell.used for cells in plan.cells.values() for cell in cells):
        raise ArchiveError(_nothing(manifest, plan))
    return plan


def _nothing(manifest: Manifest, plan: Plan) -> str:
    """Why nothing can be drawn."""
    if not manifest.runs:
        return "the archive holds no runs; `python -m analysis.archive add RUN_FOLDER` adds some"
    unused = [each for cells in plan.cells.values() for cell in cells for each in cell.unused]
    why = "".join(f"; {key}: {reason}" for key, reason in (unused + plan.contents.unreadable)[:1])
    return f"none of the {len(manifest.runs)} archived runs is of a selected cell{why}"


def narrowed(plan: Plan) -> dict[str, Any]:
    """The preset with those studies and cells alone that there are data for."""
    groups = {study: [_group(cell.planned) for cell in cells if cell.used] for study, cells in plan.cells.items()}
    groups = {study: some for study, some in groups.items() if some}
    return {**plan.preset, "studies": list(groups), "study": {**plan.preset["study"], **groups}}


def _group(run: RunConfig) -> dict[str, list[str]]:
    group = {"tasks": [run.task], "algorithms": [run.algorithm]}
    return group | ({"variants": [run.variant]} if run.variant else {})


def due(plan: Plan, kinds: Mapping[str, Product]) -> list[str]:
    """Those figures or tables that there are data for."""
    names = products.due(narrowed(plan), kinds)
    return [name for name in names if name != EPISODES_ALONE or shown_episodes(plan, name)]


def shown_episodes(plan: Plan, figure: str) -> list[Episodes]:
    """The archived episodes that a figure shows.

    Those of a task are of one seed and, of traffic, of one training step, so that they begin alike.
    """
    lengths = {
        archived.entry.identity: archived.run.run.steps
        for cells in plan.cells.values()
        for cell in cells
        for archived in cell.used
    }
    lengths |= {entry.identity: job.step for entry, job in plan.drivers.values()}
    there = {file.path: file for file in plan.manifest.episodes if (file.key, file.hash) in lengths}
    begins: dict[str, tuple[int, int]] = {}
    found = []
    for path in products.episode_files(narrowed(plan), figure):
        if file := there.get(path):
            task = file.key.partition("/")[0]
            begin = file.seed, lengths[file.key, file.hash] if TASKS[task].is_traffic else 0
            if begins.setdefault(task, begin) == begin:
                found.append(file)
    return found


def fingerprint(plan: Plan) -> str:
    """Digest of which data are used for what; with another one the tables are made again."""
    cells = [
        [study, cell.planned.hash, *(archived.entry.identity for archived in cell.used)]
        for study, cells in plan.cells.items()
        for cell in cells
        if cell.used
    ]
    return digest([cells, [entry.identity for entry, _ in plan.drivers.values()]])


def source(plan: Plan, archived: Archived) -> RunConfig | None:
    """Planned settings of the run whose worker an archived one has taken over, if they are known.

    A delta that it took from other runs is left open, as the preset leaves it; one that was chosen is not.
    """
    planned = studies.source(plan.preset, archived.run)
    recorded = archived.entry.description.get("source") or {}
    if planned is None:
        return None
    for other in plan.contents.runs.get((planned.task, planned.label), []):
        if other.entry.hash == recorded.get("hash") and other.run.seeds == recorded.get("seeds"):
            if other.run.cher is None or not other.took_delta(planned):
                return other.run
            return other.run.model_copy(update={"cher": other.run.cher.model_copy(update={"delta": None})})
    return None
