"""The worker return J_HRL of a task's HRL runs, of which delta is a share.

    python -m analysis.worker_return --preset quick --task ant_gather --out ant_gather.json

J_HRL is what the worker's critic says about the goals that the manager would set now, averaged over the last part
of each seed's training and then over seeds.  It has the scale of an infinite horizon, as has the value that drives
lambda.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from algorithms.config import ConfigError, add_preset_arguments, load_preset, require
from algorithms.delta import is_return
from algorithms.records import in_one_move, write_json
from algorithms.settings import RunConfig
from algorithms.studies import Cell, in_groups, preset_from, source
from analysis.reduction import compare
from analysis.runs import CollectError, read_run, with_source
from analysis.statistics import FINAL_FRACTION, final_values
from envs.names import TASKS

#: Column of ``progress.csv``.
QUANTITY = "worker_q_current"


class WorkerReturnError(ValueError):
    """Runs that say nothing about a worker's return.  The message is one line."""


def describe(preset: Mapping[str, Any], task: str, runs: Path, variant: str | None = None) -> dict[str, Any]:
    """The content of a task's worker return file.

    Args:
        preset: a merged preset; all its seeds count.
        task: name of the task.
        runs: the folder that holds the run folders.
        variant: that of the HRL runs, if any.

    Raises:
        CollectError: an HRL run is missing, or is not what the preset asks for.
        ConfigError: its worker was taken over from a run that is missing.
        WorkerReturnError: J_HRL is not a finite negative number.
    """
    planned = in_groups(preset, Cell(task, "hrl", variant))
    used = [with_source(preset, run, runs) for run in planned]
    returns = seed_returns(used, runs)
    mean = sum(returns.values()) / len(returns)
    if not is_return(mean):
        message = f"the worker return of the hrl runs is {mean}; it must be finite and negative"
        raise WorkerReturnError(f"{task}: {message}")
    return {
        "task": task,
        "label": used[0].label,
        "quantity": QUANTITY,
        "window": FINAL_FRACTION,
        "worker_return": mean,
        "by_seed": {str(seed): value for seed, value in returns.items()},
        "runs": [{"key": run.key, "hash": run.hash, "steps": run.run.steps, "seeds": run.seeds} for run in used],
        "reduced": reduction(preset, planned[0]),
    }


def reduction(preset: Mapping[str, Any], run: RunConfig) -> str:
    """How planned HRL runs fall short of the paper's."""
    return compare(run, run.run.steps, len(preset["seeds"]), load_preset("paper"), source(preset, run)).why


def seed_returns(used: Sequence[RunConfig], runs: Path) -> dict[int, float]:
    """Each seed's mean over the last part of its log points.

    Raises:
        CollectError: a run is missing, is not what the preset asks for, or lacks the column.
    """
    tables = []
    for run in used:
        progress = read_run(run, runs, depends_on_others=run.transfer is not None).progress
        if QUANTITY not in progress:
            raise CollectError(f"{run.key}: progress.csv is damaged: there is no column {QUANTITY}")
        tables.append(progress)
    return by_seed(tables)


def by_seed(tables: Sequence[pd.DataFrame]) -> dict[int, float]:
    """The same of rows of ``progress.csv`` that have the column."""
    curves = pd.concat(tables).pivot(index="seed", columns="step", values=QUANTITY)
    return dict(zip(curves.index.tolist(), final_values(curves.to_numpy()).tolist(), strict=True))


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write the file in one move."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with in_one_move(path) as partial:
        write_json(partial, content)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="The worker return of a task's HRL runs.")
    add_preset_arguments(parser)
    parser.add_argument("--task", required=True)
    parser.add_argument("--variant", help="that of the HRL runs, such as transfer (default: none)")
    parser.add_argument("--runs", type=Path, help="folder of the run folders (default: <results>/runs)")
    parser.add_argument("--out", type=Path, required=True, help="the file (json)")
    options = parser.parse_args(arguments)
    try:
        preset = preset_from(options)
        require(options.task, tuple(TASKS), "task")
        if options.variant:
            require(options.variant, tuple(preset["variants"]), "variant")
        content = describe(preset, options.task, options.runs or Path(preset["results"]) / "runs", options.variant)
    except (ConfigError, CollectError, WorkerReturnError) as error:
        sys.exit(f"worker_return: {error}")
    try:
        write(options.out, content)
    except OSError as error:
        sys.exit(f"worker_return: {options.out} cannot be written: {error.strerror}")


if __name__ == "__main__":
    main()
