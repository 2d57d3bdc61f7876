"""What a training takes of its machine: processor time and memory, those of its simulators' processes included."""

from __future__ import annotations

import resource
import sys
import time
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import Any

import psutil

#: Seconds between two looks at the memory of child processes; one look takes about 1 ms per process.
LOOK_EVERY = 60.0


class Usage:
    """CPU time and peak memory of this process and all below it, accumulated over resumes.

    The CPU time of a process that has ended stays in that of the process that waited for its end.

    Memory is the largest resident memory that this process ever had, plus what the processes below it have for
    themselves: a simulator's process is forked, and the pages that it still shares with this one count once.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._cpu_before, self._cpu_started = 0.0, self._cpu_total()
        self._memory = 0.0
        self._below, self._looked = 0.0, -inf

    @property
    def cpu_time(self) -> float:
        """Seconds of CPU spent so far, by user and system, earlier processes of the training included."""
        return self._cpu_before + self._cpu_total() - self._cpu_started

    def memory_mb(self, *, look: bool = False) -> float:
        """Peak memory so far in MB (10^6 bytes).

        Args:
            look: look at the memory of the processes below now, and not only once in a while.
        """
        now = time.perf_counter()
        if look or now - self._looked >= LOOK_EVERY:
            self._below, self._looked = sum(map(_own_memory, below(self._process))), now
        self._memory = max(self._memory, (_peak_of_this_process() + self._below) / 1e6)
        return self._memory

    def state_dict(self) -> dict[str, Any]:
        """Usage so far."""
        return {"cpu_time": self.cpu_time, "memory_mb": self.memory_mb(look=True)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict` in a new process."""
        self._cpu_before, self._cpu_started = state["cpu_time"], self._cpu_total()
        self._memory = state["memory_mb"]

    def _cpu_total(self) -> float:
        return sum(map(_cpu_time, [self._process, *below(self._process)]))


def below(process: psutil.Process) -> list[psutil.Process]:
    """All child processes, and theirs.

    Linux lists the children of every thread.  Elsewhere psutil finds them among all processes of the machine,
    which takes the longer the more there are.
    """
    try:
        lists = [path.read_text() for path in Path(f"/proc/{process.pid}/task").glob("*/children")]
    except OSError:  # a thread, or the process, has just ended
        lists = []
    if not lists:
        with suppress(psutil.NoSuchProcess):
            return process.children(recursive=True)
        return []
    found = []
    for pid in map(int, " ".join(lists).split()):
        with suppress(psutil.NoSuchProcess):
            child = psutil.Process(pid)
            found += [child, *below(child)]
    return found


def _cpu_time(process: psutil.Process) -> float:
    """Seconds of CPU of a process and of the children whose end it has waited for."""
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def _own_memory(process: psutil.Process) -> float:
    """Bytes that would become free if a process ended now."""
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return float(process.memory_full_info().uss)
    return 0.0


def _peak_of_this_process() -> float:
    """Largest resident memory in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
