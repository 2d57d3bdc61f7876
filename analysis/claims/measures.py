"""What is taken of each seed, before any statistics: one number, or one per evaluation point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np
import pandas as pd

from analysis.by_seed import evaluated_by_seed, final_by_seed
from analysis.claims.margins import MARGINS
from analysis.claims.results import Missing, Results
from analysis.headline import RETURN, Headline, headline
from analysis.tables.cooperation import TOLERANCE
from envs.names import TASKS

BASELINES = ("td3", "hrl", "hiro", "hac")

#: Environment steps from one update of the manager's critics, and so of lambda, to the next (paper, E.1).
STEPS_PER_UPDATE = 10
#: Over which last part of training the growth of lambda is fitted.
GROWTH_FRACTION = 0.25
#: The share of the best baseline's final success that counts as having learned (claim C4).
REACHED = 0.5

Read = Callable[[Results, str, str], pd.Series]


@dataclass(frozen=True)
class Measure:
    """One number of every seed of a cell.

    Attributes:
        name: for readers.
        unit: for readers.
        read: takes results, task and label; the series is indexed by seed.
    """

    name: str
    unit: str
    read: Read


def score_of(task: str) -> Headline:
    """The score of a task: what the paper shows of it, but for traffic the return of evaluations.

    There every seed drives on the same ring lengths and towards the same slow ends; training draws them at random.
    """
    if TASKS[task].is_traffic:
        return Headline("evaluation", "return")
    return headline(task)


def score(results: Results, task: str, label: str) -> pd.Series:
    """Final values of the task's score."""
    shown = score_of(task)
    read = training if shown.source == "training" else evaluation
    return read(shown.metric).read(results, task, label)


#: What normalised scores are 0 and 1 at; 1 is a known level where scores have no bound that can be reached.
SCALES: dict[str, tuple[float, float]] = {
    "ant_gather": (0.0, 8.0),  # nothing collected, all eight apples
    "ring_road": (0.0, 2631.7),  # standing still, uniform traffic of human drivers (derived, row D03)
    "highway": (0.0, 7400.0),  # standing still, what human drivers reach here
    "ant_four_rooms": (0.0, 1.0),
    "ant_maze": (0.0, 1.0),
    "visual_ant_maze": (0.0, 1.0),
}


def normalised(results: Results, task: str, label: str) -> pd.Series:
    """Final values of the task's score on the scale of :data:`SCALES`."""
    low, high = SCALES[task]
    return (score(results, task, label) - low) / (high - low)


def score_on(task: str) -> Measure:
    """The task's score with its unit."""
    return Measure("score", unit_of(task), score)


def unit_of(task: str) -> str:
    """The unit of the task's score."""
    return "return" if "return" in score_of(task).metric else "success rate"


def training(metric: str, name: str = "", unit: str = "") -> Measure:
    """A metric of training, averaged over the last 10 % of the log points."""

    def read(results: Results, task: str, label: str) -> pd.Series:
        return final_by_seed(results.column("runs", task, label, metric), metric)

    return Measure(name or metric, unit, read)


def evaluation(metric: str, name: str = "", unit: str = "") -> Measure:
    """A metric of the last evaluation, averaged over the evaluation points."""

    def read(results: Results, task: str, label: str) -> pd.Series:
        return evaluated_by_seed(results.column("evaluations", task, label, metric), metric)

    return Measure(name or metric, unit, read)


def last_points(results: Results, task: str, label: str, metric: str) -> pd.Series:
    """A metric of the last evaluation by ``seed``, ``step`` and ``target``."""
    rows = results.column("evaluations", task, label, metric)
    last = rows[rows["step"] == rows["step"].max()]
    return last.set_index(["seed", "step", "target"])[metric]


def driven_points(results: Results, task: str, driver: str, metric: str) -> pd.Series:
    """The same of a scripted driver."""
    rows = results.driver(task, driver)
    if metric not in rows or rows[metric].isna().all():
        raise Missing(f"needs '{metric}' in table 'drivers', which has none of {driver}")
    return rows.set_index(["seed", "step", "target"])[metric]


def paired(first: pd.Series, second: pd.Series) -> pd.Series:
    """Differences start by start, then averaged over each seed's evaluation points.

    Args:
        first, second: values by seed, step and evaluation point; the same ones are the same start.

    Raises:
        Missing: the two have no start in common.
    """
    differences = (first - second).dropna()
    if differences.empty:
        raise Missing("needs evaluations of the same seeds, steps and points of both")
    complete = differences.groupby("seed").size()
    means = differences.groupby("seed").mean()
    return means[complete == complete.max()]


def against_driver(driver: str, metric: str, name: str, unit: str) -> Measure:
    """A metric of the last evaluation less that of a scripted driver from the same starts."""

    def read(results: Results, task: str, label: str) -> pd.Series:
        theirs = driven_points(results, task, driver, metric)
        return paired(last_points(results, task, label, metric), theirs)

    return Measure(name, unit, read)


def against(other: str, metric: str, name: str, unit: str) -> Measure:
    """A metric of the last evaluation less that of another algorithm from the same starts."""

    def read(results: Results, task: str, label: str) -> pd.Series:
        return paired(last_points(results, task, label, metric), last_points(results, task, other, metric))

    return Measure(name, unit, read)


def of_driver(metric: str, name: str, unit: str) -> Measure:
    """A metric of a scripted driver, averaged over the evaluation points; the label names the driver."""

    def read(results: Results, task: str, label: str) -> pd.Series:
        return driven_points(results, task, label, metric).groupby("seed").mean()

    return Measure(name, unit, read)


def area_under_curve(results: Results, task: str, label: str) -> pd.Series:
    """Mean success in training over all log points; nothing before the first episode has ended."""
    metric = headline(task).metric
    rows = results.column("runs", task, label, metric)
    return rows.fillna({metric: 0.0}).groupby("seed")[metric].mean()


def steps_to_level(results: Results, task: str, label: str) -> pd.Series:
    """Steps until training first has half of the best baseline's final success; infinite if it never has."""
    best = max(score(results, task, baseline).mean() for baseline in BASELINES)
    if not best >= MARGINS[task]:
        raise Missing(
            f"needs a baseline with a score of {MARGINS[task]:g}: there is no level that is worth reaching"
        )
    level = REACHED * best
    metric = headline(task).metric
    rows = results.column("runs", task, label, metric)
    steps = rows["step"].where(rows[metric] >= level)
    return steps.groupby(rows["seed"]).min().fillna(inf)


def overestimation(results: Results, task: str, label: str) -> pd.Series:
    """The manager's value of its first goal less what came of it, mean over all evaluations of the training.

    What is left at the end of an episode is valued by the manager itself: a bias of b everywhere shows in the
    difference as (1 - discount over the episode) b, by which it is divided.
    """
    rows = results.column("evaluations", task, label, "manager_return_bootstrapped")
    bias = (rows["manager_q"] - rows["manager_return_bootstrapped"]) / (1 - rows["manager_discount"])
    return bias.groupby(rows["seed"]).mean(skipna=False)


def _errors_at_probes(results: Results, task: str, label: str) -> pd.DataFrame:
    """Distances from the probes' goals in the end, as shares of those at the start, step by step."""
    rows = results.column("probes", task, label, "error_end")
    return rows.assign(error=rows["error_end"] / rows["error_start"]).sort_values("step")


def error_at_probes(results: Results, task: str, label: str) -> pd.Series:
    """The mean error at fixed probes in the last evaluation; 1 where nothing moves."""
    rows = _errors_at_probes(results, task, label)
    return rows[rows["step"] == rows["step"].max()].groupby("seed")["error"].mean()


def drift(results: Results, task: str, label: str) -> pd.Series:
    """Mean change of the error at fixed probes from one evaluation to the next, relative to that at the start."""
    rows = _errors_at_probes(results, task, label)
    changes = rows.groupby(["seed", "probe"])["error"].diff().abs()
    if changes.isna().all():
        raise Missing("needs at least two evaluations of each run")
    return changes.groupby(rows["seed"]).mean()


def growth_of_lambda(results: Results, task: str, label: str) -> pd.Series:
    """Slope of ln lambda over the last quarter of training, per update of lambda."""
    rows = results.column("runs", task, label, "log_lambda")
    late = rows[rows["step"] > (1 - GROWTH_FRACTION) * rows["step"].max()].dropna(subset="log_lambda")
    if late["step"].nunique() < 2:
        raise Missing("needs two log points in the last quarter of training")
    slopes = {seed: np.polyfit(g["step"], g["log_lambda"], 1)[0] for seed, g in late.groupby("seed")}
    return pd.Series(slopes) * STEPS_PER_UPDATE


def at_delta(results: Results, task: str, label: str) -> pd.Series:
    """Whether a seed's final worker return is within 15 % of delta."""
    returns = training("worker_q_current").read(results, task, label)
    delta = float(results.column("runs", task, label, "delta")["delta"].dropna().iloc[-1])
    return ((returns - delta).abs() < TOLERANCE * abs(delta)).astype(np.float64).where(returns.notna())


def log_seconds(*labels: str) -> Measure:
    """Logarithm of the seconds that a training took up to its last log point.

    Args:
        labels: of the cells that are compared, whose trainings must have run on one kind of machine.
    """

    def read(results: Results, task: str, label: str) -> pd.Series:
        inventories = [results.rows("inventory", task, name)[["device", "hardware"]] for name in labels]
        if len(pd.concat(inventories).drop_duplicates()) > 1:
            raise Missing("needs trainings on one kind of machine, all with the same device")
        rows = results.column("timing", task, label, "wall_time")
        seconds = rows.groupby("seed")["wall_time"].max()
        if seconds.duplicated().any():
            raise Missing("needs one process per seed: seeds that are trained together share their time")
        return np.log(seconds)

    return Measure("wall time", "ln s", read)


SCORE = Measure("score", "", score)
NORMALISED = Measure("normalised score", "of the scale", normalised)
RETURNS = training(RETURN.metric, "return", "return")
AREA = Measure("area under the curve", "success rate", area_under_curve)
STEPS = Measure("steps to half of the best baseline's success", "steps", steps_to_level)
OVERESTIMATION = Measure("overestimation by the manager", "scaled return", overestimation)
ERROR = Measure("error at probes", "of the first error", error_at_probes)
DRIFT = Measure("drift of errors at probes", "of the first error", drift)
GROWTH = Measure("growth of ln λ", "per update", growth_of_lambda)
AT_DELTA = Measure("worker return within 15 % of δ", "share of seeds", at_delta)
WORKER_RETURN = training("worker_q_current", "worker return", "return")
