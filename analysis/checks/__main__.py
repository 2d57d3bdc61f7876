"""Compare what needs no training with its references.

    python -m analysis.checks                     # settings, formulas, tasks: seconds
    python -m analysis.checks --level soft        # human traffic: minutes

Ends with status 1 if something is wrong.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from analysis import references
from analysis.checks import configuration, tasks, theory, traffic
from analysis.checks.check import Check, Outcome, Value, run
from analysis.tables.writing import ENDINGS, write

REFERENCES = Path(__file__).parents[2] / "results/references/references.csv"


def checks(level: str) -> Iterator[Check]:
    """All checks of a level."""
    for module in (configuration, theory, tasks, traffic):
        yield from (check for check in module.checks() if check.level == level)


def table(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """One row per check."""
    return pd.DataFrame(
        {
            "reference": [outcome.check.reference for outcome in outcomes],
            "what": [outcome.check.what for outcome in outcomes],
            "expected": [text(outcome.expected) for outcome in outcomes],
            "measured": [outcome.error or text(outcome.measured) for outcome in outcomes],
            "deviation": [outcome.deviation for outcome in outcomes],
            "band": [outcome.check.band for outcome in outcomes],
            "level": [outcome.check.level for outcome in outcomes],
            "verdict": [outcome.verdict for outcome in outcomes],
        }
    )


def text(value: Value) -> str:
    """A value for readers."""
    return value if isinstance(value, str) else f"{value:.6g}"


def readable(rows: pd.DataFrame) -> pd.DataFrame:
    """The table with deviations in per cent."""
    percent = {name: [f"{100 * share:.2g} %" if share == share else "" for share in rows[name]] for name in SHARES}
    return rows.assign(**percent).rename(columns=str.capitalize)


SHARES = ("deviation", "band")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="analysis.checks", description="Compare with references, untrained.")
    parser.add_argument("--level", choices=["hard", "soft"], default="hard")
    parser.add_argument("--references", type=Path, default=REFERENCES)
    parser.add_argument("--out", type=Path, nargs="+", default=[], help=f"files that end in {', '.join(ENDINGS)}")
    options = parser.parse_args(arguments)
    try:
        outcomes = list(run(checks(options.level), references.load(options.references)))
        rows = table(outcomes)
        if options.out:
            write(rows, readable(rows), options.out)
    except (OSError, ValueError) as error:
        sys.exit(f"checks: {error}")
    for outcome in outcomes:
        if outcome.verdict != "agrees":
            print(f"{outcome.verdict}: {outcome.check.name}: {said(outcome)}")
    counts = rows["verdict"].value_counts()
    print(", ".join(f"{counts.get(name, 0)} {name}" for name in ("agrees", "deviates", "wrong")))
    return int("wrong" in counts)


def said(outcome: Outcome) -> str:
    """What was measured beside what is expected."""
    return f"{outcome.error or text(outcome.measured)} instead of {text(outcome.expected)}"


if __name__ == "__main__":
    sys.exit(main())
