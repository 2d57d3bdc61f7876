"""Figure 1: every panel holds the goals that it says, and says how far its runs went."""

from __future__ import annotations

from pathlib import Path

import goals
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import same_color
from matplotlib.figure import Figure

from analysis import style
from analysis.figures import figure_01


@pytest.fixture(scope="module")
def figure() -> Figure:
    """That of a short run."""
    return figure_01.draw(goals.proposals(), goals.statistics())


def meshes(figure: Figure) -> list[tuple[Axes, QuadMesh]]:
    """The panels with densities; the colour bar has no title."""
    found = [(axes, mesh) for axes in figure.axes for mesh in axes.collections if isinstance(mesh, QuadMesh)]
    return [(axes, mesh) for axes, mesh in found if axes.get_title()]


def panel(figure: Figure, title: str) -> Axes:
    (found,) = [axes for axes in figure.axes if axes.get_title() == title]
    return found


def titles(figure: Figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


def part(table: pd.DataFrame, label: str, start: float, end: float) -> pd.DataFrame:
    return table[(table["label"] == label) & (table["step"] >= start) & (table["step"] < end)]


def test_a_row_per_algorithm_and_a_panel_per_stage(figure: Figure):
    assert titles(figure) == [
        "(a) HRL",
        "steps 0 to 300\n2 goals",
        "steps 300 to 600\n2 goals",
        "steps 600 to 900\n2 goals",
        "steps 900 to 1.2k\n0 goals",
        "(b) CHER",
        "steps 0 to 300\n2 goals",
        "steps 300 to 600\n2 goals",
        "steps 600 to 900\n2 goals",
        "steps 900 to 1.2k\n0 goals",
        "Median and quartiles",
    ]


def test_densities_are_the_tables_goals():
    """Counts in cells of one square metre, made anew from the table."""
    table = goals.proposals(seeds=3, steps=40_000)
    panels = meshes(figure_01.draw(table, goals.statistics(seeds=3, steps=40_000)))
    assert len(panels) == 8
    stages = [(label, 10_000 * number) for label in ("hrl", "cher") for number in range(4)]
    for (axes, mesh), (label, start) in zip(panels, stages, strict=True):
        rows = part(table, label, start, start + 10_000)
        assert axes.get_title().endswith(f"{len(rows)} goals")
        drawn = mesh.get_array().filled(0) * len(rows) / 100
        expected = np.zeros((20, 20))
        columns, lines = (np.minimum(np.floor(rows[name] + 10), 19).astype(int) for name in ("goal_0", "goal_1"))
        np.add.at(expected, (lines, columns), 1)
        np.testing.assert_allclose(drawn, expected)


def test_panels_share_one_scale_and_show_agent_and_box(figure: Figure):
    panels = meshes(figure)
    assert len({mesh.norm for _, mesh in panels}) == 1
    for axes, mesh in panels:
        assert mesh.norm.vmin is not None
        assert mesh.norm.vmin < mesh.norm.vmax
        np.testing.assert_array_equal(axes.lines[0].get_xydata(), [(0, 0)])
        assert axes.patches[0].get_bbox().bounds == (-10, -10, 20, 20)
        assert axes.get_xlim()[0] < -10 < 10 < axes.get_xlim()[1]


def test_quartiles_are_the_tables():
    table = goals.proposals(seeds=3, steps=40_000)
    axes = panel(figure_01.draw(table, goals.statistics(seeds=3, steps=40_000)), "Median and quartiles")
    for line, band, label in zip(axes.lines, axes.collections, ("hrl", "cher"), strict=True):
        assert line.get_label() == style.algorithm_name(label)
        assert same_color(line.get_color(), style.COLOURS[label])
        steps, medians = line.get_xdata(), line.get_ydata()
        np.testing.assert_array_equal(steps, np.arange(500, 40_000, 1_000))
        rows = part(table, label, 1_000, 2_000)
        low, median, high = np.quantile(np.hypot(rows["goal_0"], rows["goal_1"]), (0.25, 0.5, 0.75))
        assert np.asarray(medians)[1] == pytest.approx(median)
        corners = band.get_paths()[0].vertices
        drawn = corners[corners[:, 0] == 1_500, 1]
        assert (drawn.min(), drawn.max()) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize("task", ["ring_road", "highway"])
def test_speeds_are_shown_over_steps(task: str):
    """A distribution per interval of steps; two goals of one seed are 400 steps apart."""
    figure = figure_01.draw(goals.proposals(task), goals.statistics(task), task)
    assert titles(figure) == ["(a) HRL: 6 goals", "(b) CHER: 6 goals", "Median and quartiles"]
    fastest = {"ring_road": 10, "highway": 20}[task]
    for axes, mesh in meshes(figure):
        assert axes.get_xlim() == (0, 1_200)
        assert axes.get_ylim() == (0, fastest)
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("Environment steps (after warm-up)", "Goal: speed (m/s)")
        drawn = mesh.get_array().filled(0)
        assert drawn.shape == (20, 3)
        np.testing.assert_allclose(drawn.sum(axis=0) * fastest / 20, 100)


@pytest.mark.parametrize(
    ("task", "label", "title"), [("ant_gather", "cher", "(b) CHER"), ("ring_road", "hrl", "(a) HRL: 6 goals")]
)
def test_one_algorithm_alone_keeps_its_letter(task: str, label: str, title: str):
    figure = figure_01.draw(goals.proposals(task, [label, "td3"]), goals.statistics(task, [label, "td3"]), task)
    assert titles(figure)[0] == title
    assert len(meshes(figure)) == (4 if task == "ant_gather" else 1)
    assert len(panel(figure, "Median and quartiles").lines) == 1


@pytest.mark.parametrize("task", ["ant_gather", "ring_road"])
def test_a_single_goal_is_seen(task: str):
    table = goals.proposals(task, ["cher"], seeds=1, steps=300)
    figure = figure_01.draw(table, goals.statistics(task, ["cher"], seeds=1, steps=300), task)
    assert sum(mesh.get_array().count() for _, mesh in meshes(figure)) == 1
    assert panel(figure, "Median and quartiles").lines[0].get_marker() == "."
    figure.draw_without_rendering()


def test_every_row_of_panels_and_the_curves_say_how_they_are_reduced(figure: Figure):
    marks = [text for axes in figure.axes for text in axes.texts]
    assert [mark.get_text() for mark in marks] == ["reduced: 1,200 of 1,000,000 steps, 2 of 10 seeds"] * 3
    full = goals.statistics(seeds=10, steps=1_000_000, why="")
    marks = [text for axes in figure_01.draw(goals.proposals(), full).axes for text in axes.texts]
    assert [mark.get_text() for mark in marks] == ["1,000,000 steps, 10 seeds"] * 3
    assert all(mark.get_bbox_patch() is None for mark in marks)


def test_stages_divide_the_steps_that_were_run():
    """Even if no goal was set in the second half."""
    figure = figure_01.draw(goals.proposals(steps=600), goals.statistics(steps=1_200))
    assert [title.splitlines()[1] for title in titles(figure)[1:5]] == ["2 goals", "2 goals", "0 goals", "0 goals"]


def test_awkward_numbers_of_steps_are_short():
    assert figure_01.stage_title(1_800.5, 2_700.75, 1) == "steps 1.8k to 2.701k\n1 goal"
    assert figure_01.stage_title(1_125_000, 1_500_000, 6_250) == "steps 1.125M to 1.5M\n6,250 goals"


def test_the_legend_names_what_is_drawn(figure: Figure):
    legend = figure.legends[0]
    assert {text.get_text() for text in legend.get_texts()} == {"goal box", "agent", "HRL", "CHER"}
    assert "all seeds are pooled" in legend.get_title().get_text()


@pytest.mark.parametrize(
    ("task", "size"),
    [("ant_gather", {"seeds": 2, "steps": 1_200}), ("ring_road", {"seeds": 10, "steps": 40_000})],
)
def test_titles_and_labels_do_not_overlap(task: str, size: dict[str, int]):
    figure = figure_01.draw(goals.proposals(task, **size), goals.statistics(task, **size), task)
    figure.draw_without_rendering()
    written = [
        text for axes in figure.axes for text in (axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts)
    ]
    written = [text for text in written if text.get_text()]
    boxes = {text: text.get_window_extent() for text in written}
    for text, box in boxes.items():
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert not [other.get_text() for other in written if other is not text and boxes[other].overlaps(box)]


@pytest.mark.parametrize(
    ("task", "labels", "message"),
    [
        ("ant_push", ("hrl",), "there is no task 'ant_push'; allowed: ant_gather"),
        ("ant_maze", ("hrl",), "there are no goal proposals of hrl or cher on ant_maze"),
        ("ant_gather", ("td3",), "there are no statistics of hrl, cher on ant_gather"),
    ],
)
def test_nothing_to_show_is_one_line(task: str, labels: tuple[str, ...], message: str):
    with pytest.raises(ValueError, match=message):
        figure_01.draw(goals.proposals(), goals.statistics(labels=labels), task)


def test_same_bytes_again(tmp_path: Path):
    goals.proposals(labels=["cher"]).to_parquet(tmp_path / "proposals.parquet")
    goals.statistics(labels=["cher"]).to_parquet(tmp_path / "statistics.parquet")
    inputs = [f"--{name}={tmp_path / name}.parquet" for name in ("proposals", "statistics")]
    for name in ("a", "b"):
        figure_01.main([*inputs, "--out", str(tmp_path / f"{name}.svg")])
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
