from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from transfer_and_hiro import MANAGERS, transfer_cells, transfer_statistics

from analysis import style
from analysis.figures import figure_08
from analysis.frozen_workers import evaluation_points, make_task

FORMATS = ("svg", "pdf", "png")


@pytest.fixture(scope="module")
def small() -> pd.DataFrame:
    return transfer_statistics(seeds=2, steps=(600, 1_200))


@pytest.fixture(scope="module")
def figure(small: pd.DataFrame) -> Figure:
    return figure_08.draw(small, transfer_cells())


def value(rows: pd.DataFrame, task: str, label: str, target: str, column: str = "mean") -> float:
    here = rows[(rows["task"] == task) & (rows["label"] == label) & (rows["metric"] == "success")]
    return float(here[(here["target"] == target) & (here["step"] == 1_200)][column].iloc[0])


def markers(axes: Axes) -> dict[str, np.ndarray]:
    """Places and heights of all markers by their name in the legend."""
    return {str(line.get_label()): line.get_xydata() for line in axes.lines if line.get_linestyle() == "None"}


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts() if text.get_text()]


def test_panels_are_the_setup_and_a_map_and_a_panel_per_task(figure: Figure):
    assert [axes.get_title() for axes in figure.axes] == [
        *("", "(a) Transfer of the worker"),
        *("", "(b) Ant Maze"),
        *("", "(c) Ant Four Rooms"),
    ]
    for axes in (figure.axes[3], figure.axes[5]):
        assert axes.get_ylabel() == "Success rate"
        assert axes.get_xlabel().startswith("Evaluation point")


def test_the_setup_names_tasks_algorithms_and_what_is_frozen(figure: Figure):
    texts = [text.get_text().replace("\n", " ") for text in figure.axes[1].texts]
    assert [text for text in texts if text.startswith("Ant")] == ["Ant Gather", "Ant Maze", "Ant Four Rooms"]
    assert texts.count("worker, frozen") == texts.count("new manager, trained") == 2
    assert texts.count("worker, trained") == texts.count("manager, trained") == 1
    assert "trained by HRL, HIRO or CHER" in texts


@pytest.mark.parametrize(("panel", "task"), [(3, "ant_maze"), (5, "ant_four_rooms")])
def test_markers_are_the_last_evaluations(figure: Figure, small: pd.DataFrame, panel: int, task: str):
    axes = figure.axes[panel]
    names = [point.name for point in evaluation_points(make_task(task))]
    ticks = axes.get_xticks()
    drawn = markers(axes)
    assert list(drawn) == [
        "HRL worker, HRL manager",
        *("HIRO worker, HIRO manager", "HIRO worker, HRL manager"),
        *("CHER worker, CHER manager", "CHER worker, HRL manager"),
    ]
    for manager, worker in MANAGERS:
        at = drawn[f"{worker.upper()} worker, {manager.upper()} manager"]
        for x, y in at:
            target = [*names, "mean"][int(np.abs(ticks - x).argmin())]
            assert y == value(small, task, f"{manager}-worker_{worker}", target)
        assert len(at) == 8


def test_the_ticks_number_the_points_by_the_walk_there(figure: Figure):
    texts = [text.get_text() for text in figure.axes[3].get_xticklabels()]
    walks = ["1\n0 m", "2\n8 m", "3\n16 m", "4\n24 m", "5\n32 m", "6\n40 m", "7\n48 m"]
    assert texts == [*walks, "mean"]


def test_bars_are_one_standard_deviation_within_the_bounds(figure: Figure, small: pd.DataFrame):
    axes = figure.axes[3]
    bars = [found for found in axes.collections if isinstance(found, LineCollection)]
    assert len(bars) == 5
    low, high = bars[0].get_segments()[0][:, 1]
    mean, std = (value(small, "ant_maze", "hrl-worker_hrl", "target_0_0", name) for name in ("mean", "std"))
    assert (low, high) == (pytest.approx(max(mean - std, 0)), pytest.approx(min(mean + std, 1)))
    ends = np.concatenate([segment[:, 1] for bar in bars for segment in bar.get_segments()])
    assert ends.min() >= 0
    assert ends.max() <= 1
    below, above = axes.get_ylim()
    assert below < 0 < 1 < above


def test_workers_have_their_algorithms_colour_and_controls_are_hollow(figure: Figure):
    for axes in (figure.axes[3], figure.axes[5]):
        lines = {str(line.get_label()): line for line in axes.lines}
        for manager, worker in MANAGERS:
            line = lines[f"{worker.upper()} worker, {manager.upper()} manager"]
            assert same_color(line.get_color(), style.COLOURS[worker])
            fill = style.COLOURS[worker] if manager == worker else "white"
            assert same_color(line.get_markerfacecolor(), fill)
        shapes = {
            worker: lines[f"{worker.upper()} worker, {worker.upper()} manager"]
            for worker in style.COLOURS
            if f"{worker.upper()} worker, {worker.upper()} manager" in lines
        }
        assert len({line.get_marker() for line in shapes.values()}) == 3, "told apart in grey"


def test_what_a_robot_reaches_that_stays_at_its_start(figure: Figure):
    maze, rooms = (
        [list(line.get_ydata()) for line in figure.axes[panel].lines if line.get_label() == figure_08.STILL]
        for panel in (3, 5)
    )
    assert maze == [[1, 1], [pytest.approx(1 / 7)] * 2]
    assert rooms == []


@pytest.mark.parametrize(("panel", "task", "blocks"), [(2, "ant_maze", 18), (4, "ant_four_rooms", 61)])
def test_maps_show_walls_and_numbered_points(figure: Figure, panel: int, task: str, blocks: int):
    axes = figure.axes[panel]
    (walls,) = [found for found in axes.collections if isinstance(found, PatchCollection)]
    assert len(walls.get_paths()) == blocks
    texts = {text.get_text(): text.get_position() for text in axes.texts}
    for point in evaluation_points(make_task(task)):
        x, y = texts[str(point.number)]
        assert x == point.x
        assert y == point.y or (point.is_at_start and 0 < y - point.y < 4)
        assert axes.get_xlim()[0] < x < axes.get_xlim()[1]
        assert axes.get_ylim()[0] < y < axes.get_ylim()[1]


def test_reduced_panels_say_so_and_the_setup_says_it_of_the_sources(small: pd.DataFrame):
    sources = small["task"] == "ant_gather"
    full = {"reduced_why": "", "steps_run": 1_200, "seeds_run": 10}
    small = small.copy()
    small.loc[sources, list(full)] = list(full.values())
    figure = figure_08.draw(small, transfer_cells())
    assert figure.axes[1].texts[0].get_text() == "1,200 steps, 10 seeds"
    for axes in (figure.axes[3], figure.axes[5]):
        assert axes.texts[0].get_text() == "reduced: 1,200 of 1,000,000 steps, 2 of 10 seeds"


def test_any_subset_of_the_cells_is_drawn(small: pd.DataFrame):
    cells = transfer_cells()
    cher = cells[(cells["label"] == "cher-worker_cher") & (cells["task"] == "ant_four_rooms")]
    figure = figure_08.draw(small[small["task"] != "ant_gather"], cher)
    assert [axes.get_title() for axes in figure.axes][1::2] == ["(a) Transfer of the worker", "(b) Ant Four Rooms"]
    assert legend(figure) == ["CHER worker, CHER manager"]
    assert "hollow" not in figure.legends[0].get_title().get_text()
    assert "trained by\nCHER" in [text.get_text() for text in figure.axes[1].texts]
    with pytest.raises(ValueError, match="there is no evaluation of a manager on a transferred worker"):
        figure_08.draw(small[small["task"] == "ant_gather"], cells)


def test_points_without_evaluations_are_not_shown(small: pd.DataFrame):
    names = ["target_16_0", "target_16_16", "target_0_16", "mean"]
    maze = small[(small["task"] == "ant_maze") & small["target"].isin(names)]
    figure = figure_08.draw(maze, transfer_cells())
    labels = [text.get_text() for text in figure.axes[3].get_xticklabels()]
    assert labels == ["3\n16 m", "5\n32 m", "7\n48 m", "mean"]
    assert figure_08.STILL not in legend(figure)


def test_a_new_algorithm_gets_a_colour_and_a_name(small: pd.DataFrame):
    cells = transfer_cells()
    new = cells[cells["label"] == "hiro-worker_hiro"].assign(
        algorithm="sac", label="sac-worker_sac", source="sac-transfer", source_algorithm="sac"
    )
    rows = small[small["label"] == "hiro-worker_hiro"].assign(algorithm="sac", label="sac-worker_sac")
    figure = figure_08.draw(pd.concat([small, rows]), pd.concat([cells, new]))
    (line,) = [line for line in figure.axes[3].lines if line.get_label() == "SAC worker, SAC manager"]
    assert not any(same_color(line.get_color(), colour) for colour in style.COLOURS.values())
    assert "SAC worker, SAC manager" in legend(figure)
    assert "trained by\nHRL, HIRO, SAC or\nCHER" in [text.get_text() for text in figure.axes[1].texts]


def test_two_sources_of_one_algorithm_share_its_colour_and_not_their_marker(small: pd.DataFrame):
    cells, label = transfer_cells(), "cher-worker_cher_xy"
    other = cells[cells["label"] == "cher-worker_cher"].assign(label=label, source="cher-transfer_xy")
    rows = small[small["label"] == "cher-worker_cher"].assign(label=label)
    axes = figure_08.draw(pd.concat([small, rows]), pd.concat([cells, other])).axes[3]
    names = ("CHER (transfer) worker, CHER manager", "CHER (transfer xy) worker, CHER manager")
    first, second = (line for name in names for line in axes.lines if line.get_label() == name)
    assert same_color(first.get_color(), style.COLOURS["cher"])
    assert same_color(second.get_color(), style.COLOURS["cher"])
    assert first.get_marker() != second.get_marker()


@pytest.mark.parametrize("tasks", [["ant_maze", "ant_four_rooms"], ["ant_maze"]])
def test_no_text_lies_on_other_text_or_outside_the_figure(small: pd.DataFrame, tasks: list[str]):
    figure = figure_08.draw(small[small["task"].isin(["ant_gather", *tasks])], transfer_cells())
    figure.draw_without_rendering()
    texts = [text for axes in figure.axes for text in (axes.title, *axes.texts) if text.get_text()]
    labels = [axis.label for axes in figure.axes[3::2] for axis in (axes.xaxis, axes.yaxis)]
    ticks = [text for axes in figure.axes[3::2] for text in axes.get_xticklabels()]
    boxes = [text.get_window_extent() for text in [*texts, *labels, *ticks, *figure.legends]]
    for number, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
        assert box.count_overlaps(boxes[:number]) == 0


@pytest.mark.parametrize("ending", FORMATS)
def test_the_same_numbers_give_the_same_bytes(small: pd.DataFrame, tmp_path: Path, ending: str):
    small.to_parquet(tmp_path / "evaluations.parquet")
    transfer_cells().to_parquet(tmp_path / "cells.parquet")
    first, second = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    inputs = [
        "--evaluation-statistics",
        str(tmp_path / "evaluations.parquet"),
        "--cells",
        str(tmp_path / "cells.parquet"),
    ]
    for path in (first, second):
        figure_08.main([*inputs, "--out", str(path)])
    assert first.read_bytes() == second.read_bytes()
    assert len(first.read_bytes()) > 5_000
