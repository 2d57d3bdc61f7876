"""Finding out what a single training is in: the first state that applies is its state."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from algorithms import status
from algorithms.nested import DELTA, FROM_OTHERS, NOT_DECISIVE, POLICY, first_difference
from algorithms.settings import RunConfig
from algorithms.status import Status
from analysis.progress.folders import Folders, Found
from analysis.progress.training import State, Training, seeds


class Asked(NamedTuple):
    """What is asked of a training, and what it takes from others.

    Attributes:
        run: its configuration, as the preset has it.
        complete: the same with nothing left open; None while what it takes from others is not known.
        lineage: digest of its settings and of all that it depends on.
        references: the HRL runs behind its delta, if that is left to them.
        measured: whether J_HRL of these is there, if it is needed.
        source: the training whose worker it takes over, if it does.
        other_source: whether its run folder is known to hold one with the worker of another training.
    """

    run: RunConfig
    complete: RunConfig | None
    lineage: str
    references: list[Training]
    measured: bool
    source: Training | None
    other_source: bool


class Look:
    """One look at a training.

    Args:
        asked: what is asked of it.
        folders: where it may have left something.
    """

    def __init__(self, asked: Asked, folders: Folders) -> None:
        self._asked, self._folders, self._key = asked, folders, asked.run.key
        self._statuses = folders.statuses(self._key)
        self._found = folders.run(self._key)

    @property
    def training(self) -> Training:
        """What has become of the training."""
        ended = (self._failed, self._interrupted)
        # What the training itself has said goes before a run folder of other settings, such as a shorter one.
        first = ended if self._status else ()
        in_turn = (self._done, self._running, *first, self._stale, self._waiting, *ended)
        return next((found for look in in_turn if (found := look())), self._missing())

    def _done(self) -> Training | None:
        if self._found and self._is_asked_for(self._found) and not self._found.absent:
            return self._as(State.DONE, usage=self._found.usage)
        complete = self._asked.complete
        kept = self._folders.kept(self._key, complete.hash) if complete else None
        if kept and not kept.absent and not self._is_other:
            return self._as(State.DONE, "its files come back without training", usage=kept.usage)
        return None

    def _running(self) -> Training | None:
        if self._status and status.runs(self._status):
            return self._as(State.RUNNING, step=self._status.step)
        return None

    def _stale(self) -> Training | None:
        return self._as(State.STALE, self._difference(self._found)) if self._found and self._is_other else None

    def _waiting(self) -> Training | None:
        asked, reasons = self._asked, []
        if asked.references and (lacking := _lacking(asked.references)):
            reasons.append(f"J_HRL ({asked.references[0].run.label} {lacking})")
        elif not asked.measured:
            reasons.append("J_HRL (to be measured)")
        if (source := asked.source) and source.state is not State.DONE:
            reasons.append(f"worker of {source.run.task}/{source.run.label} ({source.state})")
        return self._as(State.WAITING, f"for {', '.join(reasons)}", step=self._saved) if reasons else None

    def _failed(self) -> Training | None:
        said = self._status if self._status and self._status.state == "failed" else None
        reason = said.reason if said else self._folders.failure(self._key)
        if not said and not reason:
            return None
        return self._as(State.FAILED, reason.removeprefix(f"{self._key}, "), step=self._saved)

    def _interrupted(self) -> Training | None:
        if self._status:
            ending = _ending(self._status)
            return self._as(State.INTERRUPTED, ending, step=self._saved)
        identity = self._asked.complete.hash if self._asked.complete else ""
        if identity and self._folders.has_checkpoint(self._key, identity):
            return self._as(State.INTERRUPTED, "has a checkpoint")
        return None

    def _missing(self) -> Training:
        if self._found and self._found.absent:
            return self._as(State.MISSING, f"{self._found.absent[0]} is gone")
        if any(map(status.runs, self._statuses.values())):
            return self._as(State.MISSING, "it is being trained with other settings")
        return self._as(State.MISSING)

    def _as(
        self, state: State, why: str = "", *, step: int | None = None, usage: dict[str, float] | None = None
    ) -> Training:
        said = None if state is State.DONE else self._status
        if usage is None:
            usage = {"wall_time": said.wall_time, "cpu_time": said.cpu_time} if said else {}
        return Training(self._asked.run, state, why, step, said, usage)

    @cached_property
    def _status(self) -> Status | None:
        """What a training of these very settings says of itself."""
        if self._asked.complete:
            return self._statuses.get(self._asked.complete.hash)
        of_these = (said for said in self._statuses.values() if said.lineage == self._asked.lineage)
        return next(of_these, None)

    @property
    def _saved(self) -> int | None:
        return self._status.saved if self._status else None

    @property
    def _is_other(self) -> bool:
        """Whether the run folder holds another training."""
        return self._found is not None and not self._is_asked_for(self._found)

    def _is_asked_for(self, found: Found) -> bool:
        """Whether a finished training is the one that is asked for.

        While what it takes from others is not known, it counts that their settings are the same.
        """
        if self._asked.complete:
            return bool(found.description.get("hash") == self._asked.complete.hash)
        if self._asked.other_source:
            return False
        recorded = found.description.get("lineage")
        return recorded == self._asked.lineage if recorded else not self._first_difference(found)[0]

    def _first_difference(self, found: Found) -> tuple[str, object, object]:
        complete = self._asked.complete
        ignored = NOT_DECISIVE if complete else (*NOT_DECISIVE, *FROM_OTHERS)
        wanted = (complete or self._asked.run).model_dump(mode="json")
        return first_difference(found.description.get("config") or {}, wanted, ignored)

    def _difference(self, found: Found) -> str:
        """How a finished training differs from the one that is asked for."""
        key, recorded, wanted = self._first_difference(found)
        if key == DELTA and self._asked.references:
            return f"delta is {_number(recorded)}, by J_HRL it is {_number(wanted)} now"
        if self._asked.source and (key == POLICY or (not key and self._asked.other_source)):
            return f"the worker of {self._asked.source.run.key} is another one now"
        if key:
            return f"{key} is {recorded}, the preset asks for {wanted}"
        return self._other_origin(found)

    def _other_origin(self, found: Found) -> str:
        """Where a finished training has taken from what it should now take from elsewhere."""
        references, source = self._asked.references, self._asked.source
        used = (found.description.get("worker_return") or {}).get("runs") or []
        if used and {run.get("key") for run in used} != {other.run.key for other in references}:
            return f"delta of other {references[0].run.label} runs"
        origins = [f"delta of {references[0].run.label}"] if references else []
        origins += [f"worker of {source.run.label}"] if source else []
        return f"{' or '.join(origins)} with other settings"


def _lacking(trainings: list[Training]) -> str:
    """How far some trainings are, if they are not all done."""
    done, asked = seeds(trainings, State.DONE), seeds(trainings)
    counts = [f"{done}/{asked}"] if done < asked else []
    for state in (State.FAILED, State.STALE) if counts else ():
        counts += [f"{number} {state}"] if (number := seeds(trainings, state)) else []
    return ", ".join(counts)


def _ending(said: Status) -> str:
    """How a training that does not run any more has ended."""
    before = "" if said.saved is not None else " before its first checkpoint"
    if said.state == "interrupted":
        return "stopped by a signal"
    if status.is_here(said):
        return f"killed{before}"
    return f"silent on {said.host} for {status.silence(said) / 3600:.1f} h{before}"


def _number(value: object) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)
