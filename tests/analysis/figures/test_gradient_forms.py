from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cooperative import Study, gradient_cells, reduced, study
from matplotlib.axes import Axes
from matplotlib.colors import same_color
from matplotlib.figure import Figure

from analysis.figures import gradient_forms

NAMES = [
    f"{algorithm}, {reading}"
    for reading in ("Eq. 5", "total", "authors", "released")
    for algorithm in ("CHER (fixed λ)", "CHER")
]
REDUCED = "4,000 of 1,000,000 steps; 2 of 10 seeds; learner.tau 1 instead of 2"


@pytest.fixture(scope="module")
def tables() -> Study:
    return study(gradient_cells())


@pytest.fixture(scope="module")
def figure(tables: Study) -> Figure:
    return draw(tables)


def draw(tables: Study) -> Figure:
    return gradient_forms.draw(tables.statistics, tables.evaluation_statistics, tables.cells)


def only(tables: Study, *labels: str) -> Study:
    return Study(*(table[table["label"].isin(labels)] for table in tables))


def column(figure: Figure, number: int) -> list[Axes]:
    return figure.axes[number::2]


def curve(axes: Axes, name: str) -> np.ndarray:
    return next(line.get_xydata() for line in axes.lines if line.get_label() == name)


def mean(tables: Study, task: str, label: str, metric: str) -> np.ndarray:
    rows = tables.statistics.query("task == @task and label == @label and metric == @metric")
    return rows["mean"].to_numpy()


def test_a_column_per_task_and_a_row_per_quantity(figure: Figure):
    assert [column(figure, number)[0].get_title() for number in (0, 1)] == ["Ant Gather", "Ring Road"]
    labels = [axes.get_ylabel().replace("\n", " ") for axes in column(figure, 1)]
    assert labels[0] == "Return fraction (last 100 episodes)"
    assert [label.split(" ")[0] for label in labels[1:]] == ["Own", "Cooperative", "Ratio", "Cosine", "Goals"]
    assert [axes.get_yscale() for axes in column(figure, 0)] == ["linear", *["log"] * 3, "linear", "linear"]
    assert [bool(axes.get_xlabel()) for axes in column(figure, 0)] == [False] * 5 + [True]
    assert figure.get_figwidth() == 7


def test_curves_are_the_tables_numbers(figure: Figure, tables: Study):
    for number, task in enumerate(("ant_gather", "ring_road")):
        axes = column(figure, number)
        shown = "return_mean100" if task == "ant_gather" else "return_fraction_mean100"
        for label, name in (("cher", "CHER, Eq. 5"), ("cher_fixed-released", "CHER (fixed λ), released")):
            own, weighted = (mean(tables, task, label, f"{part}_gradient") for part in ("manager", "weighted"))
            values = [mean(tables, task, label, shown), own, mean(tables, task, label, "cooperative_gradient")]
            values += [weighted / own, mean(tables, task, label, "gradient_cosine")]
            values += [mean(tables, task, label, "goal_saturation")]
            for panel, expected in zip(axes, values, strict=True):
                np.testing.assert_allclose(curve(panel, name)[:, 1], expected)


def test_colours_tell_readings_and_lines_algorithms(figure: Figure):
    axes = column(figure, 0)[1]
    lines = {str(line.get_label()): line for line in axes.lines}
    assert list(lines) == NAMES
    assert len({lines[f"CHER, {name}"].get_color() for name in ("Eq. 5", "total", "authors", "released")}) == 4
    for name in ("Eq. 5", "total", "authors", "released"):
        assert same_color(lines[f"CHER, {name}"].get_color(), lines[f"CHER (fixed λ), {name}"].get_color())
        assert lines[f"CHER, {name}"].get_linestyle() == "-"
        assert lines[f"CHER (fixed λ), {name}"].get_linestyle() == "--"


def test_gradients_are_averaged_over_blocks_and_learning_curves_are_not():
    tables = study([row for row in gradient_cells() if row["label"] == "cher"], points=120)
    axes = column(draw(tables), 0)
    assert len(curve(axes[0], "CHER, Eq. 5")) == 120
    drawn = curve(axes[1], "CHER, Eq. 5")
    values = mean(tables, "ant_gather", "cher", "manager_gradient")
    np.testing.assert_allclose(drawn[:, 1], values.reshape(40, 3).mean(axis=1))
    assert drawn[-1, 0] == 1_000_000


def test_blocks_follow_the_steps_of_each_task(tables: Study):
    ring = tables.statistics["task"] == "ring_road"
    longer = tables.statistics.assign(
        step=tables.statistics["step"].where(~ring, tables.statistics["step"] * 3 // 2)
    )
    figure = gradient_forms.draw(longer, tables.evaluation_statistics, tables.cells)
    ends = [curve(column(figure, number)[1], "CHER, Eq. 5")[-1, 0] for number in (0, 1)]
    assert ends == [1_000_000, 1_500_000]


def test_vanished_gradients_are_gaps_and_do_not_stretch_the_axis(tables: Study):
    changed = tables.statistics.copy()
    changed.loc[changed["metric"].isin(["manager_gradient", "weighted_gradient"]), "mean"] *= 1e-30
    dead = (
        (changed["task"] == "ring_road") & (changed["metric"] == "manager_gradient") & (changed["step"] > 500_000)
    )
    changed.loc[dead, "mean"] = 0.0
    alive = (changed["label"] == "cher") & (changed["metric"] == "manager_gradient") & ~dead
    changed.loc[alive, "mean"] *= 1e30
    figure = gradient_forms.draw(changed, tables.evaluation_statistics, tables.cells)
    own, _, ratio = column(figure, 1)[1:4]
    for axes in (own, ratio):
        assert np.isnan(curve(axes, "CHER, Eq. 5")[3:, 1]).all()
        assert np.isfinite(curve(axes, "CHER, Eq. 5")[:3, 1]).all()
    low, high = own.get_ylim()
    assert high / low == pytest.approx(10**gradient_forms.DECADES)
    figure.draw_without_rendering()


def test_a_task_without_any_gradient_says_so(tables: Study):
    changed = tables.statistics.copy()
    ring = (changed["task"] == "ring_road") & (changed["metric"] == "manager_gradient")
    changed.loc[ring, "mean"] = 0.0
    figure = gradient_forms.draw(changed, tables.evaluation_statistics, tables.cells)
    for axes in (column(figure, 1)[1], column(figure, 1)[3]):
        assert [text.get_text() for text in axes.texts] == ["not defined"]


def test_metrics_that_no_run_has_have_no_row(tables: Study):
    known = tables.statistics["metric"] != "goal_saturation"
    figure = gradient_forms.draw(tables.statistics[known], tables.evaluation_statistics, tables.cells)
    assert len(column(figure, 0)) == 5


def test_one_cell_a_new_reading_and_another_algorithm_are_drawn(tables: Study):
    assert [axes.get_title() for axes in draw(only(tables, "cher")).axes[:2]] == ["Ant Gather", "Ring Road"]
    one = only(tables, "cher")
    cells = pd.concat([one.cells, one.cells.assign(label="mine-new", algorithm="mine", gradient="my_own")])
    more = [one.statistics, one.statistics.assign(label="mine-new", algorithm="mine", variant="new")]
    figure = gradient_forms.draw(pd.concat(more), one.evaluation_statistics, cells)
    line = figure.axes[2].lines[1]
    assert (line.get_label(), line.get_linestyle()) == ("MINE, my own", ":")
    assert not same_color(line.get_color(), figure.axes[2].lines[0].get_color())


def test_a_single_seed_and_log_point_is_drawn():
    figure = draw(study(gradient_cells()[:2], seeds=1, points=1))
    figure.draw_without_rendering()
    assert "no episode has ended" in [text.get_text() for text in figure.axes[0].texts]


def test_no_text_lies_on_other_text_or_outside_the_figure(tables: Study):
    figure = draw(reduced(tables, REDUCED))
    figure.draw_without_rendering()
    texts = [text for axes in figure.axes for text in (axes.title, *axes.texts) if text.get_text()]
    labels = [axis.label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) if axis.label.get_text()]
    boxes = [text.get_window_extent() for text in [*texts, *labels, *figure.legends]]
    for number, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
        assert box.count_overlaps(boxes[:number]) == 0
    for axes in figure.axes[:2]:
        assert axes.texts[0].get_text() == "reduced: 4,000 of 1,000,000 steps, 2 of 10 seeds\n1 setting changed"


def test_no_reading_is_refused(tables: Study):
    for nothing in (tables._replace(statistics=tables.statistics.iloc[:0]), only(tables, "hrl")):
        with pytest.raises(ValueError, match="there are no statistics of runs with a cooperative gradient"):
            draw(nothing)


def test_the_command_line_writes_the_same_bytes_each_time(tables: Study, tmp_path: Path):
    arguments = []
    for name in ("statistics", "evaluation_statistics", "cells"):
        getattr(only(tables, "cher"), name).query("task == 'ring_road'").to_parquet(tmp_path / f"{name}.parquet")
        arguments += [f"--{name.replace('_', '-')}", str(tmp_path / f"{name}.parquet")]
    for name in ("a.svg", "b.svg"):
        gradient_forms.main([*arguments, "--out", str(tmp_path / name)])
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes() != b""
