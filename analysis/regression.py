"""Whether a training learns as archived trainings of the same cell did: a band of learning, not of bytes.

    python -m analysis.regression --run results/nightly/runs/ant_gather/hrl/seeds_0

The archived runs have the same settings, other seeds, and at least as many steps.  Over the last third of the new
run's log points each of their seeds has a mean.  A further seed lies outside the prediction interval of these once
in a thousand times, if they are normal.  Ends with status 1 where the new run lies outside, and says "no band yet"
where the archive has fewer than five seeds of the cell: with two, hardly anything lies outside.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from algorithms.settings import RunConfig
from analysis.archive import match, store
from analysis.archive.manifest import ARCHIVE, ArchiveError
from analysis.runs import CollectError, read_run
from envs.strict import parse

#: What learning is seen by, where a run has it: the task's return, the worker's expected return and its reward.
METRICS = ("return_mean100", "worker_q_current", "intrinsic_return")
LAST = 1 / 3  # of the log points
CONFIDENCE = 0.999
FEWEST = 5  # seeds that make a band


class Band(NamedTuple):
    """Where a further seed is expected.

    Attributes:
        metric: column of ``progress.csv``.
        low: lower end.
        high: upper end.
        seeds: archived seeds that it is made from.
    """

    metric: str
    low: float
    high: float
    seeds: int


def last_part(progress: pd.DataFrame, metric: str, steps: int) -> NDArray[np.float64]:
    """Each seed's mean of a metric over the last third of log points up to a step, [seeds]; NaN without any."""
    upto = progress[progress["step"] <= steps]
    curves = upto.pivot(index="seed", columns="step", values=metric).to_numpy()
    window = pd.DataFrame(curves[:, -max(1, round(LAST * curves.shape[1])) :])
    means: NDArray[np.float64] = window.mean(axis=1).to_numpy()
    return means


def band(metric: str, values: NDArray[np.float64], confidence: float = CONFIDENCE) -> Band:
    """The prediction interval for one more value, from at least two that are normal with unknown variance."""
    number = len(values)
    reach = stats.t.ppf((1 + confidence) / 2, number - 1) * values.std(ddof=1) * sqrt(1 + 1 / number)
    return Band(metric, float(values.mean() - reach), float(values.mean() + reach), number)


def may_be_compared(run: RunConfig, other: RunConfig) -> bool:
    """Whether another run is of other seeds, is long enough, and reports at the same steps."""
    same = ("warmup_steps", "log_every")
    return (
        not set(other.seeds) & set(run.seeds)
        and other.run.steps >= run.run.steps
        and all(getattr(other.run, name) == getattr(run.run, name) for name in same)
    )


def archived_progress(run: RunConfig, folder: Path) -> pd.DataFrame:
    """Training progress of the archived runs that a run can be compared with; no rows if there are none.

    Raises:
        ArchiveError: the archive is missing or damaged.
    """
    archive = store.read_checked(folder)
    candidates = match.contents(archive.manifest).runs.get((run.task, run.label), [])
    alike = [other for other in candidates if may_be_compared(run, other.run)]
    found = match.match(run, alike).used
    tables = [archive.content(other.entry)["runs"] for other in found]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame({"seed": []})


def compare(progress: pd.DataFrame, archived: pd.DataFrame, steps: int) -> list[tuple[str, bool]]:
    """One line per metric, and whether all new seeds lie in its band; one that has no value any more does not.

    Args:
        progress: of the new run.
        archived: of others, at the same log points and beyond.
        steps: length of the new run.

    Raises:
        ValueError: they have no metric in common.
    """
    lines = []
    known = [metric for metric in METRICS if metric in progress and metric in archived]
    if not known:
        raise ValueError(f"there is nothing to compare: neither has {', '.join(METRICS)}")
    for metric in known:
        ours, theirs = (last_part(table, metric, steps) for table in (progress, archived))
        theirs = theirs[~np.isnan(theirs)]
        if len(theirs) < FEWEST:
            lines.append((f"{metric}: no band yet, {len(theirs)} archived seeds", True))
            continue
        found = band(metric, theirs)
        inside = bool(((ours >= found.low) & (ours <= found.high)).all())
        values = ", ".join(f"{value:.4g}" for value in ours)
        where = f"[{found.low:.4g}, {found.high:.4g}] of {found.seeds} archived seeds"
        lines.append((f"{metric}: {values} {'in' if inside else 'OUTSIDE'} {where}", inside))
    return lines


def read(folder: Path) -> tuple[RunConfig, pd.DataFrame]:
    """The configuration and progress of a finished run folder.

    Raises:
        ValueError: it is none, or is damaged.
    """
    try:
        description: dict[str, Any] = json.loads((folder / "run.json").read_text())
    except (OSError, ValueError) as error:
        raise CollectError(f"{folder} is no finished run: {error}") from None
    run = parse(RunConfig, description["config"])
    return run, read_run(run, folder.parents[2]).progress


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="analysis.regression", description="Compare a run with archived ones.")
    parser.add_argument("--run", type=Path, required=True, help="a run folder")
    parser.add_argument("--archive", type=Path, default=ARCHIVE)
    options = parser.parse_args(arguments)
    try:
        run, progress = read(options.run)
        archived = archived_progress(run, options.archive)
        cell = f"{run.task}/{run.label}"
        if (number := archived["seed"].nunique()) < FEWEST:
            print(f"{cell}: no band yet, the archive has {number} other seeds of it")
            return 0
        lines = compare(progress, archived, run.run.steps)
    except (ArchiveError, ValueError) as error:
        sys.exit(f"regression: {error}")
    for line, _ in lines:
        print(f"{cell}: {line}")
    return int(not all(inside for _, inside in lines))


if __name__ == "__main__":
    sys.exit(main())
