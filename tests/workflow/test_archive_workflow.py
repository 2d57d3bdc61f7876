"""Figures drawn from an archive of a few runs, without any training."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from runner import ROOT, Snakemake, copied_repository, snakemake_in

from analysis import products
from analysis.archive import add

pytestmark = pytest.mark.workflow

SMOKE = (
    "--configfile",
    "config/smoke.yaml",
    "--config",
    "results=out",
    "source=archive",
    "studies=[main,transfer]",
)
FIGURES = ("figures", *SMOKE)
#: What can be drawn of HRL and TD3 on Ant Gather.
DRAWN = {"figure_01", "figure_05", *products.SCHEMATIC}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the workflow with an archive of its own: on Ant Gather two seeds of HRL, and TD3 half as long."""
    root, results = copied_repository(tmp_path_factory.mktemp("repository")), tmp_path_factory.mktemp("runs")
    train("hrl", 1_200, "0-1", results)
    train("td3", 600, "0", results)
    add.add(root / "results/archive", [results / "runs"], "the tests")
    return root


def train(algorithm: str, steps: int, seeds: str, results: Path) -> None:
    """Train on Ant Gather with the settings of the smoke preset, but for the length."""
    command = [sys.executable, "-m", "algorithms.train", "--preset", "smoke", "--task", "ant_gather"]
    options = ["--algorithm", algorithm, "--steps", str(steps), "--seeds", seeds, "--out", str(results)]
    subprocess.run([*command, *options], check=True, capture_output=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drawn")


@pytest.fixture(scope="module")
def printed(folder: Path, root: Path) -> str:
    """What a run of the workflow says that draws everything there are data for."""
    run = snakemake_in(folder, root)(*FIGURES)
    assert run.returncode == 0, run.stderr
    return run.stdout + run.stderr


def test_what_there_are_data_for_is_drawn_and_nothing_is_trained(folder: Path, printed: str):
    assert "rule train:" not in printed
    out = folder / "out/from_archive"
    assert {path.name for path in (folder / "out").iterdir()} == {"from_archive"}
    assert {path.stem for path in (out / "figures").iterdir()} == DRAWN
    assert {path.suffix for path in (out / "figures").iterdir()} == {".svg", ".pdf", ".png"}
    tables = {path.stem for path in (out / "tables").glob("*.csv")}
    assert tables == {"final_performance", "cost", "hyperparameters"}


def test_what_is_missing_is_said(printed: str):
    assert "main: data of 2 of 30 cells; missing: highway/td3, highway/hrl, " in printed
    assert "not drawn: figure_08; there are no data of " in printed
    assert "not drawn: figure_06; there are no episodes to show" in printed
    assert "incomplete: figure_01; without ant_gather/cher" in printed


def test_curves_of_several_lengths_say_so(folder: Path, printed: str):
    table = pd.read_csv(folder / "out/from_archive/tables/final_performance.csv").set_index(["label", "metric"])
    rows = table.loc[[("td3", "return_mean100"), ("hrl", "return_mean100")]]
    assert list(rows["steps_run"]) == [600, 1_200]
    assert list(rows["seeds_run"]) == [1, 2]
    figure = (folder / "out/from_archive/figures/figure_05.svg").read_text()
    assert "reduced" in figure


def test_a_second_call_does_nothing(folder: Path, root: Path, printed: str):
    snakemake = snakemake_in(folder, root)
    assert "Nothing to be done" in said(snakemake(*FIGURES))
    page = folder / "out/from_archive/report/index.html"
    assert not page.exists()
    assert "rule train:" not in said(snakemake(*SMOKE))  # everything is the claims and the page besides
    assert 'src="data:image/svg+xml' in page.read_text()
    assert "Nothing to be done" in said(snakemake(*SMOKE))


def said(run: subprocess.CompletedProcess[str]) -> str:
    """What a call of the workflow that must succeed has printed."""
    assert run.returncode == 0, run.stderr
    return run.stdout + run.stderr


def test_a_changed_number_is_refused_by_name(tmp_path: Path, root: Path):
    path = root / "results/archive/runs.parquet"
    original = path.read_bytes()
    table = pd.read_parquet(path)
    table.loc[table["label"] == "td3", "critic_q"] += 1
    try:
        table.to_parquet(path, index=False)
        run = snakemake_in(tmp_path, root)(*FIGURES)
    finally:
        path.write_bytes(original)
    assert run.returncode != 0
    assert "runs.parquet: the rows of ant_gather/td3/seeds_0 have been changed" in run.stderr
    assert not (tmp_path / "out/from_archive/figures/figure_05.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--config", "source=archive"), "Nothing to draw: none of the 2 archived runs is of a selected cell; "),
        ((*SMOKE, "tasks=[highway]"), "Nothing to draw: none of the 2 archived runs is of a selected cell"),
        (
            ("--config", "source=tape"),
            "Configuration error: source = 'tape' is not allowed; it must be 'runs' or 'archive'",
        ),
    ],
)
def test_without_data_there_is_one_line(tmp_path: Path, root: Path, arguments: tuple[str, ...], line: str):
    refused(snakemake_in(tmp_path, root), arguments, line)


def test_an_empty_archive_gives_one_line(tmp_path: Path):
    root = copied_repository(tmp_path / "root")
    shutil.copytree(ROOT / "results/archive", root / "results/archive")
    (root / "results/archive/manifest.json").write_text(
        '{"format": 1, "columns": {}, "runs": [], "drivers": [], "episodes": []}'
    )
    refused(snakemake_in(tmp_path, root), SMOKE, "Nothing to draw: the archive holds no runs; ")


def refused(snakemake: Snakemake, arguments: tuple[str, ...], line: str) -> None:
    run = snakemake("figures", *arguments)
    assert run.returncode != 0
    last = run.stderr.splitlines()[-1]
    assert last.startswith(line)
    assert "Traceback" not in run.stderr
    assert "Job stats" not in run.stdout + run.stderr


def test_figures_from_runs_are_a_part_of_everything(snakemake: Snakemake):
    """By the number of jobs: everything is the figures, and nothing that these do not need but claims and page."""
    selection = ("--config", "studies=[main]", "tasks=[ant_gather]", "algorithms=[hrl]", "seeds=[0,1]")
    figures, everything = (snakemake("--dry-run", *target, *selection) for target in (("figures",), ()))
    assert figures.returncode == everything.returncode == 0, figures.stderr
    stats = [dict(re.findall(r"^(\w+) +(\d+)$", run.stdout, re.MULTILINE)) for run in (figures, everything)]
    assert int(stats[0].pop("total")) + 2 == int(stats[1].pop("total"))
    assert stats[0].pop("figures") == stats[1].pop("all") == "1"
    assert stats[0] | {"claims": "1", "page": "1"} == stats[1]
    assert stats[0]["train"] == "2"
