from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from transfer_and_hiro import transfer_cells, transfer_statistics

from analysis.tables import transfer as table
from analysis.tables import writing

POINTS = ["1", "2", "3", "4", "5", "6", "7", "mean"]


@pytest.fixture(scope="module")
def statistics() -> pd.DataFrame:
    return transfer_statistics(seeds=2, steps=(600, 1_200))


@pytest.fixture(scope="module")
def rows(statistics: pd.DataFrame) -> pd.DataFrame:
    return table.select(statistics, transfer_cells())


def test_a_row_per_task_worker_manager_and_point(rows: pd.DataFrame):
    heads = [
        (task, worker, manager, point)
        for task in ("ant_maze", "ant_four_rooms")
        for worker, manager in (
            ("hrl", "hrl"),
            ("hiro", "hiro"),
            ("hiro", "hrl"),
            ("cher", "cher"),
            ("cher", "hrl"),
        )
        for point in POINTS
    ]
    assert list(map(tuple, rows[["task", "source_algorithm", "algorithm", "point"]].values)) == heads


def test_numbers_are_those_of_the_last_evaluation(statistics: pd.DataFrame, rows: pd.DataFrame):
    last = statistics[statistics["step"] == 1_200].set_index(["task", "label", "target", "metric"])
    for row in table.numbers(rows).to_dict("records"):
        for metric in table.METRICS:
            found = last.loc[(row["task"], row["label"], row["target"], metric)]
            for name in table.STATISTICS:
                assert row[f"{metric}_{name}"] == pytest.approx(found[name], rel=1e-5)
        assert (row["n_seeds"], row["seeds_run"], row["steps_run"]) == (2, 2, 1_200)


def test_places_belong_to_their_points(rows: pd.DataFrame):
    maze = rows[rows["task"] == "ant_maze"].head(8)
    assert maze["target"].iloc[3] == "target_16_8"
    assert maze[["x", "y", "walk"]].iloc[3].tolist() == [16, 8, 24]
    assert maze[["x", "y", "walk"]].iloc[7].isna().all()


def test_a_table_for_readers(rows: pd.DataFrame):
    row = rows.iloc[[3]].assign(
        success_mean=0.256, success_std=0.104, entered_mean=0.5, final_distance_mean=12.34, final_distance_std=1.0
    )
    assert table.readable(row.assign(success_ci_low=0.1, success_ci_high=0.4, entered_std=0.02)).to_dict(
        "records"
    ) == [
        {
            "Task": "Ant Maze",
            "Worker": "HRL",
            "Manager": "HRL",
            "Point (x, y in m)": "4 (16, 8)",
            "Walk in m": "24",
            "Success ± SD": "0.26 ± 0.10",
            "95 % interval of IQM": "[0.10, 0.40]",
            "Entered ± SD": "0.50 ± 0.02",
            "Final distance ± SD in m": "12.3 ± 1.0",
            "Seeds": "2",
            "Steps": "1,200",
            "Reduced": "1,200 of 1,000,000 steps, 2 of 10 seeds",
        }
    ]
    mean = table.readable(rows).iloc[7]
    assert (mean["Point (x, y in m)"], mean["Walk in m"]) == ("mean", writing.DASH)


def test_missing_metrics_and_intervals_are_dashes(statistics: pd.DataFrame):
    few = statistics[statistics["metric"] == "success"].assign(ci_low=np.nan, ci_high=np.nan)
    lines = table.readable(table.select(few, transfer_cells()))
    assert len(lines) == 80
    for column in ("95 % interval of IQM", "Entered ± SD", "Final distance ± SD in m"):
        assert set(lines[column]) == {writing.DASH}


def test_a_full_run_is_not_marked(rows: pd.DataFrame):
    assert set(table.readable(rows.assign(reduced_why=""))["Reduced"]) == {""}


def test_a_subset_has_its_rows_and_nothing_is_an_error(statistics: pd.DataFrame):
    cells = transfer_cells()
    some = table.select(statistics[statistics["target"] == "mean"], cells[cells["label"] == "cher-worker_cher"])
    assert list(some["task"]) == ["ant_maze", "ant_four_rooms"]
    with pytest.raises(ValueError, match="there is no evaluation of a manager on a transferred worker"):
        table.select(statistics[:0], cells)


def test_command_line_writes_the_same_bytes_each_time(statistics: pd.DataFrame, tmp_path: Path):
    statistics.to_parquet(tmp_path / "evaluations.parquet")
    transfer_cells().to_parquet(tmp_path / "cells.parquet")
    inputs = ["--cells", str(tmp_path / "cells.parquet")]
    inputs += ["--evaluation-statistics", str(tmp_path / "evaluations.parquet")]
    for folder in ("a", "b"):
        out = [str(tmp_path / folder / f"table.{ending}") for ending in ("csv", "md", "tex")]
        table.main([*inputs, "--out", *out])
    for ending in ("csv", "md", "tex"):
        first, second = (tmp_path / folder / f"table.{ending}" for folder in ("a", "b"))
        assert first.read_bytes() == second.read_bytes() != b""
    assert len((tmp_path / "a/table.csv").read_text().splitlines()) == 81
