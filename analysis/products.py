"""Which figures and tables are drawn from which study, and which episodes they show.

A name is at once that of a rule of the workflow, of a module and of a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from algorithms.drivers import planned as planned_drivers
from algorithms.settings import RunConfig
from algorithms.studies import cells
from envs.names import TASKS

#: The study that scripted drivers belong to.
DRIVEN = "main"
#: What is collected of a study, and the statistics that follow, each a file of its name.
COLLECTED = ("cells", "runs", "evaluations", "probes", "proposals", "timing", "drivers", "inventory", "extents")
STATISTICS = ("statistics", "final", "evaluation_statistics", "driver_statistics")
#: Those that the claims of the paper are judged from.
JUDGED = (
    *("cells", "runs", "evaluations", "probes", "timing", "drivers", "inventory"),
    *("final", "driver_statistics"),
)

Wanted = Callable[[RunConfig], bool]


class Product(NamedTuple):
    """A figure or table.

    Attributes:
        study: where its numbers come from.
        wants: which trainings of the study it needs; it is drawn if there is one.
    """

    study: str
    wants: Wanted = lambda run: True


def of_tasks(*tasks: str) -> Wanted:
    """Trainings on certain tasks."""
    return lambda run: run.task in tasks


def side_by_side(*tasks: str) -> Wanted:
    """What Figures 1 and 6 compare: plain HRL and CHER."""
    return lambda run: run.task in tasks and run.label in ("hrl", "cher")


def is_transfer(run: RunConfig) -> bool:
    """Trainings on a worker that was taken over."""
    return run.transfer is not None


FIGURES = {
    "figure_01": Product("main", side_by_side("ant_gather")),
    "figure_02": Product("main"),
    "figure_03": Product("main"),
    "figure_04": Product("main"),
    "figure_05": Product("main"),
    "figure_06": Product("main", side_by_side("ring_road", "ant_gather", "ant_four_rooms", "ant_maze")),
    "figure_07": Product("cooperation", of_tasks("ant_gather")),
    "figure_08": Product("transfer", is_transfer),
    "figure_09": Product("hiro_correction", of_tasks("ant_gather", "ant_maze")),
    "figure_10": Product("main", of_tasks("highway")),
    "figure_11": Product("visual", of_tasks("visual_ant_maze")),
    "figure_12": Product("visual", of_tasks("visual_ant_maze")),
    "fixed_lambda": Product("fixed_lambda", lambda run: run.cher_fixed is not None),
    "gradient_forms": Product("gradient_forms", lambda run: run.cooperation is not None),
}
TABLES = {
    "final_performance": Product("main"),
    "cooperation": Product("cooperation"),
    "transfer": Product("transfer", is_transfer),
    "hiro_reproduction": Product("hiro_correction", of_tasks("ant_gather", "ant_maze")),
    "sensitivity_fixed_lambda": Product("fixed_lambda"),
    "sensitivity_gradient_forms": Product("gradient_forms"),
    "sensitivity_input_scale": Product("input_scale"),
    "sensitivity_saturation": Product("saturation"),
    "sensitivity_e1_search": Product("e1_search"),
}
#: Figures that show no numbers.
SCHEMATIC = ("figure_02", "figure_03", "figure_04")
#: Figures that show episodes, and of which kind.
EPISODES = {
    "figure_06": ("trajectories", "recordings"),
    "figure_07": ("trajectories",),
    "figure_10": ("recordings",),
}
#: Begins the name of a driver's recording, in place of a label.
DRIVER = "driver_"
#: Episodes of an Ant task, per evaluation point, that figures of paths show.
PATHS = 3
#: Tables about everything that is selected.
OVERALL = ("cost", "hyperparameters")


def results_folder(preset: Mapping[str, Any]) -> Path:
    """Where tables and figures of a preset are."""
    folder = Path(preset["results"])
    return folder / "from_archive" if preset["source"] == "archive" else folder


def due(preset: Mapping[str, Any], products: Mapping[str, Product]) -> list[str]:
    """Those figures or tables that the selected studies have something for."""
    return [
        name for name, product in products.items() if product.study in preset["studies"] and shown(preset, product)
    ]


def shown(preset: Mapping[str, Any], product: Product) -> list[RunConfig]:
    """The first training of each cell that a figure or table needs, in the order of the study."""
    found: dict[tuple[str, str], RunConfig] = {}
    for run in cells(preset, product.study):
        if product.wants(run):
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


def episode_files(preset: Mapping[str, Any], figure: str) -> list[str]:
    """The files of episodes that a figure shows, below a results folder, by kind: of runs, then of drivers."""
    found = {"trajectories": [f"{run.task}/{run.label}" for run in trajectories(preset, figure)]}
    runs, drivers = recordings(preset, figure)
    found["recordings"] = [f"{run.task}/{run.label}" for run in runs]
    found["recordings"] += [key.replace("/", f"/{DRIVER}") for key in drivers]
    return [f"{kind}/{name}.parquet" for kind in EPISODES[figure] for name in found[kind]]


def first_trainings(preset: Mapping[str, Any], studies: Sequence[str]) -> dict[tuple[str, str], RunConfig]:
    """The first training of each cell of some studies, by task and label."""
    found: dict[tuple[str, str], RunConfig] = {}
    for study in studies:
        for run in cells(preset, study):
            found.setdefault((run.task, run.label), run)
    return found
