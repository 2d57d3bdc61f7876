"""Single seeds' values at the end of a training, behind the statistics over seeds."""

from __future__ import annotations

import pandas as pd

from analysis.headline import MEAN, Headline, last_evaluations
from analysis.statistics import final_values


def final_by_seed(runs: pd.DataFrame, metric: str) -> pd.Series:
    """Each seed's mean of a metric of training over the last part of its log points.

    Args:
        runs: rows of training progress of one cell.
        metric: column of ``progress.csv``.

    Returns:
        Values by seed; empty if the cell has no such metric.
    """
    if runs.empty or metric not in runs:
        return pd.Series(dtype=float)
    curves = runs.pivot(index="seed", columns="step", values=metric)
    return pd.Series(final_values(curves.to_numpy()), index=curves.index)


def evaluated_by_seed(evaluations: pd.DataFrame, metric: str) -> pd.Series:
    """Each seed's mean of a metric over the evaluation points of the last evaluation.

    Args:
        evaluations: rows of evaluations of one cell.
        metric: column of ``evaluations.csv``.

    Returns:
        Values by seed, NaN where one of the points has none; empty if the cell has no such metric.
    """
    if evaluations.empty or metric not in evaluations:
        return pd.Series(dtype=float)
    last = evaluations[evaluations["step"] == evaluations["step"].max()]
    return last.groupby("seed")[metric].mean(skipna=False)


def of_seeds(shown: Headline, runs: pd.DataFrame, evaluations: pd.DataFrame) -> pd.Series:
    """One cell's values by seed of a metric, of training or of evaluations."""
    if shown.source == "training":
        return final_by_seed(runs, shown.metric)
    return evaluated_by_seed(evaluations, shown.metric)


def final_rows(shown: Headline, final: pd.DataFrame, evaluations: pd.DataFrame) -> pd.DataFrame:
    """The statistics over seeds of these values.

    Args:
        shown: the metric.
        final: statistics of final training performance.
        evaluations: statistics of evaluations, of which the last count.
    """
    rows = final
    if shown.source == "evaluation":
        rows = last_evaluations(evaluations[evaluations["target"] == MEAN])
    return rows[rows["metric"] == shown.metric]
