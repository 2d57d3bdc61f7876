"""The machine and the process that measure."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from algorithms.records import provenance

#: Load per core, before the benchmark itself, above which the machine is not quiet.
QUIET_LOAD = 0.3


def describe() -> dict[str, Any]:
    """Processor, cores, versions, date, and how busy the machine is."""
    return {
        **provenance(torch.device("cpu")),
        "usable_cores": len(os.sched_getaffinity(0)),
        "load_average": [round(value, 2) for value in os.getloadavg()],
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def warning(machine: Mapping[str, Any]) -> str | None:
    """A line for the reader if something else was running, else None."""
    load, cores = machine["load_average"][0], machine["usable_cores"]
    if load <= QUIET_LOAD * cores:
        return None
    return f"the machine was not quiet: load average {load} on {cores} cores at the start"


def line(machine: Mapping[str, Any]) -> str:
    """The machine in one line."""
    hardware, versions = machine["hardware"], machine["versions"]
    return (
        f"{hardware['processor']}, {hardware['cores']} cores, {machine['threads']} thread per process, "
        f"Python {versions['python']}, torch {versions['torch']}, numpy {versions['numpy']}, {machine['date']}, "
        f"load average {machine['load_average'][0]} at the start"
    )


def peak_memory_mb(status: str | None = None) -> float:
    """Largest resident memory of this process so far, in MB (10^6 bytes).

    Args:
        status: text of ``/proc/<pid>/status``; this process's own by default.
    """
    text = Path("/proc/self/status").read_text() if status is None else status
    found = re.search(r"^VmHWM:\s+(\d+) kB$", text, re.MULTILINE)
    if found is None:
        raise ValueError("the process status names no VmHWM; peak memory is measured on Linux only")
    return int(found[1]) * 1024 / 1e6
