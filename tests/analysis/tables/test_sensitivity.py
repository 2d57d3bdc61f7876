from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cooperative import (
    Study,
    cell,
    fixed_lambda_cells,
    gradient_cells,
    reduced,
    search_cells,
    study,
    with_share,
)

from analysis.tables import sensitivity as table
from analysis.tables.writing import DASH, to_csv, to_latex


@pytest.fixture(scope="module")
def search() -> Study:
    return study(search_cells())


def select(tables: Study) -> pd.DataFrame:
    return table.select(tables.final, tables.cells, tables.evaluation_statistics)


def test_rows_are_every_task_metric_and_setting(search: Study):
    lines = table.readable(select(search))
    expected = ["λ = 0.005", "λ = 0.01", "δ = 0.25 J_HRL", "δ = 0.5 J_HRL", "δ = 0.75 J_HRL"]
    assert list(lines["Setting"]) == expected * 2
    assert list(lines["Metric"]) == ["Return (last 100 episodes)"] * 5 + ["Success rate (evaluation)"] * 5
    assert list(lines["Algorithm"].unique()) == ["CHER (fixed λ)", "CHER"]


def test_the_ring_has_its_return_fraction_too():
    rows = select(study([row for row in fixed_lambda_cells() if row["label"] == "cher_fixed"]))
    assert list(map(tuple, rows[["task", "metric"]].to_numpy())) == [
        ("ant_gather", "return_mean100"),
        ("ring_road", "return_mean100"),
        ("ring_road", "return_fraction_mean100"),
    ]


def test_numbers_are_those_of_the_statistics(search: Study):
    rows = select(search)
    gather, maze = rows[rows["task"] == "ant_gather"], rows[rows["task"] == "ant_maze"]
    final = search.final.query("task == 'ant_gather' and metric == 'return_mean100'")
    last = search.evaluation_statistics.query("task == 'ant_maze' and metric == 'success' and step == 1_000_000")
    for name in table.NUMBERS:
        np.testing.assert_array_equal(gather[name], final[name])
        np.testing.assert_array_equal(maze[name], last[name])


def test_the_best_setting_of_each_task_and_algorithm_is_marked(search: Study):
    rows = select(search)
    for _, group in rows.groupby(["task", "algorithm"]):
        assert list(group["best"]) == list(group["mean"] == group["mean"].max())
    assert list(table.readable(rows)["Best"]) == ["best" if best else "" for best in rows["best"]]


def test_the_best_by_return_is_marked_in_both_metrics_of_the_ring():
    tables = study([row for row in gradient_cells() if (row["task"], row["algorithm"]) == ("ring_road", "cher")])
    final = tables.final.copy()
    fraction = (final["metric"] == "return_fraction_mean100") & (final["label"] == "cher-total")
    returns = (final["metric"] == "return_mean100") & (final["label"] == "cher-authors")
    final.loc[fraction | returns, "mean"] = 99.0
    rows = select(tables._replace(final=final))
    best = rows[rows["best"]]
    assert list(best["label"]) == ["cher-authors"] * 2
    assert set(table.readable(best)["Gradient"]) == {"authors"}


def test_equals_are_all_best_and_a_single_setting_or_no_value_is_not(search: Study):
    equal = select(search._replace(final=search.final.assign(mean=0.5)))
    assert equal.loc[equal["task"] == "ant_gather", "best"].all()
    single = search.cells[search.cells["label"].isin(["cher_fixed", "cher-p_0.5"])]
    assert not select(search._replace(cells=single))["best"].any()
    missing = select(search._replace(final=search.final.assign(mean=np.nan)))
    assert not missing.loc[missing["task"] == "ant_gather", "best"].any()


def test_csv_has_the_settings_as_numbers(search: Study):
    read = pd.read_csv(io.StringIO(to_csv(table.numbers(select(search)))))
    assert set(read["study"]) == {"e1_search"}
    assert read["fixed_lambda"].dropna().tolist() == [0.005, 0.01] * 2
    assert read["delta_share"].dropna().tolist() == [0.25, 0.5, 0.75] * 2
    assert read["delta"].dropna().tolist() == [-150, -300, -450] * 2
    assert read["best"].dtype == bool


def test_algorithms_without_settings_are_listed():
    lines = table.readable(select(study([*fixed_lambda_cells()[:1], cell("fixed_lambda", "ant_gather", "hrl")])))
    assert list(lines["Setting"]) == ["λ = 0.001", DASH]
    assert list(lines["Gradient"]) == ["Eq. 5", DASH]


def test_reduced_runs_say_so():
    tables = reduced(study(fixed_lambda_cells()[:1], seeds=1, points=1), "1 of 10 seeds")
    lines = table.readable(select(tables))
    assert (lines["Reduced"][0], lines["Mean"][0], lines["Seeds"][0]) == ("1 of 10 seeds", DASH, "0")
    assert r"$\lambda$ = 0.001" in to_latex(lines)


def test_no_statistics_are_refused(search: Study):
    nothing = search._replace(
        final=search.final.iloc[:0], evaluation_statistics=search.evaluation_statistics.iloc[:0]
    )
    with pytest.raises(ValueError, match="there are no statistics of any of the study's cells"):
        select(nothing)


def test_the_command_line_writes_the_same_bytes_each_time(search: Study, tmp_path: Path):
    arguments = []
    for name in ("final", "cells", "evaluation_statistics"):
        getattr(search, name).to_parquet(tmp_path / f"{name}.parquet")
        arguments += [f"--{name.replace('_', '-')}", str(tmp_path / f"{name}.parquet")]
    for folder in ("a", "b"):
        table.main([*arguments, "--out", *(str(tmp_path / folder / f"t.{end}") for end in ("csv", "md", "tex"))])
    for ending in ("csv", "md", "tex"):
        first, second = (tmp_path / folder / f"t.{ending}" for folder in ("a", "b"))
        assert first.read_bytes() == second.read_bytes() != b""


def test_units_inside_the_networks_are_told_apart():
    cells = [
        with_share("input_scale", "ring_road", "cher", 0.75, input_scale="unit"),
        with_share("input_scale", "ring_road", "cher-raw", 0.75, input_scale="raw"),
    ]
    rows = select(study(cells))
    assert list(table.readable(rows)["Inputs"]) == ["unit", "raw"] * 2
    assert list(table.numbers(rows)["input_scale"]) == ["unit", "raw"] * 2
