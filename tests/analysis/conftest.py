from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from synthetic import small_preset, write_runs

from analysis.collect import collect
from analysis.statistics import evaluation_curves, final_performance, learning_curves


@pytest.fixture
def preset() -> dict[str, Any]:
    return small_preset()


@pytest.fixture
def runs(preset: dict[str, Any], tmp_path: Path) -> Path:
    """Synthetic run folders of everything the preset asks for."""
    write_runs(preset, tmp_path / "runs")
    return tmp_path / "runs"


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Statistics of training, final performance and statistics of evaluations of synthetic runs."""
    preset, runs = small_preset(), tmp_path_factory.mktemp("synthetic")
    write_runs(preset, runs)
    progress, evaluations = collect(preset, runs)
    return (
        learning_curves(progress, preset),
        final_performance(progress, preset),
        evaluation_curves(evaluations, preset),
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
