from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from algorithms.clock import Clock
from algorithms.usage import LOOK_EVERY, Usage, below
from envs.child import Child

BURNT = 0.2
#: Linux counts CPU time in hundredths of a second, and those of four processes can be cut off.
CUT_OFF = 0.05
HOARDED_MB = 80


def spend(seconds: float) -> None:
    """Keep this process busy for some seconds of CPU."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


class Simulator:
    """What lives in a child process here."""

    def burn(self) -> None:
        spend(BURNT)

    def hoard(self) -> None:
        self.hoarded = np.ones(HOARDED_MB * 125_000)

    def burn_below(self) -> int:
        """Burn in a process below this one, which stays."""
        self.child = Child(Simulator)
        ask(self.child, "burn")
        return self.child.pid

    def close(self) -> None:
        """Nothing to end."""


def ask(child: Child, method: str) -> Any:
    child.send(pickle.dumps((method, ())))
    return child.receive(20)[1]


@contextmanager
def simulator() -> Iterator[Child]:
    child = Child(Simulator)
    try:
        yield child
    finally:
        child.end(kill=True)


def test_cpu_time_is_of_this_process_and_its_children():
    usage = Usage()
    assert usage.cpu_time < CUT_OFF
    spend(BURNT)
    assert usage.cpu_time >= BURNT - CUT_OFF
    with simulator() as child:
        ask(child, "burn")
        assert usage.cpu_time >= 2 * BURNT - CUT_OFF
        ask(child, "burn_below")
        assert usage.cpu_time >= 3 * BURNT - CUT_OFF


@pytest.mark.parametrize("kill", [True, False])
def test_a_child_that_has_ended_keeps_its_cpu_time(kill: bool):
    usage = Usage()
    with simulator() as child:
        ask(child, "burn")
        before = usage.cpu_time
        child.end(kill=kill)
        assert not psutil.pid_exists(child.pid)
        assert before - CUT_OFF <= usage.cpu_time < before + BURNT
    assert before >= BURNT - CUT_OFF


def test_a_child_that_is_dead_and_not_waited_for_keeps_its_cpu_time():
    usage = Usage()
    with simulator() as child:
        ask(child, "burn")
        os.kill(child.pid, 9)
        process = psutil.Process(child.pid)
        while process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.001)
        assert usage.cpu_time >= BURNT - CUT_OFF
        assert usage.memory_mb(look=True) > 0


def test_what_was_spent_before_does_not_count():
    spend(BURNT)
    with simulator() as child:
        ask(child, "burn")
        usage = Usage()
        assert usage.cpu_time < CUT_OFF
    assert usage.cpu_time < BURNT


def test_cpu_time_accumulates_over_resumes_and_memory_is_their_peak():
    first = Usage()
    spend(BURNT)
    state = first.state_dict()
    second = Usage()
    second.load_state_dict(state | {"memory_mb": 1e6})
    assert state["cpu_time"] <= second.cpu_time < state["cpu_time"] + BURNT
    spend(BURNT)
    assert second.cpu_time >= state["cpu_time"] + BURNT - CUT_OFF
    assert second.memory_mb() == 1e6
    third = Usage()
    third.load_state_dict(second.state_dict() | {"memory_mb": 1.0})
    assert third.cpu_time >= 2 * BURNT - CUT_OFF
    assert third.memory_mb() == pytest.approx(state["memory_mb"], rel=0.2)


def test_shared_pages_of_children_count_once():
    """A forked process shows all memory of its parent as resident, too."""
    here = np.ones(2 * HOARDED_MB * 125_000)
    usage = Usage()
    alone = usage.memory_mb(look=True)
    assert alone * 1e6 >= psutil.Process().memory_info().rss * 0.99
    with simulator() as child, simulator() as other:
        assert ask(child, "hoard") is None
        assert psutil.Process(other.pid).memory_info().rss >= here.nbytes
        together = usage.memory_mb(look=True)
        assert HOARDED_MB <= together - alone < 2 * HOARDED_MB
    assert usage.memory_mb(look=True) == together, "a peak"


def test_children_are_looked_at_once_in_a_while(monkeypatch: pytest.MonkeyPatch):
    usage, now = Usage(), time.perf_counter()
    alone = usage.memory_mb()
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    with simulator() as child:
        ask(child, "hoard")
        assert usage.memory_mb() < alone + HOARDED_MB / 2
        now += LOOK_EVERY + 1
        assert usage.memory_mb() >= alone + HOARDED_MB


def without_lists(path: Path, pattern: str) -> Iterator[Path]:
    return iter(())


def broken_lists(path: Path, pattern: str) -> Iterator[Path]:
    return iter([path / "nobody" / pattern])


@pytest.mark.parametrize("glob", [Path.glob, without_lists, broken_lists])
def test_all_processes_below_are_found(monkeypatch: pytest.MonkeyPatch, glob: Callable[..., Iterator[Path]]):
    with simulator() as child:
        pids = {child.pid, ask(child, "burn_below")}
        monkeypatch.setattr(Path, "glob", glob)
        found = below(psutil.Process())
        assert pids <= {process.pid for process in found}
        assert len(found) == len(set(found))
        assert {process.pid for process in below(psutil.Process(child.pid))} == pids - {child.pid}
        ended = psutil.Process(child.pid)
    assert below(ended) == []


def test_a_log_point_costs_less_than_a_millisecond():
    usage = Usage()
    usage.memory_mb()
    times = []
    with simulator(), simulator():
        for _ in range(20):
            start = time.process_time()
            assert usage.cpu_time >= 0
            assert usage.memory_mb() > 0
            times.append(time.process_time() - start)
    assert np.median(times) < 1e-3


def test_timing_has_both_at_every_log_point_and_over_resumes():
    first = Clock(2)
    spend(BURNT)
    first.mark(10)
    second = Clock(2)
    second.load_state_dict(first.state_dict())
    spend(BURNT)
    second.mark(20)
    with simulator() as child:
        ask(child, "hoard")
        rows = second.table([3, 5])
    assert rows[-1]["memory_mb"] >= rows[0]["memory_mb"] + HOARDED_MB / 2, "the last row looks again"
    assert [(row["seed"], row["step"]) for row in rows] == [(3, 10), (5, 10), (3, 20), (5, 20)]
    times = [row["cpu_time"] for row in rows]
    assert times[0] == times[1] >= BURNT - CUT_OFF
    assert times[2] == times[3] >= times[0] + BURNT - CUT_OFF
    assert second.table([3, 5])[:2] == rows[:2]
