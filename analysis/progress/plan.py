"""The cells that are shown: those of the selected studies, each once, and those that they depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from algorithms import studies
from algorithms.settings import RunConfig


class PlannedCell(NamedTuple):
    """Every training of a task and label.

    Attributes:
        task: its task.
        label: its algorithm, with its variant if it has one.
        studies: the selected studies that have it, in the preset's order; none if others merely depend on it.
        runs: its trainings, one per group of seeds.
    """

    task: str
    label: str
    studies: tuple[str, ...]
    runs: list[RunConfig]


def planned(preset: Mapping[str, Any], tasks: Sequence[str] = ()) -> list[PlannedCell]:
    """All cells in the order of the studies, then what these depend on.

    Args:
        preset: a merged preset.
        tasks: cells of these alone (default: of all tasks).
    """
    found: dict[tuple[str, str], PlannedCell] = {}
    for study in preset["studies"]:
        for run in studies.cells(preset, study):
            _add(found, run, study)
    for run in studies.trainings(preset):
        _add(found, run, None)
    return [cell for cell in found.values() if not tasks or cell.task in tasks]


def _add(found: dict[tuple[str, str], PlannedCell], run: RunConfig, study: str | None) -> None:
    key = (run.task, run.label)
    cell = found.get(key) or PlannedCell(*key, (), [])
    if study and study not in cell.studies:
        cell = cell._replace(studies=(*cell.studies, study))
    if run.key not in [other.key for other in cell.runs]:
        cell.runs.append(run)
    found[key] = cell
