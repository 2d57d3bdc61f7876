"""What a training says of itself while it runs, for those who watch: ``status.json`` beside its checkpoints.

It decides no number and is part of no checkpoint.  A file that cannot be written is done without.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import psutil
from pydantic import BaseModel

from algorithms.records import in_one_move

if TYPE_CHECKING:
    from algorithms.trainer import Trainer

NAME = "status.json"

#: Seconds between two reports.
EVERY = 15.0

#: Seconds without a report after which a training on another machine counts as gone.  Nothing that a training does
#: between two environment steps takes that long: replacing a simulator three times over takes 15 minutes at most.
SILENCE = 1800.0

#: Seconds by which two readings of when a process began may differ, since the machine's clock is set now and then.
CLOCK_ERROR = 60.0


class Status(BaseModel):
    """The content of ``status.json``.

    Attributes:
        state: what the training said last.  One that was killed said ``running``, see :func:`runs`.
        reason: why it failed, in one line.
        step: environment steps so far, negative in the warm-up; None before the simulations are up.
        saved: those at its last checkpoint; None without one.
        steps: how many there will be.
        wall_time: seconds so far, earlier processes included.
        cpu_time: seconds of CPU so far.
        steps_per_second: of each seed over the last log points, evaluations included; None before the first one.
        lineage: digest of its settings and of all that it depends on, see :func:`algorithms.studies.lineage`.
        host: the machine.
        processes: what tells the numbers of processes that this one saw from others, see :func:`this_numbering`.
        pid: the process.
        process_began: when the process began, in seconds since 1970.
        time: when this was written.
    """

    state: Literal["running", "interrupted", "failed"]
    reason: str = ""
    step: int | None = None
    saved: int | None = None
    steps: int
    wall_time: float = 0.0
    cpu_time: float = 0.0
    steps_per_second: float | None = None
    lineage: str | None = None
    host: str
    processes: str
    pid: int
    process_began: float
    time: datetime


class Reporter:
    """Writes the status of one training.

    Args:
        folder: the training's checkpoint folder.
        steps: how long it is.
        lineage: see :class:`Status`.
    """

    def __init__(self, folder: Path, steps: int, lineage: str | None) -> None:
        process = psutil.Process()
        self._path = folder / NAME
        self._fixed = {
            "steps": steps,
            "lineage": lineage,
            "host": this_host(),
            "processes": this_numbering(),
            "pid": process.pid,
            "process_began": process.create_time(),
        }
        before = read(folder)
        self._saved = before.saved if before else None
        self._before = before.model_dump(include={"wall_time", "cpu_time", "steps_per_second"}) if before else {}
        self._trainer: Trainer | None = None
        self._written = -inf

    def follow(self, trainer: Trainer, saved: int | None) -> None:
        """Report on a trainer from now on, whose last checkpoint is of this step, if there is one."""
        self._trainer, self._saved = trainer, saved
        self.write("running")

    def beating(self, stop: Callable[[], bool]) -> Callable[[], bool]:
        """A function that is polled at every environment step, evaluations included, to report on the side."""

        def polled() -> bool:
            if time.monotonic() - self._written >= EVERY:
                self.write("running")
            return stop()

        return polled

    def noting(self, save: Callable[[], None]) -> Callable[[], None]:
        """A function that saves a checkpoint, whose step is noted."""

        def saving() -> None:
            save()
            self._saved = self._trainer.step if self._trainer else None

        return saving

    def write(self, state: Literal["running", "interrupted", "failed"], reason: str = "") -> None:
        """Write the file in one move, if that can be done."""
        progress = _progress(self._trainer) if self._trainer else {"step": self._saved, **self._before}
        values = {"state": state, "reason": reason, "saved": self._saved, "time": datetime.now(UTC)}
        status = Status.model_validate(self._fixed | progress | values)
        with suppress(OSError), in_one_move(self._path) as partial:
            partial.write_text(status.model_dump_json(indent=2) + "\n")
        self._written = time.monotonic()

    def remove(self) -> None:
        """The training is complete, as its run folder says."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


@contextmanager
def reported(folder: Path, steps: int, lineage: str | None) -> Iterator[Reporter]:
    """Report on what happens in a block; an exception that leaves it is the reason of a failure.

    Args:
        folder: the training's checkpoint folder, which must be there.
        steps: how long it is.
        lineage: see :class:`Status`.
    """
    reporter = Reporter(folder, steps, lineage)
    reporter.write("running")
    try:
        yield reporter
    except BaseException as error:
        reporter.write("failed", one_line(error))
        raise


def _progress(trainer: Trainer) -> dict[str, float | None]:
    clock = trainer.clock
    return {
        "step": trainer.step,
        "wall_time": round(clock.wall_time, 1),
        "cpu_time": round(clock.usage.cpu_time, 1),
        "steps_per_second": clock.recent_speed(trainer.step),
    }


def one_line(error: BaseException) -> str:
    """An exception's message in one line, after its type unless the message is written for readers."""
    text = " ".join(str(error).split())
    written_here = type(error).__module__.partition(".")[0] in ("algorithms", "envs")
    return text if written_here and text else f"{type(error).__name__}: {text}".removesuffix(": ")


def read(folder: Path) -> Status | None:
    """The status in a checkpoint folder; None without one that can be read."""
    try:
        return Status.model_validate_json((folder / NAME).read_bytes())
    except (OSError, ValueError):
        return None


def runs(status: Status) -> bool:
    """Whether the training that wrote a status still runs.

    On this machine its process tells.  On another one, a training that has not reported for ``SILENCE`` counts as
    gone; nothing is locked to find out.
    """
    if status.state != "running":
        return False
    if is_here(status):
        return _lives(status.pid, status.process_began)
    return silence(status) < SILENCE


def is_here(status: Status) -> bool:
    """Whether a status was written on this machine, since its last start, so that its process can be looked up."""
    return (status.host, status.processes) == (this_host(), this_numbering())


def silence(status: Status) -> float:
    """Seconds since a status was written."""
    return (datetime.now(UTC) - status.time).total_seconds()


def _lives(pid: int, began: float) -> bool:
    """Whether a process that began at a time is there, and is more than an entry that its parent has not read."""
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - began) < CLOCK_ERROR and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def this_numbering() -> str:
    """What processes are numbered by: this start of the machine, and the container, which has numbers of its own.

    A container may bear the name of its machine.  Empty where the system does not say.
    """
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def this_host() -> str:
    """The name of this machine."""
    return platform.node()
