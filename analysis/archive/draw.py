"""The tables of studies, made from an archive as ``analysis.collect`` makes them from run folders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from algorithms.delta import is_return
from algorithms.settings import RunConfig
from algorithms.studies import reference
from analysis.archive.match import Archived, Match
from analysis.archive.plan import Plan, source
from analysis.archive.store import DRIVERS, Archive
from analysis.products import DRIVEN
from analysis.study_tables import Driven, Finished, Tables, assemble
from analysis.worker_return import QUANTITY, by_seed


def tables(archive: Archive, plan: Plan, study: str) -> Tables:
    """The tables of a study, of those cells that there are data for; at least one."""
    returns = WorkerReturns(archive, plan)
    finished = [
        _finished(archive, plan, cell, archived, returns) for cell in plan.cells[study] for archived in cell.used
    ]
    driven = [Driven(job, archive.content(entry)[DRIVERS]) for entry, job in plan.drivers.values()]
    return assemble(study, finished, driven if study == DRIVEN else [])


def _finished(archive: Archive, plan: Plan, cell: Match, archived: Archived, returns: WorkerReturns) -> Finished:
    return Finished(
        run=archived.run,
        planned=cell.planned.model_copy(update={"run": archived.run.run, "seeds": archived.run.seeds}),
        taken=source(plan, archived),
        description=archived.entry.description,
        worker_return=returns.of(archived, cell.planned),
        files=archive.content(archived.entry),
    )


class WorkerReturns:
    """J_HRL of tasks: from archived HRL runs where there are some, otherwise as a run has recorded it.

    Args:
        archive: with the rows of these runs.
        plan: says which they are.
    """

    def __init__(self, archive: Archive, plan: Plan) -> None:
        self._archive, self._plan = archive, plan
        self._measured: dict[tuple[str, str], float | None] = {}

    def of(self, archived: Archived, planned: RunConfig) -> float | None:
        """J_HRL that a run's delta is to be seen against; None if it has no delta, or it is not known."""
        if archived.run.cher is None:
            return None
        used = reference(self._plan.preset, planned)[0]
        key = used.task, used.label
        if key not in self._measured:
            self._measured[key] = self._measure(self._plan.match(used).used)
        measured = self._measured[key]
        return measured if measured is not None else recorded(archived.entry.description)

    def _measure(self, hrl: Sequence[Archived]) -> float | None:
        rows = [self._archive.content(archived.entry)["runs"] for archived in hrl]
        if not rows or any(QUANTITY not in each for each in rows):
            return None
        returns = by_seed(rows).values()
        mean = sum(returns) / len(returns)
        return mean if is_return(mean) else None


def recorded(description: dict[str, Any]) -> float | None:
    """J_HRL as a run has recorded where its delta comes from."""
    value = (description.get("worker_return") or {}).get("worker_return")
    return float(value) if value is not None and is_return(value) else None
