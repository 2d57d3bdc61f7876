"""Synthetic run folders: made-up curves in the files of a real training, for tests of what reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from algorithms.config import cells, load_preset, merge
from algorithms.drivers import DriverConfig, planned
from algorithms.settings import RunConfig
from analysis.collect import DRIVER_HEAD
from analysis.statistics import driver_statistics
from envs.tasks import describe

LENGTH = {"steps": 1_200, "warmup_steps": 500, "log_every": 200, "evaluate_every": 600}
SMALL = {
    "tasks": ["ring_road", "ant_gather"],
    "algorithms": ["td3", "hrl"],
    "drivers": ["human", "random"],
    "seeds": [0, 1],
    "run": {"default": LENGTH, "tasks": {"ring_road": LENGTH, "ant_gather": LENGTH}},
    "learner": {"default": {"hidden": [32, 32]}},
}

#: Statistics of drivers where there are none.
NO_DRIVERS = driver_statistics(pd.DataFrame(columns=DRIVER_HEAD), load_preset("smoke"))


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
    every, last = run.run.evaluate_every, run.run.steps
    return evaluated(run, sorted({*range(every, last + 1, every), last}))


def evaluated(run: RunConfig | DriverConfig, steps: Sequence[int]) -> pd.DataFrame:
    """One row per seed, evaluation step and evaluation point; returns differ in all three."""
    points = describe(run.task, run.environment)[0].evaluation_points
    rows = [(seed, step, point.name) for seed in run.seeds for step in steps for point in points]
    table = pd.DataFrame(rows, columns=["seed", "step", "target"])
    returns = 100 * table["seed"] - table["step"] / 10 + table.groupby(["seed", "step"]).cumcount()
    table = table.assign(episodes=1, **{"return": returns}, episode_length=500)
    return table.assign(return_fraction=1 + returns / 1_000) if run.task == "ring_road" else table


def write_run(run: RunConfig, runs: Path) -> Path:
    """Write one run folder below ``runs``."""
    folder = runs / run.key
    folder.mkdir(parents=True)
    curves(run).to_csv(folder / "progress.csv", index=False)
    evaluations(run).to_csv(folder / "evaluations.csv", index=False)
    description = {"config": run.experiment, "hash": run.hash, "seeds": run.seeds, "steps": run.run.steps}
    (folder / "run.json").write_text(json.dumps(description))
    (folder / "timing.csv").write_text("seed,step,wall_time\n")
    (folder / "policy.pt").write_text("made up")
    return folder


def write_runs(preset: Mapping[str, Any], runs: Path) -> None:
    """Write every run folder that a preset asks for."""
    for run in cells(preset):
        write_run(run, runs)


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
