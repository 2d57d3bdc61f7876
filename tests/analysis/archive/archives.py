"""Archives of synthetic runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from synthetic import small_preset, write_run

from algorithms.settings import RunConfig
from algorithms.studies import cells
from analysis.archive import __main__ as command
from analysis.archive import add as adding
from analysis.archive.manifest import ArchiveError

KEY = "ant_gather/hrl/seeds_0"


def training(
    algorithm: str = "hrl", seeds: tuple[int, ...] = (0,), task: str = "ant_gather", **changes: Any
) -> RunConfig:
    """The configuration of a short training."""
    preset = small_preset(
        algorithms=[algorithm], tasks=[task], seeds=list(seeds), seeds_per_job=len(seeds), **changes
    )
    (run,) = cells(preset)
    return run


def of_length(steps: int) -> dict[str, Any]:
    """A change of the preset."""
    return {"run": {"tasks": {"ant_gather": {"steps": steps}, "ring_road": {"steps": steps}}}}


def finished(folder: Path, algorithm: str = "hrl", seeds: tuple[int, ...] = (0,), **changes: Any) -> Path:
    """A run folder."""
    return write_run(training(algorithm, seeds, **changes), folder / "runs")


def edit(path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change a csv or parquet file."""
    if path.suffix == ".csv":
        change(pd.read_csv(path)).to_csv(path, index=False)
    else:
        change(pd.read_parquet(path)).to_parquet(path, index=False)


def describe(folder: Path, **changes: Any) -> None:
    """Change what a run says of itself."""
    path = folder / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def add(archive: Path, *folders: Path, replace: bool = False) -> list[str]:
    """Add folders, and return what is said."""
    return adding.add(archive, folders, "me", replace=replace).lines


def run(archive: Path, name: str, *arguments: str | Path) -> int:
    """A command of the archive."""
    return command.main([name, "--archive", str(archive), *map(str, arguments)])


def files(archive: Path) -> dict[str, bytes]:
    """Everything in an archive."""
    return {str(path.relative_to(archive)): path.read_bytes() for path in archive.rglob("*") if path.is_file()}


def refusal(archive: Path, *folders: Path, replace: bool = False) -> str:
    """Why folders cannot be added, which changes nothing."""
    before = files(archive)
    with pytest.raises(ArchiveError) as caught:
        add(archive, *folders, replace=replace)
    assert {name: content for name, content in files(archive).items() if name != ".lock"} == {
        name: content for name, content in before.items() if name != ".lock"
    }
    return str(caught.value)
