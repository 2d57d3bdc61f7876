from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic import NO_DRIVERS, small_preset, write_drivers, write_runs, write_study

from algorithms.config import load_preset
from algorithms.drivers import planned
from algorithms.nested import merge
from analysis import extents, statistics
from analysis.collect import Folders, collect, collect_drivers
from analysis.statistics import bootstrap_interval, final_values, interquartile_mean, summarise
from analysis.study_tables import Tables

TEN = np.arange(10.0)
#: Short files; how often a run reports is no reduction.
SELDOM = {"run": {"default": {"log_every": 50_000}}}


def final_of(collected: Tables) -> pd.DataFrame:
    return statistics.final_performance(collected.runs, collected.extents)


def driver_table(preset: dict[str, Any], folder: Path) -> pd.DataFrame:
    known = extents.table("main", [], planned(preset))
    return statistics.driver_statistics(collect_drivers(preset, folder), known)


def test_statistics_of_ten_seeds_match_closed_forms():
    row = summarise(TEN).iloc[0]
    assert row["n_seeds"] == 10
    assert row["mean"] == pytest.approx(4.5)
    assert row["std"] == pytest.approx(math.sqrt((10**2 - 1) / 12))  # divided by n


def test_interquartile_mean_cuts_two_of_ten_on_either_side():
    values = np.array([-1e6, -1e6, 1, 2, 3, 4, 5, 6, 1e6, 1e6])
    assert interquartile_mean(values) == pytest.approx(3.5)
    assert interquartile_mean(np.array([0.0, 1, 2, 100])) == pytest.approx(1.5)


def test_statistics_match_numpy_at_every_step():
    values = np.random.default_rng(1).normal(size=(7, 5))
    table = summarise(values)
    np.testing.assert_allclose(table["mean"], values.mean(axis=0))
    np.testing.assert_allclose(table["std"], np.std(values, axis=0, ddof=0))
    np.testing.assert_allclose(table["iqm"], [stats.trim_mean(column, 0.25) for column in values.T])


def test_bootstrap_interval_is_scipys_percentile_interval():
    def iqm(sample: Any, axis: int) -> Any:
        return stats.trim_mean(sample, 0.25, axis=axis)

    expected = stats.bootstrap((TEN,), iqm, n_resamples=500, method="percentile", rng=np.random.default_rng(3))
    low, high = bootstrap_interval(TEN, resamples=500, seed=3)
    assert low == pytest.approx(expected.confidence_interval.low)
    assert high == pytest.approx(expected.confidence_interval.high)


def test_bootstrap_interval_of_two_seeds_is_their_range():
    # A quarter of all resamples repeats either seed, far more than 2.5 %.
    assert bootstrap_interval(np.array([1.0, 5.0])) == (1.0, 5.0)


def test_bootstrap_interval_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    low, high = bootstrap_interval(random.normal(size=(20, 400)), resamples=400)
    coverage = np.mean((low < 0) & (high > 0))
    assert 0.88 < coverage < 0.98


def test_bootstrap_interval_is_the_same_each_time_and_at_steps_with_the_same_values():
    values = np.random.default_rng(2).normal(size=8)
    low, high = bootstrap_interval(np.stack([values, values], axis=1))
    assert low[0] == low[1] == bootstrap_interval(values)[0]
    assert high[0] == high[1] == bootstrap_interval(values)[1]


def test_a_single_seed_has_no_interval():
    row = summarise(np.array([[3.0]])).iloc[0]
    assert (row["n_seeds"], row["mean"], row["std"], row["iqm"]) == (1, 3, 0, 3)
    assert math.isnan(row["ci_low"])
    assert math.isnan(row["ci_high"])


@pytest.mark.filterwarnings("error")
def test_identical_seeds_have_an_interval_of_no_width():
    row = summarise(np.full(10, 2.5)).iloc[0]
    assert (row["std"], row["ci_low"], row["ci_high"]) == (0, 2.5, 2.5)


@pytest.mark.filterwarnings("error")
def test_seeds_without_a_value_are_left_out():
    nan = np.nan
    table = summarise(np.array([[nan, nan, 1.0], [nan, 4.0, 2.0], [nan, 6.0, 6.0]]))
    assert table["n_seeds"].tolist() == [0, 2, 3]
    assert table["mean"].isna().tolist() == [True, False, False]
    assert table["mean"].tolist()[1:] == [5, 3]
    assert table.loc[1, ["ci_low", "ci_high"]].tolist() == [4, 6]


@pytest.mark.filterwarnings("error")
def test_final_value_is_the_mean_of_the_last_tenth_of_each_seed():
    ramp = np.arange(40.0)
    nan = np.full(40, np.nan)
    late = np.where(ramp < 38, np.nan, ramp)
    np.testing.assert_array_equal(final_values(np.stack([ramp, nan, late])), [37.5, np.nan, 38.5])
    assert final_values(np.array([[1.0, 2.0, 3.0]])) == [3.0]
    assert final_values(np.arange(25.0)[None]) == [23.0]  # a tenth of 25 points, rounded up to 3


def test_table_holds_every_metric_of_every_run_group(statistics: pd.DataFrame):
    groups = statistics.groupby(["task", "label"])["metric"].unique()
    common = {"episodes", "return_mean100", "critic_q"}
    assert set(groups["ant_gather", "td3"]) == common
    assert set(groups["ring_road", "hrl"]) == common | {"return_fraction_mean100"}
    assert (statistics.loc[statistics["metric"] == "return_mean100", "step"] > 0).all()


def test_table_row_is_the_statistic_of_its_runs(results: Path, preset: dict[str, Any]):
    collected = collect(preset, "main", Folders.below(results))
    progress = collected.runs
    table = statistics.learning_curves(progress, collected.extents)
    last = progress[(progress["task"] == "ring_road") & (progress["label"] == "hrl")]
    last = last.loc[last["step"] == last["step"].max(), "return_mean100"]
    key = (table["task"] == "ring_road") & (table["label"] == "hrl") & (table["metric"] == "return_mean100")
    row = table[key].iloc[-1]
    assert row["mean"] == pytest.approx(last.mean())
    assert row["std"] == pytest.approx(last.std(ddof=0))
    assert row["n_seeds"] == row["seeds_run"] == len(preset["seeds"])


def test_evaluations_of_every_point_and_their_mean_are_tabulated(
    statistics: pd.DataFrame, evaluations: pd.DataFrame
):
    assert [name for name in evaluations if name != "target"] == list(statistics)
    targets = evaluations.groupby(["task", "label"])["target"].unique()
    assert list(targets["ant_gather", "td3"]) == ["default", "mean"]
    assert len(targets["ring_road", "hrl"]) == 11
    assert targets["ring_road", "hrl"][-1] == "mean"
    metrics = evaluations.groupby("task")["metric"].unique()
    assert set(metrics["ant_gather"]) == {"episodes", "return", "episode_length"}
    assert set(metrics["ring_road"]) == set(metrics["ant_gather"]) | {"return_fraction"}
    assert sorted(evaluations["step"].unique()) == [600, 1_200]


@pytest.mark.parametrize(("target", "expected"), [("length_231", 50 - 60 + 2), ("mean", 50 - 60 + 4.5)])
def test_a_mean_over_points_is_taken_for_each_seed_first(evaluations: pd.DataFrame, target: str, expected: float):
    """Returns are 100 seed - step / 10 + number of the point; pooled over points their deviation would differ."""
    where = {"task": "ring_road", "label": "hrl", "metric": "return", "target": target, "step": 600}
    (row,) = evaluations[(evaluations[list(where)] == pd.Series(where)).all(axis=1)].to_dict("records")
    assert (row["mean"], row["std"], row["n_seeds"]) == (pytest.approx(expected), pytest.approx(50), 2)
    assert (row["ci_low"], row["ci_high"]) == (pytest.approx(expected - 50), pytest.approx(expected + 50))


def test_a_mean_over_points_needs_all_of_them(results: Path, preset: dict[str, Any]):
    collected = collect(preset, "main", Folders.below(results))
    table = collected.evaluations
    lost = (table["task"] == "ring_road") & (table["seed"] == 1) & (table["target"] == "length_220")
    table.loc[lost, "return"] = np.nan
    counts = statistics.evaluation_curves(table, collected.extents).query(
        "task == 'ring_road' and metric == 'return'"
    )
    by_target = counts.groupby("target")["n_seeds"].unique().map(list).to_dict()
    assert by_target.pop("length_220") == by_target.pop("mean") == [1]
    assert all(numbers == [2] for numbers in by_target.values())


def test_reduced_run_says_so_and_a_full_one_does_not(final: pd.DataFrame, tmp_path: Path):
    assert final["reduced"].all()
    assert final["reduced_why"].str.contains("2 of 10 seeds").all()
    paper = load_preset("paper") | {"tasks": ["ant_gather"], "algorithms": ["td3"]}
    write_runs(paper | {"studies": ["main"]}, tmp_path / "runs")
    table = final_of(collect(paper, "main", Folders.below(tmp_path)))
    assert not table["reduced"].any()
    assert (table["reduced_why"] == "").all()
    assert (table["steps_run"] == table["steps_paper"]).all()


def test_a_delta_from_the_worker_return_is_no_changed_setting(tmp_path: Path):
    paper = merge(load_preset("paper"), {"tasks": ["ant_gather"], "algorithms": ["cher"], **SELDOM})
    write_study(paper, "main", tmp_path)
    final = final_of(collect(paper, "main", Folders.below(tmp_path)))
    assert (final["reduced_why"] == "").all()


def test_variants_and_workers_from_elsewhere_are_no_changed_settings(tmp_path: Path):
    """Each cell is compared with what the paper's preset says of that very cell."""
    selected = {"tasks": ["ant_gather", "ant_maze"], "algorithms": ["cher"], "seeds_per_job": 10}
    paper = merge(load_preset("paper"), selected | SELDOM)
    write_study(paper, "transfer", tmp_path)
    final = final_of(collect(paper, "transfer", Folders.below(tmp_path)))
    reasons = final.groupby(["task", "label", "variant"], sort=False)["reduced_why"].unique().map(list).to_dict()
    assert reasons == {
        ("ant_gather", "cher-transfer", "transfer"): [""],
        ("ant_maze", "cher-worker_cher", "worker_cher"): [""],
    }
    assert final.groupby("task")["steps_paper"].unique().map(list).to_dict() == {
        "ant_gather": [1_000_000],
        "ant_maze": [1_000_000],
    }


def test_rows_of_another_study_are_summarised_by_its_cells(tmp_path: Path):
    preset = small_preset(studies=["cooperation"], tasks=["ant_gather"], algorithms=["hrl", "cher"])
    write_study(preset, "cooperation", tmp_path)
    final = final_of(collect(preset, "cooperation", Folders.below(tmp_path)))
    labels = ["hrl", "cher-ratio_25", "cher-ratio_50", "cher", "cher-delta_50", "cher-delta_0"]
    assert list(final["label"].unique()) == labels
    assert set(final["study"]) == {"cooperation"}
    assert (final["n_seeds"] == 2).all()


def test_drivers_of_every_point_and_their_mean_are_tabulated(drivers: pd.DataFrame):
    """Returns are 100 seed - step / 10 + number of the point, + 1,000 for the second driver."""
    assert list(drivers.groupby(["task", "driver"], sort=False).groups) == [
        ("ring_road", "human"),
        ("ring_road", "random"),
    ]
    assert len(drivers["target"].unique()) == 11
    assert set(drivers["metric"]) == {"episodes", "return", "episode_length", "return_fraction"}
    rows = drivers[drivers["metric"] == "return"].set_index(["driver", "target"])
    assert rows.loc[("human", "length_231"), "mean"] == pytest.approx(50 - 120 + 2)
    assert rows.loc[("random", "mean"), "mean"] == pytest.approx(1_000 + 50 - 120 + 4.5)
    assert rows.loc[("random", "mean"), "std"] == pytest.approx(50), "of each seed's mean, then over seeds"
    assert (drivers[["n_seeds", "seeds_run"]] == 2).all(axis=None)
    assert (drivers[["steps_run", "steps_paper"]] == 0).all(axis=None)
    why = "2 of 10 seeds; environment.horizon 150 instead of 1500; environment.warmup_steps 50 instead of 1500"
    assert set(drivers["reduced_why"]) == {why}


def test_drivers_of_the_paper_are_not_reduced(tmp_path: Path):
    paper = load_preset("paper")
    write_drivers(paper, tmp_path)
    table = driver_table(paper, tmp_path)
    assert list(table["driver"].unique()) == paper["drivers"]
    assert not table["reduced"].any()
    fewer = paper | {"seeds": [0], "run": merge(paper["run"], {"tasks": {"ring_road": {"steps": 2_000}}})}
    write_drivers(fewer, tmp_path / "fewer")
    table = driver_table(fewer, tmp_path / "fewer")
    assert set(table["reduced_why"]) == {"1 of 10 seeds"}, "steps of trainings are none of a driver's"


def test_without_drivers_the_statistics_have_columns_and_no_rows(drivers: pd.DataFrame):
    assert NO_DRIVERS.empty
    assert list(NO_DRIVERS) == list(drivers.columns[: NO_DRIVERS.shape[1]])


def test_command_line_writes_all_tables(results: Path, preset: dict[str, Any], tmp_path: Path):
    collected = collect(preset, "main", Folders.below(results))
    for name, table in collected._asdict().items():
        table.to_parquet(tmp_path / f"{name}.parquet")
    statistics.main(["--tables", str(tmp_path)])
    names = ("statistics", "final", "evaluation_statistics", "driver_statistics")
    assert {path.stem for path in tmp_path.glob("*.parquet")} == {*collected._fields, *names}
    tables = [pd.read_parquet(tmp_path / f"{name}.parquet") for name in names]
    curves, final, evaluations, drivers = (set(table.columns) for table in tables)
    assert curves - final == {"step"}
    assert evaluations - curves == {"target"}
    assert drivers - evaluations == {"driver"}
    pd.testing.assert_frame_equal(tables[0], statistics.learning_curves(collected.runs, collected.extents))


def test_command_line_takes_tables_without_drivers(results: Path, preset: dict[str, Any], tmp_path: Path):
    without = preset | {"drivers": []}
    for name, table in collect(without, "main", Folders.below(results))._asdict().items():
        table.to_parquet(tmp_path / f"{name}.parquet")
    statistics.main(["--tables", str(tmp_path)])
    table = pd.read_parquet(tmp_path / "driver_statistics.parquet")
    assert table.empty
    assert list(table) == list(NO_DRIVERS)


def test_command_line_refuses_a_folder_without_tables_in_one_line(tmp_path: Path):
    with pytest.raises(SystemExit, match=rf"^statistics: [^\n]*{tmp_path / 'runs.parquet'}[^\n]*$"):
        statistics.main(["--tables", str(tmp_path)])
