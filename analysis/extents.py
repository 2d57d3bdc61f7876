"""How far each cell of a study was run, beside what the paper's preset asks for: a row per cell and per driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from algorithms.config import load_preset
from algorithms.drivers import DriverConfig
from algorithms.settings import RunConfig
from analysis.reduction import SEPARATOR, Reduction, compare, compare_driver

#: What tells the rows apart; ``label`` is empty for a driver, ``driver`` for a cell.
IDENTITY = ["study", "task", "label", "driver"]
EXTENT = ["steps_run", "steps_paper", "seeds_run", "seeds_paper", "reduced", "reduced_why"]
#: Why a run is reduced whose worker comes from a training that nothing is known of.
UNKNOWN_WORKER = "worker: its training is not known"

#: What statistics say of a cell or driver besides its numbers.
Extent = dict[str, Any]


class Trained(NamedTuple):
    """What was run of a cell.

    Attributes:
        run: settings as a preset plans them, what comes from other runs left open.
        seeds: how many were run.
        taken: settings of the run whose worker is taken over, if there is one and they are known.
    """

    run: RunConfig
    seeds: int
    taken: RunConfig | None = None


def table(study: str, trained: Sequence[Trained], jobs: Sequence[DriverConfig]) -> pd.DataFrame:
    """The rows of a study's cells and of its drivers: ``IDENTITY``, then ``EXTENT``."""
    paper = load_preset("paper")
    rows = [
        {"study": study, "task": cell.run.task, "label": cell.run.label, "driver": "", **of_cell(cell, paper)}
        for cell in trained
    ]
    rows += [
        {"study": study, "task": job.task, "label": "", "driver": job.driver, **of_driver(job, paper)}
        for job in jobs
    ]
    return pd.DataFrame(rows, columns=[*IDENTITY, *EXTENT])


def of_cell(cell: Trained, paper: Mapping[str, Any]) -> Extent:
    """Steps and seeds that were run, those of the paper, and how the cell is reduced."""
    steps = cell.run.run.steps
    reduction = compare(cell.run, steps, cell.seeds, paper, cell.taken)
    if cell.run.transfer is not None and cell.taken is None:
        reasons = [*([reduction.why] if reduction.why else []), UNKNOWN_WORKER]
        reduction = reduction._replace(why=SEPARATOR.join(reasons))
    return _columns(steps, cell.seeds, reduction)


def of_driver(job: DriverConfig, paper: Mapping[str, Any]) -> Extent:
    """The same of a scripted driver, which trains for 0 steps."""
    return _columns(0, len(job.seeds), compare_driver(job, paper))


def _columns(steps: int, seeds: int, reduction: Reduction) -> Extent:
    values = (
        steps,
        reduction.steps_paper,
        seeds,
        reduction.seeds_paper,
        bool(reduction.why),
        reduction.why,
    )
    return dict(zip(EXTENT, values, strict=True))


def by_cell(rows: pd.DataFrame) -> dict[tuple[str, str, str], Extent]:
    """The extents of cells by study, task and label."""
    records = rows[rows["label"] != ""].to_dict("records")
    return {(row["study"], row["task"], row["label"]): {key: row[key] for key in EXTENT} for row in records}


def by_driver(rows: pd.DataFrame) -> dict[tuple[str, str], Extent]:
    """The extents of drivers by task and driver."""
    records = rows[rows["driver"] != ""].to_dict("records")
    return {(row["task"], row["driver"]): {key: row[key] for key in EXTENT} for row in records}
