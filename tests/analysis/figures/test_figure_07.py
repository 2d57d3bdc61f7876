from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cooperative import Study, cooperation_cells, reduced, study, trajectories
from matplotlib.axes import Axes
from matplotlib.colors import same_color
from matplotlib.figure import Figure

from analysis.figures import figure_07
from analysis.paths import Trajectories

ORDER = ["hrl", "cher-rho_25", "cher-rho_50", "cher", "cher-rho_92", "cher-rho_100"]
NAMES = [
    "0 % (HRL)",
    "25 % (δ = \N{MINUS SIGN}450)",
    "50 % (δ = \N{MINUS SIGN}300)",
    "75 % (δ = \N{MINUS SIGN}150)",
    "92 % (δ = \N{MINUS SIGN}50)",
    "100 % (δ = 0)",
]
DELTAS = [-450, -300, -150, -50, 0]
REDUCED = "4,000 of 1,000,000 steps; 2 of 10 seeds; learner.tau 1 instead of 2"


@pytest.fixture(scope="module")
def tables() -> Study:
    return study(cooperation_cells())


@pytest.fixture(scope="module")
def episodes() -> Trajectories:
    return {("ant_gather", cell["label"]): trajectories(cell, steps=30) for cell in cooperation_cells()}


@pytest.fixture(scope="module")
def figure(tables: Study, episodes: Trajectories) -> Figure:
    return draw(tables, episodes)


def draw(tables: Study, episodes: Trajectories | None = None) -> Figure:
    return figure_07.draw(tables.statistics, tables.final, tables.cells, tables.runs, episodes or {})


def only(tables: Study, *labels: str) -> Study:
    return Study(*(table[table["label"].isin(labels)] for table in tables))


def curves(axes: Axes) -> list[np.ndarray]:
    return [line.get_xydata() for line in axes.lines if str(line.get_label()) in NAMES]


def dashed(axes: Axes) -> dict[float, str]:
    """Colours of lines across the panel by height."""
    lines = [line for line in axes.lines if line.get_linestyle() == "--" and len(line.get_xdata())]
    return {float(line.get_ydata()[0]): line.get_color() for line in lines}


def test_panels_are_those_of_the_paper_in_its_order(figure: Figure):
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:3] == ["(a) Worker's return", "(b) Dynamic λ", "(c) Performance"]
    assert titles[3:] == [f"({letter}) {name}" for letter, name in zip("defghi", NAMES, strict=True)]
    assert figure.get_figwidth() == 7
    assert [axes.get_xlabel() for axes in figure.axes[:4]] == [
        "Environment steps",
        "Environment steps",
        "Cooperation ratio (%)",
        "x (m)",
    ]


def test_worker_returns_are_drawn_with_their_constraints(figure: Figure, tables: Study):
    axes = figure.axes[0]
    rows = tables.statistics[tables.statistics["metric"] == "worker_q_current"]
    for label, curve in zip(ORDER, curves(axes), strict=True):
        np.testing.assert_array_equal(curve, rows.loc[rows["label"] == label, ["step", "mean"]])
    assert sorted(dashed(axes)) == pytest.approx(DELTAS)
    for delta, colour in dashed(axes).items():
        own = axes.lines[1 + [abs(delta - each) < 1e-9 for each in DELTAS].index(True)]
        assert same_color(colour, own.get_color())


def test_lambda_is_a_geometric_mean_on_a_log_axis_of_dynamic_cells_alone(figure: Figure, tables: Study):
    axes = figure.axes[1]
    assert axes.get_yscale() == "log"
    drawn = curves(axes)
    assert len(drawn) == 5
    runs = tables.runs[tables.runs["label"] == "cher-rho_25"]
    by_seed = runs.pivot(index="step", columns="seed", values="lambda")
    np.testing.assert_allclose(drawn[0][:, 1], np.sqrt(by_seed[0] * by_seed[1]), rtol=1e-6)


def test_performance_is_drawn_by_ratio_with_every_seed(figure: Figure, tables: Study):
    axes = figure.axes[2]
    joined = axes.lines[0].get_xydata()
    np.testing.assert_allclose(joined[:, 0], [0, 25, 50, 75, 1100 / 12, 100])
    final = tables.final[tables.final["metric"] == "return_mean100"].set_index("label")
    np.testing.assert_array_equal(joined[:, 1], final.loc[ORDER, "mean"])
    bars = [bar.get_segments()[0] for bar in axes.collections]
    np.testing.assert_allclose([(bar[1, 1] - bar[0, 1]) / 2 for bar in bars], final.loc[ORDER, "std"])
    seeds = [line for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert len(seeds) == 6
    for label, line in zip(ORDER, seeds, strict=True):
        assert np.mean(line.get_ydata()) == pytest.approx(final.at[label, "mean"])
        assert len(line.get_ydata()) == 2


def test_paths_are_the_first_seeds_and_share_scale_and_colours(figure: Figure, episodes: Trajectories):
    panels = figure.axes[3:]
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in panels}) == 1
    assert panels[0].get_xlim()[1] > 11
    for label, axes, curve in zip(ORDER, panels, figure.axes[0].lines, strict=False):
        paths = [line for line in axes.lines if line.get_linestyle() == "-" and len(line.get_xdata()) > 1]
        assert len(paths) == figure_07.EPISODES
        table = episodes["ant_gather", label]
        first = table[(table["seed"] == 0) & (table["episode"] == 0)]
        np.testing.assert_array_equal(paths[0].get_xydata(), first[["x", "y"]])
        assert all(same_color(path.get_color(), curve.get_color()) for path in paths)


def test_the_legend_names_levels_first_and_then_marks(figure: Figure):
    figure.draw_without_rendering()
    texts = [text.get_text() for text in figure.legends[0].get_texts() if text.get_text()]
    marks = ["constraint δ", "single seed", "mean ± SD over seeds", "path", "start", "goal when it was set"]
    assert sorted(texts) == sorted([*NAMES, *marks])
    box = figure.legends[0].get_window_extent()
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1


def test_no_text_lies_on_other_text_or_outside_the_figure(tables: Study, episodes: Trajectories):
    figure = draw(reduced(tables, REDUCED), episodes)
    figure.draw_without_rendering()
    texts = [text for axes in figure.axes for text in (axes.title, *axes.texts)]
    labels = [axis.label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    boxes = [text.get_window_extent() for text in [*texts, *labels, *figure.legends]]
    for number, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
        assert box.count_overlaps(boxes[:number]) == 0
    assert all(axes.texts[0].get_text().startswith("reduced: 4,000 of 1,000,000 steps\n") for axes in figure.axes)


def test_missing_cells_leave_the_panels_that_there_are_data_for(tables: Study, episodes: Trajectories):
    cher = draw(only(tables, "cher"), {("ant_gather", "cher"): episodes["ant_gather", "cher"]})
    assert [axes.get_title()[:3] for axes in cher.axes] == ["(a)", "(b)", "(c)", "(d)"]
    assert cher.axes[3].get_title() == f"(d) {NAMES[3]}"
    hrl = draw(only(tables, "hrl"))
    assert [axes.get_title()[:3] for axes in hrl.axes] == ["(a)", "(c)"]
    assert not dashed(hrl.axes[0])


def test_paths_alone_are_drawn(tables: Study, episodes: Trajectories):
    nothing = tables._replace(statistics=tables.statistics.iloc[:0], final=tables.final.iloc[:0])
    figure = draw(nothing, {("ant_gather", "hrl"): episodes["ant_gather", "hrl"]})
    assert [axes.get_title() for axes in figure.axes] == ["(d) 0 % (HRL)"]


def test_ratios_that_are_not_known_leave_out_performance_by_ratio(tables: Study):
    unknown = tables._replace(cells=tables.cells.assign(cooperation_ratio=np.nan))
    figure = draw(unknown)
    assert [axes.get_title()[:3] for axes in figure.axes] == ["(a)", "(b)"]
    assert figure.axes[1].lines[0].get_label() == "δ = \N{MINUS SIGN}450"


def test_a_single_seed_and_log_point_without_any_episode_is_drawn():
    tables = study(cooperation_cells(), seeds=1, points=1)
    figure = draw(tables)
    figure.draw_without_rendering()
    assert {len(line.get_xdata()) for line in figure.axes[0].lines if str(line.get_label()) in NAMES} == {1}


def test_other_tasks_do_not_enter(tables: Study, episodes: Trajectories):
    other = Study(*(pd.concat([table, table.assign(task="ring_road")]) for table in tables))
    assert len(draw(other, episodes).axes) == 9


def test_no_data_and_foreign_trajectories_are_refused(tables: Study, episodes: Trajectories):
    with pytest.raises(ValueError, match="there is no level of cooperation on ant_gather"):
        draw(only(tables, "td3"))
    nothing = tables._replace(statistics=tables.statistics.iloc[:0], final=tables.final.iloc[:0])
    with pytest.raises(ValueError, match="there are neither statistics nor trajectories of ant_gather"):
        draw(nothing)
    for key in (("ant_gather", "td3"), ("ring_road", "cher")):
        with pytest.raises(ValueError, match=f"trajectories of '{key[1]}' belong to no level of cooperation"):
            draw(tables, {key: episodes["ant_gather", "cher"]})


def test_the_command_line_writes_the_same_bytes_each_time(tables: Study, episodes: Trajectories, tmp_path: Path):
    arguments = []
    for name in ("statistics", "final", "cells", "runs"):
        getattr(tables, name).to_parquet(tmp_path / f"{name}.parquet")
        arguments += [f"--{name}", str(tmp_path / f"{name}.parquet")]
    episodes["ant_gather", "cher"].to_parquet(tmp_path / "cher.parquet")
    arguments += ["--trajectories", f"ant_gather/cher={tmp_path}/cher.parquet"]
    for folder in ("a", "b"):
        figure_07.main([*arguments, "--out", str(tmp_path / folder / "f.svg")])
    assert (tmp_path / "a/f.svg").read_bytes() == (tmp_path / "b/f.svg").read_bytes() != b""
