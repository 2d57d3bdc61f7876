"""Which figures and tables are drawn from which study, and which episodes they show.

A name is at once that of a rule of the workflow, of a module and of a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from algorithms.drivers import planned as planned_drivers
from algorithms.settings import RunConfig
from algorithms.studies import cells
from envs.names import TASKS


class Product(NamedTuple):
    """A figure or table.

    Attributes:
        study: where its numbers come from.
        tasks: it needs a cell of one of these, if any are named.
        algorithms: that cell's algorithm must be one of these, if any are named.
    """

    study: str
    tasks: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()


COMPARED = ("hrl", "cher")  # side by side in Figures 1 and 6
PATHS = ("ring_road", "ant_gather", "ant_four_rooms", "ant_maze")  # Figure 6

FIGURES = {
    "figure_01": Product("main", ("ant_gather",), COMPARED),
    "figure_02": Product("main"),
    "figure_03": Product("main"),
    "figure_04": Product("main"),
    "figure_05": Product("main"),
    "figure_06": Product("main", PATHS, COMPARED),
    "figure_07": Product("cooperation"),
    "figure_08": Product("transfer", ("ant_maze", "ant_four_rooms")),
    "figure_09": Product("hiro_correction"),
    "figure_10": Product("main", ("highway",)),
    "figure_11": Product("visual"),
    "figure_12": Product("visual"),
    "fixed_lambda": Product("fixed_lambda"),
    "gradient_forms": Product("gradient_forms"),
}
TABLES = {
    "final_performance": Product("main"),
    "cooperation": Product("cooperation"),
    "transfer": Product("transfer", ("ant_maze", "ant_four_rooms")),
    "hiro_reproduction": Product("hiro_correction"),
    "sensitivity_fixed_lambda": Product("fixed_lambda"),
    "sensitivity_gradient_forms": Product("gradient_forms"),
    "sensitivity_e1_search": Product("e1_search"),
}
#: Tables about everything that is selected.
OVERALL = ("cost", "hyperparameters")


def due(preset: Mapping[str, Any], products: Mapping[str, Product]) -> list[str]:
    """Those figures or tables that the selected studies have something for."""
    return [
        name for name, product in products.items() if product.study in preset["studies"] and shown(preset, product)
    ]


def shown(preset: Mapping[str, Any], product: Product) -> list[RunConfig]:
    """The first training of each cell that a figure or table needs, in the order of the study."""
    found: dict[tuple[str, str], RunConfig] = {}
    for run in cells(preset, product.study):
        wanted = not product.tasks or run.task in product.tasks
        if wanted and (not product.algorithms or run.algorithm in product.algorithms):
            found.setdefault((run.task, run.label), run)
    return list(found.values())


def trajectories(preset: Mapping[str, Any], figure: str) -> list[RunConfig]:
    """The trainings whose policies a figure shows step by step."""
    return shown(preset, FIGURES[figure])


def recordings(preset: Mapping[str, Any], figure: str) -> tuple[list[RunConfig], list[str]]:
    """The trainings, and the scripted drivers by their keys, whose traffic a figure shows."""
    runs = [run for run in shown(preset, FIGURES[figure]) if TASKS[run.task].is_traffic]
    if figure != "figure_10":
        return runs, []
    drivers = [job.key for job in planned_drivers(preset) if (job.task, job.driver) == ("highway", "human")]
    return [run for run in runs if run.algorithm == "cher"], drivers


def first_trainings(preset: Mapping[str, Any], studies: Sequence[str]) -> dict[tuple[str, str], RunConfig]:
    """The first training of each cell of some studies, by task and label."""
    found: dict[tuple[str, str], RunConfig] = {}
    for study in studies:
        for run in cells(preset, study):
            found.setdefault((run.task, run.label), run)
    return found
