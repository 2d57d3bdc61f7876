"""Tables as readers see them, from their Markdown; the same table's csv goes along for programs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from analysis.report.embedding import data_uri
from analysis.tables.writing import DASH, MINUS

#: What is set to the right: numbers, with their spread, bounds and share.
NUMERIC = re.compile(rf"[\[<\s]*[{MINUS}\d{DASH}][\d\s.,{MINUS}{DASH}±%\[\]e+-]*")
#: A column that says how runs are reduced, and from how many characters on other text wraps rather than widens the
#: table, with little or more room.
REDUCED = "Reduced"
LONG, LONGER = 28, 60


class Column(NamedTuple):
    """A column: its title, and the class that its cells have on the page."""

    title: str
    kind: str


class Table(NamedTuple):
    """A table for readers.

    Attributes:
        columns: in order.
        rows: texts of the cells.
        csv: the table for programs, as a data URI; empty if there is none.
    """

    columns: list[Column]
    rows: list[list[str]]
    csv: str = ""


def read(markdown: Path, csv: Path) -> Table:
    """Read both files of a table.

    Raises:
        ValueError: they do not belong together, or the first is no table.
    """
    table = parse(markdown.read_text(encoding="utf-8"), str(markdown))
    rows = len(pd.read_csv(csv, dtype=str))
    if rows != len(table.rows):
        raise ValueError(f"'{markdown}' has {len(table.rows)} rows, '{csv}' {rows}; make both again")
    return table._replace(csv=data_uri(csv.read_bytes(), "text/csv"))


def parse(text: str, name: str) -> Table:
    """Read a Markdown table.

    Args:
        text: a line of titles, a line of dashes, and a line per row.
        name: how messages call the table.

    Raises:
        ValueError: the text has another form.
    """
    lines = [cells(line) for line in text.splitlines() if line]
    if len(lines) < 2 or not all(re.fullmatch(":?-+:?", cell) for cell in lines[1]):
        raise ValueError(f"'{name}' is not a Markdown table")
    titles, rows = lines[0], lines[2:]
    for number, row in enumerate(rows, start=1):
        if len(row) != len(titles):
            raise ValueError(f"'{name}': row {number} has {len(row)} cells, the table {len(titles)} columns")
    kinds = [kind_of(title, [row[place] for row in rows]) for place, title in enumerate(titles)]
    return Table([Column(*column) for column in zip(titles, kinds, strict=True)], rows)


def cells(line: str) -> list[str]:
    """The cells of a line; a bar inside one is written with a backslash."""
    inside = line.strip().removeprefix("|").removesuffix("|")
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", inside)]


def kind_of(title: str, texts: list[str]) -> str:
    """The class of a column's cells: ``reduced``, ``number``, ``text``, ``long`` or ``longer``."""
    if title == REDUCED:
        return "reduced"
    filled = [text for text in texts if text]
    if filled and all(NUMERIC.fullmatch(text) for text in filled):
        return "number"
    most = max(map(len, filled), default=0)
    return "longer" if most > LONGER else "long" if most > LONG else "text"
