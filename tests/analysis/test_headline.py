from __future__ import annotations

import pandas as pd
from synthetic import with_mazes

from analysis.headline import MEAN, RETURN, headline, last_evaluations, select


def test_the_paper_shows_rates_of_success_in_the_mazes_and_returns_elsewhere():
    """Section D.1."""
    assert headline("ant_maze")[:2] == ("evaluation", "success")
    assert headline("ant_four_rooms")[:2] == ("training", "success_mean100")
    for task in ("highway", "ring_road", "ant_gather", "a_new_one"):
        assert headline(task) == RETURN == ("training", "return_mean100", None)


def test_rows_are_one_metric_per_task_in_the_order_of_training(
    statistics: pd.DataFrame, evaluations: pd.DataFrame
):
    rows = select(*with_mazes(statistics, evaluations))
    chosen = rows.groupby("task", sort=False).agg({"metric": "unique", "mean": "last", "label": "nunique"})
    assert {task: list(metrics) for task, metrics in chosen["metric"].items()} == {
        "ring_road": ["return_mean100"],
        "ant_gather": ["return_mean100"],
        "ant_four_rooms": ["success_mean100"],
        "ant_maze": ["success"],
    }
    assert chosen.loc["ant_four_rooms", "mean"] == 0.3
    assert chosen.loc["ant_maze", "mean"] == 0.5, "the mean over the targets"
    assert (chosen["label"] == 2).all()
    assert not rows.duplicated(["task", "label", "step"]).any()


def test_last_evaluations_are_those_at_the_end(evaluations: pd.DataFrame):
    rows = last_evaluations(evaluations)
    expected = evaluations[evaluations["step"] == 1_200].drop(columns="step")
    pd.testing.assert_frame_equal(rows, expected)
    assert set(rows["target"]) == {*evaluations["target"]} > {MEAN}
