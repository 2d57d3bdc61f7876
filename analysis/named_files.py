"""Files of single runs on a command line, each named by its task and label: ``ring_road/cher=traffic.parquet``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

#: Task and label of a run; the name of a scripted driver stands for the label.
Cell = tuple[str, str]


#: Settings of an option that takes any number of such files, none by default.
SEVERAL: Mapping[str, Any] = {"nargs": "*", "default": (), "metavar": "TASK/LABEL=FILE"}


def parse(arguments: Sequence[str], tasks: Sequence[str] | None = None) -> dict[Cell, Path]:
    """The files by task and label, in the order given.

    Args:
        arguments: texts of the form ``TASK/LABEL=FILE``.
        tasks: those allowed, by default any.

    Raises:
        ValueError: a text has another form, names another task, a run for the second time, or no file.
    """
    files: dict[Cell, Path] = {}
    for argument in arguments:
        cell, _, file = argument.partition("=")
        task, _, label = cell.partition("/")
        if not (task and label and file):
            raise ValueError(f"'{argument}' names no file of a run; allowed: TASK/LABEL=FILE")
        if tasks is not None and task not in tasks:
            raise ValueError(f"'{argument}' is of another task; allowed: {', '.join(tasks)}")
        if (task, label) in files:
            raise ValueError(f"'{argument}' is a second file of {cell}; each run has one")
        if not Path(file).is_file():
            raise ValueError(f"'{argument}' names a file that is not there")
        files[task, label] = Path(file)
    return files
