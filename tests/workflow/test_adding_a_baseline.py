"""``docs/adding_a_baseline.md``, followed from beginning to end by someone who has never seen the suite."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from document import Command, File, private_environment, steps
from runner import ROOT

from algorithms.config import load_preset, resolve
from algorithms.train import FILES

pytestmark = pytest.mark.workflow

STEPS = list(steps((ROOT / "docs/adding_a_baseline.md").read_text()))
#: What a clone of the suite has, so far as the commands need it.
PARTS = ("algorithms", "analysis", "config", "envs", "profiles", "rules", "tests")
#: Where the workflow shows it.
TABLES = ("final_performance", "cost", "hyperparameters")
SHOWN = ("figures/figure_05.svg", *(f"tables/{name}.csv" for name in TABLES))
PACKAGE = ("cher_reach/__init__.py", "cher_reach/reach.py", "cher_reach/reach.yaml", "pyproject.toml")


class Followed(NamedTuple):
    """What the commands left and printed.

    Attributes:
        suite: the folder of the suite.
        printed: output of every command, by its first words.
        variables: of the environment in which they were given.
    """

    suite: Path
    printed: dict[str, str]
    variables: dict[str, str]

    @property
    def results(self) -> Path:
        """What the workflow has made."""
        return self.suite / "results/reach_smoke"

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Give another command."""
        options = {"cwd": self.suite, "env": self.variables, "capture_output": True, "text": True, "check": False}
        return subprocess.run(["bash", "-euc", command], **options)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """Everything that the document says has been done, up to the removal of the package."""
    folder = tmp_path_factory.mktemp("reader")
    suite, programs = folder / "suite", private_environment(folder / "venv")
    for part in PARTS:
        shutil.copytree(ROOT / part, suite / part)
    for name in ("Snakefile", "pyproject.toml"):
        shutil.copy2(ROOT / name, suite)
    shutil.copytree(ROOT / "results/references", suite / "results/references")
    variables = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(suite)}
    done = Followed(suite, {}, variables)
    for step in STEPS:
        if isinstance(step, File):
            (folder / step.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / step.path).write_text(step.text)
            continue
        # The workflow makes what is looked at here, and leaves out figures that others' tests draw.
        targets = " ".join(f"results/reach_smoke/{name}" for name in SHOWN)
        result = done.run(f"{step.text.rstrip()} -- {targets}" if step.text.startswith("snakemake") else step.text)
        assert result.returncode == 0, f"{step.text}\n{result.stdout}\n{result.stderr}"
        done.printed[step.text] = result.stdout + result.stderr
    return done


def said(followed: Followed, command: str) -> str:
    (found,) = [text for name, text in followed.printed.items() if name.startswith(command)]
    return found


def test_the_document_has_the_files_of_a_package_and_its_commands() -> None:
    files = [step.path for step in STEPS if isinstance(step, File)]
    assert sorted(files[:4]) == [f"cher-reach/{name}" for name in PACKAGE]
    commands = [step.text for step in STEPS if isinstance(step, Command)]
    assert "pip install" in commands[0]
    assert "pip uninstall" in commands[-1]


def test_it_passes_the_contract_tests(followed: Followed) -> None:
    found = re.search(r"(\d+) passed, \d+ deselected", said(followed, "pytest"))
    assert found is not None
    assert int(found[1]) > 30


def test_a_run_by_hand_names_the_package_and_its_settings(followed: Followed) -> None:
    run = followed.suite / "results/by_hand/runs/ant_gather/reach/seeds_0"
    assert {path.name for path in run.iterdir()} == set(FILES)
    description = json.loads((run / "run.json").read_text())
    assert description["versions"]["cher-reach"] == "0.1.0"
    assert description["config"]["reach"] == {"weight": 0.05}


def test_it_is_in_figure_5_beside_hrl(followed: Followed) -> None:
    """Letters are drawn as paths, each text after a comment that says it."""
    drawn = re.findall("<!-- (.*?) -->", (followed.results / "figures/figure_05.svg").read_text())
    assert [name for name in drawn if name in ("HRL", "Reach")] == ["HRL", "Reach"]
    assert "#7f3c8d" in (followed.results / "figures/figure_05.svg").read_text()


def test_it_is_in_the_tables(followed: Followed) -> None:
    for name in ("final_performance", "cost"):
        rows = pd.read_csv(followed.results / f"tables/{name}.csv")
        assert rows["label"].unique().tolist() == ["hrl", "reach"]
        assert "| Reach " in (followed.results / f"tables/{name}.md").read_text()
    assert not rows["reduced_why"].str.contains("reach").any(), "its own values count as the paper's"


def test_its_settings_and_their_sources_are_in_the_table_of_hyperparameters(followed: Followed) -> None:
    rows = pd.read_csv(followed.results / "tables/hyperparameters.csv").set_index(["section", "setting", "scope"])
    assert rows.loc[("reach", "weight", "all"), "source"] == "ours, not tuned"
    assert rows.loc[("reach", "weight", "ant_gather"), "value"] == "0.05"
    assert rows.loc[("learner", "tau", "all"), "source"] == "E.1"


def test_its_study_is_counted(followed: Followed) -> None:
    table = said(followed, "python -m algorithms.studies")
    assert re.search(r"^reach_weight +8 +80 ", table, re.MULTILINE)


def test_runs_of_others_are_what_they_would_be_without_it(followed: Followed) -> None:
    run = json.loads((followed.results / "runs/ant_gather/hrl/seeds_0/run.json").read_text())
    assert run["hash"] == resolve(load_preset("smoke"), "ant_gather", "hrl", seeds=[0]).hash
    assert "cher-reach" not in run["versions"]


def test_without_it_nothing_is_trained_again(followed: Followed) -> None:
    options = "'studies=[main]' 'tasks=[ant_gather]' 'seeds=[0]' results=results/reach_smoke"
    plan = "snakemake --cores 1 --dry-run --configfile config/smoke.yaml --config"
    result = followed.run(f"{plan} {options} 'algorithms=[hrl]'")
    assert result.returncode == 0, result.stderr
    assert "rule collect:" in result.stdout, "the tables have fewer rows now"
    assert "rule train:" not in result.stdout
    refused = followed.run(f"{plan} {options} 'algorithms=[hrl,reach]'")
    assert refused.returncode != 0
    assert "Configuration error: algorithms 'reach' is not known; allowed: td3, " in refused.stderr
