"""Synthetic tables of the studies ``transfer`` and ``hiro_correction``, in the form in which figures read them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from analysis.hiro_comparison import STUDY as HIRO
from analysis.study_tables import HEAD
from envs.options import TRANSFER_OPTIONS
from envs.tasks import describe

SOURCES = ("hrl", "hiro", "cher")
MANAGERS = [("hrl", "hrl"), ("hiro", "hiro"), ("cher", "cher"), ("hrl", "hiro"), ("hrl", "cher")]
#: Success at the first evaluation point, by worker.
SKILL = {"hrl": 0.35, "hiro": 0.5, "cher": 0.95}


def transfer_cells() -> pd.DataFrame:
    """Cells of the study ``transfer``: sources first, then managers on frozen workers."""
    rows = [("ant_gather", source, "transfer", "", "") for source in SOURCES]
    for task, (manager, worker) in product(("ant_maze", "ant_four_rooms"), MANAGERS):
        rows.append((task, manager, f"worker_{worker}", f"{worker}-transfer", worker))
    table = pd.DataFrame(rows, columns=["task", "algorithm", "variant", "source", "source_algorithm"])
    table.insert(0, "study", "transfer")
    table.insert(4, "label", table["algorithm"] + "-" + table["variant"])
    return table


def transfer_statistics(
    *, seeds: int = 10, steps: Sequence[int] = (50_000, 1_000_000), full: int = 1_000_000
) -> pd.DataFrame:
    """Statistics of evaluations of every cell of :func:`transfer_cells`."""
    tables = []
    for cell in transfer_cells().to_dict("records"):
        task = describe(cell["task"], TRANSFER_OPTIONS[cell["task"]])[0]
        head = {name: cell[name] for name in ("study", "task", "algorithm", "variant", "label")}
        random = np.random.default_rng([len(cell["task"]), *cell["label"].encode()])
        for metric in ("return",) if cell["task"] == "ant_gather" else ("success", "entered", "final_distance"):
            values = {
                point.name: _values(random, metric, cell["source_algorithm"], number, seeds, steps)
                for number, point in enumerate(task.evaluation_points)
            }
            values["mean"] = np.mean(list(values.values()), axis=0)
            tables += [
                _summary(head | {"target": target, "metric": metric}, at, steps, full)
                for target, at in values.items()
            ]
    return pd.concat(tables, ignore_index=True)


def _values(
    random: np.random.Generator, metric: str, worker: str, number: int, seeds: int, steps: Sequence[int]
) -> np.ndarray:
    """Shape [seeds, steps]."""
    skill = SKILL.get(worker, 0.5)
    progress = np.sqrt(np.asarray(steps) / max(steps))
    rate = np.clip(skill * progress * np.exp(-0.25 * number) + random.normal(0, 0.12, (seeds, 1)), 0, 1)
    metrics = {"success": rate, "entered": np.sqrt(rate), "final_distance": 30 * (1 - rate), "return": 5 * rate}
    return metrics[metric]


def hiro_evaluations(*, seeds: int = 10, every: int = 50_000, number: int = 20) -> pd.DataFrame:
    """Raw evaluations of the study ``hiro_correction``: one row per run, seed, step and evaluation point."""
    tables = []
    for task, label in product(("ant_gather", "ant_maze"), ("hiro", "hrl")):
        points = [point.name for point in describe(task)[0].evaluation_points]
        for seed, (place, target) in product(range(seeds), enumerate(points)):
            random = np.random.default_rng([seed, place, *label.encode()])
            steps = every * np.arange(1, number + 1)
            rate = 1 / (1 + np.exp(5 - (9 - place if label == "hiro" else 7) * steps / steps[-1]))
            rate = np.clip(rate + random.normal(0, 0.05) + random.normal(0, 0.03, number), 0, 1)
            table = pd.DataFrame(
                {"seed": seed, "step": steps, "target": target, "episodes": 50, "return": 6 * rate}
            )
            if task == "ant_maze":
                table["success"] = rate
            for name, value in zip(HEAD, (HIRO, task, label, "", label), strict=True):
                table[name] = value
            tables.append(table)
    return pd.concat(tables, ignore_index=True)


def hiro_evaluation_statistics(evaluations: pd.DataFrame, *, full: int = 1_000_000) -> pd.DataFrame:
    """Statistics of :func:`hiro_evaluations`."""
    tables = []
    for key, rows in evaluations.groupby(HEAD, sort=False):
        head = dict(zip(HEAD, key, strict=True))
        for metric in [name for name in ("return", "success") if rows[name].notna().any()]:
            mean = rows.groupby(["seed", "step"], as_index=False)[metric].mean().assign(target="mean")
            for target, here in pd.concat([rows, mean]).groupby("target", sort=False):
                curves = here.pivot(index="seed", columns="step", values=metric)
                named = head | {"target": target, "metric": metric}
                tables.append(_summary(named, curves.to_numpy(), list(curves.columns), full))
    return pd.concat(tables, ignore_index=True)


def hiro_training(
    *, seeds: int = 10, every: int = 2_000, number: int = 500, full: int = 1_000_000
) -> pd.DataFrame:
    """Statistics of training in the study ``hiro_correction``; the first log point has no value yet."""
    tables = []
    for task, label in product(("ant_gather", "ant_maze"), ("hiro", "hrl")):
        random = np.random.default_rng([*task.encode(), *label.encode()])
        steps = every * np.arange(1, number + 1)
        height = {"hiro": 5.0, "hrl": 3.5}[label] / (1 + np.exp(4 - 8 * steps / steps[-1]))
        values = height + random.normal(0, 0.5, (seeds, 1)) + random.normal(0, 0.1, (seeds, number)) - 0.5
        values[:, 0] = np.nan
        head = dict(zip(HEAD, (HIRO, task, label, "", label), strict=True)) | {"metric": "return_mean100"}
        tables.append(_summary(head, values, list(steps), full))
    return pd.concat(tables, ignore_index=True)


def _summary(head: dict[str, Any], values: np.ndarray, steps: Sequence[int], full: int) -> pd.DataFrame:
    """Statistics at every step, in the columns of the real ones; the interval is the range of the seeds."""
    known = np.ma.masked_invalid(values)
    mean, std, low, high = (getattr(known, name)(axis=0).filled(np.nan) for name in ("mean", "std", "min", "max"))
    columns = {"step": steps, "n_seeds": (~np.isnan(values)).sum(axis=0), "mean": mean, "std": std, "iqm": mean}
    return pd.DataFrame(
        head | columns | {"ci_low": low, "ci_high": high} | extent(int(steps[-1]), len(values), full)
    )


def extent(steps: int, seeds: int, full: int) -> dict[str, Any]:
    """The columns that say what was run."""
    why = [f"{steps:,} of {full:,} steps"] * (steps < full) + [f"{seeds} of 10 seeds"] * (seeds < 10)
    columns = {"steps_run": steps, "steps_paper": full, "seeds_run": seeds, "seeds_paper": 10}
    return columns | {"reduced": bool(why), "reduced_why": "; ".join(why)}
