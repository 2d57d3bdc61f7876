"""Collect the results of a preset into tables of training progress, of evaluations, and of scripted drivers.

Nothing is repaired here: a run that is missing, that was made with other settings, or whose rows are not exactly
those the preset asks for is refused, with one line that says which and why.

    python -m analysis.collect --preset quick --out runs.parquet --evaluations evaluations.parquet \
        --drivers drivers.parquet
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from algorithms.config import ConfigError, add_preset_arguments, cells, preset_from
from algorithms.delta import complete
from algorithms.drivers import DriverConfig, planned
from algorithms.nested import NOT_DECISIVE, first_difference
from algorithms.settings import RunConfig
from envs.tasks import describe

#: Columns that say which run a row belongs to, and which driver.
HEAD = ["study", "task", "algorithm", "variant", "label"]
DRIVER_HEAD = ["task", "driver"]

Job = RunConfig | DriverConfig


class CollectError(ValueError):
    """A run folder that is not what the preset asks for.  The message is one line."""


class Tables(NamedTuple):
    """Rows of all runs: ``HEAD``, then the columns of ``progress.csv`` and of ``evaluations.csv``."""

    progress: pd.DataFrame
    evaluations: pd.DataFrame


def collect(preset: Mapping[str, Any], runs: Path, worker_returns: Path | None = None) -> Tables:
    """Read every run that a preset asks for, in the preset's order of studies, tasks and algorithms.

    Args:
        preset: a merged preset.
        runs: the folder that holds the run folders.
        worker_returns: the folder that holds the worker return of each task (default: the preset's).

    Raises:
        CollectError: a run is missing, differs from the preset, or has missing, repeated or surplus rows.
        ConfigError: a worker return that some run needs is missing or not allowed.
    """
    worker_returns = worker_returns or Path(preset["results"]) / "tables/worker_return"
    progress, evaluations = [], []
    for study in preset["studies"]:
        for run in cells({**preset, "studies": [study]}):
            if run.needs_worker_return:
                run, _ = complete(run, worker_returns / f"{run.task}.json")
            tables = read_run(run, runs)
            progress.append(_with_head(tables.progress, study, run))
            evaluations.append(_with_head(tables.evaluations, study, run))
    return Tables(pd.concat(progress, ignore_index=True), pd.concat(evaluations, ignore_index=True))


def collect_drivers(preset: Mapping[str, Any], folder: Path) -> pd.DataFrame:
    """Read the results of every driver that a preset asks for, in the preset's order of tasks and drivers.

    Args:
        preset: a merged preset.
        folder: the folder that holds those of the drivers.

    Returns:
        ``DRIVER_HEAD``, then the columns of ``evaluations.csv``; no rows if the preset asks for none.

    Raises:
        CollectError: a driver's results are missing, differ from the preset, or have missing or surplus rows.
    """
    tables = [pd.DataFrame(columns=[*DRIVER_HEAD, "seed", "step", "target"])]
    for job in planned(preset):
        check_description(job, folder / job.key)
        rows = read_evaluations(job, folder / job.key, [job.step])
        rows.insert(0, "task", job.task)
        rows.insert(1, "driver", job.driver)
        tables.append(rows)
    return pd.concat(tables[1:] or tables, ignore_index=True)


def read_run(run: RunConfig, runs: Path) -> Tables:
    """Read and check one run folder.

    Raises:
        CollectError: see :func:`collect`.
    """
    folder = runs / run.key
    check_description(run, folder)
    progress = _read(run, folder / "progress.csv", ["seed", "step"])
    check_grid(run, "progress.csv", progress, grid(run.run.steps, run.run.log_every))
    evaluations = read_evaluations(run, folder, grid(run.run.steps, run.run.evaluate_every))
    return Tables(progress, evaluations)


def read_evaluations(run: Job, folder: Path, points: Sequence[int]) -> pd.DataFrame:
    """Read and check ``evaluations.csv``: one row per seed, evaluation point and grid point.

    Raises:
        CollectError: see :func:`collect`.
    """
    evaluations = _read(run, folder / "evaluations.csv", ["seed", "step", "target"])
    check_targets(run, evaluations)
    for target, rows in evaluations.groupby("target", sort=False):
        check_grid(run, f"evaluations.csv, target {target!s}", rows, points)
    return evaluations


def check_description(run: Job, folder: Path) -> None:
    """Refuse a run whose ``run.json`` is missing or records other settings than the preset's.

    Raises:
        CollectError: naming the run and the first setting that differs.
    """
    try:
        description = json.loads((folder / "run.json").read_text())
    except FileNotFoundError:
        raise CollectError(f"{run.key}: there is no finished run in {folder}") from None
    except json.JSONDecodeError as error:
        raise CollectError(f"{run.key}: run.json is damaged: {error}") from None
    if description.get("hash") == run.hash:
        return
    ignored = NOT_DECISIVE if isinstance(run, RunConfig) else ()
    settings = (description.get("config", {}), run.model_dump(mode="json"))
    key, recorded, wanted = first_difference(*settings, ignored)
    if not key:
        key, recorded, wanted = "hash", description.get("hash"), run.hash
    raise CollectError(f"{run.key}: made with other settings: {key} is {recorded}, the preset asks for {wanted}")


def check_targets(run: Job, rows: pd.DataFrame) -> None:
    """Refuse evaluations that are not at the evaluation points of the task.

    Raises:
        CollectError: naming the run and the first point that is missing or too many.
    """
    if rows.empty:
        raise CollectError(f"{run.key}: evaluations.csv has no rows")
    points = evaluation_points(run.task, json.dumps(run.environment))
    found = list(rows["target"].unique())
    if absent := [name for name in points if name not in found]:
        raise CollectError(f"{run.key}: evaluations.csv: target {absent[0]} is missing")
    if surplus := [name for name in found if name not in points]:
        raise CollectError(f"{run.key}: evaluations.csv: target {surplus[0]} is not one of {', '.join(points)}")


@cache
def evaluation_points(task: str, options: str) -> list[str]:
    """Names of a task's evaluation points; its options as JSON."""
    return [point.name for point in describe(task, json.loads(options))[0].evaluation_points]


def grid(steps: int, every: int) -> list[int]:
    """The multiples of ``every`` up to ``steps``, and ``steps`` itself."""
    return sorted({*range(every, steps + 1, every), steps})


def check_grid(run: Job, name: str, rows: pd.DataFrame, points: Sequence[int]) -> None:
    """Refuse rows that are not one per seed and grid point.

    Raises:
        CollectError: naming the run, the file and the first seed or step that is wrong.
    """
    if repeated := rows.loc[rows.duplicated(["seed", "step"]), ["seed", "step"]].values.tolist():
        seed, step = repeated[0]
        raise CollectError(f"{run.key}: {name}: seed {seed} has step {step} more than once")
    seeds = set(rows["seed"])
    if absent := [seed for seed in run.seeds if seed not in seeds]:
        raise CollectError(f"{run.key}: {name}: seed {absent[0]} is missing")
    if surplus := sorted(seeds - set(run.seeds)):
        raise CollectError(f"{run.key}: {name}: seed {surplus[0]} does not belong to this run")
    for seed in run.seeds:
        steps = rows.loc[rows["seed"] == seed, "step"]
        if wrong := sorted(set(steps) ^ set(points)):
            state = "is missing from" if wrong[0] in points else "is not on"
            text = f"seed {seed}: step {wrong[0]:,} {state} the grid of {len(points)} points"
            raise CollectError(f"{run.key}: {name}: {text}")


def _read(run: Job, path: Path, keys: Sequence[str]) -> pd.DataFrame:
    """A table with integer ``seed`` and ``step``, text ``target`` and numbers everywhere else."""
    try:
        rows = pd.read_csv(path, dtype={"target": str})
        rows[["seed", "step"]] = rows[["seed", "step"]].astype("int64")
        return rows.astype({column: "float64" for column in rows if column not in keys})
    except FileNotFoundError:
        raise CollectError(f"{run.key}: {path.name} is missing in {path.parent}") from None
    except (KeyError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise CollectError(f"{run.key}: {path.name} is damaged: {reason}") from None


def _with_head(rows: pd.DataFrame, study: str, run: RunConfig) -> pd.DataFrame:
    head = [study, run.task, run.algorithm, run.variant or "", run.label]
    return pd.concat([pd.DataFrame([head] * len(rows), columns=HEAD, index=rows.index), rows], axis=1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Collect the run folders of a preset.")
    add_preset_arguments(parser)
    parser.add_argument("--runs", type=Path, help="folder of the run folders (default: <results>/runs)")
    parser.add_argument("--driver-runs", type=Path, help="folder of the drivers (default: <results>/drivers)")
    parser.add_argument("--worker-returns", type=Path, help="default: <results>/tables/worker_return")
    parser.add_argument("--out", type=Path, required=True, help="table of training progress (parquet)")
    parser.add_argument("--evaluations", type=Path, required=True, help="table of evaluations (parquet)")
    parser.add_argument("--drivers", type=Path, required=True, help="table of scripted drivers (parquet)")
    options = parser.parse_args(arguments)
    try:
        preset = preset_from(options)
        results = Path(preset["results"])
        tables = collect(preset, options.runs or results / "runs", options.worker_returns)
        drivers = collect_drivers(preset, options.driver_runs or results / "drivers")
    except (ConfigError, CollectError) as error:
        sys.exit(f"collect: {error}")
    for table, path in (
        (tables.progress, options.out),
        (tables.evaluations, options.evaluations),
        (drivers, options.drivers),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(path, index=False)


if __name__ == "__main__":
    main()
