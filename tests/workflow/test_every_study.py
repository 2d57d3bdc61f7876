"""Every study of the smoke preset, all of its cells, on two cores: minutes, so run by `make test-slow`."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd
import pytest
from runner import copied_repository, snakemake_in

from algorithms.config import load_preset
from algorithms.studies import cells, trainings
from analysis import products

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

SMOKE = ("--cores", "2", "--configfile", "config/smoke.yaml", "--config", "results=out")
PRESET = load_preset("smoke")
MINUTES = 15  # the goal, on a quiet machine


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied_repository(tmp_path_factory.mktemp("repository"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, root: Path) -> tuple[Path, float]:
    """A working directory in which everything has run once, and the minutes that took."""
    folder = tmp_path_factory.mktemp("smoke")
    began = time.monotonic()
    run = snakemake_in(folder, root)(*SMOKE)
    assert run.returncode == 0, run.stderr
    return folder, (time.monotonic() - began) / 60


def test_everything_is_there_in_time(finished: tuple[Path, float]):
    folder, minutes = finished
    out = folder / "out"
    assert minutes < MINUTES
    names = [*products.due(PRESET, products.FIGURES), *products.due(PRESET, products.TABLES), *products.OVERALL]
    assert len(names) == 14 + 6 + 2
    found = {path.stem for kind in ("figures", "tables") for path in (out / kind).glob("*.*")}
    assert found == set(names)
    assert len(list((out / "runs").rglob("run.json"))) == len(trainings(PRESET))


@pytest.mark.parametrize("study", PRESET["studies"])
def test_every_cell_of_a_study_reaches_its_statistics(finished: tuple[Path, float], study: str):
    expected = {(run.task, run.label) for run in cells(PRESET, study)}
    for name in ("cells", "statistics", "final", "evaluation_statistics", "timing"):
        table = pd.read_parquet(finished[0] / f"out/tables/{study}/{name}.parquet")
        assert set(zip(table["task"], table["label"], strict=True)) == expected
    final = pd.read_parquet(finished[0] / f"out/tables/{study}/final.parquet")
    assert final["reduced"].all()
    assert set(final["seeds_run"]) == {2}


def test_a_second_call_does_nothing_in_seconds(finished: tuple[Path, float], root: Path):
    began = time.monotonic()
    run = snakemake_in(finished[0], root)(*SMOKE)
    assert run.returncode == 0
    assert "Nothing to be done" in run.stdout + run.stderr
    assert time.monotonic() - began < 20


def test_the_cooperation_table_has_every_ratio_in_order(finished: tuple[Path, float]):
    table = pd.read_csv(finished[0] / "out/tables/cooperation.csv")
    assert table["cooperation_ratio"].is_monotonic_increasing
    ratios = table.set_index("label")["cooperation_ratio"].round(5).to_dict()
    absolute = ratios.pop("cher-delta_50")  # far below 0 here, where a worker return is a few units
    assert absolute == pytest.approx(1 + 50 / table["worker_return"].max(), rel=1e-5)
    shares = {"hrl": 0, "cher-ratio_25": 0.25, "cher-ratio_50": 0.5, "cher": 0.75, "cher-delta_0": 1}
    assert ratios == shares
