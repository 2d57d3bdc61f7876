"""What a claim is made of: comparisons, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from analysis import style
from analysis.claims.evidence import Test, Verdict
from analysis.claims.measures import BASELINES, Measure, normalised
from analysis.claims.results import Missing, Results

#: Stands for several tasks at once.
ALL = "all"
#: Cooperation ratios above this are nearer to 100 % than to 75 %.
NEARLY_FULL = 0.875


@dataclass(frozen=True)
class Cell:
    """A cell of a study, or a scripted driver, whose seeds are a sample.

    Attributes:
        task: name of the task.
        name: label or, where it is looked up, what to call the cell.
        find: takes results and task, and finds the label; none if the name is the label.
        rests_on: labels on whose results its choice, or a setting of it, depends.
    """

    task: str
    name: str
    find: Callable[[Results, str], str] | None = None
    rests_on: tuple[str, ...] = ()

    def label(self, results: Results) -> str:
        """The cell's label.

        Raises:
            Missing: there is no such cell.
        """
        return self.find(results, self.task) if self.find else self.name


def by_setting(task: str, study: str, column: str, value: float, algorithm: str) -> Cell:
    """The cell of an algorithm that has a certain value of a setting, whatever its label."""
    name = f"{style.algorithm_name(algorithm)} at {column.replace('_', ' ')} {value:g}"
    return Cell(task, name, lambda results, where: results.label(where, study, column, value, algorithm))


def at_ratio(ratio: float, task: str = "ant_gather", study: str = "cooperation") -> Cell:
    """CHER with a delta that makes a certain cooperation ratio."""
    cell = by_setting(task, study, "cooperation_ratio", ratio, "cher")
    return replace(cell, rests_on=("hrl",))  # delta is a share of HRL's worker return


def nearly_full(cell: Cell) -> Cell:
    """The same cell if its delta makes a cooperation ratio that is nearer to 100 % than to 75 %."""

    def find(results: Results, task: str) -> str:
        ratio = float(results.rows("cells", task, cell.name)["cooperation_ratio"].iloc[0])
        if not ratio > NEARLY_FULL:
            raise Missing(f"needs a cooperation ratio above {NEARLY_FULL:.1%}, here {ratio:.1%}")
        return cell.name

    return Cell(cell.task, cell.name, find, ("hrl",))


def at_lambda(value: float, task: str = "ant_gather") -> Cell:
    """CHER with a certain fixed lambda."""
    return by_setting(task, "fixed_lambda", "fixed_lambda", value, "cher_fixed")


def best_baseline(task: str) -> Cell:
    """The baseline with the greatest mean score on a task."""

    def find(results: Results, where: str) -> str:
        means = {label: normalised(results, where, label).mean() for label in BASELINES}
        return max(means, key=lambda label: means[label])

    return Cell(task, "best baseline", find, BASELINES)


@dataclass(frozen=True)
class Comparison:
    """One test of one claim.

    Attributes:
        task: the task, or :data:`ALL`.
        cells: whose seeds are the samples, in the order that the test asks for.
        measure: what is taken of each seed.
        test: the test, with its margin or limit.
        text: what is compared, for readers.
        why: the reason for the margin or limit, for readers.
        part: comparisons of a claim of the same part are a family, whose p-values are adjusted together.
        drivers: scripted drivers that the measure refers to, besides.
        also: labels that the measure refers to, besides.
        guards: what must hold besides.
        by_ratio: whether to put the samples in the order of their cells' cooperation ratio.
    """

    task: str
    cells: tuple[Cell, ...]
    measure: Measure
    test: Test
    text: str
    why: str = ""
    part: str = ""
    drivers: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    guards: tuple[Guard, ...] = ()
    by_ratio: bool = False

    @property
    def unit(self) -> str:
        """Of the effect."""
        return self.test.unit or self.measure.unit


@dataclass(frozen=True)
class Guard:
    """A comparison without which another one's verdict does not count.

    Attributes:
        comparison: what must be supported, at the level of 5 % by itself.
        otherwise: what is said where it is not.
        verdict: the verdict that needs it.
    """

    comparison: Comparison
    otherwise: str
    verdict: Verdict = "supported"


@dataclass(frozen=True)
class Claim:
    """Something that the paper, or one of its authors, says.

    Attributes:
        id: C1 to C26.
        section: where it is said.
        statement: in our words.
        comparisons: how it is tested.
        remark: what to know about the tests.
        families: numbers of comparisons in a part's family, where others than those listed belong to it.
        besides: parts that are told besides, and on which the claim does not depend.
    """

    id: str
    section: str
    statement: str
    comparisons: tuple[Comparison, ...]
    remark: str = ""
    families: Mapping[str, int] = field(default_factory=dict)
    besides: tuple[str, ...] = ()

    def family(self, part: str) -> int:
        """How many comparisons a part's p-values are adjusted for."""
        return self.families.get(part, sum(comparison.part == part for comparison in self.comparisons))


MINUS = "\N{MINUS SIGN}"


def versus(first: str, second: str) -> str:
    """The difference of two algorithms, for readers."""
    return f"{style.algorithm_name(first)} {MINUS} {style.algorithm_name(second)}"


def above(first: str, second: str) -> str:
    """What a probability of improvement is about, for readers."""
    return f"{style.algorithm_name(first)} above {style.algorithm_name(second)}"


def below(first: str, second: str) -> str:
    """The same in the other direction."""
    return f"{style.algorithm_name(first)} below {style.algorithm_name(second)}"


def pair(task: str, second: str, first: str = "cher") -> tuple[Cell, Cell]:
    """The cells of CHER and of another algorithm."""
    return Cell(task, first), Cell(task, second)
