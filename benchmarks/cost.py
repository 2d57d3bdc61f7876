"""Core-hours of every study of a preset, from measured costs.

    python -m benchmarks.cost

reads ``results/benchmarks/benchmarks.json`` and writes ``cost.md`` beside it.  Steps, the warm-up and evaluations
are counted for every seed as if it were trained alone; the workflow and the drawing of figures are not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from algorithms.config import ConfigError, add_preset_arguments
from algorithms.sections import RunSettings
from algorithms.settings import RunConfig
from algorithms.studies import preset_from, trainings
from benchmarks import machine
from benchmarks.report import table

BENCHMARKS = Path("results/benchmarks/benchmarks.json")

#: Cores of the machine that the total is converted to.
CORES = 32

MILLISECONDS_PER_HOUR = 3_600_000


def evaluations(run: RunSettings) -> int:
    """Number of evaluations of a training: one every ``evaluate_every`` steps, and one at the end."""
    return -(-run.steps // run.evaluate_every)


def hours(cell: RunConfig, measured: Mapping[str, Any]) -> float | None:
    """Core-hours of a training, all its seeds.

    Args:
        cell: the training.
        measured: the section ``tasks`` of the measured steps.

    Returns:
        None if its task or algorithm was not measured.
    """
    task = measured.get(cell.task)
    if task is None or cell.algorithm not in task["algorithms"]:
        return None
    row, run = task["algorithms"][cell.algorithm], cell.run
    episode = task["reset_ms"]["median"] + task["horizon"] * row["evaluation_step"]["median"]
    episodes = (evaluations(run) - 1) * run.evaluation_episodes + run.final_evaluation_episodes
    warmup = run.warmup_steps * (row["warmup_ms"] + row["parts"]["resets"]["median"])
    evaluated = episodes * task["evaluation_points"] * episode
    spent = run.steps * row["ms"]["median"] + warmup + evaluated
    return len(cell.seeds) * spent / MILLISECONDS_PER_HOUR


def total(planned: Iterable[RunConfig], measured: Mapping[str, Any]) -> float:
    """Core-hours of all trainings that can be computed."""
    return sum(hours(cell, measured) or 0 for cell in planned)


def missing(planned: Iterable[RunConfig], measured: Mapping[str, Any]) -> list[str]:
    """Task and algorithm of trainings whose cost is not known."""
    return sorted({f"{cell.algorithm} on {cell.task}" for cell in planned if hours(cell, measured) is None})


def by_study(preset: Mapping[str, Any]) -> dict[str, list[RunConfig]]:
    """The trainings that each study needs; some serve several studies."""
    return {study: trainings(preset, study) for study in preset["studies"]}


def report(preset: Mapping[str, Any], steps: Mapping[str, Any]) -> str:
    """The cost of a preset as Markdown.

    Args:
        preset: a merged preset.
        steps: the section ``steps`` of the measurements, with the machine.
    """
    measured, every = steps["result"]["tasks"], trainings(preset)
    whole = total(every, measured)
    parts = [
        f"# Cost of the preset `{preset['preset']}`",
        f"Core-hours on {machine.line(steps['machine'])}.",
        _studies(by_study(preset), every, measured),
        _grid(every, measured),
        f"In all {whole:,.0f} core-hours: {whole / 24 / CORES:.1f} days on {CORES} such cores.",
    ]
    if warning := machine.warning(steps["machine"]):
        parts.append(f"**Warning: {warning}.**")
    if unknown := missing(every, measured):
        parts.append(f"**Not measured, and not in these numbers: {', '.join(unknown)}.**")
    return "\n\n".join(parts) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(prog="benchmarks.cost", description=__doc__.splitlines()[0])
    add_preset_arguments(parser)
    parser.add_argument("--benchmarks", type=Path, default=BENCHMARKS, help="what `python -m benchmarks` wrote")
    options = parser.parse_args(arguments)
    try:
        text = report(preset_from(options), read(options.benchmarks))
    except (ConfigError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    (options.benchmarks.parent / "cost.md").write_text(text)
    print(text)
    return 0


def read(path: Path) -> dict[str, Any]:
    """The measured steps.

    Raises:
        FileNotFoundError: there is no file, or it lacks the section.
    """
    found = json.loads(path.read_text())["sections"] if path.is_file() else {}
    if "steps" not in found:
        raise FileNotFoundError(f"{path} holds no measured steps; run `python -m benchmarks --only steps` first")
    section: dict[str, Any] = found["steps"]
    return section


def _studies(studies: Mapping[str, list[RunConfig]], every: list[RunConfig], measured: Mapping[str, Any]) -> str:
    rows = [_study(name, planned, measured) for name, planned in studies.items()]
    rows.append(_study("all, shared trainings once", every, measured))
    return table(["study", "trainings", "core-hours", f"days on {CORES} cores"], rows)


def _study(name: str, planned: list[RunConfig], measured: Mapping[str, Any]) -> list[str]:
    spent = total(planned, measured)
    note = f" (without {len(unknown)} unknown)" if (unknown := missing(planned, measured)) else ""
    seeds = sum(len(cell.seeds) for cell in planned)
    return [name, f"{seeds:,}", f"{spent:,.1f}{note}", f"{spent / 24 / CORES:.2f}"]


def _grid(planned: list[RunConfig], measured: Mapping[str, Any]) -> str:
    """Core-hours by task and algorithm, with those of a single training."""
    groups: dict[tuple[str, str], list[RunConfig]] = {}
    for cell in planned:
        groups.setdefault((cell.task, cell.label), []).append(cell)
    rows = []
    for (task, label), group in groups.items():
        seeds, known = sum(len(cell.seeds) for cell in group), not missing(group, measured)
        spent = total(group, measured)
        numbers = [f"{spent / seeds:.2f}", f"{spent:,.1f}"] if known else ["not measured"] * 2
        rows.append([task, label, f"{group[0].run.steps:,}", str(seeds), *numbers])
    header = ["task", "algorithm", "steps", "seeds", "core-hours per seed", "core-hours"]
    return table(header, rows)


if __name__ == "__main__":
    sys.exit(main())
