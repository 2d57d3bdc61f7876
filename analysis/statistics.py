"""Statistics over seeds, the unit of replication.

Arrays hold seeds along the first axis: [seeds] or [seeds, steps].  A seed without a value yet (NaN, for example
before its first episode has ended) is left out, and ``n_seeds`` says how many were used.

    python -m analysis.statistics --tables results/quick/tables/main
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.extents import by_cell, by_driver
from analysis.headline import MEAN, RETURN, headline
from analysis.study_tables import DRIVER_HEAD, HEAD

FloatArray = NDArray[np.float64]

RESAMPLES = 2_000
CONFIDENCE = 0.95
FINAL_FRACTION = 0.1

STATISTICS = ["mean", "std", "iqm", "ci_low", "ci_high"]

#: What precedes the statistics in a row, where a table has it, and what is no metric.
IDENTITY = [*HEAD, "driver", "target", "metric"]
KEYS = [*HEAD, "seed", "step", "target"]


def interquartile_mean(values: FloatArray) -> FloatArray:
    """Mean of the middle half of the seeds, shape [...]; of 10 seeds the 2 lowest and 2 highest are cut."""
    return np.asarray(stats.trim_mean(values, 0.25, axis=0))


def bootstrap_interval(
    values: FloatArray, *, resamples: int = RESAMPLES, confidence: float = CONFIDENCE, seed: int = 0
) -> tuple[FloatArray, FloatArray]:
    """Percentile bootstrap interval of the interquartile mean over seeds.

    All steps share their resamples, so that an interval over steps is as smooth as its curve.

    Args:
        values: shape [seeds] or [seeds, steps], without NaN.
        resamples: number of bootstrap resamples of the seeds.
        confidence: coverage.
        seed: seed of the resampling.

    Returns:
        Lower and upper end, shape [...]; NaN for a single seed, which says nothing about the spread.
    """
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan), np.full(values.shape[1:], np.nan)
    result = stats.bootstrap(
        (values,),
        lambda sample, axis: stats.trim_mean(sample, 0.25, axis=axis),
        axis=0,
        n_resamples=resamples,
        batch=200,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return np.asarray(result.confidence_interval.low), np.asarray(result.confidence_interval.high)


def summarise(values: FloatArray, *, interval: bool = True) -> pd.DataFrame:
    """Statistics over the seeds that have a value.

    Args:
        values: shape [seeds] or [seeds, steps]; NaN marks a missing value.
        interval: whether to compute the interval, which takes by far the longest.

    Returns:
        One row per step: ``n_seeds``, ``mean``, ``std`` (divided by n, not n - 1, as in the authors'
        plotting code), ``iqm``, and ``ci_low``, ``ci_high``: the 95 % bootstrap interval of the IQM, or NaN.
    """
    values = values.reshape(len(values), -1)
    rows = pd.DataFrame(np.nan, index=range(values.shape[1]), columns=STATISTICS)
    present = ~np.isnan(values)
    patterns, pattern_of_step = np.unique(present, axis=1, return_inverse=True)
    for number, pattern in enumerate(patterns.T):
        if pattern.any():
            steps = pattern_of_step.ravel() == number
            used = values[pattern][:, steps]
            nothing = np.full(used.shape[1], np.nan)
            low, high = bootstrap_interval(used) if interval else (nothing, nothing)
            columns = [used.mean(axis=0), used.std(axis=0), interquartile_mean(used), low, high]
            rows.loc[steps] = np.stack(columns, axis=1)
    rows.insert(0, "n_seeds", present.sum(axis=0))
    return rows


def final_values(values: FloatArray, fraction: float = FINAL_FRACTION) -> FloatArray:
    """Each seed's mean over the last part of its log points.

    Args:
        values: shape [seeds, steps].
        fraction: the part of the log points that is averaged, rounded up to at least one point.

    Returns:
        Shape [seeds]; NaN for a seed without any value there.
    """
    window = values[:, -ceil(fraction * values.shape[1]) :]
    counts = (~np.isnan(window)).sum(axis=1)
    return np.where(counts > 0, np.nansum(window, axis=1), np.nan) / np.maximum(counts, 1)


def learning_curves(runs: pd.DataFrame, extents: pd.DataFrame) -> pd.DataFrame:
    """Statistics of every metric at every log point, one row per run group, metric and step.

    The returns and the task's headline have intervals, the many other metrics have not.
    """
    tables = [
        _at_every_step(rows, head, {RETURN.metric, headline(head["task"]).metric})
        for head, rows in _groups(runs, extents)
    ]
    return pd.concat(tables, ignore_index=True)


def final_performance(runs: pd.DataFrame, extents: pd.DataFrame) -> pd.DataFrame:
    """Statistics of every metric's :func:`final_values`, one row per run group and metric."""
    tables: list[pd.DataFrame] = []
    for head, rows in _groups(runs, extents):
        curves = _curves(rows, head)
        metrics = curves.columns.unique(0)
        values = curves.to_numpy().reshape(len(curves) * len(metrics), -1)
        table = summarise(final_values(values).reshape(len(curves), -1))
        table.insert(0, "metric", metrics)
        tables.append(_with_columns(table, head))
    return pd.concat(tables, ignore_index=True)


def evaluation_curves(evaluations: pd.DataFrame, extents: pd.DataFrame) -> pd.DataFrame:
    """Statistics of every metric of evaluations, one row per run group, evaluation point, metric and step.

    After its evaluation points (``target``) follows their mean: of each seed first, then over seeds.
    """
    tables = [
        _at_every_step(here, head | {"target": target})
        for head, rows in _groups(evaluations, extents)
        for target, here in _targets(rows)
    ]
    return pd.concat(tables, ignore_index=True)


def driver_statistics(rows: pd.DataFrame, extents: pd.DataFrame) -> pd.DataFrame:
    """Statistics of every metric of scripted drivers, one row per task, driver, evaluation point and metric.

    Evaluation points and their mean are as in :func:`evaluation_curves`; no rows if there are no drivers.
    """
    known = by_driver(extents)
    tables = [pd.DataFrame(columns=[*DRIVER_HEAD, "target", "metric", "n_seeds", *STATISTICS])]
    for key, group in rows.groupby(DRIVER_HEAD, sort=False):
        head = dict(zip(DRIVER_HEAD, map(str, key), strict=True))
        head |= known[head["task"], head["driver"]]
        for target, here in _targets(group.drop(columns=DRIVER_HEAD)):
            tables.append(_at_every_step(here, head | {"target": target}).drop(columns="step"))
    return pd.concat(tables[1:] or tables, ignore_index=True)


def _groups(rows: pd.DataFrame, extents: pd.DataFrame) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Each run group's identity and extent, and its rows."""
    known = by_cell(extents)
    for key, group in rows.groupby(HEAD, sort=False):
        head = dict(zip(HEAD, map(str, key), strict=True))
        yield head | known[head["study"], head["task"], head["label"]], group


def _targets(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each evaluation point, then their means; a mean needs the values of all points."""
    for target, here in rows.groupby("target", sort=False):
        yield str(target), here
    metrics = list(rows.columns.drop(KEYS, errors="ignore"))
    yield MEAN, rows.groupby(["seed", "step"], sort=False)[metrics].mean(skipna=False).reset_index()


def _at_every_step(
    rows: pd.DataFrame, head: Mapping[str, Any], with_intervals: Collection[str] | None = None
) -> pd.DataFrame:
    """Statistics of every metric at every step; some of them, or all, have intervals."""
    curves = _curves(rows, head)
    values, metrics = curves.to_numpy(), curves.columns.get_level_values(0)
    table = summarise(values, interval=with_intervals is None)
    if with_intervals is not None:
        chosen = metrics.isin(list(with_intervals))
        ends = ["ci_low", "ci_high"]
        table.loc[chosen, ends] = summarise(values[:, chosen])[ends].to_numpy()
    table.insert(0, "metric", metrics)
    table.insert(1, "step", curves.columns.get_level_values(1))
    return _with_columns(table, head)


def _curves(rows: pd.DataFrame, head: Mapping[str, Any]) -> pd.DataFrame:
    """Curves of every metric that a run group has a value of: [seeds, metrics and steps].

    Return and headline are there even if no episode has ended, so that no run drops out of a figure unseen.
    """
    always = {RETURN.metric, headline(head["task"]).metric}
    metrics = [
        metric
        for metric in rows.columns.drop(KEYS, errors="ignore")
        if rows[metric].notna().any() or metric in always
    ]
    return rows.pivot(index="seed", columns="step", values=metrics)


def _with_columns(table: pd.DataFrame, values: Mapping[str, Any]) -> pd.DataFrame:
    """The same values in every row: the run group before the statistics, its extent after them."""
    before = [key for key in IDENTITY if key in values]
    left = pd.DataFrame({key: [values[key]] * len(table) for key in before})
    right = pd.DataFrame({key: [values[key]] * len(table) for key in values if key not in before})
    return pd.concat([left, table, right], axis=1)


def statistics(tables: Path) -> dict[str, pd.DataFrame]:
    """All statistics of a study, by name, from its folder of collected tables."""
    progress, evaluations, drivers, extents = (
        pd.read_parquet(tables / f"{name}.parquet") for name in ("runs", "evaluations", "drivers", "extents")
    )
    return {
        "statistics": learning_curves(progress, extents),
        "final": final_performance(progress, extents),
        "evaluation_statistics": evaluation_curves(evaluations, extents),
        "driver_statistics": driver_statistics(drivers, extents),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Statistics over seeds of a study's collected runs.")
    parser.add_argument(
        "--tables", type=Path, required=True, help="folder of the study's tables, which are joined by these"
    )
    options = parser.parse_args(arguments)
    try:
        made = statistics(options.tables)
    except OSError as error:
        sys.exit(f"statistics: {' '.join(str(error).split())}")
    for name, table in made.items():
        table.to_parquet(options.tables / f"{name}.parquet", index=False)


if __name__ == "__main__":
    main()
