"""Synthetic tables of the studies of cooperation: cells with their settings, runs, and statistics of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.headline import MEAN

NAN = float("nan")
WORKER_RETURN = -600.0
HEAD = ["study", "task", "algorithm", "variant", "label"]


class Study(NamedTuple):
    """The tables of a study, as the workflow makes them."""

    cells: pd.DataFrame
    runs: pd.DataFrame
    evaluations: pd.DataFrame
    statistics: pd.DataFrame
    final: pd.DataFrame
    evaluation_statistics: pd.DataFrame


def cell(study: str, task: str, label: str, **settings: Any) -> dict[str, Any]:
    """One row of the table of cells."""
    algorithm, _, variant = label.partition("-")
    row = {"study": study, "task": task, "algorithm": algorithm, "variant": variant, "label": label}
    row |= {"delta": NAN, "delta_share": NAN, "worker_return": WORKER_RETURN, "cooperation_ratio": NAN}
    row |= {"fixed_lambda": NAN, "gradient": "", "input_scale": "raw", "source": "", "source_algorithm": ""}
    row |= {"output_penalty": NAN, "manager_actor_start": NAN}
    return row | settings


def with_share(study: str, task: str, label: str, share: float, **settings: Any) -> dict[str, Any]:
    """A cell of dynamic lambda whose delta is a share of the worker return."""
    values = {"delta": share * WORKER_RETURN, "delta_share": share, "cooperation_ratio": 1 - share}
    return cell(study, task, label, **values, **({"gradient": "equation5"} | settings))


def cooperation_cells() -> list[dict[str, Any]]:
    """The levels of section 5.4, not in their order."""
    names = {"cher": 0.25, "cher-rho_25": 0.75, "cher-rho_50": 0.5, "cher-rho_100": 0.0, "cher-rho_92": 1 / 12}
    levels = [with_share("cooperation", "ant_gather", label, share) for label, share in names.items()]
    return [cell("cooperation", "ant_gather", "hrl", cooperation_ratio=0.0), *levels]


def fixed_lambda_cells() -> list[dict[str, Any]]:
    """Fixed lambda on both tasks, plain cells among them, with dynamic lambda beside them."""
    grids = {"ant_gather": (0.001, 0.005, 0.01, 0.05, 0.1, 1.0, 10.0), "ring_road": (0.001, 0.005, 0.01, 0.05)}
    cells = []
    for task, grid in grids.items():
        for value in grid:
            label = "cher_fixed" if value == 0.01 else f"cher_fixed-lambda_{value:g}"
            cells.append(cell("fixed_lambda", task, label, fixed_lambda=value, gradient="equation5"))
        cells.append(with_share("fixed_lambda", task, "cher", 0.25 if task == "ant_gather" else 0.75))
    return cells


def gradient_cells() -> list[dict[str, Any]]:
    """Every reading of the cooperative gradient, of both algorithms on both tasks."""
    cells = []
    for task in ("ant_gather", "ring_road"):
        for reading in ("equation5", "total", "authors", "released"):
            suffix = "" if reading == "equation5" else f"-{reading}"
            fixed = {"fixed_lambda": 0.01, "gradient": reading}
            cells.append(cell("gradient_forms", task, f"cher_fixed{suffix}", **fixed))
            cells.append(with_share("gradient_forms", task, f"cher{suffix}", 0.25, gradient=reading))
    return cells


def search_cells() -> list[dict[str, Any]]:
    """The search of E.1 on two tasks, one of them with success in evaluations."""
    cells = []
    for task in ("ant_gather", "ant_maze"):
        for value in (0.005, 0.01):
            label = "cher_fixed" + "-lambda_0.005" * (value == 0.005)
            cells.append(cell("e1_search", task, label, fixed_lambda=value, gradient="equation5"))
        cells += [with_share("e1_search", task, f"cher-p_{share:g}", share) for share in (0.25, 0.5, 0.75)]
    return cells


def curves(row: pd.Series, done: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Plausible curves: the worker comes near delta, except near 0, where lambda grows without end."""
    ratio = row["cooperation_ratio"] if row["cooperation_ratio"] == row["cooperation_ratio"] else 0.4
    noise = random.normal(0, 1, (6, len(done)))
    best = 2 * np.exp(-(((ratio - 0.7) / 0.35) ** 2)) + random.normal(0, 0.2)
    returns = best * done + 0.08 * noise[0]
    level = row["delta"] if row["delta"] == row["delta"] else WORKER_RETURN
    reached = min(level, -110)
    worker = reached * (1 - np.exp(-12 * done)) - 60 * np.sin(6 * done + ratio) * (1 - done) + 8 * noise[1]
    slope = 25 * (ratio > 0.9) + 6 * (ratio - 0.3) * (ratio <= 0.9)
    log_lambda = -4.2 + slope * done + random.normal(0, 0.3) * done
    manager, cooperative = (
        np.exp(0.5 * noise[2] + 1),
        np.exp(0.5 * noise[3] + 1 + 3 * (row["gradient"] != "equation5")),
    )
    weight = np.full(len(done), row["fixed_lambda"]) if row["fixed_lambda"] > 0 else np.exp(log_lambda)
    values = {"return_mean100": returns, "worker_q_current": worker, "goal_saturation": 0.5 + 0.05 * noise[4]}
    if row["task"] == "ring_road":
        values["return_fraction_mean100"] = 0.6 + 0.05 * returns
    if row["algorithm"].startswith("cher"):
        values |= {"lambda": weight, "manager_gradient": manager, "cooperative_gradient": cooperative}
        values |= {"weighted_gradient": weight * cooperative, "gradient_cosine": np.tanh(noise[5])}
    if row["algorithm"] == "cher":
        values |= {"log_lambda": log_lambda, "delta": np.full(len(done), row["delta"])}
    return values


def study(
    cells: Sequence[Mapping[str, Any]],
    *,
    seeds: int = 2,
    points: int = 6,
    steps: int = 1_000_000,
) -> Study:
    """The tables of a study with made-up runs; the first log point has no return yet.

    Args:
        cells: its cells.
        seeds: number of seeds.
        points: number of log points.
        steps: of each training.
    """
    table = pd.DataFrame(list(cells))
    whole = {"steps_run": steps, "steps_paper": steps, "seeds_run": seeds, "seeds_paper": seeds}
    whole |= {"reduced": False, "reduced_why": ""}
    runs, evaluations = [], []
    for number, row in table.iterrows():
        for seed in range(seeds):
            random = np.random.default_rng([int(str(number)), seed])
            at = np.round(np.linspace(0, steps, points + 1)[1:]).astype(int)
            values = curves(row, at / steps, random)
            values["return_mean100"][0] = np.nan
            head = {name: row[name] for name in HEAD} | {"seed": seed, "step": at}
            runs.append(pd.DataFrame(head | values))
            evaluations.append(pd.DataFrame(_evaluated(row, seed, steps, random)))
    progress, evaluated = pd.concat(runs, ignore_index=True), pd.concat(evaluations, ignore_index=True)
    return Study(
        table,
        progress,
        evaluated,
        _statistics(progress, whole, ["step"]),
        _statistics(_last(progress), whole, []),
        _statistics(evaluated, whole, ["step", "target"]),
    )


def _evaluated(row: pd.Series, seed: int, steps: int, random: np.random.Generator) -> dict[str, Any]:
    """Evaluations half-way and at the end, at one evaluation point."""
    ratio = row["cooperation_ratio"] if row["cooperation_ratio"] == row["cooperation_ratio"] else 0.4
    weight = row["fixed_lambda"] if row["fixed_lambda"] > 0 else 0.1
    values = {name: row[name] for name in HEAD} | {"seed": seed, "step": [steps // 2, steps], "target": MEAN}
    values |= {"return": [0.1, 0.2 + 0.01 * seed], "success": [0.2, 0.5 + 0.1 * seed - ratio / 10]}
    if row["task"].startswith("ant"):
        walked = 20 / (1 + weight) + random.normal(0, 1, 2)
        values |= {
            "path_length": walked,
            "goal_distance": 7 * (1 - ratio) + 0.1 * seed,
            "episode_length": 450 + seed,
        }
    return values


def _last(runs: pd.DataFrame) -> pd.DataFrame:
    """Each seed's mean over the last tenth of its log points."""
    steps = np.unique(runs["step"])
    last = runs[runs["step"] >= steps[-ceil(len(steps) / 10)]]
    return last.drop(columns="step").groupby([*HEAD, "seed"], sort=False, as_index=False).mean()


def _statistics(rows: pd.DataFrame, extent: Mapping[str, Any], keys: Sequence[str]) -> pd.DataFrame:
    """Statistics over seeds; the ends of the interval are made up, since a bootstrap takes its time."""
    keys = [*HEAD, *keys]
    long = rows.melt([*keys, "seed"], var_name="metric")
    present = long.groupby([*HEAD, "metric"])["value"].transform("count") > 0
    long = long[present | (long["metric"] == "return_mean100")]
    values = long.groupby([*keys, "metric"], sort=False)["value"]
    mean, std = values.mean(), values.std(ddof=0)
    statistics = {"n_seeds": values.count(), "mean": mean, "std": std, "iqm": values.median()}
    table = pd.DataFrame({**statistics, "ci_low": mean - std, "ci_high": mean + std})
    return table.reset_index().assign(**extent)


def reduced(tables: Study, why: str) -> Study:
    """The same tables, of runs that fall short of the paper's."""
    short = {"reduced": True, "reduced_why": why}
    statistics = (table.assign(**short) for table in tables[3:])
    return Study(*tables[:3], *statistics)


def trajectories(cell: Mapping[str, Any], *, seeds: int = 2, episodes: int = 3, steps: int = 60) -> pd.DataFrame:
    """Episodes that wander off from the origin; goals lie as near to the agent as the cell cooperates."""
    ratio = cell["cooperation_ratio"]
    tables = []
    for seed in range(seeds):
        for episode in range(episodes):
            random = np.random.default_rng([seed, episode])
            heading = random.uniform(0, 2 * np.pi) + random.normal(0, 0.15, steps + 1).cumsum()
            speed = 0.03 * (1.1 - ratio)
            x, y = (speed * np.cos(heading)).cumsum(), (speed * np.sin(heading)).cumsum()
            fresh = np.arange(steps + 1) % 10 == 0
            goals = random.uniform(-10, 10, (2, steps + 1)) * (1 - ratio)
            table = pd.DataFrame(
                {"seed": seed, "target": "default", "episode": episode, "step": np.arange(steps + 1)}
            )
            table = table.assign(period_start=fresh, x=x, y=y, goal_0=goals[0], goal_1=goals[1])
            table.loc[steps, ["goal_0", "goal_1"]] = np.nan
            table.loc[steps, "period_start"] = False
            tables.append(table)
    return pd.concat(tables, ignore_index=True)
