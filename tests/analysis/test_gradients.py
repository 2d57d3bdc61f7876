"""Readings of the cooperative gradient on the networks of a finished run."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from algorithms.hrl import HRL
from analysis.gradients import PARTS, cases, gradients, main, measure, restored

READINGS = ("equation5", "total", "authors", "released")


def trained(results: Path, algorithm: str, *more: str) -> Path:
    """A short run that has kept its checkpoint, unless ``more`` says otherwise."""
    command = ["--preset", "smoke", "--task", "ant_gather", "--algorithm", algorithm, "--seeds", "0,1"]
    small = ["--steps", "200", "--set", "learner.hidden=[16,16]", "--variant", "small", "--out", str(results)]
    subprocess.run([sys.executable, "-m", "algorithms.train", *command, *small, *more], check=True)
    return results / "runs" / "ant_gather" / f"{algorithm}-small" / "seeds_0-1"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def run(results: Path) -> Path:
    return trained(results, "cher_fixed", "--keep-checkpoint")


@pytest.fixture(scope="module")
def table(run: Path) -> pd.DataFrame:
    return measure(run, batches=5)


def test_they_are_those_that_the_training_reports(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, algorithm = restored(run)
    case = next(cases(algorithm, 1))
    drawn = {name: getattr(case.batch, name) for name in ("items", "steps", "lengths", "rows")}
    monkeypatch.setattr(HRL, "drawn", drawn)
    metrics: dict[str, Any] = algorithm.metrics()
    found = gradients(case)
    own, equation5 = found["Q_m"], found["equation5"]
    for index in range(2):
        assert metrics["manager_gradient"][index] == pytest.approx(own[index].norm().item(), rel=1e-5)
        assert metrics["cooperative_gradient"][index] == pytest.approx(equation5[index].norm().item(), rel=1e-5)
        cosine = torch.cosine_similarity(own[index], equation5[index], dim=0).item()
        assert metrics["gradient_cosine"][index] == pytest.approx(cosine, abs=1e-5)


def test_terms_of_equation_5_add_up(run: Path) -> None:
    _, algorithm = restored(run)
    found = gradients(next(cases(algorithm, 1)))
    terms = [found[name] for name in PARTS]
    torch.testing.assert_close(terms[0] + terms[1], found["equation5"], rtol=1e-3, atol=1e-6)
    assert all(term.norm() > 1e-6 for term in terms)
    distinct = [found[name] for name in READINGS]
    assert all(not torch.allclose(one, other) for one, other in pairwise(distinct))


def test_table(table: pd.DataFrame) -> None:
    assert table["gradient"].tolist() == ["Q_m", *READINGS, *PARTS] * 2
    assert table["seed"].tolist() == [0] * 7 + [1] * 7
    assert set(table["run"]) == {"ant_gather/cher_fixed-small/seeds_0-1"}
    assert set(table["step"]) == {200}
    own, equation5 = table[table["gradient"] == "Q_m"], table[table["gradient"] == "equation5"]
    assert own["ratio"].to_numpy() == pytest.approx(1)
    assert own["cosine"].to_numpy() == pytest.approx(1)
    for one in READINGS:
        mine = table[table["gradient"] == one].reset_index()
        assert mine[f"cosine_{one}"].to_numpy() == pytest.approx(1)
        for other in READINGS:
            theirs = table[table["gradient"] == other].reset_index()
            assert mine[f"cosine_{other}"].to_numpy() == pytest.approx(theirs[f"cosine_{one}"].to_numpy())
    assert equation5["cosine"].to_numpy() == pytest.approx(own["cosine_equation5"].to_numpy())
    assert (table["norm"] > 0).all()
    assert table["cosine"].abs().max() <= 1 + 1e-6


def test_the_same_at_every_call(run: Path, table: pd.DataFrame) -> None:
    assert measure(run, batches=5).equals(table)


def test_a_saturated_actor_has_no_ratio(run: Path) -> None:
    _, algorithm = restored(run)
    for name, tensor in algorithm.networks.items():
        if name.startswith("manager.actor"):
            tensor.mul_(1e6)
    found = gradients(next(cases(algorithm, 1)))
    assert all(value.norm() == 0 for value in found.values())


def test_command_line(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gradients.csv"
    assert main([str(run), "--batches", "2", "--csv", str(path)]) == 0
    assert "| equation5: Q_w" in capsys.readouterr().out
    assert len(pd.read_csv(path)) == 14


def test_runs_without_what_is_needed(
    results: Path, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flat = trained(results, "td3", "--keep-checkpoint")
    without = trained(results, "hrl")
    for folder, reason in (
        (tmp_path, "no run.json"),
        (flat, "td3 has no manager"),
        (without, "--keep-checkpoint"),
    ):
        assert main([str(run), str(folder)]) == 1
        message = capsys.readouterr().err.splitlines()[-1]
        assert message.startswith("error: ")
        assert reason in message
