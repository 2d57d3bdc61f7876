from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from synthetic import small_preset, write_drivers, write_runs

from analysis.collect import collect, collect_drivers
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


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, ...]:
    """Statistics of training, final performance, statistics of evaluations, and of drivers; all synthetic."""
    preset, runs = small_preset(), tmp_path_factory.mktemp("synthetic")
    write_runs(preset, runs)
    progress, evaluations = collect(preset, runs)
    write_drivers(preset, runs / "drivers")
    return (
        learning_curves(progress, preset),
        final_performance(progress, preset),
        evaluation_curves(evaluations, preset),
        driver_statistics(collect_drivers(preset, runs / "drivers"), preset),
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
