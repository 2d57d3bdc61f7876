from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from transfer_and_hiro import hiro_evaluation_statistics, hiro_evaluations, hiro_training

from analysis import style
from analysis.figures import figure_09
from analysis.references import References, load

FILE = Path(__file__).parents[3] / "results/references/references.csv"
FORMATS = ("svg", "pdf", "png")


@pytest.fixture(scope="module")
def training() -> pd.DataFrame:
    return hiro_training(seeds=2, every=200, number=6)


@pytest.fixture(scope="module")
def evaluated() -> pd.DataFrame:
    return hiro_evaluation_statistics(hiro_evaluations(seeds=2, every=600, number=2))


@pytest.fixture(scope="module")
def references() -> References:
    return load(FILE)


@pytest.fixture(scope="module")
def figure(training: pd.DataFrame, evaluated: pd.DataFrame, references: References) -> Figure:
    return figure_09.draw(training, evaluated, references)


def named(axes: Axes, label: str) -> np.ndarray:
    (line,) = [line for line in axes.lines if line.get_label() == label]
    return line.get_xydata()


def dotted(axes: Axes) -> list[np.ndarray]:
    return [line.get_xydata() for line in axes.lines if line.get_linestyle() == ":" and len(line.get_xydata())]


def curve(table: pd.DataFrame, task: str, label: str, metric: str, target: str | None = None) -> pd.DataFrame:
    rows = table[(table["task"] == task) & (table["label"] == label) & (table["metric"] == metric)]
    return rows[["step", "mean"]] if target is None else rows[rows["target"] == target][["step", "mean"]]


NAMES = {"hiro": "HIRO with correction", "hrl": "HIRO without correction (HRL)"}


def test_ours_stands_beside_the_published_for_each_task(figure: Figure):
    theirs = "Nachum et al. (2018)"
    assert [axes.get_title() for axes in figure.axes] == [
        *("(a) Ant Gather: ours", theirs),
        *("(b) Ant Maze: ours", theirs),
    ]
    assert figure.axes[0].get_ylabel() == "Return (last 100 episodes)"
    assert figure.axes[2].get_ylabel() == "Success rate (evaluation),\ntarget (0, 16)"
    for ours, published in (figure.axes[:2], figure.axes[2:]):
        assert ours.get_ylim() == published.get_ylim()
        assert published.get_xlabel() == "published curves not available"


def test_curves_of_gather_are_of_training_and_dotted_ones_of_evaluations(
    figure: Figure, training: pd.DataFrame, evaluated: pd.DataFrame
):
    axes = figure.axes[0]
    for label, other in zip(("hiro", "hrl"), dotted(axes), strict=True):
        np.testing.assert_array_equal(
            named(axes, NAMES[label]), curve(training, "ant_gather", label, "return_mean100")
        )
        np.testing.assert_array_equal(other, curve(evaluated, "ant_gather", label, "return", "mean"))


def test_curves_of_the_maze_are_of_the_far_corner_and_dotted_ones_of_all_targets(
    figure: Figure, evaluated: pd.DataFrame
):
    axes = figure.axes[2]
    for label, other in zip(("hiro", "hrl"), dotted(axes), strict=True):
        np.testing.assert_array_equal(
            named(axes, NAMES[label]), curve(evaluated, "ant_maze", label, "success", "target_0_16")
        )
        np.testing.assert_array_equal(other, curve(evaluated, "ant_maze", label, "success", "mean"))
    assert axes.get_ylim()[0] < 0 < 1 < axes.get_ylim()[1]


@pytest.mark.parametrize(("panel", "value", "error"), [(0, 3.02, 1.49), (2, 0.99, 0.01)])
def test_published_numbers_are_those_of_the_file(figure: Figure, panel: int, value: float, error: float):
    ours, axes = figure.axes[panel : panel + 2]
    (bar,) = axes.containers
    assert bar.lines[0].get_xydata().tolist() == [[0, value]]
    np.testing.assert_allclose(bar.lines[2][0].get_segments()[0][:, 1], [value - error, value + error])
    for drawn in (ours, axes):
        assert list(named(drawn, figure_09.PUBLISHED)[:, 1]) == [value, value]
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert labels == [f"with\ncorrection:\n{value} ± {error}", "without\ncorrection:\nno number"]
    assert "best policy in 10 M steps, 10 seeds" in [text.get_text() for text in axes.texts]


def test_other_published_numbers_move_the_marker(training: pd.DataFrame, evaluated: pd.DataFrame, tmp_path: Path):
    path = tmp_path / "references.csv"
    path.write_text(FILE.read_text(encoding="utf-8").replace("H_HIRO_AntGather,3.02", "H_HIRO_AntGather,4.5"))
    axes = figure_09.draw(training, evaluated, load(path)).axes[1]
    assert axes.containers[0].lines[0].get_ydata()[0] == 4.5
    with pytest.raises(ValueError, match="there is no reference 'H_HIRO_AntGather'"):
        figure_09.draw(training, evaluated, References())


def test_colours_and_names(figure: Figure):
    for axes in (figure.axes[0], figure.axes[2]):
        for label, text in NAMES.items():
            (line,) = [line for line in axes.lines if line.get_label() == text]
            assert same_color(line.get_color(), style.COLOURS[label])
    texts = [text.get_text() for text in figure.legends[0].get_texts() if text.get_text()]
    assert sorted(texts) == sorted(
        [*NAMES.values(), figure_09.PUBLISHED, "Ant Gather: evaluations", "Ant Maze: mean over targets"]
    )


def test_reduced_panels_say_so(figure: Figure):
    for axes in (figure.axes[0], figure.axes[2]):
        assert "reduced: 1,200 of 1,000,000 steps, 2 of 10 seeds" in [text.get_text() for text in axes.texts]


def test_any_subset_is_drawn_and_nothing_is_an_error(
    training: pd.DataFrame, evaluated: pd.DataFrame, references: References
):
    hiro = evaluated[(evaluated["label"] == "hiro") & (evaluated["task"] == "ant_maze")]
    figure = figure_09.draw(training[:0], hiro, references)
    assert [axes.get_title() for axes in figure.axes][::2] == ["(a) Ant Maze: ours"]
    other = training.assign(study="main"), evaluated.assign(study="main")
    with pytest.raises(ValueError, match="no results of the study 'hiro_correction' on ant_gather or ant_maze"):
        figure_09.draw(*other, references)


def test_a_variant_gets_a_colour_and_a_name(
    training: pd.DataFrame, evaluated: pd.DataFrame, references: References
):
    flipped = training[training["label"] == "hiro"].assign(label="hiro-flipped", variant="flipped")
    axes = figure_09.draw(pd.concat([training, flipped]), evaluated, references).axes[0]
    (line,) = [line for line in axes.lines if line.get_label() == "HIRO (flipped)"]
    assert not any(same_color(line.get_color(), colour) for colour in style.COLOURS.values())


def test_evaluations_of_a_training_without_progress_are_drawn(
    training: pd.DataFrame, evaluated: pd.DataFrame, references: References
):
    other = evaluated[evaluated["label"] == "hiro"].assign(label="hiro-flipped", variant="flipped")
    axes = figure_09.draw(training, pd.concat([evaluated, other]), references).axes[0]
    assert len(dotted(axes)) == 3


def test_a_panel_without_any_value_says_why(
    training: pd.DataFrame, evaluated: pd.DataFrame, references: References
):
    empty = training.assign(mean=np.nan, std=np.nan)
    gather, maze = figure_09.draw(empty, evaluated, references).axes[::2]
    assert "no episode has ended" in [text.get_text() for text in gather.texts]
    assert "no episode has ended" not in [text.get_text() for text in maze.texts]


def test_one_evaluation_is_seen(training: pd.DataFrame, evaluated: pd.DataFrame, references: References):
    axes = figure_09.draw(training, evaluated[evaluated["step"] == 1_200], references).axes[2]
    points = [line for line in axes.lines if len(line.get_xydata()) == 1]
    assert len(points) == 4
    assert {line.get_marker() for line in points} == {"."}


def test_no_text_lies_on_other_text_or_outside_the_figure(figure: Figure):
    figure.draw_without_rendering()
    texts = [text for axes in figure.axes for text in (axes.title, *axes.texts)]
    labels = [axis.label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) if axis.label.get_text()]
    ticks = [text for axes in figure.axes for text in axes.get_xticklabels()]
    boxes = [text.get_window_extent() for text in [*texts, *labels, *ticks, *figure.legends]]
    for number, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
        assert box.count_overlaps(boxes[:number]) == 0


@pytest.mark.parametrize("ending", FORMATS)
def test_the_same_numbers_give_the_same_bytes(
    training: pd.DataFrame, evaluated: pd.DataFrame, tmp_path: Path, ending: str
):
    training.to_parquet(tmp_path / "statistics.parquet")
    evaluated.to_parquet(tmp_path / "evaluations.parquet")
    inputs = ["--statistics", str(tmp_path / "statistics.parquet"), "--references", str(FILE)]
    inputs += ["--evaluation-statistics", str(tmp_path / "evaluations.parquet")]
    first, second = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    for path in (first, second):
        figure_09.main([*inputs, "--out", str(path)])
    assert first.read_bytes() == second.read_bytes()
    assert len(first.read_bytes()) > 5_000
