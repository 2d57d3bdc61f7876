from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis import command
from analysis.command import Option


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    pd.DataFrame({"label": ["hrl"], "value": [1.5]}).to_parquet(tmp_path / "cells.parquet")
    return tmp_path / "cells.parquet"


def test_a_figure_gets_its_tables_and_options_in_order(cells: Path, tmp_path: Path):
    seen: list[object] = []

    def draw(*inputs: object) -> Figure:
        seen.extend(inputs)
        return Figure()

    out = [tmp_path / "new/a.svg", tmp_path / "new/a.png"]
    option = Option("task", "whose", str.upper, {"default": "maze"})
    arguments = ["--cells", str(cells), "--runs", str(cells), "--out", *map(str, out)]
    command.figure("figure_99", draw, ["runs", "cells"], [option], arguments=arguments)
    assert all(path.stat().st_size > 0 for path in out)
    assert seen[2:] == ["MAZE"]
    pd.testing.assert_frame_equal(seen[0], pd.read_parquet(cells))


def test_a_table_is_written_for_programs_and_for_readers(cells: Path, tmp_path: Path):
    out = [str(tmp_path / f"t.{ending}") for ending in ("csv", "md", "tex")]
    formats = (lambda rows: rows, lambda rows: rows.astype(str).assign(more="a", last="b"))
    command.table("t", lambda rows: rows, formats, ["cells"], arguments=["--cells", str(cells), "--out", *out])
    assert (tmp_path / "t.csv").read_text() == "label,value\nhrl,1.5\n"
    assert "| hrl" in (tmp_path / "t.md").read_text()
    assert r"\toprule" in (tmp_path / "t.tex").read_text()


def refusing(rows: pd.DataFrame) -> Figure:
    raise ValueError("there is nothing\nto draw")


@pytest.mark.parametrize(
    ("source", "out", "reason"),
    [
        ("cells.parquet", "a.svg", "figure_99: there is nothing to draw"),
        ("nowhere.parquet", "a.svg", "figure_99: .*nowhere.parquet.*"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(cells: Path, tmp_path: Path, source: str, out: str, reason: str):
    arguments = ["--cells", str(tmp_path / source), "--out", str(tmp_path / out)]
    with pytest.raises(SystemExit, match=f"^{reason}$"):
        command.figure("figure_99", refusing, ["cells"], arguments=arguments)
    assert not (tmp_path / out).exists()


def test_another_format_is_refused_before_anything_is_written(cells: Path, tmp_path: Path):
    arguments = ["--cells", str(cells), "--out", str(tmp_path / "a.svg"), str(tmp_path / "a.docx")]
    with pytest.raises(SystemExit, match=r"a.docx' is not a figure file; allowed endings: .svg, .pdf, .png$"):
        command.figure("figure_99", lambda rows: Figure(), ["cells"], arguments=arguments)
    assert not (tmp_path / "a.svg").exists()


def test_a_missing_option_is_named(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        command.figure("figure_99", refusing, ["evaluation_statistics"], arguments=["--out", "a.svg"])
    assert "required: --evaluation-statistics" in capsys.readouterr().err
