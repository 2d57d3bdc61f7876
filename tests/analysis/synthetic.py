"""Synthetic run folders: made-up curves in the files of a real training, for tests of what reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from algorithms import transfer
from algorithms.config import load_preset, merge
from algorithms.drivers import DriverConfig, planned
from algorithms.registry import ALGORITHMS
from algorithms.settings import RunConfig
from algorithms.studies import cells, reference, source, trainings, worker_returns
from analysis import extents
from analysis.collect import Folders, Origins
from analysis.statistics import driver_statistics
from analysis.study_tables import DRIVER_HEAD
from envs.tasks import describe

LENGTH = {"steps": 1_200, "warmup_steps": 500, "log_every": 200, "evaluate_every": 600}
SMALL = {
    "studies": ["main"],
    "tasks": ["ring_road", "ant_gather"],
    "algorithms": ["td3", "hrl"],
    "drivers": ["human", "random"],
    "seeds": [0, 1],
    "run": {"default": LENGTH, "tasks": {"ring_road": LENGTH, "ant_gather": LENGTH}},
    "learner": {"default": {"hidden": [32, 32]}},
}

#: What a training writes down of itself besides its settings.
MADE_UP = {
    "git_commit": "0123456789abcdef",
    "finished": "2026-01-02T03:04:05Z",
    "wall_time": 12.5,
    "resumed": 1,
    "device": "cpu",
    "hardware": {"processor": "Abacus", "cores": 2, "accelerator": None, "system": "Linux"},
    "versions": {"python": "3.11.7", "torch": "2.13.0"},
}

#: Statistics of drivers where there are none.
NO_DRIVERS = driver_statistics(pd.DataFrame(columns=DRIVER_HEAD), extents.table("main", [], []))


def small_preset(**changes: Any) -> dict[str, Any]:
    """The smoke preset with some values fixed and others changed."""
    return merge(merge(load_preset("smoke"), SMALL), changes)


def curves(run: RunConfig) -> pd.DataFrame:
    """Rising returns with seeded noise; the first log point has no value yet."""
    tables = []
    for seed in run.seeds:
        random = np.random.default_rng([seed, *run.label.encode(), *run.task.encode()])
        steps = np.arange(run.run.log_every, run.run.steps + 1, run.run.log_every)
        returns = -600 + 500 * steps / run.run.steps + random.normal(0, 10, len(steps)).cumsum()
        returns[0] = np.nan
        table = pd.DataFrame({"seed": seed, "step": steps, "episodes": steps // 100, "return_mean100": returns})
        if run.task == "ring_road":
            table["return_fraction_mean100"] = 1 + returns / 1_000
        table["critic_q"] = returns / 100
        tables.append(table)
    return pd.concat(tables)


def evaluations(run: RunConfig) -> pd.DataFrame:
    """What :func:`evaluated` makes up, at every evaluation of a run."""
    return evaluated(run, evaluation_steps(run))


def evaluation_steps(run: RunConfig) -> list[int]:
    """The steps at which a run is evaluated."""
    every, last = run.run.evaluate_every, run.run.steps
    return sorted({*range(every, last + 1, every), last})


def evaluated(run: RunConfig | DriverConfig, steps: Sequence[int]) -> pd.DataFrame:
    """One row per seed, evaluation step and evaluation point; returns differ in all three."""
    points = describe(run.task, run.environment)[0].evaluation_points
    rows = [(seed, step, point.name) for seed in run.seeds for step in steps for point in points]
    table = pd.DataFrame(rows, columns=["seed", "step", "target"])
    returns = 100 * table["seed"] - table["step"] / 10 + table.groupby(["seed", "step"]).cumcount()
    table = table.assign(episodes=1, **{"return": returns}, episode_length=500)
    return table.assign(return_fraction=1 + returns / 1_000) if run.task == "ring_road" else table


def numbered(name: str, count: int, values: Any) -> dict[str, Any]:
    """Columns ``name_0``, ``name_1``, ... of one value."""
    return {f"{name}_{index}": values for index in range(count)}


def probes(run: RunConfig) -> pd.DataFrame:
    """Ten probes of each seed at every evaluation; the worker comes nearer to its goals in time."""
    dimensions, last = len(describe(run.task, run.environment)[0].goal_indices), run.run.steps
    rows = [
        {"seed": seed, "step": step, "probe": probe, "reset_seed": 1_000 * seed + probe}
        | numbered("goal", dimensions, probe / 10)
        | {"error_start": 2.0 + probe / 10, "error_end": (2.0 + probe / 10) * (1.2 - step / last)}
        for seed in run.seeds
        for step in evaluation_steps(run)
        for probe in range(10)
    ]
    return pd.DataFrame(rows)


def proposals(run: RunConfig) -> pd.DataFrame:
    """Two goals of each seed between two log points; the state's entries first, goals beside them."""
    dimensions = len(describe(run.task, run.environment)[0].goal_indices)
    steps = range(0, run.run.steps, run.run.log_every // 2)
    rows = [
        {"seed": seed, "step": step}
        | numbered("state", dimensions, seed + step / run.run.steps)
        | numbered("goal", dimensions, 1.0 - step / run.run.steps)
        for seed in run.seeds
        for step in steps
    ]
    return pd.DataFrame(rows)


def timing(run: RunConfig) -> pd.DataFrame:
    """A steady 400 steps per second at every log point, never interrupted."""
    tables = []
    for seed in run.seeds:
        steps = np.arange(run.run.log_every, run.run.steps + 1, run.run.log_every)
        wall = steps / 400
        table = pd.DataFrame({"seed": seed, "step": steps, "wall_time": wall, "steps_per_second": 400.0})
        restarts = {"restarts": 0, "simulator_restarts": 0, "cpu_time": 1.1 * wall, "memory_mb": 300.0}
        parts = {"simulator_seconds": wall / 2, "learner_seconds": wall / 4, "evaluation_seconds": wall / 8}
        tables.append(table.assign(**restarts, **parts))
    return pd.concat(tables)


def write_run(
    run: RunConfig, runs: Path, taken: dict[str, Any] | None = None, measured: dict[str, Any] | None = None
) -> Path:
    """Write one run folder below ``runs``.

    Args:
        run: its configuration.
        runs: where it goes.
        taken: whose worker it takes over.
        measured: content of the worker return file that its delta is from.
    """
    folder = runs / run.key
    folder.mkdir(parents=True)
    files = {"progress": curves(run), "evaluations": evaluations(run), "timing": timing(run)}
    nothing = pd.DataFrame(columns=["seed", "step"])
    has_manager = ALGORITHMS[run.algorithm].is_hierarchy
    files |= {"probes": probes(run), "proposals": proposals(run)} if has_manager else {}
    for name in ("progress", "evaluations", "probes", "proposals", "timing"):
        files.get(name, nothing).to_csv(folder / f"{name}.csv", index=False)
    description = {"config": run.record, "hash": run.hash, "seeds": run.seeds, "steps": run.run.steps}
    (folder / "run.json").write_text(
        json.dumps(description | MADE_UP | {"source": taken, "worker_return": measured})
    )
    mark = torch.tensor(list(run.key.encode()))  # each run has a policy of its own
    torch.save({"networks": {"worker.made_up": mark}}, folder / "policy.pt")
    return folder


def write_runs(preset: Mapping[str, Any], runs: Path) -> None:
    """Write every run folder that a preset asks for; no run may depend on others."""
    for run in cells(preset):
        write_run(run, runs)


def write_worker_return(folder: Path, task: str, value: float = -600.0, label: str = "hrl") -> None:
    """Write the worker return file of a task's HRL runs."""
    path = folder / task / f"{label}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"task": task, "label": label, "worker_return": value}))


def write_study(preset: Mapping[str, Any], study: str, results: Path, worker_return: float = -600.0) -> None:
    """Write everything that a study is collected from, whatever its runs depend on, but for scripted drivers."""
    folders, every = Folders.below(results), trainings(preset, study)
    for task, label in worker_returns(preset, every):
        write_worker_return(folders.worker_returns, task, worker_return, label)
    origins = Origins(preset, study, folders)
    for run in sorted(every, key=lambda run: run.transfer is not None):
        taken = described_source(preset, run, folders.runs)
        write_run(origins.complete(run), folders.runs, taken, described_return(preset, run, folders))


def described_source(preset: Mapping[str, Any], run: RunConfig, runs: Path) -> dict[str, Any] | None:
    """What a run records of the run whose worker it takes over."""
    planned_source = source(preset, run)
    return transfer.complete(run, runs / planned_source.key, planned_source)[1] if planned_source else None


def described_return(preset: Mapping[str, Any], run: RunConfig, folders: Folders) -> dict[str, Any] | None:
    """What a run records of where its delta is from."""
    if not run.needs_worker_return:
        return None
    label = reference(preset, run)[0].label
    return dict(json.loads((folders.worker_returns / run.task / f"{label}.json").read_text()))


def write_drivers(preset: Mapping[str, Any], drivers: Path) -> None:
    """Write every driver's folder that a preset asks for; each driver's returns are 1,000 above the one before."""
    for number, job in enumerate(planned(preset)):
        folder = drivers / job.key
        folder.mkdir(parents=True)
        rows = evaluated(job, [job.step])
        rows["return"] += 1_000 * number
        rows.to_csv(folder / "evaluations.csv", index=False)
        (folder / "run.json").write_text(json.dumps({"config": job.record, "hash": job.hash}))


def with_mazes(training: pd.DataFrame, evaluations: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables of statistics, with rates of success on two more tasks; Ant Maze has three targets."""
    rates = {"target_16_0": 0.2, "target_16_16": 0.4, "target_0_16": 0.9, "mean": 0.5}
    trained = training[(training["task"] == "ant_gather") & (training["metric"] == "return_mean100")]
    evaluated = evaluations[(evaluations["task"] == "ant_gather") & (evaluations["metric"] == "return")]
    evaluated = evaluated[evaluated["target"] == "default"].assign(metric="success", std=0.1)
    for task in ("ant_four_rooms", "ant_maze"):
        success = trained.assign(metric="success_mean100", mean=0.3, std=0.1)
        training = pd.concat([training, trained.assign(task=task), success.assign(task=task)])
        points = [evaluated.assign(task=task, target=target, mean=rate) for target, rate in rates.items()]
        evaluations = pd.concat([evaluations, *points])
    return training, evaluations
