"""Command lines of figures and tables: the files they read and write, and one line where something is wrong."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis import style
from analysis.tables.writing import ENDINGS, write

#: What the tables of a study hold (parquet); an option is named like its table.
TABLES = {
    "cells": "the study's cells and their settings",
    "runs": "training progress of all runs",
    "evaluations": "evaluations of all runs",
    "proposals": "goals that managers set",
    "timing": "rows of timing.csv of all runs",
    "statistics": "statistics of training",
    "final": "statistics of final performance",
    "evaluation_statistics": "statistics of evaluations",
    "driver_statistics": "statistics of scripted drivers",
}


@dataclass(frozen=True)
class Option:
    """A further input.

    Attributes:
        name: of the option.
        help: what it is.
        read: makes of its value what is drawn.
        settings: keyword arguments of argparse.
    """

    name: str
    help: str
    read: Callable[[Any], Any]
    settings: Mapping[str, Any] = field(default_factory=dict)


#: Settings of options for one file that must be given, and for several.
FILE: Mapping[str, Any] = {"type": Path, "required": True}
FILES: Mapping[str, Any] = {"type": Path, "required": True, "nargs": "+"}


def figure(
    name: str,
    draw: Callable[..., Figure],
    tables: Sequence[str] = (),
    options: Sequence[Option] = (),
    *,
    arguments: Sequence[str] | None = None,
) -> None:
    """Read what the command line names, draw it and save it.

    Args:
        name: of the figure's module.
        draw: takes the tables and then the further options, in order.
        tables: names of tables (:data:`TABLES`).
        options: further inputs.
        arguments: the command line, by default that of the process.
    """

    def work(inputs: Sequence[Any], out: Sequence[Path]) -> None:
        style.save(draw(*inputs), out)

    _run(name, work, tables, options, style.ENDINGS, arguments)


def table(
    name: str,
    select: Callable[..., pd.DataFrame],
    formats: tuple[Callable[[pd.DataFrame], pd.DataFrame], Callable[[pd.DataFrame], pd.DataFrame]],
    tables: Sequence[str] = (),
    options: Sequence[Option] = (),
    *,
    arguments: Sequence[str] | None = None,
) -> None:
    """Read what the command line names, select the rows of a table and write it for programs and for readers.

    Args:
        name: of the table's module.
        select: takes the tables and then the further options, in order.
        formats: make of the rows a table of numbers, and one for readers.
        tables: names of tables (:data:`TABLES`).
        options: further inputs.
        arguments: the command line, by default that of the process.
    """

    def work(inputs: Sequence[Any], out: Sequence[Path]) -> None:
        rows = select(*inputs)
        numbers, readable = formats
        write(numbers(rows), readable(rows), out)

    _run(name, work, tables, options, ENDINGS, arguments)


def _run(
    name: str,
    work: Callable[[Sequence[Any], Sequence[Path]], None],
    tables: Sequence[str],
    options: Sequence[Option],
    endings: Sequence[str],
    arguments: Sequence[str] | None,
) -> None:
    """Parse, read and work; ends the process with one line if that cannot be done."""
    parser = argparse.ArgumentParser(prog=name, description=f"Make {name.replace('_', ' ')}.")
    given = [Option(table, f"{TABLES[table]} (parquet)", pd.read_parquet, FILE) for table in tables]
    given += options
    for option in given:
        parser.add_argument(f"--{option.name.replace('_', '-')}", help=option.help, **option.settings)
    formats = ", ".join(endings)
    parser.add_argument("--out", type=Path, nargs="+", required=True, help=f"files that end in {formats}")
    parsed = parser.parse_args(arguments)
    try:
        work([option.read(getattr(parsed, option.name)) for option in given], parsed.out)
    except (OSError, ValueError) as error:
        sys.exit(f"{name}: {' '.join(str(error).split())}")
