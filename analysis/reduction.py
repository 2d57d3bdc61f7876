"""How a run falls short of the paper's, in words.  A run at full length has nothing to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from algorithms import drivers
from algorithms.config import resolve
from algorithms.drivers import DriverConfig
from algorithms.nested import flatten
from algorithms.settings import SECTIONS, RunConfig

#: Sections whose settings must be those of the paper; those of ``run`` are compared one by one.
COMPARED = ("environment", "transfer", *(name for name in SECTIONS if name != "run"))

#: Between the reasons of :attr:`Reduction.why`.
SEPARATOR = "; "


class Reduction(NamedTuple):
    """What the paper's preset asks for, and why a run is reduced against it (empty when it is not)."""

    steps_paper: int
    seeds_paper: int
    why: str


def compare(
    run: RunConfig, steps: int, seeds: int, paper: Mapping[str, Any], taken: RunConfig | None = None
) -> Reduction:
    """Compare what was run with the paper's preset.

    Args:
        run: resolved configuration of the training, as a preset plans it: a delta that is left to the worker
            return is still open, and so no setting that differs.
        steps: environment steps after the warm-up that were run.
        seeds: number of seeds that were run.
        paper: the paper's preset, see :func:`algorithms.config.load_preset`.
        taken: the run whose worker it takes over, if it does.
    """
    full = resolve(paper, run.task, run.algorithm, seeds=paper["seeds"], variant=run.variant)
    reasons = []
    if steps < full.run.steps:
        reasons.append(f"{steps:,} of {full.run.steps:,} steps")
    if seeds < len(full.seeds):
        reasons.append(f"{seeds} of {len(full.seeds)} seeds")
    if run.run.warmup_steps != full.run.warmup_steps:
        reasons.append(f"{run.run.warmup_steps:,} warm-up steps instead of {full.run.warmup_steps:,}")
    reasons += _fewer_episodes(run, full) + _other_settings(run.experiment, full.experiment)
    if taken is not None:
        reasons += _about_worker(compare(taken, taken.run.steps, seeds, paper).why)
    return Reduction(full.run.steps, len(full.seeds), SEPARATOR.join(reasons))


def compare_driver(job: DriverConfig, paper: Mapping[str, Any]) -> Reduction:
    """Compare what a scripted driver drove with the paper's preset; it takes no training steps."""
    full = drivers.resolve(paper, job.task, job.driver, seeds=paper["seeds"])
    reasons = []
    if len(job.seeds) < len(full.seeds):
        reasons.append(f"{len(job.seeds)} of {len(full.seeds)} seeds")
    reasons += _fewer({"final_evaluation_episodes": (job.episodes, full.episodes)})
    reasons += _other_settings(job.record, full.record)
    return Reduction(0, len(full.seeds), SEPARATOR.join(reasons))


def _about_worker(why: str) -> list[str]:
    """In short, how the training of a worker that is taken over was reduced."""
    reasons = [reason for reason in why.split(SEPARATOR) if reason and not reason.endswith(" seeds")]
    steps = [f"worker: {reason}" for reason in reasons if reason.endswith(" steps")]
    return steps + ["worker: other settings"] * (len(reasons) > len(steps))


def _fewer_episodes(run: RunConfig, full: RunConfig) -> list[str]:
    """One reason per number of evaluation episodes that is smaller."""
    names = ("evaluation_episodes", "final_evaluation_episodes")
    return _fewer({name: (getattr(run.run, name), getattr(full.run, name)) for name in names})


def _fewer(numbers: Mapping[str, tuple[int, int]]) -> list[str]:
    """One reason per setting of the section ``run`` whose number, the first of the two, is smaller."""
    return [f"run.{name} {ours} instead of {theirs}" for name, (ours, theirs) in numbers.items() if ours < theirs]


def _other_settings(run: Mapping[str, Any], full: Mapping[str, Any]) -> list[str]:
    """One reason per setting that differs, besides those of the section ``run``."""
    ours, theirs = (flatten({section: values.get(section, {}) for section in COMPARED}) for values in (run, full))
    return [
        f"{key} {ours.get(key, 'at its default')} instead of {theirs.get(key, 'its default')}"
        for key in ours | theirs
        if ours.get(key) != theirs.get(key)
    ]
