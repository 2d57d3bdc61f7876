from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cooperative import cooperation_cells, study

from analysis.by_seed import evaluated_by_seed, final_by_seed, final_rows, of_seeds
from analysis.headline import Headline

RUNS = pd.DataFrame(
    {
        "seed": [0] * 20 + [1] * 20,
        "step": [*range(20)] * 2,
        "q": [*range(20), *([np.nan] * 19), 7.0],
        "empty": np.nan,
    }
)
EVALUATIONS = pd.DataFrame(
    {
        "seed": [0, 0, 0, 1, 1],
        "step": [10, 20, 20, 20, 20],
        "target": ["a", "a", "b", "a", "b"],
        "path_length": [99.0, 1.0, 3.0, 5.0, np.nan],
    }
)
PATH = Headline("evaluation", "path_length")


def test_the_last_tenth_of_the_log_points_counts():
    assert final_by_seed(RUNS, "q").to_dict() == {0: 18.5, 1: 7.0}
    assert final_by_seed(RUNS, "empty").isna().all()


def test_the_last_evaluation_counts_as_a_mean_over_its_points():
    values = of_seeds(PATH, RUNS, EVALUATIONS)
    assert values[0] == 2
    assert np.isnan(values[1]), "a seed without a value at one of the points has no mean"


def test_cells_without_the_metric_have_no_values():
    assert final_by_seed(RUNS, "lambda").empty
    assert final_by_seed(RUNS.iloc[:0], "q").empty
    assert evaluated_by_seed(EVALUATIONS, "success").empty


def test_the_statistics_are_those_of_the_seeds():
    tables = study(cooperation_cells()[:2], seeds=3)
    for shown in (Headline("training", "worker_q_current"), PATH):
        rows = final_rows(shown, tables.final, tables.evaluation_statistics).set_index("label")
        for label, row in rows.iterrows():
            runs, evaluations = (table[table["label"] == label] for table in (tables.runs, tables.evaluations))
            values = of_seeds(shown, runs, evaluations)
            assert len(values) == 3
            assert row["mean"] == pytest.approx(values.mean())
            assert row["std"] == pytest.approx(values.std(ddof=0))
