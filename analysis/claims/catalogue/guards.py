"""What must hold for a verdict to count: that something succeeds, that traffic flows, that workers learn."""

from __future__ import annotations

from analysis.claims.comparison import MINUS, Cell, Comparison, Guard
from analysis.claims.evidence import Verdict
from analysis.claims.location import Location
from analysis.claims.margins import DEPARTED, DEPARTED_REASON, MARGINS, REASONS, THROUGHPUT, THROUGHPUT_REASON
from analysis.claims.measures import Measure, against_driver, score_on
from analysis.claims.ranks import SignedRank
from analysis.style import driver_name, task_name

RING, HIGHWAY = "ring_road", "highway"


def mean_below(cell: Cell, measure: Measure, limit: float, otherwise: str) -> Guard:
    """The mean over a cell's seeds is below a limit."""
    test = Location("mean of one sample (t)", (1.0,), limit, -1)
    return Guard(Comparison(cell.task, (cell,), measure, test, f"{cell.name}, {measure.name}"), otherwise)


def succeeds(cell: Cell, verdict: Verdict = "supported", measure: Measure | None = None) -> Guard:
    """The score is above that of doing nothing, which is 0 on every task, by more than the margin."""
    limit, measure = MARGINS[cell.task], measure or score_on(cell.task)
    otherwise = (
        f"needs a score above {limit:g} on {task_name(cell.task)}: of those that all fail none is the worse"
    )
    test = Location("mean of one sample (t)", (1.0,), limit)
    shown = Comparison(cell.task, (cell,), measure, test, f"{cell.name}, {measure.name}", REASONS[cell.task])
    return Guard(shown, otherwise, verdict)


def not_below(
    cell: Cell, driver: str, metric: str, limit: tuple[float, str], otherwise: str, verdict: Verdict = "supported"
) -> Guard:
    """A metric is not below that of a scripted driver from the same starts by more than a limit."""
    measure, text = (
        against_driver(driver, metric, metric, ""),
        f"{cell.name} {MINUS} {driver_name(driver)}, {metric}",
    )
    shown = Comparison(cell.task, (cell,), measure, SignedRank(-limit[0]), text, limit[1], drivers=(driver,))
    return Guard(shown, otherwise, verdict)


def drives(task: str, driver: str = "human") -> Guard:
    """CHER's return is not below that of a driver by more than the margin: cars that stand fulfil much else."""
    whose = "human drivers'" if driver == "human" else f"{driver_name(driver)}'s"
    otherwise = f"needs a return that is not below the {whose}: for cars that stand it is easy"
    return not_below(Cell(task, "cher"), driver, "return", (MARGINS[task], REASONS[task]), otherwise)


def flows(cell: Cell, verdict: Verdict = "supported") -> tuple[Guard, ...]:
    """On the highway as many vehicles enter and leave the road as with human drivers.

    Leaving is not enough: for the ten minutes of an episode the road can be emptied at full throughput.
    """
    limits = {"departed": (DEPARTED, DEPARTED_REASON), "throughput": (THROUGHPUT, THROUGHPUT_REASON)}
    otherwise = "needs a value of '{}' that is not below the human drivers': blocking the road raises the return"
    return tuple(
        not_below(cell, "human", metric, limit, otherwise.format(metric), verdict)
        for metric, limit in limits.items()
    )


def both_flow(first: Cell, second: Cell) -> tuple[Guard, ...]:
    """No verdict on the highway rests on the one whose return it praises blocking the road."""
    return *flows(first), *flows(second, "contradicted")
