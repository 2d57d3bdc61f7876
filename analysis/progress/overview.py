"""All that is shown, as values: every cell with its trainings and its estimate, and totals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from analysis.progress import estimate
from analysis.progress.estimate import Estimate
from analysis.progress.folders import Folders
from analysis.progress.plan import PlannedCell
from analysis.progress.states import States
from analysis.progress.training import WRONG, State, Training, seeds


class Cell(NamedTuple):
    """A cell of the plan, with what has become of it."""

    task: str
    label: str
    studies: tuple[str, ...]
    trainings: list[Training]
    estimate: Estimate


class Overview(NamedTuple):
    """What has become of a preset at a moment.

    Attributes:
        preset: its name.
        results: its results folder.
        studies: names of the selected studies.
        time: when.
        cells: every cell, in the plan's order.
    """

    preset: str
    results: Path
    studies: tuple[str, ...]
    time: datetime
    cells: list[Cell]

    @property
    def trainings(self) -> list[Training]:
        """The trainings of all cells."""
        return [training for cell in self.cells for training in cell.trainings]

    @property
    def estimate(self) -> Estimate:
        """That of all cells together."""
        return estimate.total(cell.estimate for cell in self.cells)

    @property
    def is_wrong(self) -> bool:
        """Whether somebody has to do something."""
        return any(training.state in WRONG for training in self.trainings)


def look(preset: Mapping[str, Any], results: Path, plan: Sequence[PlannedCell]) -> Overview:
    """Look at the trainings of a plan.

    Args:
        preset: a merged preset.
        results: the folder that holds its results.
        plan: what to look at.
    """
    states, cells = States(preset, Folders(results)), []
    for planned in plan:
        found = [states.of(run) for run in planned.runs]
        cells.append(Cell(planned.task, planned.label, planned.studies, found, estimate.of_cell(found)))
    return Overview(preset["preset"], results, tuple(preset["studies"]), datetime.now(UTC), cells)


def record(overview: Overview) -> dict[str, Any]:
    """An overview in plain types."""
    end = overview.estimate.end(overview.time)
    return {
        "preset": overview.preset,
        "results": str(overview.results),
        "time": overview.time.isoformat(timespec="seconds"),
        "cells": [
            {**row, "trainings": [training_row(training) for training in cell.trainings]}
            for cell, row in zip(overview.cells, map(cell_row, overview.cells), strict=True)
        ],
        "totals": _numbers(overview.trainings, overview.estimate)
        | {"expected_end": end.isoformat(timespec="seconds") if end else None},
    }


def cell_row(cell: Cell) -> dict[str, Any]:
    """A cell in plain types; its states count seeds."""
    head = {"task": cell.task, "label": cell.label, "studies": list(cell.studies)}
    return head | _numbers(cell.trainings, cell.estimate)


def _numbers(trainings: Sequence[Training], of_them: Estimate) -> dict[str, Any]:
    hours = {
        "core_hours_spent": round(of_them.spent.cpu / 3600, 3),
        "core_hours_left": round(of_them.left.cpu / 3600, 3),
        "trainings_of_unknown_length": of_them.unknown,
    }
    return {"seeds": seeds(trainings)} | {state.value: seeds(trainings, state) for state in State} | hours


def training_row(training: Training) -> dict[str, Any]:
    """A training in plain types."""
    said, left = training.status, estimate.seconds_left(training)
    is_running = training.state is State.RUNNING
    return {
        "key": training.run.key,
        "state": training.state.value,
        "why": training.why,
        "step": training.step,
        "steps": training.run.run.steps,
        "steps_per_second": said.steps_per_second if said and is_running else None,
        "seconds_left": None if left is None else round(left),
        "host": said.host if said and is_running else None,
        "wall_time": training.usage.get("wall_time"),
        "cpu_time": training.usage.get("cpu_time"),
    }


def hosts(trainings: Iterable[Training]) -> dict[str, int]:
    """How many trainings run on each machine."""
    running = [
        training.status.host for training in trainings if training.status and training.state is State.RUNNING
    ]
    return {host: running.count(host) for host in sorted(set(running))}
