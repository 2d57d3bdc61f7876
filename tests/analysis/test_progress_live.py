"""What a training is in, seen while it runs, is paused, and is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from progress_trees import seen

from algorithms import status, train
from algorithms.config import load_preset
from analysis.progress.training import State, Training
from envs.ant.robot import AntEnv

ROOT = Path(__file__).parents[2]
KEY = "ant_gather/td3/seeds_0"

# So long that nobody waits for its end.
LONG = {"steps": 10_000_000, "log_every": 100, "evaluate_every": 1_000_000, "checkpoint_every": 200}


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    """A preset of a single training."""
    selected = {"studies": ["main"], "tasks": ["ant_gather"], "algorithms": ["td3"], "drivers": [], "seeds": [0]}
    run = {"default": LONG, "tasks": {"ant_gather": {"steps": LONG["steps"]}}}
    values = {**load_preset("smoke"), **selected, "preset": "live", "results": str(tmp_path / "results")}
    values["run"] = {name: {**values["run"][name], **run[name]} for name in run}
    path = tmp_path / "live.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def arguments(preset: Path) -> list[str]:
    return ["--preset", str(preset), "--task", "ant_gather", "--algorithm", "td3", "--seeds", "0"]


def look(preset: Path) -> Training:
    values: dict[str, Any] = load_preset(str(preset))
    return seen(values, Path(values["results"]))[KEY]


def wait_for(preset: Path, condition: Callable[[Training], bool]) -> Training:
    deadline = time.monotonic() + 120
    while not condition(training := look(preset)):
        assert time.monotonic() < deadline, f"two minutes have passed, and it is {training}"
        time.sleep(0.05)
    return training


@contextmanager
def training_of(preset: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A training in a process of its own, that reports ten times a second."""
    code = (
        "import sys; from algorithms import status, train; status.EVERY = 0.1; sys.exit(train.main(sys.argv[1:]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments(preset)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_running_paused_killed_resumed_and_stopped(preset: Path) -> None:
    with training_of(preset) as process:
        running = wait_for(preset, lambda seen: bool(seen.status and seen.status.saved))
        assert running.state is State.RUNNING
        assert running.status
        assert running.status.pid == process.pid
        assert (running.status.steps_per_second or 0) > 0

        process.send_signal(signal.SIGSTOP)
        assert look(preset).state is State.RUNNING

        process.kill()
        killed = wait_for(preset, lambda seen: seen.state is not State.RUNNING)  # nobody has waited for it yet
        assert (killed.state, killed.why) == (State.INTERRUPTED, "killed")
        assert killed.step
        assert killed.step % LONG["checkpoint_every"] == 0

    with training_of(preset) as process:
        again = wait_for(preset, lambda seen: seen.state is State.RUNNING)
        assert (again.step or 0) >= killed.step  # also before its simulations are up
        resumed = wait_for(preset, lambda seen: (seen.step or 0) > (killed.step or 0))
        process.terminate()
        assert process.wait(timeout=60) == train.INTERRUPTED
        stopped = look(preset)
        assert (stopped.state, stopped.why) == (State.INTERRUPTED, "stopped by a signal")
        assert (stopped.step or 0) >= (resumed.step or 0)
        assert stopped.usage["wall_time"] >= resumed.usage["wall_time"] > 0


def test_failed(preset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulate, steps = AntEnv.simulate, 0

    def explode(env: AntEnv, action: Any) -> dict[str, Any]:
        nonlocal steps
        steps += 1
        if steps == 300:
            env.data.qvel[0] = 1e12
        return simulate(env, action)

    monkeypatch.chdir(tmp_path)  # MuJoCo logs its warnings there
    monkeypatch.setattr(AntEnv, "simulate", explode)
    monkeypatch.setattr(status, "EVERY", 0)
    assert train.main(arguments(preset)) == 1
    failed = look(preset)
    assert failed.state is State.FAILED
    assert failed.why.startswith("after step -201: the simulation broke down at step ")
    assert failed.step is None
