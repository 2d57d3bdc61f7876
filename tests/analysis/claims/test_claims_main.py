"""The files that are written: verdicts, published numbers beside ours, and the figure."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up import results, studies, write

from analysis import style
from analysis.claims import forest, page, reproduction
from analysis.claims.__main__ import REFERENCES, main
from analysis.claims.catalogue.every import CLAIMS, claim
from analysis.claims.counterparts import every
from analysis.claims.judge import COLUMNS, judge
from analysis.claims.results import Results
from analysis.references import load

READ_BY_OTHERS = [
    *("claim", "section", "statement", "task", "comparison", "test", "effect", "ci_low", "ci_high", "unit"),
    *("p_value", "n_seeds", "verdict", "lacks", "reduced", "reduced_why"),
]
CHOSEN = [claim(name) for name in ("C5", "C7", "C11", "C17", "C20", "C23")]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Supported, contradicted, reduced and missing, in one table."""
    made = studies(True)
    del made["transfer"]
    here = (made["main"]["final"]["task"] == "ant_gather") & (made["main"]["final"]["label"] == "td3")
    made["main"]["final"].loc[here, "reduced_why"] = "5 of 10 seeds"
    found = judge(Results(made, results(True).tasks), CHOSEN)
    return pd.concat([found, judge(results(False), [claim("C25")])], ignore_index=True)


@pytest.fixture(scope="module")
def numbers() -> pd.DataFrame:
    return reproduction.select(results(True), load(REFERENCES))


def test_the_table_has_the_columns_that_others_read(rows: pd.DataFrame):
    assert COLUMNS[: len(READ_BY_OTHERS)] == READ_BY_OTHERS
    assert set(rows["verdict"]) == {"supported", "contradicted", "inconclusive"}


def test_the_page_has_every_claim_and_comparison(rows: pd.DataFrame, tmp_path: Path):
    page.write(rows, CLAIMS, tmp_path)
    text, html = ((tmp_path / f"claims.{ending}").read_text() for ending in ("md", "html"))
    read = pd.read_csv(tmp_path / "claims.csv", keep_default_na=False, na_values=[""])
    assert list(read.columns) == COLUMNS
    np.testing.assert_allclose(read["effect"], rows["effect"], rtol=1e-5)
    for row in rows.to_dict("records"):
        assert row["comparison"] in text
        assert row["lacks"] in text
    for found in CHOSEN:
        assert text.count(f"## {found.id} ({found.section}): {found.statement}\n") == 1
        assert f'<h2 id="{found.id}">' in html
    assert "✓" in text
    assert "| inconclusive | reduced run: 5 of 10 seeds" in re.sub(" +", " ", text)
    assert "\n\n\n" not in text


def test_the_web_page_needs_nothing_else_and_escapes(rows: pd.DataFrame):
    html = page.to_html(rows.assign(lacks="<script>"), CLAIMS)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert not re.search(r"(src|href)=\"(?!#)", html)


def test_the_overview_counts_verdicts(rows: pd.DataFrame):
    table = page.overview(rows, CLAIMS).set_index("Claim")
    assert table.loc["C5", "Verdicts"] == "3 supported, 1 inconclusive"
    assert table.loc["C5", "Of these"] == "1 of reduced runs"
    assert table.loc["C17", "Of these"] == "8 not judged"
    assert table.loc["C25", "Verdicts"] == "1 contradicted"


def test_what_is_told_besides_is_counted_by_itself():
    table = page.overview(judge(results(True), [claim("C1")]), CLAIMS)
    assert table["Verdicts"][0] == "20 supported; besides: 24 supported"


def test_the_figure_shows_every_comparison_with_its_verdict(rows: pd.DataFrame):
    figure = forest.draw(rows)
    labels = [label.get_text() for axes in figure.axes for label in axes.get_yticklabels()]
    assert len(labels) == len(rows)
    assert labels[0] == "C5 Gather: CHER above TD3"
    marks = [line for axes in figure.axes for line in axes.lines if line.get_linestyle() == "None"]
    drawn = rows.dropna(subset="standard")
    assert [line.get_xdata()[0] for line in marks] == pytest.approx(list(drawn["standard"]))
    assert [line.get_color() for line in marks] == [forest.COLOURS[verdict] for verdict in drawn["verdict"]]
    assert [line.get_markerfacecolor() == "white" for line in marks] == list(drawn["reduced"])
    words = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert words == ["not judged"] * int((rows["n_seeds"] == 0).sum())
    box = figure._suptitle.get_bbox_patch()
    assert box is not None
    assert box.get_facecolor()[:3] == pytest.approx((1, 0.851, 0.627), abs=0.01)


def test_no_claim_is_torn_apart(rows: pd.DataFrame):
    parts = forest.panels(rows)
    assert sum(len(part) for part in parts) == len(rows)
    names = [name for part in parts for name in part["claim"].unique()]
    assert names == list(rows["claim"].unique())


def test_a_published_number_stands_beside_ours(numbers: pd.DataFrame):
    found = numbers.set_index(["reference", "task"])
    worker = found.loc[("P02", "ant_gather")]
    assert (worker["published"], worker["low"], worker["high"]) == (-600, -700, -500)
    assert worker["ours"] == pytest.approx(-600, abs=10)
    assert worker["deviation"] == pytest.approx(worker["ours"] + 600)
    assert (worker["inside"], worker["n_seeds"], worker["reduced"]) == ("yes", 10, False)
    assert found.loc[("P04", "ant_gather"), "ours"] == 0.75
    assert found.loc[("P05", "ant_gather"), "ours"] == 0.25
    assert found.loc[("P01", "ant_gather"), "inside"] == "yes"
    assert found.loc[("P07", "ring_road"), "ours"] == 0.01
    assert found.loc[("P10", "ant_maze"), "ours"] == 50_000
    assert found.loc[("D21", "ant_gather"), "ours"] == pytest.approx(5)  # goals (3, 4)
    assert found.loc[("D21", "ant_gather"), "inside"] == "no"
    assert found.loc[("H_HIRO_AntGather", "ant_gather"), "low"] == pytest.approx(0.04)
    assert np.isnan(found.loc[("A08", "ant_gather"), "low"])
    assert found.loc[("A08", "ant_gather"), "inside"] == ""


def test_what_has_no_runs_has_no_number(numbers: pd.DataFrame):
    missing = numbers[numbers["lacks"] != ""]
    assert missing["ours"].isna().all()
    assert (missing["inside"] == "").all()
    transfer = missing[missing["reference"] == "P09"].iloc[0]
    assert transfer["lacks"] == "runs missing: CHER (transfer) on Ant Gather"


def test_every_counterpart_has_its_reference_and_number():
    references = load(REFERENCES)
    for counterpart in every():
        assert counterpart.entry < len(references[counterpart.reference].values), counterpart.reference


def test_the_tables_of_numbers_are_readable(numbers: pd.DataFrame):
    shown = reproduction.readable(numbers)
    assert shown.map(lambda cell: isinstance(cell, str) and "\n" not in cell).all(axis=None)
    bound = shown[shown["Reference"] == "D14"].iloc[0]
    assert bound["Band"] == "to 135,000"
    assert shown[shown["Reference"] == "P02"].iloc[0]["Band"] == "−700 to −500"  # noqa: RUF001
    programs = reproduction.numbers(numbers)
    assert not np.isinf(programs[reproduction.NUMBERS].to_numpy(float)).any()


def test_inside_is_where_the_mean_is_however_wide_its_interval():
    values = pd.Series([1.0, 3.0])  # mean 2, standard error 1
    assert reproduction.inside(values, 1.9, 5) == "yes"
    assert reproduction.inside(values, 2.1, 5) == "no"
    assert reproduction.inside(values[:1], 1.1, 5) == "no"
    assert reproduction.inside(values, np.nan, 5) == ""


def test_traffic_of_another_setting_is_neither_inside_nor_outside(numbers: pd.DataFrame):
    """Human drivers here are those of S01, not those whose waves have grown in every car's model."""
    found = numbers.set_index("reference")
    assert (found.loc["S01", "inside"], found.loc["S01", "low"], found.loc["S01", "high"]) == ("yes", 1463, 1789)
    others = found.loc[["A01", "A02", "A03", "A04", "D06", "D07", "D10", "A06_220"]]
    assert set(others["inside"]) == {""}
    assert others.loc["A03", "deviation"] == pytest.approx(0.038, abs=0.01)
    assert others.drop("D07")["remark"].str.startswith("another setting").all()


def test_only_results_at_full_length_are_counted(numbers: pd.DataFrame):
    rows = pd.DataFrame(
        {
            "inside": ["yes", "yes", "no", "", "no", "yes"],
            "reduced": [False, True, False, False, True, False],
            "is_certain": [False, False, False, False, False, True],
        }
    )
    assert reproduction.counted(rows) == "1 inside their band, 1 outside"
    certain = set(numbers.loc[numbers["is_certain"], "reference"])
    assert certain >= {"P01", "P07", "P03_150", "P03_0", "PC11", "D01_220", "D03", "D14", "AC_AntMaze_65"}
    assert not certain & {"P02", "P03_50", "P04", "S01", "D21", "H_TD3"}


def test_the_ratio_of_the_best_return_rests_on_every_ratio():
    made = studies(True)
    final = made["cooperation"]["final"]
    here = final["label"] == "cher-ratio_25"
    made["cooperation"]["final"] = final.assign(reduced_why=np.where(here, "5 of 10 seeds", ""))
    rows = reproduction.select(Results(made, results(True).tasks), load(REFERENCES)).set_index("reference")
    assert rows.loc[["P04", "P05"], "reduced"].all()
    assert not rows.loc["P02", "reduced"]


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    made = studies(True)
    write({name: made[name] for name in ("main", "cooperation")}, tmp_path / "results/tables")
    override = json.dumps({"studies": ["main", "cooperation", "transfer"], "tasks": ["ant_gather", "ring_road"]})
    tables = ["--tables", str(tmp_path / "results/tables"), "--out", str(tmp_path / "out")]
    return ["--preset", "paper", "--override", override, *tables]


def test_the_command_writes_everything_from_part_of_the_results(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("analysis.claims.__main__.CLAIMS", [claim("C5"), claim("C8"), claim("C25")])
    main(arguments)
    names = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")}
    expected = {f"tables/claims{ending}" for ending in (".csv", ".md", ".html")}
    expected |= {f"tables/reproduction{ending}" for ending in (".csv", ".md", ".tex")}
    assert names == expected | {f"figures/claims{ending}" for ending in style.ENDINGS}
    assert re.search(
        r"Claims: \d+ supported, \d+ inconclusive\.  Published numbers, of results at full length: \d+ inside",
        capsys.readouterr().out,
    )
    found = pd.read_csv(tmp_path / "out/tables/claims.csv").set_index(["claim", "task"])
    assert set(found.loc[("C5", "ant_gather"), "verdict"]) == {"supported"}
    assert found.loc[("C25", "ant_maze"), "lacks"] == "runs missing: CHER on Ant Maze"
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")}
    main(arguments)
    assert before == {path: path.read_bytes() for path in before}, "the same tables give the same bytes"


def test_a_damaged_folder_is_named(arguments: list[str], tmp_path: Path):
    (tmp_path / "results/tables/main/probes.parquet").unlink()
    with pytest.raises(SystemExit, match=r"claims: .*main: there is no probes.parquet"):
        main(arguments)


def test_no_study_at_all_is_refused(arguments: list[str], tmp_path: Path):
    arguments[arguments.index("--tables") + 1] = str(tmp_path / "elsewhere")
    with pytest.raises(SystemExit, match=r"claims: .*elsewhere has no folder of a study; the preset selects main"):
        main(arguments)
    assert not (tmp_path / "out").exists()


def test_the_page_of_claims_names_each_with_its_tests_and_margins():
    text = (Path(__file__).parents[3] / "docs/claims.md").read_text()
    for found in CLAIMS:
        line = next(line for line in text.splitlines() if line.startswith(f"| {found.id} |"))
        assert found.statement in line
        for comparison in found.comparisons:
            assert comparison.test.name in line, (found.id, comparison.test.name)
            assert comparison.why in line, (found.id, comparison.why)
