from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic import NO_DRIVERS, with_mazes

from analysis.tables import final_performance as table
from analysis.tables import writing

MINUS = "\N{MINUS SIGN}"


@pytest.fixture
def rows(final: pd.DataFrame, evaluations: pd.DataFrame) -> pd.DataFrame:
    return table.select(final, evaluations, NO_DRIVERS)


def test_rows_are_every_task_algorithm_and_metric_that_exists(rows: pd.DataFrame):
    assert list(map(tuple, rows[["task", "metric", "label"]].values)) == [
        ("ring_road", "return_mean100", "td3"),
        ("ring_road", "return_mean100", "hrl"),
        ("ring_road", "return_fraction_mean100", "td3"),
        ("ring_road", "return_fraction_mean100", "hrl"),
        ("ring_road", "return", "td3"),
        ("ring_road", "return", "hrl"),
        ("ring_road", "return_fraction", "td3"),
        ("ring_road", "return_fraction", "hrl"),
        ("ant_gather", "return_mean100", "td3"),
        ("ant_gather", "return_mean100", "hrl"),
    ]


def test_drivers_follow_the_algorithms_on_tasks_with_traffic(
    final: pd.DataFrame, evaluations: pd.DataFrame, drivers: pd.DataFrame
):
    rows = table.select(final, evaluations, drivers)
    assert list(map(tuple, rows.loc[rows["task"] == "ring_road", ["metric", "label"]].values)) == [
        ("return_mean100", "td3"),
        ("return_mean100", "hrl"),
        ("return_fraction_mean100", "td3"),
        ("return_fraction_mean100", "hrl"),
        ("return", "td3"),
        ("return", "hrl"),
        ("return", "human"),
        ("return", "random"),
        ("return_fraction", "td3"),
        ("return_fraction", "hrl"),
        ("return_fraction", "human"),
        ("return_fraction", "random"),
    ]
    assert set(rows.loc[rows["task"] == "ant_gather", "label"]) == {"td3", "hrl"}
    lines = table.readable(rows)
    human = lines[lines["Algorithm"] == "Human"].to_dict("records")[0]
    assert (human["Metric"], human["Steps"], human["Seeds"]) == ("Return (evaluation)", writing.DASH, "2")
    assert (human["Mean"], human["SD"]) == (f"{MINUS}66", "50")
    assert human["Reduced"] == "2 of 10 seeds, 2 settings changed"
    assert "Random actions" in list(lines["Algorithm"])
    text = writing.to_csv(table.numbers(rows))
    assert "ring_road,human,return,-65.5," in text


def test_the_headline_of_a_task_comes_first(final: pd.DataFrame, evaluations: pd.DataFrame):
    final, evaluations = with_mazes(final, evaluations)
    early = (evaluations["task"] == "ant_maze") & (evaluations["step"] == 600)
    evaluations.loc[early, "mean"] = 0.1
    rows = table.select(final, evaluations, NO_DRIVERS)
    mazes = rows[~rows["task"].isin(["ring_road", "ant_gather"]) & (rows["label"] == "hrl")]
    assert list(map(tuple, mazes[["task", "metric"]].values)) == [
        ("ant_four_rooms", "success_mean100"),
        ("ant_four_rooms", "return_mean100"),
        ("ant_maze", "success"),
        ("ant_maze", "return_mean100"),
    ]
    assert mazes["mean"].tolist()[::2] == [0.3, 0.5], "in evaluations that at the last step, over all targets"
    lines = table.readable(mazes)
    assert lines["Metric"][2] == "Success rate (evaluation)"
    assert (lines["Seeds"] == "2").all()


def test_a_new_algorithm_and_a_new_task_appear_by_themselves(final: pd.DataFrame, evaluations: pd.DataFrame):
    new = final[final["task"] == "ant_gather"].assign(task="ant_push", label="sac")
    lines = table.readable(table.select(pd.concat([final, new]), evaluations, NO_DRIVERS))
    assert ("Ant Push", "SAC") in list(zip(lines["Task"], lines["Algorithm"], strict=True))


def test_csv_holds_the_numbers_to_six_digits(rows: pd.DataFrame):
    read = pd.read_csv(io.StringIO(writing.to_csv(table.numbers(rows))), keep_default_na=True)
    assert list(read["task"]) == list(rows["task"])
    for name in table.NUMBERS:
        np.testing.assert_allclose(read[name], rows[name], rtol=1e-5)
    assert (read["seeds_run"] == 2).all()
    assert (read["seeds_paper"] == 10).all()
    assert read["reduced_why"].str.contains(r"learner.hidden \[32, 32\] instead of \[256, 256\]").all()


def test_numbers_of_one_task_and_metric_are_rounded_alike(rows: pd.DataFrame):
    numbers = rows.head(2).copy()
    numbers.loc[:, ["mean", "std", "iqm", "ci_low", "ci_high"]] = [
        [-132.64, 4.21, -131.5, -140.26, -99.5],
        [1.5, 0.5, 1.0, 0.25, 2.75],
    ]
    lines = table.readable(numbers)
    assert lines["Mean"].tolist() == [f"{MINUS}133", "2"]
    assert lines["SD"].tolist() == ["4", "0"]
    assert lines["95 % interval of IQM"].tolist() == [f"[{MINUS}140, {MINUS}100]", "[0, 3]"]


@pytest.mark.parametrize(
    ("scale", "decimals"), [(132.6, 0), (13.2, 1), (0.866, 3), (0.0123, 4), (9_999, 0), (0.0, 2), (np.nan, 2)]
)
def test_three_significant_digits(scale: float, decimals: int):
    assert writing.decimal_places(scale) == decimals


def test_numbers_are_written_as_in_print():
    assert writing.round_to(-1234.5678, 1) == f"{MINUS}1,234.6"
    assert writing.round_to(np.nan, 1) == "\N{EN DASH}"


def test_a_run_without_values_keeps_its_row(rows: pd.DataFrame):
    rows = rows.assign(**dict.fromkeys(table.NUMBERS, np.nan), n_seeds=0)
    lines = table.readable(rows)
    assert len(lines) == len(rows)
    assert set(lines["Mean"]) == set(lines["95 % interval of IQM"]) == {"\N{EN DASH}"}
    assert set(lines["Seeds"]) == {"0"}


def test_reduced_runs_say_so_and_full_ones_do_not(rows: pd.DataFrame):
    assert table.readable(rows)["Reduced"].str.startswith("1,200 of 1,").all()
    full = table.readable(rows.assign(reduced=False, reduced_why=""))
    assert (full["Reduced"] == "").all()


def test_markdown_has_a_line_per_row(rows: pd.DataFrame):
    lines = writing.to_markdown(table.readable(rows)).splitlines()
    assert len(lines) == 2 + len(rows)
    assert [cell.strip() for cell in lines[2].split("|")[1:3]] == ["Ring Road", "TD3"]


def test_latex_is_escaped(rows: pd.DataFrame):
    text = writing.to_latex(
        table.readable(rows.assign(task="ring_road_2", reduced_why="learner.batch_size 1 instead of 2"))
    )
    assert r"95 \% interval of IQM" in text
    assert MINUS not in text
    assert text.count(r"\\") == 1 + len(rows)
    assert text.startswith(r"\begin{tabular}{lllrrrrrrp{4cm}}")


def test_latex_writes_greek_letters_as_commands(rows: pd.DataFrame):
    assert "CHER (fixed λ)" in writing.to_markdown(table.readable(rows.assign(label="cher_fixed")))
    text = writing.to_latex(table.readable(rows.assign(label="cher_fixed")))
    assert r"CHER (fixed $\lambda$)" in text
    assert text.replace(writing.DASH, "").isascii()


def test_command_line_writes_the_same_bytes_each_time(
    final: pd.DataFrame, evaluations: pd.DataFrame, drivers: pd.DataFrame, tmp_path: Path
):
    final.to_parquet(tmp_path / "final.parquet")
    evaluations.to_parquet(tmp_path / "evaluation-statistics.parquet")
    drivers.to_parquet(tmp_path / "driver-statistics.parquet")
    names = ("final", "evaluation-statistics", "driver-statistics")
    inputs = [text for name in names for text in (f"--{name}", str(tmp_path / f"{name}.parquet"))]
    for folder in ("a", "b"):
        out = [str(tmp_path / folder / f"table.{ending}") for ending in ("csv", "md", "tex")]
        table.main([*inputs, "--out", *out])
    for ending in ("csv", "md", "tex"):
        first, second = (tmp_path / folder / f"table.{ending}" for folder in ("a", "b"))
        assert first.read_bytes() == second.read_bytes() != b""


def test_unknown_file_formats_are_refused(rows: pd.DataFrame, tmp_path: Path):
    with pytest.raises(ValueError, match=r"table.docx' is not a table file; allowed endings: .csv, .md, .tex"):
        writing.write(rows, rows, [tmp_path / "table.docx"])
