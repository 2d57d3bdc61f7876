from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cooperative import Study, cell, cooperation_cells, reduced, study
from hypothesis import given
from hypothesis import strategies as st

from analysis.tables import cooperation as table
from analysis.tables.writing import DASH, MINUS, to_csv, to_latex


@pytest.fixture(scope="module")
def tables() -> Study:
    return study(cooperation_cells(), seeds=4)


@pytest.fixture
def rows(tables: Study) -> pd.DataFrame:
    return select(tables)


def select(tables: Study) -> pd.DataFrame:
    return table.select(tables.cells, tables.final, tables.runs, tables.evaluation_statistics)


def test_one_row_per_cell_by_rising_ratio(rows: pd.DataFrame):
    assert list(rows["label"]) == ["hrl", "cher-rho_25", "cher-rho_50", "cher", "cher-rho_92", "cher-rho_100"]
    assert list(rows["delta"].dropna()) == pytest.approx([-450, -300, -150, -50, 0])
    assert set(rows["worker_return"]) == {-600}


def test_numbers_are_those_of_the_statistics(rows: pd.DataFrame, tables: Study):
    final = tables.final.set_index(["label", "metric"])
    evaluated = tables.evaluation_statistics
    last = evaluated[evaluated["step"] == 1_000_000].set_index(["label", "metric"])
    for row in rows.to_dict("records"):
        label = row["label"]
        for name, metric, column in (
            ("mean", "return_mean100", "mean"),
            ("iqm", "return_mean100", "iqm"),
            ("worker_return_final", "worker_q_current", "mean"),
            ("worker_return_std", "worker_q_current", "std"),
        ):
            assert row[name] == final.at[(label, metric), column]
        for name in ("path_length", "goal_distance", "episode_length"):
            assert row[name] == last.at[(label, name), "mean"]
    assert rows["lambda"].isna().tolist() == [True] + [False] * 5
    assert rows["lambda"][3] == final.at[("cher", "lambda"), "mean"]


def test_the_constraint_is_met_where_it_can_be(rows: pd.DataFrame):
    np.testing.assert_array_equal(rows["met"], [np.nan, 1, 1, 1, 0, 0])
    np.testing.assert_array_equal(rows["matched"], [np.nan, 1, 1, 1, 0, 0])


@pytest.mark.parametrize(
    ("returns", "delta", "met", "matched"),
    [
        ([-100, -114, -116, -86, -84, -10], -100, 5 / 6, 3 / 6),
        ([-115.0], -100, 0, 0),
        ([-85.0], -100, 1, 0),
        ([0.0, -1.0, 1.0], 0, 2 / 3, 0),
        ([0.0, -1.0], -0.0, 1 / 2, 0),
        ([np.nan, -100.0], -100, 1, 1),
        ([np.nan], -100, np.nan, np.nan),
        ([], -100, np.nan, np.nan),
        ([-100.0], np.nan, np.nan, np.nan),
    ],
)
def test_shares_of_seeds_at_delta_and_above(returns: list[float], delta: float, met: float, matched: float):
    shares = table.constraint_shares(pd.Series(returns, dtype=float), delta)
    np.testing.assert_allclose(shares, [met, matched])


@given(st.lists(st.floats(-1000, 0), min_size=1, max_size=10), st.floats(-900, 0), st.floats(0, 100))
def test_a_higher_return_never_breaks_the_constraint(returns: list[float], delta: float, more: float):
    met, matched = table.constraint_shares(pd.Series(returns), delta)
    higher, _ = table.constraint_shares(pd.Series(returns) + more, delta)
    assert 0 <= matched <= met <= higher <= 1


def test_csv_has_plain_numbers_without_a_negative_zero(rows: pd.DataFrame):
    text = to_csv(table.numbers(rows))
    assert ",-0.0," not in text
    read = pd.read_csv(io.StringIO(text))
    np.testing.assert_allclose(read["return_mean"], rows["mean"], rtol=1e-5)
    assert list(read["cooperation_ratio"]) == pytest.approx([0, 0.25, 0.5, 0.75, 11 / 12, 1], rel=1e-5)
    assert {"delta", "met", "matched", "lambda", "path_length", "n_seeds", "steps_run", "reduced_why"} <= set(read)


def test_readers_get_percentages_and_dashes(rows: pd.DataFrame):
    lines = table.readable(rows)
    assert list(lines["Ratio"]) == ["0 %", "25 %", "50 %", "75 %", "92 %", "100 %"]
    assert list(lines["δ"]) == [DASH, f"{MINUS}450", f"{MINUS}300", f"{MINUS}150", f"{MINUS}50", "0"]
    assert list(lines["Met"]) == [DASH, "100 %", "100 %", "100 %", "0 %", "0 %"]
    assert lines["λ"][0] == DASH
    assert "e+" in lines["λ"][5]
    assert lines["Worker return"][3].startswith(f"{MINUS}1")
    assert " ± " in lines["Return"][0]
    assert (lines["Reduced"] == "").all()
    assert r"At $\delta$" in to_latex(lines)


def test_reduced_runs_say_so():
    tables = reduced(study(cooperation_cells()[:1]), "2 of 10 seeds")
    assert list(table.readable(select(tables))["Reduced"]) == ["2 of 10 seeds"]


def test_what_is_missing_is_a_dash():
    made = study(cooperation_cells(), seeds=1, points=1)
    lines = table.readable(select(made._replace(evaluation_statistics=made.evaluation_statistics.iloc[:0])))
    assert len(lines) == 6
    for name in ("Return", "95 % interval", "Path (m)", "Goal distance", "Episode (steps)"):
        assert set(lines[name]) == {DASH}


def test_tasks_keep_their_order_and_other_algorithms_their_rows():
    cells = [cell("cooperation", task, label) for task in ("ring_road", "ant_gather") for label in ("td3", "sac")]
    lines = table.readable(select(study(cells)))
    assert list(zip(lines["Task"], lines["Algorithm"], strict=True)) == [
        ("Ring Road", "TD3"),
        ("Ring Road", "SAC"),
        ("Ant Gather", "TD3"),
        ("Ant Gather", "SAC"),
    ]
    assert set(lines["Ratio"]) == set(lines["Met"]) == {DASH}


def test_no_statistics_are_refused(tables: Study):
    with pytest.raises(ValueError, match="there are no statistics of any of the study's cells"):
        select(tables._replace(final=tables.final.iloc[:0]))


def test_the_command_line_writes_the_same_bytes_each_time(tables: Study, tmp_path: Path):
    arguments = []
    for name in ("cells", "final", "runs", "evaluation_statistics"):
        getattr(tables, name).to_parquet(tmp_path / f"{name}.parquet")
        arguments += [f"--{name.replace('_', '-')}", str(tmp_path / f"{name}.parquet")]
    for folder in ("a", "b"):
        table.main([*arguments, "--out", *(str(tmp_path / folder / f"t.{end}") for end in ("csv", "md", "tex"))])
    for ending in ("csv", "md", "tex"):
        first, second = (tmp_path / folder / f"t.{ending}" for folder in ("a", "b"))
        assert first.read_bytes() == second.read_bytes() != b""
