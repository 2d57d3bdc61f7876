"""What the workflow adds to the trainings: planning the whole paper, and finding that nothing is left to do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.goals import Goal
from benchmarks.report import table
from benchmarks.timing import Summary, elapsed, summary

TITLE = "Workflow"
ROOT = Path(__file__).parents[1]

NOTHING = "Nothing to be done"


def measure(*, rounds: int = 3, arguments: tuple[str, ...] = ()) -> dict[str, Any]:
    """Plan a preset from nothing, then run it where every output exists.

    Args:
        rounds: how often each.
        arguments: of every snakemake call; the paper's preset by default.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plans: list[str] = []
        dry = [elapsed(lambda: plans.append(snakemake(folder, "--dry-run", *arguments))) for _ in range(rounds)]
        finish(folder, snakemake(folder, "--summary", *arguments))
        second = [elapsed(lambda: nothing_left(folder, *arguments)) for _ in range(rounds)]
    return {"jobs": jobs(plans[0]), "dry_run_ms": summary(dry), "second_run_ms": summary(second)}


def snakemake(folder: Path, *arguments: str) -> str:
    """Output of the workflow with a working directory of its own.

    Raises:
        RuntimeError: it failed; the message is its last lines.
    """
    call = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    run = subprocess.run(
        [*call, "--cores", "1", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise RuntimeError(f"snakemake {' '.join(arguments)} failed: {run.stderr.strip()[-500:]}")
    return run.stdout + run.stderr if "--summary" not in arguments else run.stdout


def nothing_left(folder: Path, *arguments: str) -> None:
    """A run that finds everything done.

    Raises:
        RuntimeError: it found something to do.
    """
    if NOTHING not in snakemake(folder, *arguments):
        raise RuntimeError("the workflow found something to do although every output exists")


def jobs(output: str) -> int:
    """Number of jobs in the first job table of a run.

    Raises:
        ValueError: there is no such table.
    """
    found = re.search(r"^total +(\d+)$", output, re.MULTILINE)
    if found is None:
        raise ValueError("the output of snakemake holds no job table")
    return int(found[1])


def finish(folder: Path, listing: str) -> None:
    """Make every output in a list by ``snakemake --summary``, all at the same moment."""
    now = time.time()
    for line in listing.splitlines()[1:]:
        path = folder / line.partition("\t")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("finished\n")
        os.utime(path, (now, now))


def goals_of(result: Mapping[str, Any]) -> list[Goal]:
    """None: what Snakemake takes to start is not ours."""
    return []


def report(result: Mapping[str, Any]) -> str:
    """Both times."""
    rows = [
        ["dry run of an empty folder", _seconds(result["dry_run_ms"])],
        ["run where every output exists", _seconds(result["second_run_ms"])],
    ]
    head = f"The paper's preset, {result['jobs']:,} jobs, start of Python included:\n\n"
    return head + table(["call", "seconds"], rows)


def _seconds(value: Summary) -> str:
    return f"{value['median'] / 1000:.2f}"
