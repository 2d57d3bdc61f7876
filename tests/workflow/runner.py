"""Runs the workflow in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]

Snakemake = Callable[..., subprocess.CompletedProcess[str]]


def command(folder: Path, *arguments: str) -> list[str]:
    """A call of the workflow with a working directory, and so with results, of its own; from the root."""
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    return [*snakemake, "--directory", str(folder), "--cores", "1", *arguments]


def snakemake_in(folder: Path) -> Snakemake:
    """A function that runs the workflow with a working directory of its own."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        variables = {name: value for name, value in os.environ.items() if name != "CHER_CACHE"}
        options = {"cwd": ROOT, "env": variables, "capture_output": True, "text": True, "check": False}
        return subprocess.run(command(folder, *arguments), **options)

    return run
