"""Claims about performance: C1 to C6, C17, C19 to C21 and C25."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from analysis.claims.catalogue.guards import HIGHWAY, both_flow, succeeds
from analysis.claims.comparison import ALL, MINUS, Cell, Claim, Comparison, above, best_baseline, pair, versus
from analysis.claims.counts import Sooner
from analysis.claims.evidence import Test
from analysis.claims.location import Between, Location
from analysis.claims.margins import MARGINS, OVERALL, OVERALL_REASON, REASONS
from analysis.claims.measures import (
    AREA,
    BASELINES,
    NORMALISED,
    RETURNS,
    STEPS,
    Measure,
    evaluation,
    log_seconds,
    score_on,
    training,
)
from analysis.claims.ranks import Improvement
from analysis.claims.resampling import Aggregate, MeanImprovement
from analysis.style import algorithm_name

TASKS = ("highway", "ring_road", "ant_gather", "ant_four_rooms", "ant_maze")
STOCHASTIC, SEEN = ("ant_gather", "ring_road", "highway"), ("ant_maze", "ant_four_rooms")
#: Where the authors themselves report the same optimum for HRL and CHER, so that no superiority is to be tested.
EQUAL = "ant_maze"
ABOVE_HALF = "a probability of 1/2 is no difference"


def compared(task: str, second: str, test: Test, why: str, part: str = "", first: str = "cher") -> Comparison:
    """The scores of two algorithms on a task."""
    text, cells = above(first, second), pair(task, second, first)
    guards = both_flow(*cells) if task == HIGHWAY else ()
    if not isinstance(test, Improvement):
        text, guards = versus(first, second), (*guards, succeeds(cells[0]))
    return Comparison(task, cells, score_on(task), test, text, why, part, guards=guards)


def same(task: str, second: str, measure: Measure, text: str) -> Comparison:
    """CHER's success is that of another algorithm, and neither fails."""
    cells, test = pair(task, second), Between((-MARGINS[task], MARGINS[task]))
    guards = tuple(succeeds(cell, measure=measure) for cell in cells)
    return Comparison(task, cells, measure, test, text, REASONS[task], guards=guards)


def not_worse() -> Iterator[Comparison]:
    """C1, task by task: not worse by more than the margin, and whether better."""
    for task in TASKS:
        for baseline in BASELINES:
            test = Location("non-inferiority (Welch)", limit=-MARGINS[task])
            yield compared(task, baseline, test, REASONS[task], "not worse")
    for task in TASKS:
        for baseline in BASELINES if task != EQUAL else ():
            yield compared(task, baseline, Improvement(), ABOVE_HALF, "better")


def not_worse_overall() -> Iterator[Comparison]:
    """C1 over all tasks."""
    better = tuple(task for task in TASKS if task != EQUAL)
    tests: list[tuple[tuple[str, ...], Test, Callable[[str, str], str], str, str]] = [
        (TASKS, Aggregate(len(TASKS), -OVERALL), versus, OVERALL_REASON, "not worse overall"),
        (better, MeanImprovement(len(better)), above, ABOVE_HALF, "better overall"),
    ]
    for tasks, test, text, why, part in tests:
        for baseline in BASELINES:
            cells = tuple(Cell(task, label) for label in ("cher", baseline) for task in tasks)
            guards = both_flow(Cell(HIGHWAY, "cher"), Cell(HIGHWAY, baseline))
            yield Comparison(ALL, cells, NORMALISED, test, text("cher", baseline), why, part, guards=guards)


def edge() -> Comparison:
    """C2: CHER's lead over the best baseline here, less that there."""
    shares = [(task, 1 / len(STOCHASTIC)) for task in STOCHASTIC] + [(task, -1 / len(SEEN)) for task in SEEN]
    cells = tuple(cell for task, _ in shares for cell in (Cell(task, "cher"), best_baseline(task)))
    weights = tuple(sign * share for _, share in shares for sign in (1, -1))
    test = Location("contrast of means (Welch)", weights)
    text = f"lead in Gather, Ring, Highway {MINUS} lead in Maze, Rooms"
    road, best = Cell(HIGHWAY, "cher"), {task: best_baseline(task) for task in TASKS}
    succeeding = [succeeds(best[task]) for task in SEEN]
    succeeding += [succeeds(best[task], "contradicted") for task in STOCHASTIC]
    guards = (*both_flow(road, best[HIGHWAY]), *succeeding)
    return Comparison(ALL, cells, NORMALISED, test, text, "0 is the same lead", guards=guards)


def sooner(task: str = "ant_four_rooms") -> Iterator[Comparison]:
    """C4."""
    for baseline in BASELINES:
        text = f"{above('cher', baseline)}, area under the curve"
        yield Comparison(task, pair(task, baseline), AREA, Improvement(), text, ABOVE_HALF)
    for baseline in BASELINES:
        text = f"CHER sooner than {algorithm_name(baseline)} at the level"
        yield Comparison(task, pair(task, baseline), STEPS, Sooner(), text, ABOVE_HALF, also=BASELINES)


def transferred() -> Iterator[Comparison]:
    """C17: workers below managers of the same algorithm, HRL; besides, each below one of its own."""
    success = evaluation("success", "success", "success rate")
    for first, second, text, part in (
        ("hrl", "hrl", "worker, all with HRL's manager", ""),
        ("cher", "{other}", "worker, each with a manager of its own", "own managers"),
    ):
        for task in ("ant_maze", "ant_four_rooms"):
            for other in ("hiro", "hrl"):
                cells = pair(task, f"{second.format(other=other)}-worker_{other}", f"{first}-worker_cher")
                name = f"{above('cher', other)}, {text}"
                yield Comparison(task, cells, success, Improvement(), name, ABOVE_HALF, part)


def of_hiro() -> Iterator[Comparison]:
    """C19."""
    for task in ("ant_gather", "ant_maze"):
        yield compared(task, "hrl", Improvement(), ABOVE_HALF, first="hiro")
    test = Location("mean of one sample (t)", (1.0,), 3.02)
    why = "limit 3.02, published by HIRO (Table 1)"
    yield Comparison("ant_gather", (Cell("ant_gather", "hiro"),), RETURNS, test, "HIRO against 3.02", why)


def of_td3() -> Iterator[Comparison]:
    """C20."""
    limits = [
        ("ant_gather", RETURNS, 1.0, "limit 1 apple: standing still and walking blindly have a mean of 0"),
        (
            "ant_maze",
            evaluation("success", "success", "success rate"),
            0.34,
            "limit 0.34: a greedy path leads to one target of three",
        ),
        ("ant_four_rooms", score_on("ant_four_rooms"), 0.1, "limit 0.1, the margin of success rates"),
    ]
    for task, measure, limit, why in limits:
        test = Location("mean of one sample (t)", (1.0,), limit, direction=-1)
        yield Comparison(task, (Cell(task, "td3"),), measure, test, f"TD3 against {limit:g}", why)


def visual(task: str = "visual_ant_maze") -> Iterator[Comparison]:
    """C21."""
    entered = evaluation("entered", "success", "success rate")
    yield same(task, "hiro", entered, f"{versus('cher', 'hiro')}, success")
    text, why = f"{versus('cher', 'hiro')}, ln of wall time", "0 is the same time"
    cells, test = pair(task, "hiro"), Location(direction=-1)
    yield Comparison(task, cells, log_seconds("cher", "hiro"), test, text, why, "time")


def longer_episodes() -> Comparison:
    """C6."""
    length = training("episode_length_mean100", "episode length", "steps")
    task = "ant_gather"
    return Comparison(task, pair(task, "hrl"), length, Improvement(), above("cher", "hrl"), ABOVE_HALF)


CLAIMS = (
    Claim(
        "C1",
        "5.3, Fig. 5",
        "CHER is as good as every baseline or better, on every task.",
        (*not_worse(), *not_worse_overall()),
        "Not worse by more than the margin decides, where CHER's score is above the margin.  Whether it is "
        "better, but in Maze (C25), and means over tasks without the quarters at the ends are told besides.",
        {"not worse": 20, "better": 20},
        ("better", "not worse overall", "better overall"),
    ),
    Claim(
        "C2",
        "5.3",
        "CHER's lead is larger where tasks are stochastic and partially observed.",
        (edge(),),
        "Lead over the baseline with the greatest mean, normalised.  Exchanging labels at random would test that "
        "there is no lead anywhere, and so a contrast of means is tested.  Where all fail is no lead to compare.",
    ),
    Claim(
        "C4",
        "5.3",
        "In Ant Four Rooms CHER learns faster than the baselines.",
        tuple(sooner()),
        "The level is half of the best baseline's final success, which must be 0.1 at least; seeds that never get "
        "there are censored.",
    ),
    Claim(
        "C5",
        "5.3",
        "In Ant Gather CHER ends with a better policy than the baselines.",
        tuple(compared("ant_gather", baseline, Improvement(), ABOVE_HALF) for baseline in BASELINES),
    ),
    Claim("C6", "5.3", "CHER's episodes in Ant Gather end early less often than HRL's.", (longer_episodes(),)),
    Claim(
        "C17",
        "5.5, Fig. 8",
        "Workers from CHER transfer better to other mazes than those from HIRO and HRL.",
        tuple(transferred()),
        "Success at every evaluation point, averaged over the points, which are the same for all.  The same "
        "manager above all workers decides; managers of their own, as in Figure 8, are told besides.",
        besides=("own managers",),
    ),
    Claim(
        "C19",
        "E.5, Fig. 9",
        "Off-policy correction helps HIRO; this HIRO is far above the published one on Ant Gather.",
        tuple(of_hiro()),
        "Published is the best policy of 10 M steps, ours the last 10 % of 1 M: the comparison is hard on ours.",
    ),
    Claim(
        "C20", "5.1", "Without a hierarchy (TD3) the Ant stands still or follows a greedy path.", tuple(of_td3())
    ),
    Claim(
        "C21",
        "F.2, Figs. 11, 12",
        "In the visual maze CHER succeeds as often as HIRO, in less time.",
        tuple(visual()),
        "Both must succeed.  Times count where seeds are trained one by one, on one kind of machine.",
    ),
    Claim(
        "C25",
        "authors' page",
        "In Ant Maze HRL and CHER come to about the same optimum.",
        (same(EQUAL, "hrl", score_on(EQUAL), versus("cher", "hrl")),),
        "The reason why C1 tests no superiority in Ant Maze.  Both must succeed.",
    ),
)
