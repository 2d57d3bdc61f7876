"""Measure everything in turn and write ``results/benchmarks/benchmarks.json`` and ``benchmarks.md``.

    python -m benchmarks                       # about ten minutes
    python -m benchmarks --only update,memory  # renews these sections and keeps the others

A goal that is missed is shown in the report; the exit status stays 0.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from algorithms.algorithm import prepare_process
from algorithms.records import write_json
from benchmarks import environments, machine, memory, relabelling, steps, update, workflow
from benchmarks.report import document

#: In the order of the report; what needs a quiet machine most comes first.
SECTIONS: dict[str, ModuleType] = {
    "update": update,
    "relabelling": relabelling,
    "steps": steps,
    "environments": environments,
    "workflow": workflow,
    "memory": memory,
}

RESULTS = Path("results/benchmarks")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--only", help=f"sections to measure, with commas between: {', '.join(SECTIONS)}")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the report")
    options = parser.parse_args(arguments)
    chosen = options.only.split(",") if options.only else list(SECTIONS)
    if unknown := [name for name in chosen if name not in SECTIONS]:
        parser.error(f"section '{unknown[0]}' is not known; allowed: {', '.join(SECTIONS)}")
    prepare_process()
    run(chosen, options.out)
    return 0


def run(chosen: Sequence[str], folder: Path) -> None:
    """Measure some sections; the folder keeps what it has of the others."""
    described = machine.describe()
    print(machine.line(described), file=sys.stderr)
    if warning := machine.warning(described):
        print(f"warning: {warning}", file=sys.stderr)
    # What is measured anew must not stand in the way, should it be another version's.
    sections = {name: found for name, found in read(folder / "benchmarks.json").items() if name not in chosen}
    for name in chosen:
        start = time.perf_counter()
        result = SECTIONS[name].measure()
        seconds = round(time.perf_counter() - start, 1)
        sections[name] = {"machine": described, "seconds": seconds, "result": result}
        write(folder, sections)
        print(f"{name}: {seconds:.0f} s", file=sys.stderr)
    print((folder / "benchmarks.md").read_text())


def read(path: Path) -> dict[str, Any]:
    """Sections of an earlier run that still exist; none if there was no run."""
    found = json.loads(path.read_text())["sections"] if path.is_file() else {}
    return {name: section for name, section in found.items() if name in SECTIONS}


def write(folder: Path, sections: dict[str, Any]) -> None:
    """Write numbers and report."""
    ordered = {name: sections[name] for name in SECTIONS if name in sections}
    results = {name: section["result"] for name, section in ordered.items()}
    goals = [goal for name, result in results.items() for goal in SECTIONS[name].goals_of(result)]
    reports = {name: SECTIONS[name].report(result) for name, result in results.items()}
    titles = {name: SECTIONS[name].TITLE for name in ordered}
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "benchmarks.json", {"sections": ordered, "goals": goals})
    (folder / "benchmarks.md").write_text(document(ordered, titles, reports, goals))


if __name__ == "__main__":
    sys.exit(main())
