from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cooperative import Study, cell, fixed_lambda_cells, reduced, study
from matplotlib.axes import Axes
from matplotlib.colors import same_color
from matplotlib.figure import Figure

from analysis import style
from analysis.figures import fixed_lambda
from analysis.figures.fixed_lambda import Tables

GATHER = [0.001, 0.005, 0.01, 0.05, 0.1, 1.0, 10.0]
RING = [0.001, 0.005, 0.01, 0.05]
REDUCED = "4,000 of 1,000,000 steps; 2 of 10 seeds; learner.tau 1 instead of 2"


@pytest.fixture(scope="module")
def made() -> Study:
    return study(fixed_lambda_cells())


@pytest.fixture(scope="module")
def tables(made: Study) -> Tables:
    return as_tables(made)


@pytest.fixture(scope="module")
def figure(tables: Tables) -> Figure:
    return fixed_lambda.draw(tables)


def as_tables(made: Study) -> Tables:
    return Tables(**{name: getattr(made, name) for name in Tables._fields})


def only(tables: Tables, *labels: str) -> Tables:
    return Tables(*(table[table["label"].isin(labels)] for table in tables))


def means(axes: Axes) -> np.ndarray:
    """Settings and means of the diamonds, in rising order."""
    points = [line.get_xydata()[0] for line in axes.lines if line.get_marker() == "D" and len(line.get_xdata())]
    return np.array(sorted(points, key=tuple))


def expected(tables: Tables, task: str, statistics: pd.DataFrame, metric: str) -> np.ndarray:
    rows = statistics[(statistics["task"] == task) & (statistics["metric"] == metric)]
    rows = rows.merge(tables.cells[["task", "label", "fixed_lambda"]]).dropna(subset="fixed_lambda")
    return rows.sort_values("fixed_lambda")[["fixed_lambda", "mean"]].to_numpy()


def test_a_row_of_panels_per_task_with_distance_where_the_agent_walks(figure: Figure):
    labels = [(axes.get_title(), axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes]
    assert labels == [
        ("Ant Gather", "Environment steps", "Return"),
        ("", "Fixed λ", "Final return"),
        ("", "Fixed λ", "Final path length (m)"),
        ("Ring Road", "Environment steps", "Return fraction"),
        ("", "Fixed λ", "Final return fraction"),
    ]
    assert figure.get_figwidth() == 7


def test_final_values_are_drawn_against_lambda(figure: Figure, tables: Tables):
    gather, walked, ring = (figure.axes[number] for number in (1, 2, 4))
    last = tables.evaluation_statistics
    last = last[last["step"] == last["steps_run"]]
    for axes, task, statistics, metric in (
        (gather, "ant_gather", tables.final, "return_mean100"),
        (walked, "ant_gather", last, "path_length"),
        (ring, "ring_road", tables.final, "return_fraction_mean100"),
    ):
        assert axes.get_xscale() == "log"
        points = expected(tables, task, statistics, metric)
        assert list(points[:, 0]) == (GATHER if task == "ant_gather" else RING)
        np.testing.assert_array_equal(means(axes), points)
        seeds = [line for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata())]
        np.testing.assert_allclose(sorted(np.mean(line.get_ydata()) for line in seeds), sorted(points[:, 1]))


def test_distance_is_that_of_the_last_evaluation(tables: Tables):
    early = tables.evaluation_statistics["step"] < 1_000_000
    changed = tables.evaluation_statistics.assign(mean=tables.evaluation_statistics["mean"].where(~early, -1e6))
    axes = fixed_lambda.draw(tables._replace(evaluation_statistics=changed)).axes[2]
    assert means(axes)[:, 1].min() > -10


def test_dynamic_lambda_is_a_line_across_the_panel(figure: Figure, tables: Tables):
    final = tables.final[(tables.final["label"] == "cher") & (tables.final["metric"] == "return_mean100")]
    mean = final.loc[final["task"] == "ant_gather", "mean"].item()
    lines = [line for line in figure.axes[1].lines if line.get_linestyle() == "--"]
    assert [list(line.get_ydata()) for line in lines] == [[mean, mean]]
    assert same_color(lines[0].get_color(), style.COLOURS["cher"])


def test_one_lambda_has_one_colour_everywhere(figure: Figure):
    curves = {line.get_label(): line.get_color() for axes in figure.axes for line in axes.lines}
    assert len({curves[f"λ = {value:g}"] for value in GATHER}) == len(GATHER)
    for axes in (figure.axes[1], figure.axes[4]):
        for line in axes.lines:
            if line.get_marker() == "D" and len(line.get_xdata()):
                assert same_color(line.get_color(), curves[f"λ = {line.get_xdata()[0]:g}"])


def test_the_legend_is_in_the_order_of_lambda(figure: Figure):
    names = [line.get_label() for line in figure.axes[0].lines if not str(line.get_label()).startswith("_")]
    assert names == [*(f"λ = {value:g}" for value in GATHER), "CHER (dynamic λ)"]


def test_no_text_lies_on_other_text_or_outside_the_figure(made: Study):
    figure = fixed_lambda.draw(as_tables(reduced(made, REDUCED)))
    figure.draw_without_rendering()
    texts = [text for axes in figure.axes for text in (axes.title, *axes.texts) if text.get_text()]
    labels = [axis.label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    boxes = [text.get_window_extent() for text in [*texts, *labels, *figure.legends]]
    for number, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
        assert box.count_overlaps(boxes[:number]) == 0
    assert all(axes.texts[0].get_text().startswith("reduced: 4,000") for axes in figure.axes)


def test_missing_cells_leave_what_there_is(tables: Tables):
    assert [axes.get_title() for axes in fixed_lambda.draw(only(tables, "cher_fixed-lambda_10")).axes] == [
        "Ant Gather",
        "",
        "",
    ]
    figure = fixed_lambda.draw(only(tables, "cher_fixed"))
    assert [list(means(axes)[:, 0]) for axes in (figure.axes[1], figure.axes[4])] == [[0.01], [0.01]]


def test_runs_without_any_episode_say_so():
    made = study(fixed_lambda_cells()[:2], points=1, seeds=1)
    figure = fixed_lambda.draw(as_tables(made))
    assert "no episode has ended" in [text.get_text() for text in figure.axes[0].texts]
    assert [axes.get_ylabel() for axes in figure.axes] == ["Return", "Final path length (m)"]


def test_a_maze_shows_its_success_in_evaluations():
    cells = [cell("fixed_lambda", "ant_maze", f"cher_fixed-{value}", fixed_lambda=value) for value in (0.1, 1.0)]
    tables = as_tables(study(cells))
    curves, points, _ = fixed_lambda.draw(tables).axes
    assert curves.get_ylabel() == "Success rate (evaluation)"
    assert [list(line.get_xdata()) for line in curves.lines] == [[500_000, 1_000_000]] * 2
    last = tables.evaluation_statistics.query("metric == 'success' and step == 1_000_000")
    np.testing.assert_array_equal(means(points)[:, 1], last["mean"])
    assert points.get_ylim()[1] > 1


def test_no_fixed_lambda_is_refused(tables: Tables):
    for nothing in (only(tables, "cher"), tables._replace(final=tables.final.iloc[:0])):
        with pytest.raises(ValueError, match="there are no statistics of runs with a fixed lambda"):
            fixed_lambda.draw(nothing)


def test_the_command_line_writes_the_same_bytes_each_time(tables: Tables, tmp_path: Path):
    arguments = []
    for name, table in only(tables, "cher_fixed", "cher")._asdict().items():
        table.to_parquet(tmp_path / f"{name}.parquet")
        arguments += [f"--{name.replace('_', '-')}", str(tmp_path / f"{name}.parquet")]
    for name in ("a.svg", "b.svg"):
        fixed_lambda.main([*arguments, "--out", str(tmp_path / name)])
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes() != b""
