"""What a preset trains: the cells of its studies, and the runs that these depend on.

A study is a list of cells (task, algorithm, variant) and what is drawn from them.  Cells that studies share are
trained once.  Two things make a training wait for others: a delta that is left to the worker return of HRL runs
(J_HRL), and a worker that is taken over from another task.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from algorithms.config import (
    ConfigError,
    Preset,
    add_preset_arguments,
    learns,
    load_preset,
    merge,
    no_images,
    parsed,
    require,
    resolve,
)
from algorithms.presets import CellGroup, PresetHead, VariantHead
from algorithms.registry import ALGORITHMS, DRIVERS
from algorithms.settings import SECTIONS, RunConfig
from envs.names import TASKS
from envs.strict import digest


class Cell(NamedTuple):
    """What a study asks for, whatever the seeds."""

    task: str
    algorithm: str
    variant: str | None


def validate(values: Mapping[str, Any]) -> PresetHead:
    """Check a whole preset, and that every run of the selected studies resolves.

    Raises:
        ConfigError: naming the first wrong key, its value and what is allowed.
    """
    preset = parsed(Preset, dict(values))
    known = {
        "studies": tuple(preset.study),
        "tasks": tuple(TASKS),
        "algorithms": tuple(ALGORITHMS),
        "drivers": tuple(DRIVERS),
    }
    for key, names in known.items():
        for name in getattr(preset, key):
            require(name, names, key)
    for section in SECTIONS:
        for task in getattr(preset, section).tasks:
            require(task, tuple(TASKS), f"{section}.tasks")
    for name, variant in preset.variants.items():
        _check_variant(name, variant, tuple(preset.variants))
    for study, groups in preset.study.items():
        for group in groups:
            _check_group(study, group, preset)
    if not trainings(values):
        chosen = {key: ", ".join(getattr(preset, key)) for key in ("studies", "tasks", "algorithms")}
        raise ConfigError("nothing to train: no cell of " + ", ".join(f"{key} {chosen[key]}" for key in chosen))
    return preset


def _check_variant(name: str, variant: VariantHead, variants: Sequence[str]) -> None:
    if variant.worker_return is not None:
        require(variant.worker_return, variants, f"variants.{name}: worker_return")
    if (transfer := variant.transfer) is None:
        return
    hierarchies = tuple(algorithm for algorithm, entry in ALGORITHMS.items() if entry.is_hierarchy)
    require(transfer.task, tuple(TASKS), f"variants.{name}: transfer.task")
    require(transfer.algorithm, hierarchies, f"variants.{name}: transfer.algorithm")
    if transfer.variant is not None:
        require(transfer.variant, variants, f"variants.{name}: transfer.variant")


def _check_group(study: str, group: CellGroup, preset: PresetHead) -> None:
    known = {"tasks": tuple(TASKS), "algorithms": tuple(ALGORITHMS), "variants": tuple(preset.variants)}
    for key, names in known.items():
        for name in getattr(group, key) or ():
            require(name, names, f"study.{study}: {key}")


def preset_from(arguments: argparse.Namespace) -> dict[str, Any]:
    """The merged and checked preset that the arguments of ``add_preset_arguments`` ask for.

    Raises:
        ConfigError: the preset or an override is not allowed.
    """
    try:
        overlay = json.loads(arguments.override)
    except json.JSONDecodeError as error:
        raise ConfigError(f"--override is not JSON: {error}") from None
    if not isinstance(overlay, dict):
        raise ConfigError(f"--override is {overlay!r}; it must be a JSON object of keys and values")
    preset = merge(load_preset(arguments.preset), overlay)
    validate(preset)
    return preset


def cells(preset: Mapping[str, Any], study: str | None = None) -> list[RunConfig]:
    """Every training of a study, or of all studies that a preset selects, each once.

    A study's tasks come in the preset's order, then its algorithms and variants in the study's, then seeds.
    """
    studies = preset["studies"] if study is None else [study]
    found = dict.fromkeys(cell for name in studies for cell in _asked_for(preset, name))
    runs = [run for cell in found for run in in_groups(preset, cell)]
    return list({run.key: run for run in runs}.values())


def _asked_for(preset: Mapping[str, Any], study: str) -> list[Cell]:
    """Cells as a study names them, so far as the preset selects their tasks and algorithms."""
    found = []
    for group in preset["study"][study]:
        tasks, algorithms = (group.get(key) or preset[key] for key in ("tasks", "algorithms"))
        for task in tasks:
            for algorithm in algorithms:
                if task not in preset["tasks"] or algorithm not in preset["algorithms"]:
                    continue
                if not learns(algorithm, task):
                    raise ConfigError(f"study.{study}: {no_images(algorithm, task)}")
                found += [Cell(task, algorithm, variant) for variant in group.get("variants") or [None]]
    return sorted(found, key=lambda cell: preset["tasks"].index(cell.task))


def in_groups(preset: Mapping[str, Any], cell: Cell) -> list[RunConfig]:
    """The trainings of a cell, one per group of seeds.

    A variant that changes none of the algorithm's settings, nor what delta is a share of, is the algorithm itself.

    Raises:
        ConfigError: an unknown name, or a value that is not allowed.
    """
    seeds, size = list(preset["seeds"]), preset["seeds_per_job"]
    make = partial(resolve, preset, cell.task, cell.algorithm, seeds=seeds[:size])
    run = make()
    if cell.variant is not None:
        changed, named = make(variant=cell.variant), preset["variants"].get(cell.variant) or {}
        other_share = changed.needs_worker_return and named.get("worker_return") is not None
        if other_share or {**changed.experiment, "variant": None} != {**run.experiment, "variant": None}:
            run = changed
    groups = (seeds[start : start + size] for start in range(0, len(seeds), size))
    return [run.model_copy(update={"seeds": group}) for group in groups]


def reference(preset: Mapping[str, Any], run: RunConfig) -> list[RunConfig]:
    """The HRL runs, of all seeds, whose workers set the scale of a run's delta; the preset need not list ``hrl``.

    They are those of the same task and variant, unless the variant names another one.
    """
    variant = preset["variants"].get(run.variant) or {}
    return in_groups(preset, Cell(run.task, "hrl", variant.get("worker_return") or run.variant))


def source(preset: Mapping[str, Any], run: RunConfig) -> RunConfig | None:
    """The run whose worker a run takes over, of the same seeds.

    Raises:
        ConfigError: it does not train a worker of its own, or would wait for one that is taken over.
    """
    if run.transfer is None:
        return None
    task, algorithm, variant = run.transfer.task, run.transfer.algorithm, run.transfer.variant
    found = in_groups({**preset, "seeds": run.seeds}, Cell(task, algorithm, variant))[0]
    if found.variant != variant:
        raise ConfigError(f"transfer.variant '{variant}' changes nothing of {algorithm} on {task}; leave it out")
    behind = reference(preset, found)[:1] if found.needs_worker_return else []
    for other in (found, *behind):
        if other.transfer is not None:
            raise ConfigError(
                f"{run.label} on {run.task} needs {other.label} on {other.task}, which is a transfer too"
            )
    return found


def worker_returns(preset: Mapping[str, Any], runs: Sequence[RunConfig]) -> dict[tuple[str, str], list[RunConfig]]:
    """The HRL runs behind every open delta of some runs, by task and label."""
    found: dict[tuple[str, str], list[RunConfig]] = {}
    for run in runs:
        if run.needs_worker_return:
            used = reference(preset, run)
            found[run.task, used[0].label] = used
    return found


def trainings(preset: Mapping[str, Any], study: str | None = None) -> list[RunConfig]:
    """The cells of a study, or of all that are selected, and every run that they depend on."""
    found: dict[str, RunConfig] = {}
    waiting = cells(preset, study)
    while waiting:
        found |= {run.key: run for run in waiting if run.key not in found}
        needed = [used for group in worker_returns(preset, waiting).values() for used in group]
        needed += [taken for run in waiting if (taken := source(preset, run))]
        waiting = [run for run in {run.key: run for run in needed}.values() if run.key not in found]
    return list(found.values())


def lineage(preset: Mapping[str, Any], run: RunConfig) -> str:
    """Digest of the settings of a run and of all runs that it depends on; another one calls for a new training."""
    parts: list[Any] = [run.hash]
    if run.needs_worker_return:
        parts += [lineage(preset, reference(preset, run)[0]), preset["seeds"]]
    if taken := source(preset, run):
        parts.append(lineage(preset, taken))
    return digest(parts) if len(parts) > 1 else run.hash


class Extent(NamedTuple):
    """How large a study is.

    Attributes:
        study: its name.
        cells: their number.
        runs: number of trainings in it: cells times groups of seeds.
        new: those that no study before it has, including what they depend on.
        steps: how many environment steps its trainings have.
    """

    study: str
    cells: int
    runs: int
    new: int
    steps: str


def extents(preset: Mapping[str, Any]) -> list[Extent]:
    """The size of every selected study, in order."""
    rows, seen = [], set[str]()
    for study in preset["studies"]:
        runs, every = cells(preset, study), {run.key for run in trainings(preset, study)}
        names, steps = {(run.task, run.label) for run in runs}, sorted({run.run.steps for run in runs})
        extent = " to ".join(f"{number:,}" for number in dict.fromkeys([*steps[:1], *steps[-1:]]))
        rows.append(Extent(study, len(names), len(runs), len(every - seen), extent))
        seen |= every
    return rows


def overview(preset: Mapping[str, Any]) -> str:
    """A table of :func:`extents` for readers."""
    rows = extents(preset)
    lines = [f"{'study':<16} {'cells':>6} {'trainings':>10} {'not in a study above':>21}  steps"]
    lines += [f"{row.study:<16} {row.cells:>6} {row.runs:>10} {row.new:>21}  {row.steps}" for row in rows]
    return "\n".join([*lines, f"{'in all':<16} {'':>6} {'':>10} {sum(row.new for row in rows):>21}"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Say how many trainings each study of a preset asks for.")
    add_preset_arguments(parser)
    try:
        print(overview(preset_from(parser.parse_args(arguments))))
    except ConfigError as error:
        sys.exit(f"studies: {error}")


if __name__ == "__main__":
    main()
