from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from visual_runs import STEPS, tables

from analysis import style
from analysis.figures import figure_11

FORMATS = ("svg", "pdf", "png")


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return tables().evaluation_statistics


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_two_panels_of_success_and_return_by_steps(rows: pd.DataFrame):
    figure = figure_11.draw(rows)
    assert [axes.get_title() for axes in figure.axes] == ["Success rate", "Average return"]
    assert [axes.get_ylabel() for axes in figure.axes] == [
        "Episodes that came within 5 m",
        "Return (sum of \N{MINUS SIGN}distance, m)",
    ]
    assert {axes.get_xlabel() for axes in figure.axes} == {"Environment steps (after warm-up)"}
    assert legend(figure) == ["HRL", "HIRO", "CHER"]
    success, average = figure.axes
    assert -0.1 < success.get_ylim()[0] < 0 < 1 < success.get_ylim()[1] < 1.1
    assert success.get_xlim() == average.get_xlim() == (0, STEPS)


@pytest.mark.parametrize(("number", "metric"), [(0, "entered"), (1, "return")])
def test_lines_are_the_tables_means_over_targets(rows: pd.DataFrame, number: int, metric: str):
    others = pd.concat([rows, rows.assign(target="target_16_0", mean=7.0), rows.assign(task="ant_maze", mean=8.0)])
    axes = figure_11.draw(others).axes[number]
    assert len(axes.lines) == len(axes.collections) == 3
    for line, label in zip(axes.lines, ("hrl", "hiro", "cher"), strict=True):
        curve = rows[(rows["label"] == label) & (rows["metric"] == metric)]
        np.testing.assert_array_equal(line.get_xydata(), curve[["step", "mean"]])
        assert same_color(line.get_color(), style.COLOURS[label])
    last = curve.iloc[-1]
    corners = axes.collections[2].get_paths()[0].vertices
    corners = corners[corners[:, 0] == STEPS, 1]
    np.testing.assert_allclose(
        [corners.min(), corners.max()], [last["mean"] - last["std"], last["mean"] + last["std"]]
    )


def test_curves_are_told_apart_without_colours(rows: pd.DataFrame):
    for axes in figure_11.draw(rows).axes:
        assert len({str(line._dash_pattern) for line in axes.lines}) == 3


def test_any_cells_may_be_missing_and_new_ones_appear(rows: pd.DataFrame):
    assert legend(figure_11.draw(rows[rows["label"] == "cher"])) == ["CHER"]
    new = rows[rows["label"] == "hrl"].assign(label="sac-large", algorithm="sac", variant="large")
    figure = figure_11.draw(pd.concat([rows, new]))
    assert legend(figure) == ["HRL", "HIRO", "CHER", "SAC (large)"]
    assert len({line.get_color() for line in figure.axes[0].lines}) == 4


@pytest.mark.parametrize("how", ["missing", "without values"])
def test_a_panel_without_data_is_not_drawn(rows: pd.DataFrame, how: str):
    returns = rows["metric"] == "return"
    rows = rows[~returns] if how == "missing" else rows.assign(mean=rows["mean"].mask(returns))
    assert [axes.get_title() for axes in figure_11.draw(rows).axes] == ["Success rate"]


def test_without_any_data_it_says_what_is_missing(rows: pd.DataFrame):
    message = r"^there are no evaluations of visual_ant_maze with a value of entered or return$"
    for nothing in (rows[:0], rows.assign(task="ant_maze"), rows.assign(mean=np.nan)):
        with pytest.raises(ValueError, match=message):
            figure_11.draw(nothing)


def test_a_single_evaluation_is_seen():
    rows = tables(seeds=[0], steps=1_200, log_every=200, evaluate_every=1_200).evaluation_statistics
    for axes in figure_11.draw(rows).axes:
        assert {line.get_marker() for line in axes.lines} == {"."}
        assert not any(line.get_clip_on() for line in axes.lines), "on the edge, and whole"
        assert axes.texts[0].get_text() == "reduced: 1,200 of 2,500,000 steps, 1 of 10 seeds"


def test_full_runs_state_their_extent(rows: pd.DataFrame):
    assert {axes.texts[0].get_text() for axes in figure_11.draw(rows).axes} == {"2,500,000 steps, 10 seeds"}


def test_no_text_lies_on_other_text_or_outside_the_figure(rows: pd.DataFrame):
    small = tables(seeds=[0, 1], steps=1_200, log_every=200, evaluate_every=600).evaluation_statistics
    for figure in map(figure_11.draw, (rows, small)):
        assert_in_order(figure)


def assert_in_order(figure: Figure) -> None:
    """Nothing overlaps or is cut."""
    figure.draw_without_rendering()
    texts = [text for axes in figure.axes for text in (axes.title, *axes.texts)]
    labels = [axis.label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    boxes = [text.get_window_extent() for text in [*texts, *labels, *figure.legends]]
    for number, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
        assert box.count_overlaps(boxes[:number]) == 0


@pytest.mark.parametrize("ending", FORMATS)
def test_the_same_numbers_give_the_same_bytes(rows: pd.DataFrame, tmp_path: Path, ending: str):
    rows.to_parquet(tmp_path / "rows.parquet")
    first, second = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    for path in (first, second):
        figure_11.main(["--evaluation-statistics", str(tmp_path / "rows.parquet"), "--out", str(path)])
    assert first.read_bytes() == second.read_bytes()
    assert len(first.read_bytes()) > 5_000
