"""Claims about cooperation, goals and values: C3, C11 to C16, C18, C22, C24 and C26."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from analysis.claims.catalogue.guards import HIGHWAY, RING, drives, flows, mean_below
from analysis.claims.catalogue.performance import ABOVE_HALF, TASKS
from analysis.claims.comparison import (
    Cell,
    Claim,
    Comparison,
    Guard,
    at_lambda,
    at_ratio,
    below,
    nearly_full,
    pair,
)
from analysis.claims.counts import Share
from analysis.claims.location import Between, Location
from analysis.claims.margins import GROWTH, GROWTH_REASON
from analysis.claims.measures import (
    AT_DELTA,
    DRIFT,
    ERROR,
    OVERESTIMATION,
    RETURNS,
    WORKER_RETURN,
    Measure,
    evaluation,
    score,
    unit_of,
)
from analysis.claims.measures import (
    GROWTH as GROWTH_OF_LAMBDA,
)
from analysis.claims.ranks import Improvement, Trend
from analysis.claims.resampling import Best, Peak, Sensitivity
from analysis.tables.cooperation import percent

GATHER = "ant_gather"
RATIOS = (0.25, 0.5, 0.75)
#: Cells with a delta given as a number: -50 (a ratio of 0.917 if HRL reaches -600) and 0 (a ratio of 1).
NEARLY, FULL = Cell(GATHER, "cher-delta_50"), Cell(GATHER, "cher-delta_0")
NONE, QUARTER, HALF, BEST = Cell(GATHER, "hrl"), *(at_ratio(ratio) for ratio in RATIOS)
NEARLY_MEASURED = nearly_full(NEARLY)
EVERY = (NONE, QUARTER, HALF, BEST, NEARLY, FULL)
ONE = (1.0,)


def less_than_hrl(
    measure: Measure, tasks: tuple[str, ...], guards: Callable[[str], tuple[Guard, ...]] = lambda task: ()
) -> Iterator[Comparison]:
    """CHER's values below those of HRL, task by task; guards are those of a task."""
    text, less = f"{below('cher', 'hrl')}, {measure.name}", Improvement(-1)
    for task in tasks:
        cells = pair(task, "hrl")
        yield Comparison(task, cells, measure, less, text, ABOVE_HALF, guards=guards(task))


def driving(task: str) -> tuple[Guard, ...]:
    """C3: goals of a car that stands are near to its speed, whatever they are worth."""
    if task not in (RING, HIGHWAY):
        return ()
    return (drives(task), *flows(Cell(task, "cher"))) if task == HIGHWAY else (drives(task),)


def learning(task: str) -> tuple[Guard, ...]:
    """C26: workers that never move do not change either."""
    otherwise = "needs errors at the probes that fall below those at the start: who does not move does not change"
    return (mean_below(Cell(task, "cher"), ERROR, 1.0, otherwise),)


def growth() -> Iterator[Comparison]:
    """C13."""
    text, why = "δ = -50: worker return", "limit -50, what δ asks for"
    short = Location("mean of one sample (t)", ONE, -50.0, -1)
    guard = Guard(
        Comparison(GATHER, (NEARLY,), WORKER_RETURN, short, text, why),
        "needs a worker return that is below δ = -50",
    )
    explodes = Location("mean of one sample (t)", ONE, GROWTH)
    text = "δ = -50: growth of ln λ"
    yield Comparison(GATHER, (NEARLY,), GROWTH_OF_LAMBDA, explodes, text, GROWTH_REASON, guards=(guard,))
    steady = Between((-GROWTH, GROWTH), "mean in a band", ONE)
    for cell, ratio in zip((QUARTER, HALF, BEST), RATIOS, strict=True):
        text = f"{percent(ratio)} cooperation: growth of ln λ"
        yield Comparison(GATHER, (cell,), GROWTH_OF_LAMBDA, steady, text, GROWTH_REASON)


def best_ratio() -> Iterator[Comparison]:
    """C14."""
    for other, name in ((QUARTER, "25 %"), (NONE, "none (HRL)")):
        yield Comparison(GATHER, (BEST, other), RETURNS, Improvement(), f"75 % above {name}", ABOVE_HALF)
    best = Best(len(EVERY), EVERY.index(BEST))
    yield Comparison(
        GATHER, EVERY, RETURNS, best, "75 % is the best of all ratios", "above that of every other one", "best"
    )
    places = (0.0, *RATIOS, 1.0)
    peak = Peak(places, (0.625, 0.875))
    cells = (NONE, QUARTER, HALF, BEST, FULL)
    why = "62.5 to 87.5 % is nearer to 75 % than to 50 % or 100 %"
    yield Comparison(GATHER, cells, RETURNS, peak, "where a parabola over the ratios peaks", why, "peak")


def too_much() -> Iterator[Comparison]:
    """C15."""
    measures = (
        RETURNS,
        evaluation("path_length", "path length", "m"),
        evaluation("coverage", "ground covered", "m²"),
    )
    for measure in measures:
        for cell, name in ((NEARLY_MEASURED, "δ = -50"), (FULL, "100 %")):
            text = f"75 % above {name}, {measure.name}"
            yield Comparison(GATHER, (BEST, cell), measure, Improvement(), text, ABOVE_HALF)


def at_a_stop() -> Iterator[Comparison]:
    """C22."""
    length = evaluation("path_length", "path length", "m")
    ends = at_lambda(10), at_lambda(0.01)
    quarter = Location("contrast of means (Welch)", (1.0, -0.25), direction=-1)
    text, why = (
        "λ = 10 against a quarter of λ = 0.01",
        "limit 1/4 of the path: not moving is more than a shorter path",
    )
    yield Comparison(GATHER, ends, length, quarter, text, why)
    cells = tuple(at_lambda(value) for value in (0.01, 0.05, 0.1, 1, 10))
    text = "path length by fixed λ, 0.01 to 10"
    yield Comparison(GATHER, cells, length, Trend(5, -1), text, "0 is no trend", "trend")


def sensitivity() -> Iterator[Comparison]:
    """C18."""
    for task, study in ((GATHER, "cooperation"), (RING, "e1_search")):
        fixed = tuple(at_lambda(value, task) for value in (0.001, 0.005, 0.01, 0.05))
        dynamic = tuple(at_ratio(ratio, task, study) for ratio in RATIOS)
        measure = Measure("score", unit_of(task), score)
        text = "four fixed λ against three δ"
        why = "0 is the same standard deviation of the settings' means, without that of seeds"
        test = Sensitivity(len(fixed), len(dynamic))
        yield Comparison(task, (*fixed, *dynamic), measure, test, text, why)


CLAIMS = (
    Claim(
        "C3",
        "5.3, Fig. 6",
        "CHER's goals lie closer to the agent's trajectory than HRL's.",
        tuple(less_than_hrl(evaluation("goal_distance", "distance of the goal", "m or m/s"), TASKS, driving)),
        "Distance from the goal in force to the next state, mean over an evaluation.  In traffic CHER must drive.",
    ),
    Claim(
        "C11",
        "5.4, Fig. 7a",
        "On Ant Gather HRL's worker return converges to about -600.",
        (
            Comparison(
                GATHER,
                (NONE,),
                WORKER_RETURN,
                Between((-700, -500), "mean in a band", ONE),
                "HRL against -700 to -500",
                "-700 to -500 is 'about' -600; mere overlap would reward wide intervals",
            ),
        ),
    ),
    Claim(
        "C12",
        "5.4, Fig. 7a",
        "For most δ dynamic λ makes the worker return meet δ.",
        tuple(
            Comparison(
                GATHER,
                (cell,),
                AT_DELTA,
                Share(),
                f"{percent(ratio)} cooperation",
                "limit 1/2: most is more than half",
            )
            for cell, ratio in zip((QUARTER, HALF, BEST), RATIOS, strict=True)
        ),
        "Tested for each δ, as a share of seeds: stricter than the paper's most choices of δ.",
    ),
    Claim(
        "C13",
        "5.4, Fig. 7b",
        "For δ = -50 the worker return stays below δ and λ grows exponentially.",
        tuple(growth()),
    ),
    Claim(
        "C14",
        "5.4, Fig. 7c; E.1",
        "On Ant Gather a cooperation ratio of about 75 % is the best (5.4), not 25 % (E.1).",
        tuple(best_ratio()),
        "Two-sided, since 5.4 and E.1 can be read to disagree: 'contradicted' against 25 % says that 25 % is "
        "better.  As a share of the HRL worker's return E.1's 25 % is a ratio of 75 %, though.",
    ),
    Claim(
        "C15",
        "5.4, Fig. 7i",
        "Nearly full cooperation hurts: lower returns, less movement.",
        tuple(too_much()),
        "δ = -50 is nearly full cooperation only if the ratio, by HRL's measured worker return, is above 87.5 %.",
    ),
    Claim(
        "C16",
        "5.4, Figs. 7d-i",
        "The more cooperation, the nearer the goals to the agent.",
        (
            Comparison(
                GATHER,
                EVERY,
                evaluation("goal_distance", "distance of the goal", "m"),
                Trend(len(EVERY), -1),
                "distance of the goal by cooperation ratio",
                "0 is no trend",
                by_ratio=True,
            ),
        ),
    ),
    Claim(
        "C18",
        "6",
        "Performance depends on a fixed λ more than on the δ of dynamic λ.",
        tuple(sensitivity()),
        "Standard deviation of the means of settings, less what seeds contribute.  On the ring, several δ are in "
        "the study e1_search.",
    ),
    Claim(
        "C22",
        "3.1",
        "A very large fixed λ keeps the Ant from moving.",
        tuple(at_a_stop()),
        "λ = 10 against λ = 0.01 decides; the trend between them is told besides.",
        besides=("trend",),
    ),
    Claim(
        "C24",
        "1, 3.1",
        "Cooperation lowers the manager's overestimation.",
        tuple(less_than_hrl(OVERESTIMATION, (RING, GATHER))),
        "Value of the first goal less what came of it, divided by 1 less the discount over the episode, mean over "
        "all evaluations.  The paper says it of early training, in traffic; all of it, and Ant Gather, are ours.",
    ),
    Claim(
        "C26",
        "6",
        "CHER's workers change less during training than HRL's.",
        tuple(less_than_hrl(DRIFT, TASKS, learning)),
        "Mean change of the error at the same ten probes from one evaluation to the next, of CHER's workers that "
        "have learned to come nearer to the probes' goals.  HRL alone is compared.",
    ),
)
