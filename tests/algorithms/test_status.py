"""What a training reports, and when a report is believed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from algorithms import status, train, transfer
from algorithms.clock import RECENT, Clock
from algorithms.config import load_preset, resolve
from algorithms.status import Reporter, Status, reported
from algorithms.trainer import Breakdown

ARGUMENTS = ["--preset", "smoke", "--task", "ant_gather", "--algorithm", "td3", "--seeds", "0", "--steps", "200"]


def said(**values: Any) -> Status:
    """The status of this process."""
    whose = {"host": status.this_host(), "processes": status.this_numbering(), "pid": os.getpid()}
    began = psutil.Process().create_time()
    fixed = {"state": "running", "steps": 9, "process_began": began, "time": datetime.now(UTC)}
    return Status.model_validate(fixed | whose | values)


# ---- who is believed ------------------------------------------------------------------------------------------


def test_process_of_this_machine_is_looked_at() -> None:
    assert status.runs(said())
    assert status.runs(said(time=datetime.now(UTC) - timedelta(days=9)))  # however long it was silent
    assert not status.runs(said(process_began=psutil.Process().create_time() - 3600))
    assert not status.runs(said(state="failed"))
    assert not status.runs(said(state="interrupted"))


def test_process_that_has_ended() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    began = psutil.Process(process.pid).create_time()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie: nobody has read its exit status
    assert not status.runs(said(pid=process.pid, process_began=began))
    process.wait()
    assert not status.runs(said(pid=process.pid, process_began=began))


@pytest.mark.parametrize("elsewhere", [{"host": "node7"}, {"processes": "before"}])
def test_other_machines_must_report(elsewhere: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    assert status.runs(said(**elsewhere, pid=1, time=now - timedelta(seconds=status.SILENCE - 30)))
    assert not status.runs(said(**elsewhere, time=now - timedelta(seconds=status.SILENCE + 30)))


# ---- what is written ------------------------------------------------------------------------------------------


def test_failure_is_reported_and_goes_on(tmp_path: Path) -> None:
    def divide() -> None:
        with reported(tmp_path, 9, "lineage"):
            running = status.read(tmp_path)
            assert running
            assert (running.state, running.lineage, running.pid) == ("running", "lineage", os.getpid())
            raise ZeroDivisionError("by\nzero")

    with pytest.raises(ZeroDivisionError):
        divide()
    failed = status.read(tmp_path)
    assert failed
    assert (failed.state, failed.reason) == ("failed", "ZeroDivisionError: by zero")
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


@pytest.mark.parametrize(
    ("error", "line"),
    [(Breakdown("it broke"), "it broke"), (MemoryError(), "MemoryError"), (ValueError("a"), "ValueError: a")],
)
def test_reasons_are_one_line(error: Exception, line: str) -> None:
    assert status.one_line(error) == line


def test_training_does_without_a_status_that_cannot_be_written(tmp_path: Path) -> None:
    with reported(tmp_path / "not there", 9, None) as reporter:
        reporter.write("interrupted")
        reporter.remove()
    assert status.read(tmp_path / "not there") is None


def test_what_cannot_be_read_is_no_status(tmp_path: Path) -> None:
    for content in (b"", b'{"state": "run', b"[]", b"\xff", b'{"state": "flying"}'):
        (tmp_path / status.NAME).write_bytes(content)
        assert status.read(tmp_path) is None


def test_reports_keep_their_distance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, written, stopping = 0.0, [], iter([False] * 100 + [True])
    monkeypatch.setattr(status.time, "monotonic", lambda: now)
    reporter = Reporter(tmp_path, 9, None)
    write = reporter.write
    monkeypatch.setattr(reporter, "write", lambda state: (written.append(now), write(state)))
    stop = reporter.beating(lambda: next(stopping))
    while not stop():
        now += 1.0
    assert written == [0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0]


def test_reporting_costs_next_to_nothing(tmp_path: Path) -> None:
    """Less than a thousandth of a training, by the CPU time of a report, and of the polls between two of them."""
    reporter = Reporter(tmp_path, 9, None)
    began = time.process_time()
    for _ in range(20):
        reporter.write("running")
    report = (time.process_time() - began) / 20
    stop, steps_per_second = reporter.beating(lambda: False), 1_000
    began = time.process_time()
    for _ in range(10_000):
        stop()
    polled = (time.process_time() - began) / 10_000
    assert report / status.EVERY + polled * steps_per_second < 1e-3


def test_speed_is_a_mean_over_the_last_log_points(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(1)
    assert clock.recent_speed(0) is None
    now = clock._started
    monkeypatch.setattr("algorithms.clock.time.perf_counter", lambda: now)
    now += 10
    clock.mark(100)
    assert clock.recent_speed(100) == pytest.approx(10)
    now += 30  # an evaluation
    assert clock.recent_speed(250) == pytest.approx(5)
    for number in range(RECENT):
        now += 1
        clock.mark(300 + 40 * number)
    assert clock.recent_speed(300 + 40 * (RECENT - 1)) == pytest.approx(40)


# ---- trainings ------------------------------------------------------------------------------------------------


def test_finished_training_says_which_networks_it_has_and_no_more(tmp_path: Path) -> None:
    assert train.main([*ARGUMENTS, "--out", str(tmp_path)]) == 0
    (folder,) = (tmp_path / "checkpoints/ant_gather/td3/seeds_0").glob("*/")
    assert [path.name for path in folder.iterdir()] == ["finished"]
    content = train.json.loads((folder / "finished/run.json").read_text())
    assert content["policy"] == transfer.policy_digest(folder / "finished")


def test_training_that_cannot_begin_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(train, "Trainer", refuse)
    with pytest.raises(MemoryError):
        train.main([*ARGUMENTS, "--out", str(tmp_path)])
    run = resolve(load_preset("smoke"), "ant_gather", "td3", seeds=[0], overrides={"run": {"steps": 200}})
    failed = status.read(tmp_path / "checkpoints" / run.key / run.hash)
    assert failed
    assert (failed.state, failed.reason, failed.step) == ("failed", "MemoryError: no room", None)
