"""Runs the workflow in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: What the workflow reads of the repository besides installed packages.
PARTS = ("Snakefile", "rules", "profiles", "config", "analysis", "results/references")

Snakemake = Callable[..., subprocess.CompletedProcess[str]]


def command(folder: Path, *arguments: str, root: Path = ROOT) -> list[str]:
    """A call of the workflow with a working directory, and so with results, of its own; from the root."""
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(root / "Snakefile")]
    return [*snakemake, "--directory", str(folder), "--cores", "1", *arguments]


def snakemake_in(folder: Path, root: Path = ROOT) -> Snakemake:
    """A function that runs the workflow with a working directory of its own."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        variables = {name: value for name, value in os.environ.items() if name != "CHER_CACHE"}
        options = {"cwd": root, "env": variables, "capture_output": True, "text": True, "check": False}
        return subprocess.run(command(folder, *arguments, root=root), **options)

    return run


def copied_repository(folder: Path) -> Path:
    """A copy of the workflow and of the modules that it names as inputs, in which a test can change some."""
    for part in PARTS:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    return folder
