from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from transfer_and_hiro import hiro_evaluation_statistics, hiro_evaluations, hiro_training

from analysis.references import References, load
from analysis.tables import hiro_reproduction as table
from analysis.tables import writing

FILE = Path(__file__).parents[3] / "results/references/references.csv"
METHODS = [
    "HIRO",
    "FuN representation",
    "FuN transition PG",
    "FuN cos similarity",
    "FuN",
    "SNN4HRL",
    "VIME",
]


@pytest.fixture(scope="module")
def evaluations() -> pd.DataFrame:
    return hiro_evaluations(seeds=3, every=600, number=4)


@pytest.fixture(scope="module")
def statistics(evaluations: pd.DataFrame) -> pd.DataFrame:
    return hiro_evaluation_statistics(evaluations)


@pytest.fixture(scope="module")
def final() -> pd.DataFrame:
    rows = hiro_training(seeds=3, every=600, number=4)
    return rows[rows["step"] == 2_400].drop(columns="step")


@pytest.fixture(scope="module")
def references() -> References:
    return load(FILE)


@pytest.fixture(scope="module")
def rows(
    evaluations: pd.DataFrame, final: pd.DataFrame, statistics: pd.DataFrame, references: References
) -> pd.DataFrame:
    return table.select(evaluations, final, statistics, references)


def test_equal_quantities_of_ours_and_of_the_publication_stand_together(rows: pd.DataFrame):
    best = [(table.BEST, "ours", "hiro"), (table.BEST, "ours", "hrl")]
    best += [(table.BEST, "published", method) for method in METHODS]
    last = [(table.LAST, "ours", "hiro"), (table.LAST, "ours", "hrl")]
    training = [(table.FINAL, "ours", "hiro"), (table.FINAL, "ours", "hrl")]
    for task, expected in (("ant_gather", best + last + training), ("ant_maze", best + last)):
        here = rows[rows["task"] == task]
        assert list(map(tuple, here[["value", "origin", "method"]].values)) == expected
    evaluated = rows[rows["value"] != table.FINAL]
    assert set(zip(evaluated["task"], evaluated["metric"], evaluated["target"], strict=True)) == {
        ("ant_gather", "return", "mean"),
        ("ant_maze", "success", "target_0_16"),
    }
    assert set(rows.loc[rows["value"] == table.FINAL, "metric"]) == {"return_mean100"}


@pytest.mark.parametrize("label", ["hiro", "hrl"])
def test_the_best_is_each_seeds_own(evaluations: pd.DataFrame, rows: pd.DataFrame, label: str):
    maze = evaluations[(evaluations["task"] == "ant_maze") & (evaluations["label"] == label)]
    best = maze[maze["target"] == "target_0_16"].groupby("seed")["success"].max()
    found = rows[(rows["task"] == "ant_maze") & (rows["method"] == label) & (rows["value"] == table.BEST)].iloc[0]
    assert found["mean"] == pytest.approx(best.mean())
    assert found["std"] == pytest.approx(best.std(ddof=0))
    assert found["standard_error"] == pytest.approx(best.std(ddof=1) / np.sqrt(3))
    assert found["n_seeds"] == 3
    assert found["remarks"] == "of each seed's 4"


def test_best_and_last_by_hand(final: pd.DataFrame, references: References):
    """Two seeds whose best evaluations are at different steps: the best of the mean would be 3, not 4."""
    evaluations = hiro_evaluations(seeds=2, every=600, number=2)
    evaluations = evaluations[(evaluations["task"] == "ant_gather") & (evaluations["label"] == "hiro")]
    evaluations = evaluations.sort_values(["seed", "step"]).assign(**{"return": [5.0, 1.0, 1.0, 3.0]})
    found = table.select(evaluations, final[:0], hiro_evaluation_statistics(evaluations), references)
    ours = found[found["origin"] == "ours"].set_index("value")
    assert ours.loc[table.BEST, ["mean", "std", "standard_error"]].tolist() == [4, 1, 1]
    assert ours.loc[table.LAST, ["mean", "std", "standard_error"]].tolist() == [2, 1, 1]


def test_last_values_are_those_of_the_statistics(
    statistics: pd.DataFrame, final: pd.DataFrame, rows: pd.DataFrame
):
    last = statistics[(statistics["step"] == 2_400) & (statistics["label"] == "hiro")]
    maze = last[(last["task"] == "ant_maze") & (last["metric"] == "success") & (last["target"] == "target_0_16")]
    found = rows[(rows["value"] == table.LAST) & (rows["method"] == "hiro")].set_index("task")
    assert found.loc["ant_maze", "mean"] == maze["mean"].iloc[0]
    trained = rows[(rows["value"] == table.FINAL) & (rows["method"] == "hrl")].iloc[0]
    expected = final[(final["task"] == "ant_gather") & (final["label"] == "hrl")].iloc[0]
    assert (trained["mean"], trained["std"]) == (expected["mean"], expected["std"])


def test_published_numbers_come_with_budget_and_provenance(rows: pd.DataFrame):
    found = rows[(rows["origin"] == "published") & (rows["task"] == "ant_gather")].set_index("method")
    assert found["mean"].tolist() == [3.02, 0.03, 0.41, 0.85, 0.01, 1.92, 1.42]
    assert found["standard_error"].tolist() == [1.49, 0.01, 0.06, 1.17, 0.01, 0.52, 0.90]
    assert found["std"].isna().all()
    assert set(found["steps_run"]) == {10_000_000}
    assert set(found["n_seeds"]) == {10}
    remarks = found.loc["HIRO", "remarks"]
    assert remarks.startswith("4,167 times our steps; Table 1; HIRO arXiv 1805.08296")
    assert remarks.endswith("stated table")
    assert "15 M steps, 5 seeds" in found.loc["VIME", "remarks"]


def test_a_table_for_readers(rows: pd.DataFrame):
    lines = table.readable(rows)
    assert lines["Method"].iloc[:3].tolist() == [
        "HIRO with correction, ours",
        "HIRO without correction (HRL), ours",
        "HIRO, published",
    ]
    assert lines.iloc[2][["Mean", "SE", "SD", "Steps"]].tolist() == ["3.02", "1.49", writing.DASH, "10,000,000"]
    assert lines["Remarks"].iloc[0] == "of each seed's 4; reduced: 2,400 of 1,000,000 steps, 3 of 10 seeds"
    assert "reduced" not in lines["Remarks"].iloc[2]
    assert set(lines["Metric"]) == {
        "Return (evaluation)",
        "Return (last 100 episodes)",
        "Success rate (evaluation), target (0, 16)",
    }


def test_a_single_seed_has_no_standard_error(references: References, final: pd.DataFrame):
    evaluations = hiro_evaluations(seeds=1, every=600, number=1)
    found = table.select(evaluations, final, hiro_evaluation_statistics(evaluations), references)
    ours = found[(found["origin"] == "ours") & (found["value"] == table.BEST)]
    assert ours["standard_error"].isna().all()
    assert set(table.readable(ours)["SE"]) == {writing.DASH}


def test_what_is_missing_is_named(
    evaluations: pd.DataFrame, final: pd.DataFrame, statistics: pd.DataFrame, references: References
):
    with pytest.raises(
        ValueError, match="no evaluations of the study 'hiro_correction' on ant_gather or ant_maze"
    ):
        table.select(evaluations, final, statistics.assign(study="main"), references)
    with pytest.raises(ValueError, match="there is no reference 'H_HIRO_AntGather'"):
        table.select(evaluations, final, statistics, References())


def test_command_line_writes_the_same_bytes_each_time(
    evaluations: pd.DataFrame, final: pd.DataFrame, statistics: pd.DataFrame, tmp_path: Path
):
    tables = {"evaluations": evaluations, "final": final, "evaluation-statistics": statistics}
    inputs = ["--references", str(FILE)]
    for option, rows in tables.items():
        rows.to_parquet(tmp_path / f"{option}.parquet")
        inputs += [f"--{option}", str(tmp_path / f"{option}.parquet")]
    for folder in ("a", "b"):
        out = [str(tmp_path / folder / f"table.{ending}") for ending in ("csv", "md", "tex")]
        table.main([*inputs, "--out", *out])
    for ending in ("csv", "md", "tex"):
        first, second = (tmp_path / folder / f"table.{ending}" for folder in ("a", "b"))
        assert first.read_bytes() == second.read_bytes() != b""
