from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from visual_runs import Tables, tables

from analysis import style
from analysis.figures import figure_12

FORMATS = ("svg", "pdf", "png")
LABELS = ("hrl", "hiro", "cher")


@pytest.fixture(scope="module")
def runs() -> Tables:
    return tables(seeds=range(4))


@pytest.fixture(scope="module")
def figure(runs: Tables) -> Figure:
    return draw(runs)


def draw(runs: Tables) -> Figure:
    return figure_12.draw(runs.evaluations, runs.timing, runs.statistics)


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def circles(axes: Axes) -> list[tuple[float, float]]:
    """Time and value of every end of training."""
    return [tuple(container.lines[0].get_xydata()[0]) for container in axes.containers]


def whiskers(axes: Axes) -> list[list[float]]:
    return [container.lines[2][0].get_segments()[0][:, 0].tolist() for container in axes.containers]


def curves(axes: Axes) -> list[np.ndarray]:
    return [line.get_xydata() for line in axes.lines if line.get_marker() == "None" and len(line.get_xdata()) > 2]


def durations(runs: Tables, label: str) -> pd.Series:
    return runs.timing[runs.timing["label"] == label].groupby("seed")["wall_time"].max()


def test_two_panels_of_success_and_return_by_seconds(figure: Figure):
    assert [axes.get_title() for axes in figure.axes] == ["Success rate", "Average return"]
    assert {axes.get_xlabel() for axes in figure.axes} == {"Wall-clock time since the start (s)"}
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    assert figure.axes[0].get_xlim()[0] == 0


@pytest.mark.parametrize(("number", "metric"), [(0, "entered"), (1, "return")])
def test_trainings_end_at_their_mean_duration_with_the_last_value(
    runs: Tables, figure: Figure, number: int, metric: str
):
    rows, axes = runs.evaluations, figure.axes[number]
    last = rows[rows["step"] == rows["step"].max()]
    for label, circle, whisker in zip(LABELS, circles(axes), whiskers(axes), strict=True):
        seconds = durations(runs, label)
        np.testing.assert_allclose(circle, [seconds.mean(), last.loc[last["label"] == label, metric].mean()])
        np.testing.assert_allclose(whisker, [seconds.min(), seconds.max()])
        assert axes.get_xlim()[1] > seconds.max()


def test_names_are_followed_by_mean_durations(runs: Tables, figure: Figure):
    expected = [
        f"{style.algorithm_name(label)}: {figure_12.duration(durations(runs, label).mean())}" for label in LABELS
    ]
    assert all(text.endswith(" h") for text in expected)
    assert legend(figure) == expected


def test_curves_go_as_far_as_all_seeds_have_come(runs: Tables, figure: Figure):
    for axes in figure.axes:
        for label, curve, line in zip(LABELS, curves(axes), axes.lines, strict=False):
            assert curve[-1, 0] == pytest.approx(durations(runs, label).min())
            assert same_color(line.get_color(), style.COLOURS[label])


def test_a_seed_alone_is_drawn_at_its_own_times():
    """Steps of evaluations lie between log points here: at 50,000 of 40,000 and 80,000."""
    runs = tables(["cher"], [5], steps=400_000, log_every=40_000, evaluate_every=50_000)
    curve = curves(draw(runs).axes[0])[0]
    means = runs.evaluations.groupby("step")["entered"].mean()
    times = runs.timing["wall_time"]
    at = np.interp(means.index, runs.timing["step"], times)
    assert at[0] == pytest.approx(times[0] + (times[1] - times[0]) / 4)
    assert curve[0] == pytest.approx([at[0], means.iloc[0]])
    assert curve[-1] == pytest.approx([times.iloc[-1], means.iloc[-1]])
    np.testing.assert_allclose(curve[:, 1], np.interp(curve[:, 0], at, means))


def test_only_the_first_steps_of_longer_runs_count():
    runs = tables(["cher"], [0], steps=3_000_000)
    (seconds, _), *_ = circles(draw(runs).axes[0])
    timing = runs.timing.set_index("step")["wall_time"]
    assert seconds == pytest.approx(timing[2_500_000])
    assert seconds < timing[3_000_000]


def test_a_single_evaluation_is_a_circle():
    runs = tables(["cher", "sac"], [0, 1], steps=1_200, log_every=200, evaluate_every=1_200)
    figure = draw(runs)
    for axes in figure.axes:
        assert curves(axes) == []
        assert len(circles(axes)) == 2
        assert "no episode has ended" not in [text.get_text() for text in axes.texts]
    assert [name.partition(":")[0] for name in legend(figure)] == ["CHER", "SAC"]


def test_a_value_that_is_missing_at_a_target_is_left_out(runs: Tables):
    rows = runs.evaluations.copy()
    rows.loc[(rows["seed"] == 0) & (rows["target"] == "target_0_16"), "return"] = np.nan
    left = rows[rows["seed"] != 0]
    one, other = (figure_12.draw(table, runs.timing, runs.statistics) for table in (rows, left))
    for here, there in zip(curves(one.axes[1]), curves(other.axes[1]), strict=True):
        np.testing.assert_array_equal(here, there)


@pytest.mark.parametrize("how", ["missing", "without values"])
def test_a_panel_without_data_is_not_drawn(runs: Tables, how: str):
    rows = runs.evaluations
    rows = rows.drop(columns="entered") if how == "missing" else rows.assign(entered=np.nan)
    figure = figure_12.draw(rows, runs.timing, runs.statistics)
    assert [axes.get_title() for axes in figure.axes] == ["Average return"]


def test_without_data_it_says_what_is_missing(runs: Tables):
    message = r"^there are no evaluations of visual_ant_maze with a value of entered or return$"
    with pytest.raises(ValueError, match=message):
        figure_12.draw(runs.evaluations[:0], runs.timing, runs.statistics)
    with pytest.raises(ValueError, match=r"^timing of hrl, seed 0, does not reach step 2,500,000$"):
        figure_12.draw(runs.evaluations, runs.timing[:0], runs.statistics)
    with pytest.raises(ValueError, match=r"^there are no statistics of visual_ant_maze"):
        figure_12.draw(runs.evaluations, runs.timing, runs.statistics[:0])


def test_other_tasks_do_not_matter(runs: Tables, figure: Figure):
    maze = tables(["hrl", "td3"], [0], 200_000, task="ant_maze")
    both = Tables(*(pd.concat(pair) for pair in zip(maze, runs, strict=True)))
    other = draw(both)
    assert legend(other) == legend(figure)
    for here, there in zip(other.axes, figure.axes, strict=True):
        assert circles(here) == circles(there)
        assert here.texts[0].get_text() == there.texts[0].get_text()


def test_panels_state_their_extent(runs: Tables, figure: Figure):
    assert {axes.texts[0].get_text() for axes in figure.axes} == {"reduced: 4 of 10 seeds"}
    whole = runs._replace(statistics=runs.statistics.assign(seeds_run=10, reduced_why="", reduced=False))
    assert {axes.texts[0].get_text() for axes in draw(whole).axes} == {"2,500,000 steps, 10 seeds"}


@pytest.mark.parametrize("steps", [1_200, 2_500_000])
def test_no_text_lies_on_other_text_or_outside_the_figure(runs: Tables, steps: int):
    small = tables(seeds=[0, 1], steps=1_200, log_every=200, evaluate_every=600)
    figure = draw(small if steps == 1_200 else runs)
    figure.draw_without_rendering()
    texts = [text for axes in figure.axes for text in (axes.title, *axes.texts)]
    labels = [axis.label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    boxes = [text.get_window_extent() for text in [*texts, *labels, *figure.legends]]
    for number, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
        assert box.count_overlaps(boxes[:number]) == 0


@pytest.mark.parametrize("ending", FORMATS)
def test_the_same_numbers_give_the_same_bytes(runs: Tables, tmp_path: Path, ending: str):
    names = ("evaluations", "timing", "statistics")
    for name in names:
        getattr(runs, name).to_parquet(tmp_path / f"{name}.parquet")
    inputs = [text for name in names for text in (f"--{name}", str(tmp_path / f"{name}.parquet"))]
    first, second = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    for path in (first, second):
        figure_12.main([*inputs, "--out", str(path)])
    assert first.read_bytes() == second.read_bytes()
    assert len(first.read_bytes()) > 5_000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.26, "4.26 s"), (119, "119 s"), (120, "2.00 min"), (7_199, "120 min"), (22_500, "6.25 h")],
)
def test_durations_are_written_in_a_unit_of_their_size(seconds: float, text: str):
    assert figure_12.duration(seconds) == text


def test_ticks_of_any_duration_do_not_overlap():
    for wall in (3.0, 3e3, 3e5):
        runs = tables(["cher", "hrl"], [0, 1], steps=1_200, log_every=200, evaluate_every=600)
        runs.timing["wall_time"] *= wall / runs.timing["wall_time"].max()
        drawn = draw(runs)
        drawn.draw_without_rendering()
        for axes in drawn.axes:
            boxes = [tick.get_window_extent() for tick in axes.get_xticklabels() if tick.get_text()]
            assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
