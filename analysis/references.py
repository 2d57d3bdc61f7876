"""Published numbers to compare with, each with where it comes from and how far it can be trusted.

They are rows of ``results/references/references.csv``, read by their id.  Values are texts as published, since
some of them are words ("0.3-0.4 of seeds"); the numbers among them have columns of their own.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from math import isfinite, nan
from pathlib import Path


@dataclass(frozen=True)
class Reference:
    """One row of the file; every field is the text that it holds.

    Attributes:
        id: unique name of the row.
        value: what was published.
        uncertainty: the number after ±, if there is one.
        uncertainty_type: what that number is.
        metric: what was measured.
        env: on which task.
        algorithm: of which method.
        condition: under which condition, or where in the source.
        training_steps: environment steps of training.
        n_seeds: seeds averaged over.
        source: publication or file.
        trust: kind of the source, such as ``stated_table``, ``stated_text`` or ``issue_comment``.
        check: ``hard``, ``soft`` or ``info``: whether a deviation is an error, a warning or only context.
        notes: remarks.
        numbers: the numbers that the value consists of, in its unit, between blanks.
        low, high: ends of the range that the value is, or that a source or a bound leaves to it.
    """

    id: str
    value: str
    uncertainty: str
    uncertainty_type: str
    metric: str
    env: str
    algorithm: str
    condition: str
    training_steps: str
    n_seeds: str
    source: str
    trust: str
    check: str
    notes: str
    numbers: str
    low: str
    high: str

    def number(self, field: str) -> float:
        """A field as a number.

        Raises:
            ValueError: it is empty, words, or not finite.
        """
        text = getattr(self, field)
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not isfinite(number):
            raise ValueError(f"reference {self.id!r}: {field} is {text!r}, not a finite number")
        return number

    @property
    def values(self) -> list[float]:
        """The numbers that the value consists of; none if it is words or a range."""
        return [float(number) for number in self.numbers.split()]

    @property
    def band(self) -> tuple[float, float]:
        """What is in agreement with the value: its range or, failing that, twice its uncertainty to either side.

        NaN where neither is known; an end that is open is infinite.
        """
        if self.low or self.high:
            return float(self.low or "-inf"), float(self.high or "inf")
        try:
            value, margin = self.number("value"), 2 * self.number("uncertainty")
        except ValueError:
            return nan, nan
        return value - margin, value + margin

    @property
    def provenance(self) -> str:
        """Where the value stands, and the kind of the source."""
        kind = self.trust.replace("_", " ")
        return "; ".join(part for part in (self.condition, self.source, kind) if part)


class References(dict[str, Reference]):
    """References by id; one that is asked for and missing is named."""

    def __missing__(self, key: str) -> Reference:
        raise ValueError(f"there is no reference {key!r} among the {len(self)} that were read")


COLUMNS = [field.name for field in fields(Reference)]


def load(path: Path) -> References:
    """Read the file.

    Raises:
        ValueError: its columns are not those of :class:`Reference`, a row has more or fewer cells, or an id is
            missing or not unique.
    """
    references = References()
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        if (header := next(reader, [])) != COLUMNS:
            raise ValueError(f"{path}: columns are {', '.join(header)}; they must be {', '.join(COLUMNS)}")
        for cells in reader:
            where = f"{path}, line {reader.line_num}"
            if len(cells) != len(COLUMNS):
                raise ValueError(f"{where}: there are {len(cells)} cells instead of {len(COLUMNS)}")
            reference = Reference(*cells)
            if not reference.id or reference.id in references:
                raise ValueError(f"{where}: id {reference.id!r} is {'not unique' if reference.id else 'missing'}")
            references[reference.id] = reference
    return references
