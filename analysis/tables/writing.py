"""What all tables share: rounded numbers, and files for programs (csv) and for readers (Markdown, LaTeX)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import floor, isfinite, log10
from pathlib import Path

import pandas as pd

DIGITS = 3
MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
#: What plain LaTeX does not print, and its commands.
LATEX = str.maketrans({MINUS: "$-$", "λ": r"$\lambda$", "δ": r"$\delta$", "±": r"$\pm$"})


def significant(values: pd.DataFrame) -> pd.DataFrame:
    """Numbers to six significant digits, for programs; no negative zero."""
    return values.map(lambda value: float(f"{value:.6g}") + 0.0)


def decimal_places(scale: float) -> int:
    """Decimals that show a number of this size with three significant digits."""
    return max(0, DIGITS - 1 - floor(log10(scale))) if isfinite(scale) and scale > 0 else DIGITS - 1


def round_to(value: float, decimals: int) -> str:
    """Fixed decimals with thousands separators, a real minus sign, and a dash where there is no value."""
    return f"{value:,.{decimals}f}".replace("-", MINUS) if isfinite(value) else DASH


def to_csv(table: pd.DataFrame) -> str:
    """Comma-separated values."""
    return table.to_csv(index=False, lineterminator="\n")


def to_markdown(table: pd.DataFrame) -> str:
    """A Markdown table; all cells are texts, and a bar inside one is escaped."""
    escaped = table.map(lambda text: text.replace("|", r"\|"))
    return escaped.to_markdown(index=False, disable_numparse=True) + "\n"


def to_latex(table: pd.DataFrame) -> str:
    """A LaTeX table (package booktabs): the first three columns to the left, and the last one wraps."""
    styler = table.style.format(escape="latex").format_index(escape="latex", axis=1).hide(axis="index")
    layout = "lll" + "r" * (len(table.columns) - 4) + "p{4cm}"
    return str(styler.to_latex(hrules=True, column_format=layout)).translate(LATEX)


#: Formats for readers; csv is for programs.
READABLE: dict[str, Callable[[pd.DataFrame], str]] = {".md": to_markdown, ".tex": to_latex}
ENDINGS = (".csv", *READABLE)


def write(numbers: pd.DataFrame, readable: pd.DataFrame, paths: Sequence[Path]) -> None:
    """Write a table in the formats that the paths' endings name.

    Args:
        numbers: the table for programs: names as in the configuration, plain numbers; written as csv.
        readable: the table for readers, all cells texts; written as Markdown or LaTeX.
        paths: the files.

    Raises:
        ValueError: there is no such format; nothing is written then.
    """
    for path in paths:
        if path.suffix not in ENDINGS:
            raise ValueError(f"'{path}' is not a table file; allowed endings: {', '.join(ENDINGS)}")
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = READABLE[path.suffix](readable) if path.suffix in READABLE else to_csv(numbers)
        path.write_text(text, encoding="utf-8")
