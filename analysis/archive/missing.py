"""What of a preset an archive has no data for, and what is therefore not drawn, or not in full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from algorithms import drivers
from algorithms.settings import RunConfig
from analysis import products
from analysis.archive.match import Match
from analysis.archive.plan import Plan, due, narrowed, shown_episodes
from analysis.products import Product

#: So many names are given per line.
NAMED = 4


def missing(plan: Plan) -> list[str]:
    """Lines for readers."""
    lines = [_study_line(study, cells) for study, cells in plan.cells.items()]
    lines += _unused(plan)
    wanted = [(job.task, job.driver) for job in drivers.planned(plan.preset)]
    if absent := ["/".join(key) for key in wanted if key not in plan.drivers]:
        lines.append(f"scripted drivers without data: {_named(absent)}")
    return [*lines, *_products(plan, products.FIGURES), *_products(plan, products.TABLES)]


def _study_line(study: str, cells: Sequence[Match]) -> str:
    absent = [name(cell.planned) for cell in cells if not cell.used]
    line = f"{study}: data of {len(cells) - len(absent)} of {len(cells)} cells"
    return line + (f"; missing: {_named(absent)}" if absent else "")


def _unused(plan: Plan) -> Iterator[str]:
    """A line per reason for which something in the archive is not shown."""
    unused = [each for cells in plan.cells.values() for cell in cells for each in cell.unused]
    reasons: dict[str, list[str]] = {}
    for key, why in dict.fromkeys([*unused, *plan.unused, *plan.contents.unreadable]):
        reasons.setdefault(why, []).append(key)
    for why, keys in reasons.items():
        yield f"not used: {_named(keys)}; {why}"


def _products(plan: Plan, kinds: Mapping[str, Product]) -> Iterator[str]:
    """Lines on figures or tables that are not drawn, or not in full."""
    drawn, reduced = due(plan, kinds), narrowed(plan)
    for product in products.due(plan.preset, kinds):
        asked = [name(run) for run in products.shown(plan.preset, kinds[product])]
        if product not in drawn:
            yield f"not drawn: {product}; {_why(plan, product, asked)}"
        elif product not in products.SCHEMATIC:
            there = [name(run) for run in products.shown(reduced, kinds[product])]
            if lacking := [cell for cell in asked if cell not in there]:
                yield f"incomplete: {product}; without {_named(lacking)}"
            if product in products.EPISODES:
                yield from _episodes(plan, product)


def _why(plan: Plan, product: str, asked: Sequence[str]) -> str:
    if product in products.EPISODES and not shown_episodes(plan, product):
        return "there are no episodes to show"
    return f"there are no data of {_named(asked)}"


def _episodes(plan: Plan, product: str) -> Iterator[str]:
    """A line on episodes that a figure lacks."""
    there = {file.path for file in shown_episodes(plan, product)}
    if lacking := [path for path in products.episode_files(plan.preset, product) if path not in there]:
        yield f"incomplete: {product}; without the episodes {_named(lacking)}"


def name(run: RunConfig) -> str:
    """A cell for readers."""
    return f"{run.task}/{run.label}"


def _named(names: Sequence[str]) -> str:
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + rest
