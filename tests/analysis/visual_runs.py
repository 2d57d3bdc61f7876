"""Made-up trainings on the visual Ant Maze: evaluations and times of rising curves, with seeded noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

HEAD = ["study", "task", "algorithm", "variant", "label"]
TARGETS = ("target_16_0", "target_16_16", "target_0_16")
STEPS = 2_500_000
#: Mean duration in hours, rate of success in the end.
CELLS = {"hrl": (19.0, 0.35), "hiro": (27.0, 0.66), "cher": (20.5, 0.71)}


class Tables(NamedTuple):
    """What figures of a study read."""

    evaluations: pd.DataFrame
    evaluation_statistics: pd.DataFrame
    timing: pd.DataFrame
    statistics: pd.DataFrame


def tables(
    labels: Sequence[str] = tuple(CELLS),
    seeds: Sequence[int] = range(10),
    steps: int = STEPS,
    *,
    task: str = "visual_ant_maze",
    log_every: int = 2_000,
    evaluate_every: int = 50_000,
) -> Tables:
    """The tables of all runs; they are reduced unless as long as the paper's."""
    evaluations, timing = [], []
    for label in labels:
        algorithm, _, variant = label.partition("-")
        head = dict(zip(HEAD, ("visual", task, algorithm, variant, label), strict=True))
        for seed in seeds:
            random = np.random.default_rng([seed, *label.encode()])
            evaluated, logged = (np.arange(every, steps + 1, every) for every in (evaluate_every, log_every))
            evaluations.append(_evaluations(head, seed, evaluated, random))
            timing.append(_timing(head, seed, logged, random))
    rows = pd.concat(evaluations, ignore_index=True)
    extent = extent_of(steps, len(seeds))
    statistics = statistics_of(rows, extent)
    training = statistics[statistics["metric"] == "return"].assign(metric="return_mean100").drop(columns="target")
    return Tables(rows, statistics, pd.concat(timing, ignore_index=True), training)


def extent_of(steps: int, seeds: int) -> dict[str, Any]:
    reasons = [f"{steps:,} of {STEPS:,} steps"] * (steps < STEPS) + [f"{seeds} of 10 seeds"] * (seeds < 10)
    return {
        "steps_run": steps,
        "steps_paper": STEPS,
        "seeds_run": seeds,
        "seeds_paper": 10,
        "reduced": bool(reasons),
        "reduced_why": "; ".join(reasons),
    }


def statistics_of(rows: pd.DataFrame, extent: Mapping[str, Any]) -> pd.DataFrame:
    """Means and standard deviations over seeds, of the mean over targets."""
    metrics = ["return", "entered"]
    means = rows.groupby([*HEAD, "seed", "step"], sort=False)[metrics].mean(skipna=False).reset_index()
    long = means.melt([*HEAD, "seed", "step"], metrics, "metric").assign(target="mean")
    groups = long.groupby([*HEAD, "target", "metric", "step"], sort=False)["value"]
    table = groups.agg(n_seeds="count", mean="mean", std=lambda values: values.std(ddof=0)).reset_index()
    return table.assign(**extent)


def _evaluations(
    head: Mapping[str, str], seed: int, steps: np.ndarray, random: np.random.Generator
) -> pd.DataFrame:
    best = CELLS.get(head["label"], (15.0, 0.5))[1] + random.normal(0, 0.05)
    rises = best / (1 + np.exp(-(steps / STEPS - random.normal(0.4, 0.05)) * 9))
    parts = []
    for target, ease in zip(TARGETS, (0.15, -0.15, 0.0), strict=True):
        entered = np.clip(rises + ease * rises + random.normal(0, 0.04, len(steps)), 0, 1).round(2)
        returns = -6_500 + 4_500 * entered + random.normal(0, 120, len(steps))
        columns = {"seed": seed, "step": steps, "target": target, "episodes": 50, "return": returns}
        parts.append(pd.DataFrame({**head, **columns, "success": entered, "entered": entered}))
    return pd.concat(parts)


def _timing(head: Mapping[str, str], seed: int, steps: np.ndarray, random: np.random.Generator) -> pd.DataFrame:
    hours = CELLS.get(head["label"], (15.0, 0.5))[0] * random.normal(1, 0.04)
    pace = random.normal(1, 0.1, len(steps)).clip(0.5).cumsum()
    seconds = 3_600 * hours * pace / pace[-1] * steps[-1] / STEPS
    columns = {
        "seed": seed,
        "step": steps,
        "wall_time": seconds,
        "steps_per_second": np.gradient(steps, seconds) if len(steps) > 1 else steps / seconds,
        "restarts": seed % 2,
        "simulator_restarts": 0,
        "cpu_time": 0.95 * seconds,
        "memory_mb": 900.0 + seed + 100 * (steps / steps[-1]),
    }
    return pd.DataFrame({**head, **columns})
