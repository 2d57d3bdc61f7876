"""Where the results of a preset are, and how they are reduced against the paper's.

python -m analysis.summary --preset quick
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from algorithms.config import ConfigError, add_preset_arguments, load_preset
from algorithms.studies import cells, preset_from, source
from analysis.products import results_folder
from analysis.reduction import compare

SHORT = (
    "These runs show that everything works, and the scale of the numbers.  They are far too short for anything to "
    "be learned: which algorithm is better cannot be read from them."
)
#: Below this share of the paper's steps, runs are far too short.
SHORT_SHARE = 0.1
#: So many algorithms and variants are named per line.
NAMED = 6


def summarise(preset: Mapping[str, Any]) -> str:
    """Lines for a reader who has just run a preset."""
    results, paper = results_folder(preset), load_preset("paper")
    lines = [f"Figures: {results / 'figures'}", f"Tables:  {results / 'tables'}"]
    reductions: dict[str, list[str]] = {}
    short = []
    every = {(run.task, run.label): run for run in cells(preset)}.values()
    for run in every:
        reduction = compare(run, run.run.steps, len(preset["seeds"]), paper, source(preset, run))
        short += [run.task] * (run.run.steps < SHORT_SHARE * reduction.steps_paper)
        if reduction.why:
            reductions.setdefault(f"{run.task}: {reduction.why}", []).append(run.label)
    lines += [f"Reduced: {why} ({named(labels)})" for why, labels in reductions.items()]
    return "\n".join(lines + too_short(list(dict.fromkeys(short)), every=len(short) == len(every)))


def too_short(tasks: Sequence[str], *, every: bool) -> list[str]:
    """What to say of runs that are far too short, if any are.

    Args:
        tasks: those that have such runs.
        every: whether all runs are.
    """
    if every:
        return [SHORT]
    return [f"Far too short for anything to be learned are runs on {', '.join(tasks)}."] if tasks else []


def named(labels: Sequence[str]) -> str:
    """The first of many names, and how many there are besides."""
    rest = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    return ", ".join(labels[:NAMED]) + rest


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Say where the results of a preset are.")
    add_preset_arguments(parser)
    try:
        print(summarise(preset_from(parser.parse_args(arguments))))
    except ConfigError as error:
        sys.exit(f"summary: {error}")


if __name__ == "__main__":
    main()
