"""Nothing is lost when the workflow is killed, interrupted, or told other settings for a while."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from runner import ROOT, command, snakemake_in

pytestmark = pytest.mark.workflow

RUN = "ant_gather/td3/seeds_0"
ARGUMENTS = (
    "--configfile",
    "config/smoke.yaml",
    "--config",
    "results=out",
    "run={default: {checkpoint_every: 100}}",
)
TARGET = f"out/runs/{RUN}/progress.csv"


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, f"no {what} within 90 seconds"
        time.sleep(0.02)


def start(folder: Path) -> subprocess.Popen[bytes]:
    """Start the workflow, and return when its training has written a checkpoint."""
    process = subprocess.Popen(
        command(folder, TARGET, *ARGUMENTS),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    checkpoints = folder / "out/checkpoints" / RUN
    wait_for(lambda: bool(list(checkpoints.glob("*/checkpoint.pt"))), "checkpoint")
    return process


def finish(folder: Path, *arguments: str) -> str:
    """Run the workflow to its end, and return what the training has logged."""
    run = snakemake_in(folder)(TARGET, *ARGUMENTS, *arguments)
    assert run.returncode == 0, run.stderr
    return (folder / f"out/logs/train/{RUN}.log").read_text()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(folder)
    return folder


def progress(folder: Path) -> bytes:
    return (folder / TARGET).read_bytes()


def test_training_that_outlives_a_killed_workflow_is_not_repeated(undisturbed: Path, tmp_path: Path):
    process = start(tmp_path)
    process.kill()
    process.wait()
    wait_for((tmp_path / TARGET).with_name("run.json").exists, "finished orphan")
    wait_for(lambda: not group_is_alive(process.pid), "end of the orphan")
    assert snakemake_in(tmp_path)("--unlock").returncode == 0
    assert "was trained before, its files are back" in finish(tmp_path)
    assert progress(tmp_path) == progress(undisturbed)


def group_is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_interrupted_workflow_resumes_its_training(undisturbed: Path, tmp_path: Path):
    process = start(tmp_path)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=90) != 0
    assert not (tmp_path / TARGET).exists()
    assert "continuing at step" in finish(tmp_path)
    assert progress(tmp_path) == progress(undisturbed)


def test_setting_changed_and_changed_back_retrains_once(undisturbed: Path):
    before = progress(undisturbed)
    assert "was trained before" not in finish(undisturbed, "learner={default: {tau: 0.01}}")
    assert progress(undisturbed) != before
    assert "was trained before, its files are back" in finish(undisturbed)
    assert progress(undisturbed) == before
