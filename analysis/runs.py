"""Reading finished run folders, strictly: nothing is repaired here.

A run that is missing, that was made with other settings, or whose rows are not exactly those that are asked for is
refused, with one line that says which and why.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from algorithms import transfer
from algorithms.drivers import DriverConfig
from algorithms.nested import FROM_OTHERS, NOT_DECISIVE, first_difference
from algorithms.settings import RunConfig
from algorithms.studies import source
from envs.tasks import describe

Job = RunConfig | DriverConfig


class CollectError(ValueError):
    """A run folder that is not what the preset asks for.  The message is one line."""


class StaleRun(CollectError):
    """A run that was trained with what a run that it depends on had to say then, and says otherwise now.

    Attributes:
        reason: what differs.
        folder: where it is.
    """

    def __init__(self, reason: str, folder: Path, others: Sequence[Path] = ()) -> None:
        folders = ", ".join(map(str, (folder, *others)))
        super().__init__(f"{reason}; a run that it depends on has changed since: move away {folders}, then go on")
        self.reason, self.folder = reason, folder


class RunTables(NamedTuple):
    """The tables of one run folder, as its csv files of the same names have them."""

    progress: pd.DataFrame
    evaluations: pd.DataFrame


class Extras(NamedTuple):
    """What else a run folder holds; without a manager there are no rows of the first two."""

    probes: pd.DataFrame
    proposals: pd.DataFrame
    timing: pd.DataFrame


def with_source(preset: Mapping[str, Any], run: RunConfig, runs: Path) -> RunConfig:
    """A run with the policy that its worker was taken over from, if it was.

    Raises:
        ConfigError: the run that holds it is missing, or is another one.
    """
    taken = source(preset, run)
    return transfer.complete(run, runs / taken.key, taken)[0] if taken else run


def read_run(run: RunConfig, runs: Path, *, depends_on_others: bool = False) -> RunTables:
    """Read and check one run folder, see :func:`check_description`.

    Raises:
        CollectError: see :mod:`analysis.runs`.
    """
    check_description(run, runs / run.key, depends_on_others=depends_on_others)
    return read_curves(run, runs / run.key)


def read_curves(run: RunConfig, folder: Path) -> RunTables:
    """Read and check progress and evaluations: one row per seed and grid point, and evaluation point.

    Raises:
        CollectError: see :mod:`analysis.runs`.
    """
    progress = _read(run, folder / "progress.csv", ["seed", "step"])
    check_grid(run, "progress.csv", progress, grid(run.run.steps, run.run.log_every))
    evaluations = read_evaluations(run, folder, grid(run.run.steps, run.run.evaluate_every))
    return RunTables(progress, evaluations)


def read_extras(run: RunConfig, runs: Path) -> Extras:
    """Read what else a run folder holds; it has been checked by :func:`read_run`.

    Raises:
        CollectError: a file is missing or damaged, or has rows of seeds that are not the run's.
    """
    return read_others(run, runs / run.key)


def read_others(run: RunConfig, folder: Path) -> Extras:
    """The same of a folder by any name."""
    tables = []
    for name in Extras._fields:
        rows = _read(run, folder / f"{name}.csv", ["seed", "step"])
        if foreign := sorted({*rows["seed"]} - {*run.seeds}):
            raise CollectError(f"{run.key}: {name}.csv: seed {foreign[0]} does not belong to this run")
        tables.append(rows)
    return Extras(*tables)


def read_evaluations(run: Job, folder: Path, points: Sequence[int]) -> pd.DataFrame:
    """Read and check ``evaluations.csv``: one row per seed, evaluation point and grid point.

    Raises:
        CollectError: see :mod:`analysis.runs`.
    """
    evaluations = _read(run, folder / "evaluations.csv", ["seed", "step", "target"])
    check_targets(run, evaluations)
    for target, rows in evaluations.groupby("target", sort=False):
        check_grid(run, f"evaluations.csv, target {target!s}", rows, points)
    return evaluations


def check_description(run: Job, folder: Path, *, depends_on_others: bool = False) -> None:
    """Refuse a run whose ``run.json`` is missing or records other settings than the preset's.

    Args:
        run: with nothing left open.
        folder: its run folder.
        depends_on_others: whether the preset leaves some of its settings to other runs.

    Raises:
        CollectError: naming the run and the first setting that differs; a :class:`StaleRun` if other runs set it.
    """
    description = read_description(run, folder)
    if description.get("hash") == run.hash:
        return
    ignored = NOT_DECISIVE if isinstance(run, RunConfig) else ()
    settings = (description.get("config", {}), run.model_dump(mode="json"))
    key, recorded, wanted = first_difference(*settings, ignored)
    if not key:
        key, recorded, wanted = "hash", description.get("hash"), run.hash
    reason = f"{run.key}: made with other settings: {key} is {recorded}, the preset asks for {wanted}"
    if key in FROM_OTHERS and recorded is not None and depends_on_others:
        raise StaleRun(reason, folder)
    raise CollectError(reason)


def read_description(run: Job, folder: Path) -> dict[str, Any]:
    """The content of a run folder's ``run.json``.

    Raises:
        CollectError: there is none, or it is damaged.
    """
    try:
        description: Any = json.loads((folder / "run.json").read_text())
    except FileNotFoundError:
        raise CollectError(f"{run.key}: there is no finished run in {folder}") from None
    except json.JSONDecodeError as error:
        raise CollectError(f"{run.key}: run.json is damaged: {error}") from None
    if not isinstance(description, dict):
        raise CollectError(f"{run.key}: run.json is damaged: it is no object of keys and values")
    return description


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
