"""What a training can be in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from algorithms.settings import RunConfig
from algorithms.status import Status


class State(StrEnum):
    """What a training is in; those that need attention come first."""

    FAILED = "failed"
    STALE = "stale"
    INTERRUPTED = "interrupted"
    RUNNING = "running"
    WAITING = "waiting"
    MISSING = "missing"
    DONE = "done"


#: States that somebody has to do something about.
WRONG = (State.FAILED, State.STALE)


class Training(NamedTuple):
    """A planned training and what has become of it.

    Attributes:
        run: its configuration, as the preset has it.
        state: what it is in.
        why: more on that for readers; may be empty.
        step: environment steps so far, negative in the warm-up; of an unfinished one that does not run, those that
            it can go on from.  None if that is not known.
        status: what it says of itself, unless it is done.
        usage: seconds of ``wall_time`` and ``cpu_time`` so far, where they are known.
    """

    run: RunConfig
    state: State
    why: str = ""
    step: int | None = None
    status: Status | None = None
    usage: Mapping[str, float] = {}


def seeds(trainings: Iterable[Training], *states: State) -> int:
    """How many seeds some trainings have, or those of them that are in some states."""
    return sum(len(training.run.seeds) for training in trainings if not states or training.state in states)
