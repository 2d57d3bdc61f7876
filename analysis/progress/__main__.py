"""How far the trainings of a preset are, at a glance; reads the results folder and changes nothing.

    python -m analysis.progress --preset paper --task ant_gather

The exit status is 0, whatever has become of them; with ``--check`` it is 1 if one has failed or is stale.
docs/results.md says what the states mean.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from algorithms.config import ConfigError, add_preset_arguments, require
from algorithms.studies import preset_from
from analysis.progress.overview import Overview, cell_row, look, record, training_row
from analysis.progress.plan import planned
from analysis.progress.text import WIDEST, render
from envs.names import TASKS

#: Exit statuses: with --check, something has failed or is stale; the command line is not allowed.
WRONG, REFUSED = 1, 2
CLEAR = "\033[H\033[2J"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        preset = preset_from(options)
        for task in options.task:
            require(task, tuple(TASKS), "task")
        if not (plan := planned(preset, options.task)):
            raise ConfigError(f"nothing to show: no selected study has a cell of {', '.join(options.task)}")
    except ConfigError as error:
        print(f"progress: {error}", file=sys.stderr)
        return REFUSED
    results = options.results or Path(preset["results"])
    while True:
        overview = look(preset, results, plan)
        _show(overview, options)
        if options.watch is None:
            return WRONG if options.check and overview.is_wrong else 0
        time.sleep(options.watch)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    assert __doc__ is not None
    result = argparse.ArgumentParser(prog="analysis.progress", description=__doc__.splitlines()[0])
    add_preset_arguments(result)
    result.add_argument("--task", nargs="+", default=[], help="of these tasks alone")
    result.add_argument("--results", type=Path, help="results folder (default: the preset's)")
    result.add_argument("--seeds", action="store_true", help="a line for every training, too")
    form = result.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="everything, with every training, for programs")
    form.add_argument("--csv", action="store_true", help="a row per cell, with --seeds a row per training")
    result.add_argument("--watch", metavar="SECONDS", type=_seconds, help="look again and again, until Ctrl-C")
    result.add_argument("--check", action="store_true", help="exit status 1 if a training has failed or is stale")
    return result


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not allowed; it must be a number of seconds, at least 0.1")
    return seconds


def _show(overview: Overview, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(record(overview), indent=None if options.watch else 2), flush=True)
    elif options.csv:
        _write_rows(overview, by_training=options.seeds)
    else:
        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else WIDEST
        colour = terminal and not os.environ.get("NO_COLOR")
        text = render(overview, with_seeds=options.seeds, width=width, colour=colour)
        again = options.watch is not None
        print((CLEAR if again and terminal else "") + text + ("\n" if again else ""), flush=True)


def _write_rows(overview: Overview, *, by_training: bool) -> None:
    rows: list[Mapping[str, Any]]
    if by_training:
        rows = [training_row(training) for training in overview.trainings]
    else:
        rows = [row | {"studies": " ".join(row["studies"])} for row in map(cell_row, overview.cells)]
    writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # how --watch ends
        sys.exit(0)
    except BrokenPipeError:  # whoever read this has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
