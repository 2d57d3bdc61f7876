from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import same_color, to_rgb
from matplotlib.figure import Figure
from synthetic import NO_DRIVERS, with_mazes

from algorithms.registry import DRIVERS, SUITE
from analysis import style
from analysis.curves import BAND
from analysis.figures import figure_05

FORMATS = ("svg", "pdf", "png")
#: Names of the suite's algorithms for readers.
NAMES = [style.ALGORITHM_NAMES[name] for name in SUITE]


def curve(statistics: pd.DataFrame, task: str, label: str) -> pd.DataFrame:
    rows = statistics[(statistics["task"] == task) & (statistics["label"] == label)]
    return rows[rows["metric"] == "return_mean100"]


def band(axes: Axes, number: int) -> np.ndarray:
    """Lowest and highest drawn value of the band at its last step."""
    corners = axes.collections[number].get_paths()[0].vertices
    last = corners[corners[:, 0] == corners[:, 0].max(), 1]
    return np.array([last.min(), last.max()])


def legend(figure: Figure) -> list[str]:
    """Names in the legend, row by row."""
    return [name for row in legend_rows(figure) for name in row]


def legend_rows(figure: Figure) -> list[list[str]]:
    figure.draw_without_rendering()
    rows: dict[int, dict[float, str]] = {}
    for text in figure.legends[0].get_texts():
        if text.get_text():
            left, baseline = text.get_transform().transform(text.get_position())
            rows.setdefault(round(baseline), {})[left] = text.get_text()
    return [[row[left] for left in sorted(row)] for _, row in sorted(rows.items(), reverse=True)]


def test_one_titled_panel_per_task_in_the_tables_order(statistics: pd.DataFrame, evaluations: pd.DataFrame):
    figure = figure_05.draw(statistics, evaluations, NO_DRIVERS)
    assert [axes.get_title() for axes in figure.axes] == ["Ring Road", "Ant Gather"]
    assert {axes.get_ylabel() for axes in figure.axes} == {"Return (last 100 episodes)"}
    assert {axes.get_xlabel() for axes in figure.axes} == {"Environment steps (after warm-up)"}


def test_lines_and_bands_are_the_tables_numbers(statistics: pd.DataFrame, evaluations: pd.DataFrame):
    axes = figure_05.draw(statistics, evaluations, NO_DRIVERS).axes[1]
    for number, label in enumerate(("td3", "hrl")):
        rows = curve(statistics, "ant_gather", label)
        np.testing.assert_array_equal(axes.lines[number].get_xydata(), rows[["step", "mean"]])
        last = rows.iloc[-1]
        expected = [last["mean"] - last["std"], last["mean"] + last["std"]]
        np.testing.assert_allclose(band(axes, number), expected)


def test_every_task_shows_what_the_paper_shows_of_it(statistics: pd.DataFrame, evaluations: pd.DataFrame):
    training, evaluations = with_mazes(statistics, evaluations)
    figure = figure_05.draw(training, evaluations, NO_DRIVERS)
    labels = {axes.get_title(): axes.get_ylabel() for axes in figure.axes}
    assert list(labels.items()) == [
        ("Ring Road", "Return (last 100 episodes)"),
        ("Ant Gather", "Return (last 100 episodes)"),
        ("Ant Four Rooms", "Success rate (last 100 episodes)"),
        ("Ant Maze", "Success rate (evaluation)"),
    ]
    rooms, maze = figure.axes[2:]
    for axes, rate, steps in ((rooms, 0.3, range(200, 1_201, 200)), (maze, 0.5, (600, 1_200))):
        assert len(axes.lines) == 2
        for line in axes.lines:
            np.testing.assert_array_equal(line.get_xydata(), [(step, rate) for step in steps])
        np.testing.assert_allclose(band(axes, 0), [rate - 0.1, rate + 0.1])
        low, high = axes.get_ylim()
        assert -0.1 < low < 0 < 1 < high < 1.1
        assert axes.texts[0].get_text().startswith("reduced: 1,200 of 1,000,000 steps")


def test_a_curve_of_one_evaluation_is_seen(statistics: pd.DataFrame, evaluations: pd.DataFrame):
    training, evaluations = with_mazes(statistics, evaluations[evaluations["step"] == 1_200])
    rooms, maze = figure_05.draw(training, evaluations, NO_DRIVERS).axes[2:]
    assert {line.get_marker() for line in maze.lines} == {"."}
    assert {line.get_marker() for line in rooms.lines} == {"None"}


def test_an_algorithm_has_one_colour_everywhere_and_one_legend_entry(
    statistics: pd.DataFrame, evaluations: pd.DataFrame
):
    figure = figure_05.draw(statistics, evaluations, NO_DRIVERS)
    assert legend(figure) == ["TD3", "HRL"]
    for axes in figure.axes:
        assert same_color(axes.lines[0].get_color(), style.COLOURS["td3"])
        assert same_color(axes.lines[1].get_color(), style.COLOURS["hrl"])


def test_a_new_algorithm_and_a_new_task_appear_by_themselves(statistics: pd.DataFrame, evaluations: pd.DataFrame):
    sac = statistics[statistics["label"] == "td3"].assign(label="sac", algorithm="sac")
    push = statistics[statistics["task"] == "ant_gather"].assign(task="ant_push")
    figure = figure_05.draw(pd.concat([statistics, sac, push]), evaluations, NO_DRIVERS)
    assert legend(figure) == ["TD3", "HRL", "SAC"]
    assert [axes.get_title() for axes in figure.axes] == ["Ring Road", "Ant Gather", "Ant Push"]


def test_reduced_panels_say_so_and_full_ones_state_their_extent(
    statistics: pd.DataFrame, evaluations: pd.DataFrame
):
    ring = statistics["task"] == "ring_road"
    full = {"reduced": False, "reduced_why": "", "steps_run": 1_500_000, "seeds_run": 10}
    statistics.loc[ring, list(full)] = list(full.values())
    ring_text, gather_text = (
        axes.texts[0].get_text() for axes in figure_05.draw(statistics, evaluations, NO_DRIVERS).axes
    )
    assert ring_text == "1,500,000 steps, 10 seeds"
    assert gather_text.startswith("reduced: 1,200 of 1,000,000 steps, 2 of 10 seeds")


def test_a_panel_without_any_value_says_why(statistics: pd.DataFrame, evaluations: pd.DataFrame):
    statistics.loc[statistics["task"] == "ring_road", ["mean", "std"]] = np.nan
    ring, gather = figure_05.draw(statistics, evaluations, NO_DRIVERS).axes
    assert "no episode has ended" in [text.get_text() for text in ring.texts]
    assert "no episode has ended" not in [text.get_text() for text in gather.texts]


def everything(statistics: pd.DataFrame) -> pd.DataFrame:
    """As many curves as the suite has algorithms."""
    others = [name for name in SUITE if name not in set(statistics["label"])]
    copies = [statistics[statistics["label"] == "hrl"].assign(label=name, algorithm=name) for name in others]
    return pd.concat([statistics, *copies])


@pytest.mark.parametrize(("tasks", "columns"), [(["ring_road", "ant_gather"], 6), (["ring_road"], 3)])
def test_the_legend_of_all_algorithms_fits(
    statistics: pd.DataFrame, evaluations: pd.DataFrame, tasks: list[str], columns: int
):
    rows = everything(statistics)
    figure = figure_05.draw(rows[rows["task"].isin(tasks)], evaluations, NO_DRIVERS)
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert len(figure.legends) == 1
    assert len({text.get_window_extent().x0 for text in figure.legends[0].get_texts()}) == columns
    assert legend(figure) == NAMES


def levels(axes: Axes) -> dict[str, float]:
    """Height of every driver's line, by name."""
    lines = [line for line in axes.lines if line.get_gid() == figure_05.DRIVER]
    for line in lines:
        assert line.get_ydata()[0] == line.get_ydata()[1]
        assert list(line.get_xdata()) == [0, 1], "across the whole panel"
        assert line.get_transform() == axes.get_yaxis_transform(which="grid")
    return {str(line.get_label()): line.get_ydata()[0] for line in lines}


def test_drivers_are_lines_at_their_mean_where_there_is_traffic(
    statistics: pd.DataFrame, evaluations: pd.DataFrame, drivers: pd.DataFrame
):
    """Returns are 100 seed - step / 10 + number of the point, + 1,000 for the second driver."""
    ring, gather = figure_05.draw(statistics, evaluations, drivers).axes
    assert levels(ring) == {"Human": pytest.approx(50 - 120 + 4.5), "Random actions": pytest.approx(934.5)}
    assert levels(gather) == {}
    low, high = ring.get_ylim()
    assert low < min(levels(ring).values()) < max(levels(ring).values()) < high


def test_drivers_are_told_apart_in_grey(
    statistics: pd.DataFrame, evaluations: pd.DataFrame, drivers: pd.DataFrame
):
    human = drivers[drivers["driver"] == "human"]
    names = [*DRIVERS, "a_new_one"]
    everyone = pd.concat([human.assign(driver=name) for name in names])
    lines = figure_05.draw(statistics, evaluations, everyone).axes[0].lines[2:]
    assert len(lines) == len({line.get_linestyle() + str(line._dash_pattern) for line in lines}) == len(names)
    for line in lines:
        red, green, blue = to_rgb(line.get_color())
        assert red == green == blue < 0.7


@pytest.mark.parametrize(
    ("tasks", "sizes"), [(["ring_road", "ant_gather"], [5, 1, 4]), (["ring_road"], [2, 2, 2, 2, 2])]
)
def test_drivers_have_rows_of_their_own_in_the_legend(
    statistics: pd.DataFrame, evaluations: pd.DataFrame, drivers: pd.DataFrame, tasks: list[str], sizes: list[int]
):
    human = drivers[drivers["driver"] == "human"]
    everyone = pd.concat([human.assign(driver=name) for name in DRIVERS])
    rows = everything(statistics)
    figure = figure_05.draw(rows[rows["task"].isin(tasks)], evaluations, everyone)
    assert legend(figure) == [*NAMES, *style.DRIVER_NAMES.values()]
    assert [len(row) for row in legend_rows(figure)] == sizes
    assert "drivers" in figure.legends[0].get_title().get_text()
    box = figure.legends[0].get_window_extent()
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1


def test_a_figure_without_drivers_does_not_mention_them(statistics: pd.DataFrame, evaluations: pd.DataFrame):
    figure = figure_05.draw(statistics, evaluations, NO_DRIVERS)
    assert all(len(axes.lines) == 2 for axes in figure.axes)
    assert figure.legends[0].get_title().get_text() == BAND


def test_no_text_lies_on_other_text_or_outside_the_figure(statistics: pd.DataFrame, evaluations: pd.DataFrame):
    figure = figure_05.draw(statistics, evaluations, NO_DRIVERS)
    figure.draw_without_rendering()
    texts = [text for axes in figure.axes for text in (axes.title, *axes.texts)]
    labels = [axis.label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    boxes = [text.get_window_extent() for text in [*texts, *labels, *figure.legends]]
    for number, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
        assert box.count_overlaps(boxes[:number]) == 0


@pytest.mark.parametrize("ending", FORMATS)
def test_the_same_numbers_give_the_same_bytes(
    statistics: pd.DataFrame, evaluations: pd.DataFrame, drivers: pd.DataFrame, tmp_path: Path, ending: str
):
    tables = [tmp_path / f"{name}.parquet" for name in ("statistics", "evaluations", "drivers")]
    for table, path in zip((statistics, evaluations, drivers), tables, strict=True):
        table.to_parquet(path)
    first, second = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    for path in (first, second):
        inputs = ["--statistics", str(tables[0]), "--evaluation-statistics", str(tables[1])]
        inputs += ["--driver-statistics", str(tables[2])]
        figure_05.main([*inputs, "--out", str(path)])
    assert first.read_bytes() == second.read_bytes()
    assert len(first.read_bytes()) > 5_000


def test_numbers_reach_the_file(statistics: pd.DataFrame, evaluations: pd.DataFrame, tmp_path: Path):
    style.save(figure_05.draw(statistics, evaluations, NO_DRIVERS), [tmp_path / "a.svg"])
    statistics["mean"] *= 2
    style.save(figure_05.draw(statistics, evaluations, NO_DRIVERS), [tmp_path / "b.svg"])
    assert (tmp_path / "a.svg").read_text() != (tmp_path / "b.svg").read_text()
