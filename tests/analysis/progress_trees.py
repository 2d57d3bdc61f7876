"""Results folders of a small preset in all states, made up without a training."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from synthetic import small_preset, write_run, write_study

from algorithms import status
from algorithms.settings import RunConfig
from algorithms.status import Status
from algorithms.studies import Cell, in_groups
from analysis.progress.overview import Overview, look
from analysis.progress.plan import planned
from analysis.progress.training import State, Training

DELTA = -600.0  # of write_study: J_HRL


def tree_preset(**changes: Any) -> dict[str, Any]:
    """HRL and CHER on Ant Gather, two seeds."""
    return small_preset(**{"tasks": ["ant_gather"], "algorithms": ["hrl", "cher"], **changes})


def transfer_preset() -> dict[str, Any]:
    """A worker of Ant Gather that is taken over on Ant Maze, one seed."""
    cell = {"tasks": ["ant_maze"], "algorithms": ["hrl"], "variants": ["worker_hrl"]}
    selected = {"tasks": ["ant_gather", "ant_maze"], "algorithms": ["hrl"], "studies": ["transfer"], "seeds": [0]}
    return tree_preset(**selected, study={"transfer": [cell]})


def runs_of(preset: dict[str, Any], task: str, label: str) -> list[RunConfig]:
    """The planned trainings of a cell."""
    algorithm, _, variant = label.partition("-")
    return in_groups(preset, Cell(task, algorithm, variant or None))


def finish(preset: dict[str, Any], results: Path) -> None:
    """Write everything that the preset's first study is made from."""
    write_study(preset, preset["studies"][0], results, DELTA)


def finish_run(run: RunConfig, results: Path, **description: Any) -> Path:
    """Write one run folder; ``description`` is added to its ``run.json``."""
    folder = write_run(run, results / "runs")
    describe(folder, **description)
    return folder


def describe(folder: Path, **description: Any) -> None:
    """Add to the ``run.json`` of a run folder."""
    content = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(content | description))


def report(results: Path, run: RunConfig, *, identity: str | None = None, ago: float = 0.0, **values: Any) -> Path:
    """Write the status of a training; by default, one of this very process, and so of one that runs."""
    folder = results / "checkpoints" / run.key / (identity or run.hash)
    folder.mkdir(parents=True, exist_ok=True)
    process = psutil.Process()
    said = {
        "state": "running",
        "step": 600,
        "saved": 400,
        "steps": run.run.steps,
        "wall_time": 60.0,
        "cpu_time": 90.0,
        "steps_per_second": 10.0,
        "host": status.this_host(),
        "processes": status.this_numbering(),
        "pid": os.getpid(),
        "process_began": process.create_time(),
        "time": datetime.now(UTC) - timedelta(seconds=ago),
    }
    path = folder / status.NAME
    path.write_text(Status.model_validate(said | values).model_dump_json())
    return path


def overview_of(preset: dict[str, Any], results: Path) -> Overview:
    """What is seen of a preset in a folder."""
    return look(preset, results, planned(preset))


def seen(preset: dict[str, Any], results: Path) -> dict[str, Training]:
    """What is seen, by key."""
    return {training.run.key: training for training in overview_of(preset, results).trainings}


def state_of(preset: dict[str, Any], results: Path, run: RunConfig) -> tuple[State, str]:
    """What is seen of one training."""
    training = seen(preset, results)[run.key]
    return training.state, training.why
