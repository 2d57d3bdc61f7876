"""A training whose simulators are killed gives the same results, and says how often that happened."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from family import children, kill, runs, time_limit, wait_until

from algorithms import train
from algorithms.config import load_preset, resolve
from algorithms.trainer import Trainer

SMALL = ["--preset", "smoke", "--task", "ring_road", "--algorithm", "hrl", "--seeds", "0", "--steps", "400"]
SMALL += ["--set", "run.checkpoint_every=93", "--set", "run.evaluate_every=400", "--set", "run.log_every=100"]
SMALL += ["--set", "environment.horizon=40", "--set", "environment.warmup_steps=20"]
RESULTS = ("progress.csv", "evaluations.csv", "probes.csv", "proposals.csv")


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    with time_limit(120):
        yield


def finish(out: Path) -> None:
    """Train to the end in this process."""
    assert train.main([*SMALL, "--out", str(out)]) == 0


def saved(out: Path) -> bool:
    """Whether a training is under way and has written a checkpoint."""
    return any(out.glob("checkpoints/**/checkpoint.pt"))


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
    finish(out)
    assert restarts(out) == [0] * 4
    return out


def test_killed_simulators_change_no_result_and_are_counted(
    undisturbed: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    others, killed = children(), []

    def kill_all() -> None:
        wait_until(lambda: saved(tmp_path))
        killed.extend(children() - others)
        kill(killed)

    killer = threading.Thread(target=kill_all)
    killer.start()
    finish(tmp_path)
    killer.join()
    assert len(killed) == 2, "one for training, one for evaluations"
    assert_same_results(tmp_path, undisturbed)
    assert sum(restarts(tmp_path)) == 2
    assert restarts(tmp_path)[-1] >= 1, "that of the evaluation after the last step"
    assert sum("the simulator died (signal 9)" in line for line in caplog.messages) == 2, "one line of each"
    assert children() == others


def test_signal_to_all_processes_saves_and_resumes_exactly(
    undisturbed: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    command = [sys.executable, "-m", "algorithms.train", *SMALL, "--out", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as training:
        wait_until(lambda: saved(tmp_path))
        simulators = children(training.pid)
        assert len(simulators) == 2
        os.killpg(training.pid, signal.SIGTERM)
        output = training.communicate()[1]
    assert training.returncode == train.INTERRUPTED, output
    assert "the simulator" not in output, "none was lost"
    assert not any(map(runs, simulators))
    caplog.set_level("INFO")
    finish(tmp_path)
    assert "continuing at step" in caplog.text
    assert_same_results(tmp_path, undisturbed)
    assert restarts(tmp_path) == [0] * 4


def test_restarts_are_counted_for_each_seed_and_over_resumes() -> None:
    config = resolve(load_preset("smoke"), "ring_road", "td3", seeds=[4, 9])
    others = children()
    first = Trainer(config, torch.device("cpu"))
    victim = min(children() - others)  # the first seed's in training

    def train_until(trainer: Trainer, step: int, death: int | None = None) -> dict[str, Any]:
        def stop() -> bool:
            if trainer.step == death:
                kill([victim])
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
