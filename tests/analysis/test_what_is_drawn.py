"""What is drawn from a selection, and that each figure stands by itself."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from algorithms.config import load_preset
from algorithms.registry import ALGORITHMS
from analysis import collect, products
from analysis.products import FIGURES, TABLES, due

ANALYSIS = Path(products.__file__).parent
PAPER = load_preset("paper")


def selection(**changes: Any) -> dict[str, Any]:
    return {**PAPER, **changes}


def test_the_paper_has_every_figure_and_table_but_that_of_its_search():
    assert due(PAPER, FIGURES) == list(FIGURES)
    left = {f"sensitivity_{study}" for study in ("e1_search", "input_scale", "saturation")}
    assert set(TABLES) - set(due(PAPER, TABLES)) == left


def test_every_product_has_a_module_and_a_caption():
    for kind, names in (("figures", FIGURES), ("tables", (*TABLES, *products.OVERALL))):
        for name in names:
            stem = "sensitivity" if name.startswith("sensitivity_") else name
            assert (ANALYSIS / kind / f"{stem}.py").is_file()
            assert (ANALYSIS / "captions" / f"{stem}.rst").is_file()


def test_no_figure_depends_on_another_ones_module():
    """A rule has the module of its own figure as an input, and no other."""
    for path in (*(ANALYSIS / "figures").glob("*.py"), *(ANALYSIS / "tables").glob("*.py")):
        imported = re.findall(r"analysis\.(?:figures|tables)\.(\w+)", path.read_text().split('"""', 2)[2])
        assert not {*imported} & {*FIGURES, *TABLES, *products.OVERALL, "sensitivity"}, path


def test_tables_of_a_study_are_those_that_are_collected():
    assert collect.Tables._fields == products.COLLECTED


@pytest.mark.parametrize("algorithms", [names for size in (1, 2) for names in combinations(ALGORITHMS, size)])
def test_what_is_due_has_what_it_shows(algorithms: tuple[str, ...]):
    preset = selection(algorithms=list(algorithms))
    found = due(preset, FIGURES)
    assert ("figure_01" in found) == bool({"hrl", "cher"} & {*algorithms})
    assert ("fixed_lambda" in found) == ("cher_fixed" in algorithms)
    assert ("gradient_forms" in found) == bool({"cher", "cher_fixed"} & {*algorithms})
    assert ("figure_08" in found) == bool({"hrl", "hiro", "cher"} & {*algorithms})
    assert ("figure_07" in found) == bool({"hrl", "cher"} & {*algorithms})


@pytest.mark.parametrize(
    ("task", "figures"),
    [
        ("highway", {"figure_10"}),
        ("ring_road", {"figure_06", "fixed_lambda", "gradient_forms"}),
        ("visual_ant_maze", {"figure_11", "figure_12"}),
        ("ant_four_rooms", {"figure_06", "figure_08"}),
    ],
)
def test_figures_of_other_tasks_are_left_out(task: str, figures: set[str]):
    always = {"figure_02", "figure_03", "figure_04", "figure_05"}
    assert {*due(selection(tasks=[task]), FIGURES)} - always == figures


def test_figures_of_other_studies_are_left_out():
    assert due(selection(studies=["transfer"]), FIGURES) == ["figure_08"]
    assert due(selection(studies=["e1_search"]), {**FIGURES, **TABLES}) == ["sensitivity_e1_search"]


def test_only_what_a_figure_shows_is_recorded():
    runs, drivers = products.recordings(PAPER, "figure_10")
    assert [(run.task, run.label, run.seeds) for run in runs] == [("highway", "cher", [0])]
    assert drivers == ["highway/human"]
    assert products.recordings(selection(drivers=[]), "figure_10")[1] == []
    runs, drivers = products.recordings(PAPER, "figure_06")
    assert ([(run.task, run.label) for run in runs], drivers) == (
        [("ring_road", "hrl"), ("ring_road", "cher")],
        [],
    )
    labels = [run.label for run in products.trajectories(PAPER, "figure_07")]
    assert labels == ["hrl", "cher-ratio_25", "cher-ratio_50", "cher", "cher-delta_50", "cher-delta_0"]
