"""Measurements as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import machine
from benchmarks.goals import Goal
from benchmarks.timing import Summary


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; numbers are texts already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def ms(value: Summary) -> str:
    """A time in milliseconds with its quartiles."""
    return f"{value['median']:.3g} ({value['lower']:.3g} to {value['upper']:.3g})"


def times(value: Summary) -> str:
    """A ratio with its quartiles."""
    return f"{value['median']:.2f} x ({value['lower']:.2f} to {value['upper']:.2f})"


def percent(value: Summary) -> str:
    """A share as a percentage."""
    return f"{100 * value['median']:.1f} %"


def goal_table(goals: Sequence[Goal]) -> str:
    """What should be reached, and whether it is."""
    rows = [
        [
            row["what"],
            _amount(row["measured"], row["unit"]),
            f"<= {_amount(row['goal'], row['unit'])}",
            _verdict(row),
        ]
        for row in goals
    ]
    return table(["what", "measured", "goal", ""], rows)


def document(
    sections: Mapping[str, Any], titles: Mapping[str, str], reports: Mapping[str, str], goals: Sequence[Goal]
) -> str:
    """The whole report.

    Args:
        sections: what was measured, by name, each with the machine; one that is common to all is named once.
        titles: title of each section.
        reports: the text of each section.
        goals: of all sections.
    """
    machines = {name: _machine(sections[name]["machine"]) for name in reports}
    together = len(set(machines.values())) == 1
    parts = ["# Benchmarks", "Medians, with quartiles in brackets."]
    if together:
        parts.append(next(iter(machines.values())))
    parts += ["## Goals", goal_table(goals)]
    for name, text in reports.items():
        parts += [f"## {titles[name]}", text, *([] if together else [machines[name]])]
    return "\n\n".join(parts) + "\n"


def _machine(described: Mapping[str, Any]) -> str:
    warning = machine.warning(described)
    return f"Measured on {machine.line(described)}." + (f"\n\n**Warning: {warning}.**" if warning else "")


def _amount(value: float, unit: str) -> str:
    if unit == "%":
        return f"{100 * value:.1f} %"
    return f"{value:.0f} {unit}" if unit == "MB" else f"{value:.3f} {unit}"


def _verdict(row: Goal) -> str:
    return "met" if row["met"] else "**missed**"
