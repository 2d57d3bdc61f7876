"""A training whose simulators are killed gives the same results, and says how often that happened."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from family import children, runs, time_limit, wait_until

from algorithms import train
from algorithms.config import load_preset, resolve
from algorithms.trainer import Trainer

SMALL = ["--preset", "smoke", "--task", "ring_road", "--algorithm", "hrl", "--seeds", "0"]
SMALL += ["--steps", "600", "--set", "run.checkpoint_every=93", "--set", "run.evaluate_every=200"]
SMALL += ["--set", "environment.horizon=40", "--set", "environment.warmup_steps=20"]
RESULTS = ("progress.csv", "evaluations.csv", "probes.csv", "proposals.csv")


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    with time_limit(120):
        yield


def begin(out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "algorithms.train", *SMALL, "--out", str(out)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)


def finish(training: subprocess.Popen[str]) -> str:
    """Wait for a training to end well; what it printed."""
    _, output = training.communicate()
    assert training.returncode == 0, output
    return output


def simulators_in_mid_training(training: subprocess.Popen[str], out: Path) -> set[int]:
    """The simulators of a training, once it has written a checkpoint."""
    wait_until(lambda: list(out.glob("checkpoints/**/checkpoint.pt")))
    found = children(training.pid)
    assert len(found) == 2, "one for training, one for evaluations"
    return found


def folder(out: Path) -> Path:
    return out / "runs/ring_road/hrl/seeds_0"


def restarts(out: Path) -> list[int]:
    with (folder(out) / "timing.csv").open() as file:
        return [int(row["simulator_restarts"]) for row in csv.DictReader(file)]


def assert_same_results(out: Path, expected: Path) -> None:
    for name in RESULTS:
        assert (folder(out) / name).read_bytes() == (folder(expected) / name).read_bytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed")
    finish(begin(out))
    assert restarts(out) == [0] * 3
    return out


def test_killed_simulators_change_no_result_and_are_counted(undisturbed: Path, tmp_path: Path) -> None:
    training = begin(tmp_path)
    for pid in simulators_in_mid_training(training, tmp_path):
        os.kill(pid, signal.SIGKILL)
    output = finish(training)
    assert_same_results(tmp_path, undisturbed)
    assert sum(restarts(tmp_path)) == 2
    assert output.count("the simulator died (signal 9)") == 2, "one line of each"
    assert "Traceback" not in output


def test_signal_to_all_processes_saves_and_resumes_exactly(undisturbed: Path, tmp_path: Path) -> None:
    training = begin(tmp_path)
    simulators = simulators_in_mid_training(training, tmp_path)
    os.killpg(training.pid, signal.SIGTERM)
    output = training.communicate()[1]
    assert training.returncode == train.INTERRUPTED, output
    assert "the simulator" not in output, "none was lost"
    assert not any(map(runs, simulators))
    assert "continuing at step" in finish(begin(tmp_path))
    assert_same_results(tmp_path, undisturbed)
    assert restarts(tmp_path) == [0] * 3


def test_restarts_are_counted_for_each_seed_and_over_resumes() -> None:
    config = resolve(load_preset("smoke"), "ring_road", "td3", seeds=[4, 9])
    others = children()
    first = Trainer(config, torch.device("cpu"))
    victim = min(children() - others)  # the first seed's in training

    def train_until(trainer: Trainer, step: int, death: int | None = None) -> dict[str, Any]:
        def stop() -> bool:
            if trainer.step == death:
                os.kill(victim, signal.SIGKILL)
            return trainer.step == step

        trainer.run(stop, lambda: None)
        state = trainer.state_dict()
        trainer.close()
        return state

    state = train_until(first, 250, death=230)
    second = Trainer(config, torch.device("cpu"))
    second.load_state_dict(state)
    train_until(second, 410)
    rows = [(row["seed"], row["step"], row["simulator_restarts"]) for row in second.clock.table(config.seeds)]
    assert rows == [(4, 200, 0), (9, 200, 0), (4, 400, 1), (9, 400, 0)]
    assert children() == others
