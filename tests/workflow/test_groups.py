"""Several seeds in one job, from the training to the figure."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from runner import snakemake_in

pytestmark = pytest.mark.workflow

SMALL = """
results: out
studies: [main]
tasks: [ant_gather, ring_road]
algorithms: [td3]
seeds_per_job: 2
run: {default: {steps: 200, evaluate_every: 200}, tasks: {ant_gather: {steps: 200}, ring_road: {steps: 200}}}
"""
PRESET = ("--cores", "2", "--configfile", "config/smoke.yaml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory in which every task was trained once, two seeds at a time."""
    folder = tmp_path_factory.mktemp("groups")
    (folder / "small.yaml").write_text(SMALL)
    run = snakemake_in(folder)(*PRESET, str(folder / "small.yaml"))
    assert run.returncode == 0, run.stderr
    return folder


@pytest.mark.parametrize("task", ["ant_gather", "ring_road"])
def test_both_seeds_of_a_job_reach_the_figure(folder: Path, task: str) -> None:
    out = folder / "out"
    assert {path.name for path in (out / f"runs/{task}/td3").iterdir()} == {"seeds_0-1"}
    progress = pd.read_csv(out / f"runs/{task}/td3/seeds_0-1/progress.csv")
    assert progress["seed"].tolist() == [0, 1]
    statistics = pd.read_parquet(out / "tables/main/statistics.parquet").query(
        "task == @task and metric == 'critic_q'"
    )
    assert statistics["n_seeds"].tolist() == [2]
    assert statistics["mean"].tolist() == pytest.approx([progress["critic_q"].mean()])
    assert (out / "figures/figure_05.svg").stat().st_size > 5_000


@pytest.mark.parametrize("machine", [("--cores", "1"), ("--config", "device=cuda")])
def test_another_machine_retrains_nothing(folder: Path, machine: tuple[str, ...]) -> None:
    run = snakemake_in(folder)("--dry-run", *PRESET, str(folder / "small.yaml"), *machine)
    assert run.returncode == 0, run.stderr
    assert "rule train:" not in run.stdout


def test_other_groups_are_trained_again(folder: Path) -> None:
    run = snakemake_in(folder)("--dry-run", *PRESET, str(folder / "small.yaml"), "--config", "seeds_per_job=1")
    assert run.stdout.count("rule train:") == 4
