"""Judge the claims of the paper, and compare published numbers with ours.

    python -m analysis.claims --preset quick --tables results/quick/tables --out results/quick

Only the tables of studies are read, of those that the preset selects as far as they are there.  What is written
goes below the folder: ``tables/claims.{csv,md,html}``, ``tables/reproduction.{csv,md,tex}`` and
``figures/claims.{svg,pdf,png}``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from algorithms.config import ConfigError, add_preset_arguments
from algorithms.studies import preset_from
from analysis import style
from analysis.claims import forest, page, reproduction
from analysis.claims.catalogue.every import CLAIMS
from analysis.claims.judge import judge
from analysis.claims.results import Results
from analysis.references import load
from analysis.tables.writing import ENDINGS, write

REFERENCES = Path(__file__).parents[2] / "results/references/references.csv"


def check(preset: Mapping[str, Any], tables: Path, references: Path, out: Path) -> str:
    """Judge, compare and write.

    Returns:
        One line on the verdicts.

    Raises:
        ValueError: a table or a published number is missing, or there are no studies at all.
    """
    results = Results.read(tables, preset)
    if not results.studies:
        raise ValueError(f"{tables} has no folder of a study; the preset selects {', '.join(preset['studies'])}")
    verdicts, numbers = judge(results, CLAIMS), reproduction.select(results, load(references))
    page.write(verdicts, CLAIMS, out / "tables")
    paths = [out / "tables" / f"reproduction{ending}" for ending in ENDINGS]
    write(reproduction.numbers(numbers), reproduction.readable(numbers), paths)
    style.save(forest.draw(verdicts), [out / "figures" / f"claims{ending}" for ending in style.ENDINGS])
    return (
        f"Claims: {page.counted(verdicts)}.  Published numbers, of results at full length: "
        f"{reproduction.counted(numbers)}.  See {out / 'tables/claims.md'}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="claims", description="Judge the claims of the paper.")
    add_preset_arguments(parser)
    parser.add_argument("--tables", type=Path, required=True, help="folder of the studies' tables")
    parser.add_argument("--references", type=Path, default=REFERENCES, help="published numbers (csv)")
    parser.add_argument("--out", type=Path, required=True, help="results folder: tables/ and figures/ go below it")
    options = parser.parse_args(arguments)
    try:
        print(check(preset_from(options), options.tables, options.references, options.out))
    except (ConfigError, OSError, ValueError) as error:
        sys.exit(f"claims: {' '.join(str(error).split())}")


if __name__ == "__main__":
    main()
