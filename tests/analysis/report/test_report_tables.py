"""Tables of the page, from Markdown."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.report import readable
from analysis.tables.writing import DASH, MINUS, to_markdown

TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)


@settings(max_examples=40)
@given(
    st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(TEXT, min_size=width, max_size=width), min_size=2))
)
def test_what_was_written_is_read(rows: list[list[str]]):
    """Bars and backslashes included; the first row is of titles."""
    width = len(rows[0])
    titles = [f"column {number}" for number in range(width)]
    table = readable.parse(to_markdown(pd.DataFrame(rows, columns=titles)), "table")
    assert [column.title for column in table.columns] == titles
    assert table.rows == rows


@pytest.mark.parametrize(
    ("title", "texts", "kind"),
    [
        ("Mean", ["11,519", f"{MINUS}0.25", DASH, "", "1.5 ± 0.2", "25 %", "< 0.001"], "number"),
        ("Interval", [f"[{MINUS}1.0, 2.0]", DASH], "number"),
        ("Wall time", ["0.00874 [0.00865, 0.00883]"], "number"),
        ("Task", ["Ring Road", DASH], "text"),
        ("Setting", ["3 layers"], "text"),
        ("Source", ["a text that is longer than a number would be"], "long"),
        ("Remarks", ["a text that is longer than a number would be, and than most other texts"], "longer"),
        ("Reduced", ["", ""], "reduced"),
        ("Best", ["", ""], "text"),
    ],
)
def test_a_column_is_set_by_what_it_holds(title: str, texts: list[str], kind: str):
    assert readable.kind_of(title, texts) == kind


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'t.md' is not a Markdown table"),
        ("| a | b |\n| 1 | 2 |\n", "'t.md' is not a Markdown table"),
        ("| a | b |\n|:--|:--|\n| 1 | 2 |\n| 1 |\n", "'t.md': row 2 has 1 cells, the table 2 columns"),
    ],
)
def test_what_is_no_table_is_refused(text: str, message: str):
    with pytest.raises(ValueError, match=f"^{message}$"):
        readable.parse(text, "t.md")


def test_files_of_two_tables_are_refused(tmp_path: Path):
    markdown, csv = tmp_path / "t.md", tmp_path / "t.csv"
    markdown.write_text("| a |\n|:--|\n| 1 |\n")
    csv.write_text('a\n1\n"two\nlines"\n')
    with pytest.raises(ValueError, match=r"has 1 rows, '.*t.csv' 2; make both again$"):
        readable.read(markdown, csv)
