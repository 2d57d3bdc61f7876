from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from synthetic import small_preset, write_drivers, write_runs

from analysis.collect import Folders, collect
from analysis.statistics import driver_statistics, evaluation_curves, final_performance, learning_curves


@pytest.fixture
def preset() -> dict[str, Any]:
    return small_preset()


@pytest.fixture
def runs(preset: dict[str, Any], tmp_path: Path) -> Path:
    """Synthetic run folders of everything the preset asks for."""
    write_runs(preset, tmp_path / "runs")
    return tmp_path / "runs"


@pytest.fixture
def driver_runs(preset: dict[str, Any], tmp_path: Path) -> Path:
    """Synthetic results of every driver that the preset asks for."""
    write_drivers(preset, tmp_path / "drivers")
    return tmp_path / "drivers"


@pytest.fixture
def results(runs: Path, driver_runs: Path) -> Path:
    """A results folder with both."""
    assert runs.parent == driver_runs.parent
    return runs.parent


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, ...]:
    """Statistics of training, final performance, statistics of evaluations, and of drivers; all synthetic."""
    preset, results = small_preset(), tmp_path_factory.mktemp("synthetic")
    folders = Folders.below(results)
    write_runs(preset, folders.runs)
    write_drivers(preset, folders.drivers)
    collected = collect(preset, "main", folders)
    return (
        learning_curves(collected.runs, collected.extents),
        final_performance(collected.runs, collected.extents),
        evaluation_curves(collected.evaluations, collected.extents),
        driver_statistics(collected.drivers, collected.extents),
    )


@pytest.fixture
def statistics(tables: tuple[pd.DataFrame, ...]) -> pd.DataFrame:
    return tables[0].copy()


@pytest.fixture
def final(tables: tuple[pd.DataFrame, ...]) -> pd.DataFrame:
    return tables[1].copy()


@pytest.fixture
def evaluations(tables: tuple[pd.DataFrame, ...]) -> pd.DataFrame:
    return tables[2].copy()


@pytest.fixture
def drivers(tables: tuple[pd.DataFrame, ...]) -> pd.DataFrame:
    return tables[3].copy()
