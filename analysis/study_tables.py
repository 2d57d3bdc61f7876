"""The tables of a study, made of its finished trainings and drivers, wherever these were read from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from algorithms.drivers import DriverConfig
from algorithms.settings import RunConfig
from analysis import extents, inventory
from analysis.extents import Trained

#: Columns that say which run a row belongs to, and which driver.
HEAD = ["study", "task", "algorithm", "variant", "label"]
DRIVER_HEAD = ["task", "driver"]
#: Tables with the rows of a run folder's files, by the names of these.
FILES = {
    "runs": "progress",
    "evaluations": "evaluations",
    "probes": "probes",
    "proposals": "proposals",
    "timing": "timing",
}


class Tables(NamedTuple):
    """Rows of all runs of a study: ``HEAD``, then the columns of the file of this name in the run folders.

    Attributes:
        cells: one row per cell instead, with the settings that tell cells apart, see :func:`settings`.
        runs: ``progress.csv``.
        evaluations: also that of ``drivers``, with ``DRIVER_HEAD`` instead.
        probes: no rows without a manager.
        proposals: no rows without a manager.
        timing: depends on the machine.
        drivers: ``evaluations.csv`` of scripted drivers; no rows but in the study that they belong to.
        inventory: one row per training, see :mod:`analysis.inventory`.
        extents: one row per cell and per driver, see :mod:`analysis.extents`.
    """

    cells: pd.DataFrame
    runs: pd.DataFrame
    evaluations: pd.DataFrame
    probes: pd.DataFrame
    proposals: pd.DataFrame
    timing: pd.DataFrame
    drivers: pd.DataFrame
    inventory: pd.DataFrame
    extents: pd.DataFrame


class Finished(NamedTuple):
    """A finished training of a study.

    Attributes:
        run: its configuration, with nothing left open.
        planned: the same with what comes from other runs left open, where the preset leaves it to them.
        taken: planned settings of the run whose worker it takes over, if there is one and they are known.
        description: content of its ``run.json``.
        worker_return: J_HRL that its delta is to be seen against; None if it has no delta, or it is not known.
        files: rows of its files, by the names in ``FILES``.
    """

    run: RunConfig
    planned: RunConfig
    taken: RunConfig | None
    description: Mapping[str, Any]
    worker_return: float | None
    files: Mapping[str, pd.DataFrame]


class Driven(NamedTuple):
    """Results of a scripted driver: its configuration and the rows of its ``evaluations.csv``."""

    job: DriverConfig
    rows: pd.DataFrame


def assemble(study: str, finished: Sequence[Finished], driven: Sequence[Driven]) -> Tables:
    """The tables of a study.

    Args:
        study: its name.
        finished: its trainings, at least one; those of a cell follow each other.
        driven: the drivers that belong to it.
    """
    cells: dict[tuple[str, str], list[Finished]] = {}
    for training in finished:
        cells.setdefault((training.run.task, training.run.label), []).append(training)
    heads = [head(study, training.run) for training in finished]
    described = [
        head(study, last.run) | settings(last.run, last.planned, last.worker_return) for *_, last in cells.values()
    ]
    rows = {
        table: _joined([_with_head(each.files[table], said) for each, said in zip(finished, heads, strict=True)])
        for table in FILES
    }
    known = [said | inventory.row(each.run, each.description) for each, said in zip(finished, heads, strict=True)]
    trained = [
        Trained(first.planned, sum(len(each.run.seeds) for each in (first, *others)), first.taken)
        for first, *others in cells.values()
    ]
    return Tables(
        cells=pd.DataFrame(described),
        **rows,
        drivers=driver_rows(driven),
        inventory=pd.DataFrame(known),
        extents=extents.table(study, trained, [each.job for each in driven]),
    )


def head(study: str, run: RunConfig) -> dict[str, str]:
    """Which run a row belongs to."""
    return dict(zip(HEAD, [study, run.task, run.algorithm, run.variant or "", run.label], strict=True))


def settings(run: RunConfig, planned: RunConfig, worker_return: float | None) -> dict[str, Any]:
    """What tells the cells of a study apart, as one row; a text is empty and a number NaN where there is none.

    Args:
        run: with nothing left open.
        planned: the same with what comes from other runs left open.
        worker_return: J_HRL, if it is known.

    Returns:
        ``delta``, ``delta_share`` (where delta is one), ``worker_return`` (J_HRL), ``cooperation_ratio`` =
        1 - delta / J_HRL (section 5.4, footnote 2; 0 for HRL), ``fixed_lambda``, ``gradient``, ``input_scale``,
        ``output_penalty``, ``manager_actor_start``, and ``source`` and ``source_algorithm``, the run whose worker
        was taken over.
    """
    value, ratio = (run.cher.delta if run.cher else None), 0.0 if run.algorithm == "hrl" else None
    if value is not None and worker_return is not None:
        ratio = 1 - value / worker_return
    numbers = {
        "delta": value,
        "delta_share": run.cher.delta_share if run.cher and planned.needs_worker_return else None,
        "worker_return": worker_return,
        "cooperation_ratio": ratio,
        "fixed_lambda": run.cher_fixed.fixed_lambda if run.cher_fixed else None,
        "output_penalty": run.learner.output_penalty,
        "manager_actor_start": run.hierarchy.manager_actor_start if run.hierarchy else None,
    }
    return {
        **{name: float("nan") if number is None else number for name, number in numbers.items()},
        "gradient": run.cooperation.gradient if run.cooperation else "",
        "input_scale": run.learner.input_scale,
        "source": run.transfer.label if run.transfer else "",
        "source_algorithm": run.transfer.algorithm if run.transfer else "",
    }


def driver_rows(driven: Sequence[Driven]) -> pd.DataFrame:
    """``DRIVER_HEAD``, then the columns of ``evaluations.csv``; no rows without drivers."""
    tables = [pd.DataFrame(columns=[*DRIVER_HEAD, "seed", "step", "target"])]
    for job, rows in driven:
        head_of_rows = pd.DataFrame([[job.task, job.driver]] * len(rows), columns=DRIVER_HEAD, index=rows.index)
        tables.append(pd.concat([head_of_rows, rows], axis=1))
    return pd.concat(tables[1:] or tables, ignore_index=True)


def write(tables: Tables, folder: Path) -> None:
    """Write one parquet file per table."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables._asdict().items():
        table.to_parquet(folder / f"{name}.parquet", index=False)


def _with_head(rows: pd.DataFrame, said: Mapping[str, str]) -> pd.DataFrame:
    return pd.concat([pd.DataFrame([said] * len(rows), columns=HEAD, index=rows.index), rows], axis=1)


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table; parts without rows have columns of other types, and count only if there is nothing else."""
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
