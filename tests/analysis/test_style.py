from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from algorithms.entry import Entry
from algorithms.registry import SUITE
from algorithms.sections import LEARNER
from analysis import style
from envs.names import TASKS


@pytest.fixture(autouse=True)
def _restore_style():
    with matplotlib.rc_context():
        style.use()
        yield


def extent(**changes: Any) -> pd.DataFrame:
    row = {"steps_run": 1_000, "seeds_run": 2, "reduced_why": ""}
    return pd.DataFrame([row | changes])


def test_registered_tasks_and_algorithms_have_names_and_distinct_fixed_colours():
    assert set(TASKS) <= set(style.TASK_NAMES)
    assert set(style.ALGORITHM_NAMES) >= set(SUITE) <= set(style.COLOURS)
    assert len(set(style.COLOURS.values())) == len(style.COLOURS)


def test_unknown_names_are_made_readable():
    assert style.task_name("ant_push") == "Ant Push"
    assert style.algorithm_name("sac_her") == "SAC HER"
    assert style.algorithm_name("hrl-long_period") == "HRL (long period)"
    assert style.metric_name("mean_speed_mean100") == "Mean speed (last 100 episodes)"
    assert style.metric_name("return_mean100") == "Return (last 100 episodes)"


def test_of_two_algorithms_with_one_colour_the_first_has_it(monkeypatch: pytest.MonkeyPatch):
    wishes = {"a": "#e69f00", "b": "#0a0b0c", "c": None}
    mine = {name: Entry("my:Class", LEARNER, colour=colour) for name, colour in wishes.items()}
    monkeypatch.setattr(style, "ALGORITHMS", SUITE | mine)
    found = style._fixed_colours()
    assert found.keys() - SUITE.keys() == {"b"}
    assert found["b"] == "#0A0B0C"
    assert found["hrl"] == "#E69F00"


def test_rates_of_success_say_what_they_come_from():
    assert style.metric_name("success_mean100") == "Success rate (last 100 episodes)"
    assert style.metric_name("success") == "Success rate (evaluation)"


def test_both_forms_of_cher_are_told_apart():
    assert style.algorithm_name("cher") == "CHER"
    assert style.algorithm_name("cher_fixed") == "CHER (fixed λ)"


def test_new_algorithms_get_free_colours_and_known_ones_keep_theirs():
    colours = style.colours(["sac", "td3", "ppo", "sac"])
    assert colours["td3"] == style.COLOURS["td3"]
    assert len({colours[label] for label in ("sac", "ppo", "td3", "hrl")}) == 4
    assert all(matplotlib.colors.is_color_like(colour) for colour in colours.values())


def test_more_algorithms_than_colours_still_have_one_each():
    labels = [f"algorithm{number}" for number in range(12)]
    assert set(labels) <= set(style.colours(labels))


@pytest.mark.parametrize(
    ("why", "expected"),
    [
        ("", []),
        ("400 of 1,000 steps; 2 of 10 seeds", ["400 of 1,000 steps", "2 of 10 seeds"]),
        ("2 of 10 seeds; learner.hidden [32, 32] instead of [256, 256]", ["2 of 10 seeds", "1 setting changed"]),
        ("learner.tau 1 instead of 2; learner.gamma 1 instead of 2", ["2 settings changed"]),
    ],
)
def test_reductions_name_steps_and_seeds_and_count_the_rest(why: str, expected: list[str]):
    assert style.reductions(extent(reduced_why=why)) == expected


def test_reductions_of_several_runs_are_named_once():
    rows = pd.concat([extent(reduced_why="2 of 10 seeds"), extent(reduced_why="2 of 10 seeds; a 1 instead of 2")])
    assert style.reductions(rows) == ["2 of 10 seeds", "1 setting changed"]


def test_extent_is_a_range_where_runs_differ():
    assert style.extent_text(extent()) == "1,000 steps, 2 seeds"
    assert style.extent_text(pd.concat([extent(), extent(steps_run=500)])) == "500 to 1,000 steps, 2 seeds"


def test_only_a_reduced_panel_has_a_banner():
    figure = Figure()
    full, reduced = figure.subplots(1, 2)
    style.mark_extent(full, extent())
    style.mark_extent(reduced, extent(reduced_why="1,000 of 9,000 steps; 2 of 10 seeds; a 1 instead of 2"))
    assert full.texts[0].get_bbox_patch() is None
    assert full.texts[0].get_text() == "1,000 steps, 2 seeds"
    patch = reduced.texts[0].get_bbox_patch()
    assert patch is not None
    assert matplotlib.colors.same_color(patch.get_facecolor(), style.REDUCED_COLOUR)
    assert reduced.texts[0].get_text() == "reduced: 1,000 of 9,000 steps, 2 of 10 seeds\n1 setting changed"


def test_the_layout_is_fixed_without_the_last_digits_of_its_solver():
    style.use()
    figure = Figure()
    figure.subplots(3, 2, height_ratios=[0.85, 1, 1])
    figure.draw_without_rendering()
    solved = [axes.get_position().bounds for axes in figure.axes]
    style.settle(figure)
    settled = [axes.get_position().bounds for axes in figure.axes]
    np.testing.assert_allclose(settled, solved, atol=1e-8)
    for axes in figure.axes:
        box = axes.get_position()
        assert all(number == round(number, 9) for number in (box.x0, box.y0))
    figure.axes[0].set_ylabel("a label that another layout would make room for")
    figure.draw_without_rendering()
    assert [axes.get_position().bounds for axes in figure.axes] == settled


def test_unknown_file_formats_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"figure.jpeg' is not a figure file; allowed endings: .svg, .pdf, .png"):
        style.save(Figure(), [tmp_path / "figure.jpeg"])


def test_a_narrow_panel_has_one_reason_per_line():
    axes = Figure().subplots()
    style.mark_extent(
        axes, extent(reduced_why="1,000 of 9,000 steps; 2 of 10 seeds; a 1 instead of 2"), narrow=True
    )
    assert axes.texts[0].get_text() == "reduced: 1,000 of 9,000 steps\n2 of 10 seeds\n1 setting changed"


@pytest.mark.parametrize("number", [0, 1, 2, 7])
def test_sequential_colours_are_distinct_and_grow_lighter(number: int):
    colours = [matplotlib.colors.to_rgb(colour) for colour in style.sequential_colours(number)]
    lightness = [0.3 * red + 0.59 * green + 0.11 * blue for red, green, blue in colours]
    assert len(set(colours)) == number
    assert lightness == sorted(lightness)
    assert max(lightness, default=0) < 0.8
