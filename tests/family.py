"""Processes and their children, as the kernel sees them, and a limit on what a test may take."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def stat(pid: int) -> list[str]:
    """State, parent and more of a process, see proc(5); empty if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def children(parent: int | None = None) -> set[int]:
    """Children of a process, by default of this one; zombies are among them."""
    parent = os.getpid() if parent is None else parent
    found = {int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()}
    return {pid for pid in found if (fields := stat(pid)) and int(fields[1]) == parent}


def runs(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    return (stat(pid) or ["Z"])[0] not in "ZX"


def kill(pids: Iterable[int], number: int = signal.SIGKILL) -> None:
    """Send a signal to processes; SIGKILL has taken effect when this returns."""
    for pid in pids:
        os.kill(pid, number)
        if number == signal.SIGKILL:
            wait_until(lambda pid=pid: not runs(pid))


def wait_until(condition: Callable[[], Any], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.005)


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Raise TimeoutError in this thread if the block takes longer."""

    def expire(*_: Any) -> None:
        raise TimeoutError(f"the test took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, expire)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
