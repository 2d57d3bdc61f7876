"""The state of every training of a preset, and what trainings take from one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from algorithms import delta, studies
from algorithms.config import ConfigError
from algorithms.settings import RunConfig
from analysis.progress.folders import Folders
from analysis.progress.look import Asked, Look
from analysis.progress.training import State, Training


class States:
    """States of the trainings of a preset at a moment: each is looked up once.

    Args:
        preset: a merged preset.
        folders: where its results are.
    """

    def __init__(self, preset: Mapping[str, Any], folders: Folders) -> None:
        self._preset, self._folders = preset, folders
        self._known: dict[str, Training] = {}
        self._references: dict[tuple[str, str | None], list[Training]] = {}
        self._returns: dict[tuple[str, str], float | None] = {}

    def of(self, run: RunConfig) -> Training:
        """The state of a training."""
        if run.key not in self._known:
            self._known[run.key] = Look(self._asked(run), self._folders).training
        return self._known[run.key]

    def _asked(self, run: RunConfig) -> Asked:
        references = self._behind_delta(run) if run.needs_worker_return else []
        value = self._worker_return(references) if references else None
        taken = studies.source(self._preset, run)
        source = self.of(taken) if taken else None
        complete = self._complete(run, value, source) if value or not references else None
        return Asked(
            run,
            complete,
            lineage=studies.lineage(self._preset, run),
            references=references,
            measured=value is not None or not references,
            source=source,
            other_source=source is not None and self._takes_from_another(run, source),
        )

    def _behind_delta(self, run: RunConfig) -> list[Training]:
        """The HRL runs that a training's delta is left to."""
        key = (run.task, run.variant)
        if key not in self._references:
            self._references[key] = [self.of(used) for used in studies.reference(self._preset, run)]
        return self._references[key]

    def _complete(self, run: RunConfig, value: float | None, source: Training | None) -> RunConfig | None:
        """A training with nothing left open, unless it is not known what it takes over."""
        run = run if value is None else run.with_worker_return(value)
        if source is None:
            return run
        policy = self._policy(run, source) if source.state is State.DONE else None
        return run.with_policy(policy) if policy else None

    def _policy(self, run: RunConfig, source: Training) -> str | None:
        """Digest of the networks of a finished source.

        Where its ``run.json`` does not say, it is the one that the run itself has taken over.
        """
        if policy := self._described(source.run).get("policy"):
            return str(policy)
        taken = self._described(run).get("source") or {}
        return None if self._takes_from_another(run, source) else taken.get("policy")

    def _takes_from_another(self, run: RunConfig, source: Training) -> bool:
        """Whether a source has been trained with other settings since its worker was taken over."""
        taken, now = self._described(run).get("source") or {}, self._described(source.run)
        return source.state is State.DONE and bool(taken) and taken.get("hash") != now.get("hash")

    def _described(self, run: RunConfig) -> Mapping[str, Any]:
        found = self._folders.run(run.key)
        return found.description if found else {}

    def _worker_return(self, references: Sequence[Training]) -> float | None:
        """J_HRL, if it has been measured in these very HRL runs."""
        first = references[0].run
        key = (first.task, first.label)
        if key not in self._returns:
            self._returns[key] = self._measured(*key, [self._asked(used.run) for used in references])
        return self._returns[key]

    def _measured(self, task: str, label: str, references: Sequence[Asked]) -> float | None:
        path = self._folders.results / "tables/worker_return" / task / f"{label}.json"
        try:
            content = delta.read(path, task, label)
        except ConfigError:
            return None
        used = {run.get("key"): run.get("hash") for run in content.get("runs", [])}
        asked = {one.run.key: one.complete.hash if one.complete else used.get(one.run.key) for one in references}
        return float(content["worker_return"]) if used in ({}, asked) else None
