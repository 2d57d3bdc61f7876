"""How long trainings have taken and will take, in seconds: wall time, and CPU time for core-hours.

What a training takes per seed is the mean over the finished ones of its cell; without any, over those of its cell
that run and have a speed; or else it is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from analysis.progress.training import State, Training

#: Trainings in these states have taken time that counts; what a stale one took is lost.
COUNTED = (State.DONE, State.RUNNING, State.INTERRUPTED, State.FAILED, State.WAITING)


class Work(NamedTuple):
    """Seconds of work."""

    wall: float
    cpu: float

    def times(self, factor: float) -> Work:
        """So many times this work."""
        return Work(self.wall * factor, self.cpu * factor)


class Estimate(NamedTuple):
    """What is spent and left of some trainings.

    Attributes:
        spent: seconds so far.
        left: seconds to come, of the trainings whose length is known.
        unknown: how many trainings are left whose length is not known.
        running: how many run.
        longest: seconds of wall time until the last of those that run will have ended, so far as is known.
    """

    spent: Work = Work(0.0, 0.0)
    left: Work = Work(0.0, 0.0)
    unknown: int = 0
    running: int = 0
    longest: float = 0.0

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left."""
        return not (self.left.wall or self.unknown or self.running)

    def end(self, now: datetime) -> datetime | None:
        """When all will be done if as many trainings run as now; None if none runs, or no length is known."""
        if not self.running or not self.left.wall:
            return None
        return now + timedelta(seconds=max(self.left.wall / self.running, self.longest))


def of_cell(trainings: Sequence[Training]) -> Estimate:
    """What is spent and left of a cell."""
    per_seed = _per_seed(trainings)
    left = [_left(training, per_seed) for training in trainings if training.state is not State.DONE]
    known = [work for work in left if work]
    running = [training for training in trainings if training.state is State.RUNNING]
    ends = [work.wall for training in running if (work := _left(training, per_seed))]
    return Estimate(
        spent=_sum(_used(training) for training in trainings if training.state in COUNTED),
        left=_sum(known),
        unknown=len(left) - len(known),
        running=len(running),
        longest=max(ends, default=0.0),
    )


def total(estimates: Iterable[Estimate]) -> Estimate:
    """What is spent and left of several cells."""
    every = list(estimates)
    return Estimate(
        spent=_sum(one.spent for one in every),
        left=_sum(one.left for one in every),
        unknown=sum(one.unknown for one in every),
        running=sum(one.running for one in every),
        longest=max((one.longest for one in every), default=0.0),
    )


def _per_seed(trainings: Sequence[Training]) -> Work | None:
    """What a training of a cell takes for each of its seeds."""
    done = [training for training in trainings if training.state is State.DONE and training.usage.get("wall_time")]
    running = [training for training in trainings if training.state is State.RUNNING and seconds_left(training)]
    lengths = [_used(training).times(1 / len(training.run.seeds)) for training in done]
    lengths = lengths or [_length(training).times(1 / len(training.run.seeds)) for training in running]
    return _sum(lengths).times(1 / len(lengths)) if lengths else None


def seconds_left(training: Training) -> float | None:
    """Seconds until a running training ends at its present speed, if it has one."""
    said = training.status
    if training.state is not State.RUNNING or not said or said.step is None or not said.steps_per_second:
        return None
    return (said.steps - said.step) / said.steps_per_second


def _length(training: Training) -> Work:
    """What a running training with a speed will have taken."""
    used, left = _used(training), seconds_left(training) or 0.0
    return used.times((used.wall + left) / used.wall) if used.wall else Work(left, left)


def _left(training: Training, per_seed: Work | None) -> Work | None:
    """What is left of a training that is not done; None if that is not known."""
    if (left := seconds_left(training)) is not None:
        used = _used(training)
        return Work(left, left * used.cpu / used.wall if used.wall else left)
    if per_seed is None:
        return None
    steps = training.run.run.steps
    done = max(training.step or 0, 0) / steps
    return per_seed.times(len(training.run.seeds) * (1 - done))


def _used(training: Training) -> Work:
    usage: Mapping[str, float] = training.usage
    wall = usage.get("wall_time", 0.0)
    return Work(wall, usage.get("cpu_time", wall))


def _sum(works: Iterable[Work]) -> Work:
    every = list(works)
    return Work(sum(work.wall for work in every), sum(work.cpu for work in every))
