"""What our tables say of each published number that they say anything of, as data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.claims.catalogue.cooperation import EVERY, GATHER, NEARLY
from analysis.claims.comparison import Cell, at_ratio
from analysis.claims.measures import (
    RETURNS,
    SCORE,
    WORKER_RETURN,
    Measure,
    driven_points,
    evaluation,
    of_driver,
)
from analysis.claims.results import Missing, Results
from analysis.hiro_comparison import COMPARISONS

RING, HIGHWAY, MAZE = "ring_road", "highway", "ant_maze"
TARGET_0_16 = COMPARISONS[MAZE].target


@dataclass(frozen=True)
class Counterpart:
    """Our number beside a published one.

    Attributes:
        reference: id of the published number.
        cell: our runs, or a scripted driver.
        measure: what is taken of each seed.
        entry: which of the row's numbers, from 0.
        remark: what differs between the two.
        is_comparable: whether both are of the same setting, so that ours can be inside or outside.
        is_certain: whether no training can miss it: a setting, a bound, or a quantity of the theory.
        rests_on: labels on whose results ours depends, besides.
    """

    reference: str
    cell: Cell
    measure: Measure
    entry: int = 0
    remark: str = ""
    is_comparable: bool = True
    is_certain: bool = False
    rests_on: tuple[Cell, ...] = ()


def certain(reference: str, cell: Cell, measure: Measure, remark: str = "") -> Counterpart:
    """Something that is so whatever is learned."""
    return Counterpart(reference, cell, measure, remark=remark, is_certain=True)


def setting(column: str) -> Measure:
    """A setting of the cell, from the table of cells."""

    def read(results: Results, task: str, label: str) -> pd.Series:
        value = float(results.rows("cells", task, label)[column].iloc[0])
        if np.isnan(value):
            raise Missing(f"{label} has no {column}")
        return pd.Series([value])

    return Measure(column.replace("_", " "), "", read)


def extent(name: str, count: Callable[[pd.DataFrame], float], table: str = "runs") -> Measure:
    """Something about how much was run."""
    return Measure(name, "", lambda results, task, label: pd.Series([count(results.rows(table, task, label))]))


def _interval(rows: pd.DataFrame) -> float:
    return float(np.median(np.diff([0, *sorted(rows["step"].unique())])))


SEEDS = extent("seeds", lambda rows: rows["seed"].nunique())
STEPS = extent("environment steps", lambda rows: rows["step"].max())
INTERVAL = extent("steps between evaluations", _interval, "evaluations")


def best_ratio(results: Results, task: str, label: str) -> pd.Series:
    """The cooperation ratio with the greatest mean return."""
    labels = [cell.label(results) for cell in EVERY]
    means = {name: RETURNS.read(results, task, name).mean() for name in labels}
    cells = results.cells("cooperation").set_index("label")
    return cells.loc[[max(means, key=lambda name: means[name])], "cooperation_ratio"]


BEST_RATIO = Measure("cooperation ratio with the greatest return", "", best_ratio)
BEST_SHARE = Measure(
    "share of the worker return with the greatest return",
    "",
    lambda results, task, label: 1 - best_ratio(results, task, label),
)


def at_point(metric: str, column: str, value: float) -> Measure:
    """A metric of a driver at the evaluation points where a column has a value, such as a ring's length."""

    def read(results: Results, task: str, label: str) -> pd.Series:
        places, values = (driven_points(results, task, label, name) for name in (column, metric))
        here = values[places == value]
        if here.empty:
            raise Missing(f"no evaluation point has {column.replace('_', ' ')} {value:g}")
        return here.groupby("seed").mean()

    return Measure(f"{metric.replace('_', ' ')} at {column.replace('_', ' ')} {value:g}", "", read)


def quotient(above: str, below: str, name: str, length: float | None = None) -> Measure:
    """The quotient of two metrics of a driver, from which a quantity of the theory comes back."""

    def read(results: Results, task: str, label: str) -> pd.Series:
        lengths = driven_points(results, task, label, "ring_length")
        values = driven_points(results, task, label, above) / driven_points(results, task, label, below)
        here = values if length is None else values[lengths == length]
        if here.empty:
            raise Missing(f"no evaluation point has ring length {length:g}")
        return here.groupby("seed").mean()

    return Measure(name, "", read)


def ring_length(end: str) -> Measure:
    """The shortest or longest ring that is evaluated."""

    def read(results: Results, task: str, label: str) -> pd.Series:
        return driven_points(results, task, label, "ring_length").groupby("seed").agg(end)

    return Measure(f"{'shortest' if end == 'min' else 'longest'} ring", "m", read)


def goal_norm(sign: int = 1) -> Measure:
    """Mean length of the random goals of probes."""

    def read(results: Results, task: str, label: str) -> pd.Series:
        rows = results.rows("probes", task, label).drop_duplicates(["seed", "probe"])
        goals = rows.filter(regex=r"^goal_\d+$").dropna(axis="columns", how="all")
        return pd.Series(sign * np.linalg.norm(goals, axis=1)).groupby(rows["seed"].to_numpy()).mean()

    return Measure("mean length of random goals", "", read)


def speed(results: Results, task: str, label: str) -> pd.Series:
    """Environment steps per second."""
    rows = results.column("timing", task, label, "wall_time")
    last = rows.sort_values("step").groupby("seed").tail(1).set_index("seed")
    return last["step"] / last["wall_time"]


def best_evaluation(results: Results, task: str, label: str) -> pd.Series:
    """Each seed's largest evaluation at the point that HIRO reports."""
    comparison = COMPARISONS[task]
    rows = results.column("evaluations", task, label, comparison.metric)
    if task == MAZE:
        rows = rows[rows["target"] == TARGET_0_16]
    return rows.groupby(["seed", "step"])[comparison.metric].mean().groupby("seed").max()


def of_trainings() -> Iterator[Counterpart]:
    """Numbers about trainings."""
    hrl, cher, td3 = (Cell(GATHER, label) for label in ("hrl", "cher", "td3"))
    yield certain("P01", cher, SEEDS)
    yield Counterpart("P02", hrl, WORKER_RETURN, remark="first critic at the manager's present goals")
    yield Counterpart("P04", cher, BEST_RATIO, rests_on=EVERY)
    yield Counterpart("P05", cher, BEST_SHARE, rests_on=EVERY)
    for task in (GATHER, RING, HIGHWAY):
        yield certain("P07", Cell(task, "cher_fixed"), setting("fixed_lambda"))
    for task in (MAZE, "ant_four_rooms"):
        yield certain("P08", Cell(task, "cher_fixed"), setting("fixed_lambda"))
    yield certain("P09", Cell(GATHER, "cher-transfer"), STEPS)
    yield certain("P10", Cell(MAZE, "cher"), INTERVAL)
    yield certain("P11", Cell("visual_ant_maze", "cher"), STEPS)
    yield Counterpart("A08", td3, RETURNS, remark="theirs: a worker alone, with random goals")
    yield Counterpart("A09", hrl, goal_norm(-1), remark="ours: goals of probes")
    yield Counterpart("D21", hrl, goal_norm(), remark="goals of probes")
    yield Counterpart("A11", hrl, Measure("environment steps per second", "", speed), remark="another machine")
    yield Counterpart("D16", td3, RETURNS)
    yield certain("D15", cher, RETURNS, "a bound")
    yield certain("PC03", Cell(MAZE, "cher"), evaluation("episode_length", "episode length"))
    for id_, task in (("AC_AntGather_64", GATHER), ("AC_AntMaze_65", MAZE), ("AC_highway-v1_66", HIGHWAY)):
        yield certain(id_, Cell(task, "cher"), STEPS)


def of_cooperation() -> Iterator[Counterpart]:
    """Numbers about degrees of cooperation."""
    ratio = setting("cooperation_ratio")
    quarter, half, most = (at_ratio(value) for value in (0.25, 0.5, 0.75))
    full = Cell(GATHER, "cher-delta_0")
    ids = ("P03_450", "P03_300", "P03_150", "P03_50", "P03_0")
    for id_, cell in zip(ids, (quarter, half, most, NEARLY, full), strict=True):
        remark = "by J_HRL as measured, not -600" if cell is NEARLY else ""
        yield Counterpart(id_, cell, ratio, remark=remark, is_certain=cell is not NEARLY)
    distance = evaluation("goal_distance", "distance of the goal")
    for entry, cell in enumerate((Cell(GATHER, "hrl"), quarter, half, most, NEARLY)):
        yield Counterpart("D20", cell, distance, entry, "what a worker return means; without early ends")


def of_drivers() -> Iterator[Counterpart]:
    """Numbers about traffic without learning."""
    human = Cell(RING, "human")
    yield Counterpart("S01", human, of_driver("return", "return", ""), remark="the same setting")
    for id_, metric in (("A01", "mean_speed"), ("A02", "speed_std"), ("D10", "speed_std")):
        yield of_grown_waves(id_, of_driver(metric, metric.replace("_", " "), "m/s"))
    yield of_grown_waves("A03", of_driver("speed_fraction", "speed over v_eq", ""))
    yield from of_episodes(human)
    road = Cell(HIGHWAY, "human")
    for end in (5.0, 6.0, 7.0):
        remark = "theirs: saved states, ours: episodes"
        shown = at_point("mean_speed_all", "end_speed", end)
        for entry in (0, 1):
            yield Counterpart(f"A07_{end:g}", road, shown, entry, remark, is_comparable=False)
        flow = at_point("throughput", "end_speed", end)
        yield Counterpart(f"D12_{end:g}", road, flow, remark="theirs: uniform flow", is_comparable=False)
    yield certain("D14", Cell(HIGHWAY, "cher"), SCORE, "a bound")


def of_grown_waves(reference: str, measure: Measure) -> Counterpart:
    """A number about traffic of another setting: its deviation is shown, and neither inside nor outside."""
    remark = "another setting: theirs has one driver model in every car, ours leaves one to SUMO's own"
    return Counterpart(reference, Cell(RING, "human"), measure, remark=remark, is_comparable=False)


def of_episodes(human: Cell) -> Iterator[Counterpart]:
    """Numbers about episodes on the ring."""
    for id_ in ("A04", "D06"):
        yield of_grown_waves(id_, of_driver("return", "return", ""))
    follower = Cell(RING, "follower_stopper")
    remark = "theirs: a car that knows v_eq"
    measure = of_driver("return", "return", "")
    yield Counterpart("D07", follower, measure, remark=remark, is_comparable=False)
    for length in (220.0, 270.0):
        shown = at_point("mean_speed", "ring_length", length)
        yield of_grown_waves(f"A06_{length:g}", shown)
        exact = quotient("mean_speed", "speed_fraction", f"v_eq at {length:g} m", length)
        yield certain(f"D01_{length:g}", human, exact)
    yield certain("D02", human, quotient("mean_speed", "speed_fraction", "v_eq"), "ten lengths")
    uniform = quotient("return", "return_fraction", "return of uniform traffic")
    yield certain("D03", human, uniform, "ten lengths")
    yield certain("PC07", human, ring_length("min"))
    yield certain("PC08", human, ring_length("max"))
    yield certain("PC11", human, of_driver("episode_length", "episode length", ""))


def of_hiro() -> Iterator[Counterpart]:
    """HIRO's numbers."""
    best = Measure("best evaluation", "", best_evaluation)
    for task in (GATHER, MAZE):
        id_ = f"H_HIRO_{COMPARISONS[task].published}"
        yield Counterpart(id_, Cell(task, "hiro"), best, remark="theirs: best policy of 10 M steps")
        yield Counterpart("H_TD3", Cell(task, "td3"), SCORE)


def every() -> tuple[Counterpart, ...]:
    """All counterparts, by kind."""
    return (*of_trainings(), *of_cooperation(), *of_drivers(), *of_hiro())
