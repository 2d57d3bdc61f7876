"""The command line of the page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from reported import PRESET, write_results

from analysis.report.__main__ import main

SELECTED = json.dumps({key: PRESET[key] for key in ("studies", "tasks", "algorithms")})
PRESET_ARGUMENTS = ("--preset", "quick", "--override", SELECTED)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_results(tmp_path_factory.mktemp("fresh"))


@pytest.fixture
def folder(fresh: Path, tmp_path: Path) -> Path:
    """Results that a test may change."""
    return Path(shutil.copytree(fresh, tmp_path / "results"))


def refusal(*arguments: str | Path) -> str:
    """What the command ends with."""
    with pytest.raises(SystemExit) as error:
        main([*PRESET_ARGUMENTS, *map(str, arguments)])
    return str(error.value)


def test_the_page_is_written_where_it_is_looked_for(folder: Path, capsys: pytest.CaptureFixture[str]):
    main([*PRESET_ARGUMENTS, "--results", str(folder)])
    assert capsys.readouterr().out == f"{folder / 'report/index.html'}\n"
    assert (folder / "report/index.html").read_text().startswith("<!doctype html>\n")


def test_what_is_drawn_from_the_archive_is_looked_for_where_it_is(folder: Path, tmp_path: Path):
    drawn = tmp_path / "mine/from_archive"
    shutil.copytree(folder, drawn)
    override = json.loads(SELECTED) | {"source": "archive", "results": str(tmp_path / "mine")}
    main(["--preset", "quick", "--override", json.dumps(override)])
    text = (drawn / "report/index.html").read_text()
    assert "Drawn from" in text
    assert "<img" in text


def test_only_named_files_are_shown(folder: Path, tmp_path: Path):
    main(
        [
            *PRESET_ARGUMENTS,
            f"--results={folder}",
            f"--out={tmp_path / 'page.html'}",
            "--only",
            str(folder / "figures/figure_05.svg"),
        ]
    )
    text = (tmp_path / "page.html").read_text()
    assert text.count("<img") == 1
    assert "No data for Figure 4: The tasks." in text


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("figures/figure_05.svg", "<svg", "is not an SVG"),
        ("tables/cost.csv", "a\n", "make both again"),
        ("tables/claims.csv", "claim\nC1\n", "has no column section, statement"),
        ("tables/main/final.parquet", "no table", "Parquet"),
    ],
)
def test_a_broken_file_ends_in_one_line_and_writes_nothing(folder: Path, file: str, content: str, message: str):
    (folder / file).write_text(content)
    said = refusal("--results", folder)
    assert said.startswith("report: ")
    assert message in said
    assert "\n" not in said
    assert not (folder / "report").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--results", "nowhere"], "report: 'nowhere' is not a results folder: it is not there"),
        (
            ["--preset", "slow"],
            "report: preset 'slow' not found; allowed: first_archive, highway_2020, paper, quick, smoke, or",
        ),
    ],
)
def test_wrong_arguments_are_named(arguments: Sequence[str], message: str):
    assert refusal(*arguments).startswith(message)
