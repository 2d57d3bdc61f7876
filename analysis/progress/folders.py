"""Reading a results folder while trainings write to it: what is half there is not there."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from algorithms import status
from algorithms.records import RUN_FILES
from algorithms.status import Status

#: What is read of the end of a file, in bytes.
TAIL = 8192

#: The last line of a log that ends badly: the suite's own refusals, and Python's exceptions.
FAILURE = re.compile(r"error: |[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt)(:|$)")


class Found(NamedTuple):
    """A run folder with a ``run.json``.

    Attributes:
        description: its content.
        absent: files that should be there, too.
        usage: seconds by the last row of ``timing.csv``: ``wall_time`` and ``cpu_time``, where they are known.
    """

    description: dict[str, Any]
    absent: list[str]
    usage: dict[str, float]


class Folders:
    """A preset's results folder; nothing is written to it.

    Args:
        results: its path.
    """

    def __init__(self, results: Path) -> None:
        self.results = results

    def run(self, key: str) -> Found | None:
        """The run folder of a training, if there is one with a readable ``run.json``."""
        return _found(self.results / "runs" / key)

    def kept(self, key: str, identity: str) -> Found | None:
        """The finished files that are kept beside the checkpoints of a training."""
        return _found(self._checkpoints(key, identity) / "finished")

    def statuses(self, key: str) -> dict[str, Status]:
        """What the trainings of a run folder say of themselves, by configuration hash."""
        folder = self.results / "checkpoints" / key
        found = {name: status.read(folder / name) for name in _names(folder)}
        return {name: content for name, content in found.items() if content}

    def has_checkpoint(self, key: str, identity: str) -> bool:
        """Whether a training has left a checkpoint."""
        names = _names(self._checkpoints(key, identity))
        return "checkpoint.pt" in names or "checkpoint.previous.pt" in names

    def failure(self, key: str) -> str:
        """The last line of a training's log, if it tells of a failure that no status of the training tells of."""
        log = self.results / "logs/train" / f"{key}.log"
        line = last_line(log)
        if not FAILURE.match(line):
            return ""
        for identity, content in self.statuses(key).items():
            is_newer = _modified(self._checkpoints(key, identity) / status.NAME) > _modified(log)
            if is_newer or (content.reason and content.reason in line):
                return ""
        return line.removeprefix("error: ")

    def _checkpoints(self, key: str, identity: str) -> Path:
        return self.results / "checkpoints" / key / identity


def _found(folder: Path) -> Found | None:
    names = _names(folder)
    if "run.json" not in names:
        return None
    try:
        description = json.loads((folder / "run.json").read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(description, dict):
        return None
    absent = [name for name in RUN_FILES if name not in names]
    return Found(description, absent, _usage(folder / "timing.csv"))


def _usage(path: Path) -> dict[str, float]:
    try:
        with path.open() as file:
            names = file.readline().strip().split(",")
        row = dict(zip(names, last_line(path).split(","), strict=True))
        return {name: float(row[name]) for name in ("wall_time", "cpu_time") if row.get(name)}
    except (OSError, ValueError):
        return {}


def _names(folder: Path) -> list[str]:
    """What is in a folder; nothing if there is none."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _modified(path: Path) -> float:
    """When a file was written, in seconds since 1970; 0 if there is none."""
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def last_line(path: Path) -> str:
    """The last line of a file that is not empty; no text if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
