"""Made-up tables of studies at full length: one world in which every claim holds, and one in which none does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from algorithms.config import load_preset
from analysis.claims.results import Results, Study

STEPS, LOG_POINTS, SEEDS = 100_000, 40, 10
TASKS = ("highway", "ring_road", "ant_gather", "ant_four_rooms", "ant_maze")
LABELS = ("td3", "hrl", "hiro", "hac", "cher")
RATIOS = {"hrl": 0.0, "cher-ratio_25": 0.25, "cher-ratio_50": 0.5, "cher": 0.75}
RATIOS |= {"cher-delta_50": 0.917, "cher-delta_0": 1.0}
LAMBDAS = {"cher_fixed-lambda_0.001": 0.001, "cher_fixed-lambda_0.005": 0.005, "cher_fixed": 0.01}
LAMBDAS |= {"cher_fixed-lambda_0.05": 0.05, "cher_fixed-lambda_0.1": 0.1}
LAMBDAS |= {"cher_fixed-lambda_1": 1.0, "cher_fixed-lambda_10": 10.0}
WORKERS = {"cher-worker_cher": 0.6, "hiro-worker_hiro": 0.4, "hrl-worker_hrl": 0.3}
WORKERS |= {"hrl-worker_cher": 0.55, "hrl-worker_hiro": 0.35}
DELTAS = {"cher-ratio_25": -450.0, "cher-ratio_50": -300.0, "cher": -150.0, "cher-delta_50": -50.0}
DRIVERS = ("human", "follower_stopper")

#: Means of the scores of td3, hrl, hiro, hac and cher, and of human drivers, in either world.
SCORES = {
    True: {
        "highway": (7000, 7000, 7000, 7000, 9000),
        "ring_road": (1500, 1500, 1500, 1500, 2200),
        "ant_gather": (0.0, 2.0, 3.8, 1.0, 5.5),
        "ant_four_rooms": (0.02, 0.3, 0.35, 0.25, 0.5),
        "ant_maze": (0.1, 0.64, 0.72, 0.6, 0.66),
    },
    False: {
        "highway": (9000, 9000, 9000, 9000, 6000),
        "ring_road": (1500, 1500, 1500, 1500, 1200),
        "ant_gather": (2.5, 2.6, 2.2, 2.4, 1.0),
        "ant_four_rooms": (0.5, 0.5, 0.5, 0.5, 0.35),
        "ant_maze": (0.62, 0.66, 0.62, 0.62, 0.45),
    },
}
#: Means of other metrics of hrl and cher, in either world.
PAIRS: dict[str, dict[bool, tuple[float, float]]] = {
    "goal_distance": {True: (3.0, 1.0), False: (1.0, 3.0)},
    "goal_level": {True: (0.98, 0.4), False: (0.3, 0.6)},
    "goal_error": {True: (5.0, 0.3), False: (0.3, 5.0)},
    "speed_std": {True: (3.0, 0.3), False: (3.0, 4.0)},
    "gap_max": {True: (20.0, 12.0), False: (20.0, 60.0)},
    "gap_p95": {True: (15.0, 10.0), False: (15.0, 55.0)},
    "throughput": {True: (1650.0, 1650.0), False: (1650.0, 1650.0)},
    "departed": {True: (275.0, 275.0), False: (275.0, 275.0)},
    "path_length": {True: (40.0, 50.0), False: (40.0, 5.0)},
    "coverage": {True: (40.0, 50.0), False: (40.0, 5.0)},
    "overestimation": {True: (10.0, 1.0), False: (1.0, 10.0)},
    "episode_length_mean100": {True: (400.0, 480.0), False: (480.0, 400.0)},
    "drift": {True: (0.5, 0.1), False: (0.1, 0.5)},
    "entered": {True: (0.6, 0.6), False: (0.6, 0.2)},
    "wall_time": {True: (130.0, 100.0), False: (100.0, 130.0)},
}
#: By cell of Ant Gather, in the order of RATIOS.
BY_RATIO = {
    "return": {True: (2.0, 3.95, 5.1, 5.5, 5.2, 5.0), False: (2.6, 3.0, 2.2, 1.0, 1.3, 1.6)},
    "goal_distance": {True: (3.0, 2.5, 2.0, 1.0, 0.8, 0.5), False: (1.0, 1.5, 2.0, 3.0, 3.5, 4.0)},
    "path_length": {True: (40.0, 50.0, 50.0, 50.0, 5.0, 4.0), False: (40.0, 5.0, 5.0, 5.0, 50.0, 50.0)},
    "worker": {True: (-600, -450, -300, -150, -120, -100), False: (-1000, -900, -900, -900, -20, -20)},
    "growth": {True: (1e-7, 1e-7, 1e-7, 1e-7, 3e-5, 3e-5), False: (1e-7, 3e-5, 3e-5, 3e-5, 1e-7, 1e-7)},
}
#: By fixed lambda, in the order of LAMBDAS.
BY_LAMBDA = {
    "return": {True: (1.0, 2.0, 3.0, 5.5, 3.0, 1.0, 0.0), False: (2.0,) * 7},
    "path_length": {
        True: (60.0, 55.0, 50.0, 40.0, 30.0, 10.0, 2.0),
        False: (1.0, 2.0, 3.0, 10.0, 20.0, 40.0, 60.0),
    },
    "ring": {True: (1000, 1500, 2000, 2200), False: (2000, 2000, 2000, 2000)},
}
RING_BY_RATIO = {
    True: {"cher-ratio_50": 2150, "cher-ratio_75": 2180},
    False: {"cher-ratio_50": 1800, "cher-ratio_75": 800},
}
HUMAN = {True: {"speed_fraction": 0.79, "speed_std": 3.5}, False: {"speed_fraction": 0.95, "speed_std": 1.0}}


class World:
    """Makes tables; the spread over seeds is a share of each mean."""

    def __init__(self, holds: bool, seed: int = 0, spread: float = 0.01) -> None:
        self.holds, self.spread = holds, spread
        self.random = np.random.default_rng(seed)

    def draw(self, mean: float) -> np.ndarray:
        return mean + (self.spread * abs(mean) + 1e-4 * (mean == 0)) * self.random.normal(size=SEEDS)

    def pair(self, metric: str, label: str) -> float:
        hrl, cher = PAIRS[metric][self.holds]
        return cher if label.startswith("cher") else hrl

    def metric(self, metric: str, task: str, label: str) -> float:
        if task == "ant_gather" and metric in BY_RATIO and label in RATIOS:
            return float(BY_RATIO[metric][self.holds][list(RATIOS).index(label)])
        if task == "ant_gather" and metric == "coverage" and label in RATIOS:
            return self.metric("path_length", task, label)
        if task == "ant_gather" and metric in BY_LAMBDA and label in LAMBDAS:
            return float(BY_LAMBDA[metric][self.holds][list(LAMBDAS).index(label)])
        return self.pair(metric, label)

    def score(self, task: str, label: str) -> float:
        if label in WORKERS:
            return WORKERS[label] if self.holds else 0.9 - WORKERS[label]
        if task == "ant_gather" and label in {*RATIOS, *LAMBDAS} - {"hrl", "cher"}:
            return self.metric("return", task, label)
        if label in LAMBDAS:
            return float(BY_LAMBDA["ring"][self.holds][list(LAMBDAS).index(label)])
        if label in RING_BY_RATIO[self.holds]:
            return float(RING_BY_RATIO[self.holds][label])
        return float(SCORES[self.holds][task][LABELS.index(label)]) if task in SCORES[self.holds] else 0.5

    def study(self, cells: list[dict[str, Any]], *, driven: bool = False) -> Study:
        rows = pd.DataFrame(cells)
        for column in ("cooperation_ratio", "fixed_lambda", "delta"):
            rows[column] = rows[column].astype(float) if column in rows else np.nan
        parts: dict[str, list[pd.DataFrame]] = {
            name: [] for name in ("runs", "evaluations", "probes", "timing", "inventory", "final")
        }
        for cell in cells:
            for name, table in self.cell(cell["task"], cell["label"]):
                parts[name].append(table.assign(task=cell["task"], label=cell["label"]))
        tables = {name: pd.concat(part, ignore_index=True) for name, part in parts.items()}
        drivers = list(self.drivers()) if driven else [pd.DataFrame(columns=["task", "driver"])]
        names = pd.concat(drivers, ignore_index=True)
        return tables | {
            "cells": rows,
            "drivers": names,
            "driver_statistics": names[["task", "driver"]].assign(reduced_why=""),
        }

    def cell(self, task: str, label: str) -> Iterator[tuple[str, pd.DataFrame]]:
        yield "runs", self.progress(task, label)
        yield "evaluations", self.evaluations(task, label)
        yield "probes", self.probes(label)
        seconds = self.draw(self.pair("wall_time", label))
        yield "timing", pd.DataFrame({"seed": range(SEEDS), "step": STEPS, "wall_time": seconds})
        yield "inventory", pd.DataFrame({"device": ["cpu"], "hardware": ["one machine"]})
        yield "final", pd.DataFrame({"reduced_why": [""]})

    def progress(self, task: str, label: str) -> pd.DataFrame:
        steps = np.arange(1, LOG_POINTS + 1) * STEPS // LOG_POINTS
        score, length = self.draw(self.score(task, label)), self.draw(self.pair("episode_length_mean100", label))
        worker = (
            self.draw(self.metric("worker", task, label)) if label in RATIOS and task == "ant_gather" else -score
        )
        growth = (
            self.draw(self.metric("growth", task, label))
            if label in RATIOS and task == "ant_gather"
            else 0 * score
        )
        tables = [
            pd.DataFrame(
                {
                    "seed": seed,
                    "step": steps,
                    "return_mean100": score[seed],
                    "success_mean100": score[seed] * np.minimum(1, steps / (0.6 * STEPS)),
                    "episode_length_mean100": length[seed],
                    "worker_q_current": worker[seed],
                    "log_lambda": -4.2 + growth[seed] * steps,
                    "delta": DELTAS.get(label, np.nan),
                }
            )
            for seed in range(SEEDS)
        ]
        return pd.concat(tables)

    def evaluations(self, task: str, label: str) -> pd.DataFrame:
        score = self.draw(self.score(task, label))
        names = [name for name in PAIRS if name not in ("wall_time", "drift")]
        columns = {name: self.draw(self.metric(name, task, label)) for name in names}
        rows = pd.DataFrame({"seed": range(SEEDS), "step": STEPS, "return": score, "success": score} | columns)
        rows = rows.assign(manager_q=5 + 0.8 * rows.pop("overestimation"), manager_return_bootstrapped=5.0)
        rows = rows.assign(manager_discount=0.2)
        earlier = rows.assign(step=STEPS // 2, success=0.0)
        return pd.concat([table.assign(target=target) for table in (earlier, rows) for target in ("near", "far")])

    def probes(self, label: str) -> pd.DataFrame:
        change = self.draw(self.pair("drift", label))
        rows = [
            {
                "seed": seed,
                "step": step,
                "probe": probe,
                "error_start": 2.0,
                "error_end": 2 * (1 + share * change[seed]),
            }
            | {"goal_0": 3.0, "goal_1": 4.0}
            for seed in range(SEEDS)
            for step, share in ((1, 0), (2, 0.5), (3, -1))  # mean change of 1, and nearer in the end
            for probe in range(2)
        ]
        return pd.DataFrame(rows)

    def drivers(self) -> Iterator[pd.DataFrame]:
        levels: Mapping[tuple[str, str], Mapping[str, float]] = {
            ("ring_road", "human"): HUMAN[self.holds]
            | {"return": 1638, "mean_speed": 3.2, "return_fraction": 0.62},
            ("ring_road", "follower_stopper"): {
                "return": 2100,
                "gap_max": 40.0,
                "gap_p95": 35.0,
                "speed_std": 0.2,
            },
            ("highway", "human"): {"return": 7400, "throughput": 1623, "departed": 270, "mean_speed_all": 7.0},
        }
        for (task, driver), means in levels.items():
            columns = {name: self.draw(mean) for name, mean in means.items()}
            for target in ("near", "far"):
                names = {"task": task, "driver": driver, "target": target, "step": STEPS, "ring_length": 220.0}
                yield pd.DataFrame({"seed": range(SEEDS)} | columns).assign(**names)


def cell(task: str, label: str, **settings: float) -> dict[str, Any]:
    algorithm, _, variant = label.partition("-")
    return {"task": task, "label": label, "algorithm": algorithm, "variant": variant, **settings}


def studies(holds: bool, spread: float = 0.01) -> dict[str, dict[str, pd.DataFrame]]:
    """Fresh copies of all studies of a world, for tests to change."""
    return {
        name: {key: rows.copy() for key, rows in study.items()} for name, study in _studies(holds, spread).items()
    }


@lru_cache
def _studies(holds: bool, spread: float) -> dict[str, Study]:
    world = World(holds, spread=spread)
    main = [cell(task, label) for task in TASKS for label in LABELS]
    ratios = [cell("ant_gather", label, cooperation_ratio=ratio) for label, ratio in RATIOS.items()]
    fixed = [cell("ant_gather", label, fixed_lambda=value) for label, value in LAMBDAS.items()]
    fixed += [cell("ring_road", label, fixed_lambda=value) for label, value in list(LAMBDAS.items())[:4]]
    workers = [cell(task, label) for task in ("ant_maze", "ant_four_rooms") for label in WORKERS]
    search = {"cher": 0.25, "cher-ratio_50": 0.5, "cher-ratio_75": 0.75}
    return {
        "main": world.study(main, driven=True),
        "cooperation": world.study(ratios),
        "fixed_lambda": world.study(fixed),
        "transfer": world.study(workers),
        "visual": world.study([cell("visual_ant_maze", label) for label in ("hrl", "hiro", "cher")]),
        "e1_search": world.study(
            [cell("ring_road", label, cooperation_ratio=ratio) for label, ratio in search.items()]
        ),
    }


def results(holds: bool, *, without: tuple[str, ...] = (), spread: float = 0.01) -> Results:
    """All studies of a world but some."""
    made = {name: study for name, study in studies(holds, spread).items() if name not in without}
    return Results(made, tuple(load_preset("paper")["tasks"]))


def write(made: Mapping[str, Study], tables: Path) -> None:
    for name, study in made.items():
        (tables / name).mkdir(parents=True)
        for table, rows in study.items():
            rows.to_parquet(tables / name / f"{table}.parquet", index=False)
