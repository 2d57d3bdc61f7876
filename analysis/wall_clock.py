"""Evaluations by wall-clock time: when each training came to them, and statistics over seeds at common times."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Points of time at which seeds are compared, per curve.
POINTS = 200
RUN = ["label", "seed"]

#: Seconds and values of one seed.
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


def add_seconds(evaluations: pd.DataFrame, timing: pd.DataFrame) -> pd.DataFrame:
    """Evaluations of one task with a column ``seconds``: when their training had come to their step.

    Between two log points a training is taken to go on evenly, and from the start to the first one.

    Args:
        evaluations: rows with ``label``, ``seed`` and ``step``.
        timing: rows of the same task with ``label``, ``seed``, ``step`` and ``wall_time`` in seconds.

    Raises:
        ValueError: timing does not reach as far as the evaluations of some training.
    """
    logged = {key: rows.sort_values("step") for key, rows in timing.groupby(RUN)}
    parts = []
    for key, rows in evaluations.groupby(RUN, sort=False):
        times = logged.get(key)
        if times is None or times["step"].max() < rows["step"].max():
            label, seed = key
            raise ValueError(f"timing of {label}, seed {seed}, does not reach step {rows['step'].max():,}")
        at = np.interp(rows["step"], [0, *times["step"]], [0, *times["wall_time"]])
        parts.append(rows.assign(seconds=at))
    return pd.concat(parts, ignore_index=True)


def over_time(rows: pd.DataFrame, metric: str, *, points: int = POINTS) -> pd.DataFrame:
    """Statistics over seeds at common times, per label: ``label``, ``seconds``, ``mean``, ``std``.

    Between two evaluations a seed's value changes linearly.  Times go from where every seed has been evaluated to
    where the first one ends, so that all seeds take part everywhere; a label without such times has no rows.

    Args:
        rows: evaluations with ``label``, ``seed``, ``seconds`` and the metric.
        metric: column to summarise; missing values are left out.
        points: number of times per label.
    """
    parts = [pd.DataFrame({"label": pd.Series(dtype=str), "seconds": [], "mean": [], "std": []})]
    for label, seeds in _curves(rows, metric):
        first, last = max(at[0] for at, _ in seeds), min(at[-1] for at, _ in seeds)
        if first < last:
            grid = np.linspace(first, last, points)
            values = np.stack([np.interp(grid, at, curve) for at, curve in seeds])
            statistics = {"mean": values.mean(axis=0), "std": values.std(axis=0)}
            parts.append(pd.DataFrame({"label": label, "seconds": grid} | statistics))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def at_end(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Seeds at their last evaluation, per label: ``label``, ``seconds``, ``shortest``, ``longest``, ``mean``.

    Seconds and the metric's mean are over seeds, ``shortest`` and ``longest`` are the extremes of the seconds.
    """
    lines = []
    for label, seeds in _curves(rows, metric):
        seconds = np.array([at[-1] for at, _ in seeds])
        mean = np.mean([values[-1] for _, values in seeds])
        lines.append((label, seconds.mean(), seconds.min(), seconds.max(), mean))
    return pd.DataFrame(lines, columns=["label", "seconds", "shortest", "longest", "mean"])


def _curves(rows: pd.DataFrame, metric: str) -> Iterator[tuple[str, list[Curve]]]:
    """Per label, the times and values of every seed that has any."""
    present = rows.dropna(subset=[metric]).sort_values("seconds", kind="stable")
    for label in rows["label"].unique():
        here = present[present["label"] == label].groupby("seed")
        if len(here):
            yield str(label), [(seed["seconds"].to_numpy(), seed[metric].to_numpy()) for _, seed in here]
