"""What Figure 10 shows: traffic from one and the same start, and the average speeds of the tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from traffic import highway

from analysis import style
from analysis.figures import figure_10
from analysis.named_files import Cell

STEPS = (600, 1_200)
EXTENT = {"steps_run": 1_200, "steps_paper": 1_500_000, "seeds_run": 2, "seeds_paper": 10, "reduced": True}
WHY = "1,200 of 1,500,000 steps; 2 of 10 seeds"
FULL = {"reduced": False, "reduced_why": ""}
Recorded = dict[Cell, pd.DataFrame]


def evaluations(*labels: str) -> pd.DataFrame:
    """Mean speeds of 5, 6, ... m/s at both evaluations, and other rows that must not be drawn."""
    tables = []
    for number, label in enumerate(labels):
        rows = pd.DataFrame({"step": STEPS, "mean": [5.0 + number, 5.5 + number], "std": 0.5})
        rows = rows.assign(
            task="highway", label=label, metric="mean_speed", target="mean", reduced_why=WHY, **EXTENT
        )
        others = ({"target": "end_5_state_0"}, {"metric": "mean_speed_all"}, {"task": "ring_road"})
        tables += [rows, *(rows.assign(mean=99.0, **other) for other in others)]
    return pd.concat(tables, ignore_index=True)


def drivers(*names: str) -> pd.DataFrame:
    """Mean speeds of 3, 4, ... m/s, of runs at full length."""
    rows = pd.DataFrame({"driver": names, "mean": 3.0 + np.arange(len(names))})
    rows = rows.assign(task="highway", metric="mean_speed", target="mean", **EXTENT | FULL)
    return pd.concat([rows, rows.assign(mean=99.0, metric="speed_std")], ignore_index=True)


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    """No control, and CHER, which a collision ends after 30 s; of three starts each."""
    human = pd.concat([highway(moments=201).assign(target=f"end_{number}") for number in (5, 6, 7)])
    cher = human[human["time"] <= 30].copy()
    cher.loc[cher["time"] > 0, "speed"] = 10.0
    return {("highway", "human"): human.assign(automated=False), ("highway", "cher"): cher}


@pytest.fixture(scope="module")
def figure(recorded: Recorded) -> Figure:
    return figure_10.draw(evaluations("td3", "hrl", "cher"), drivers("human", "random"), recorded)


def test_panels_are_the_papers(figure: Figure) -> None:
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["(a) No control", "(b) CHER", "(c) Average speed from 500 to 2,300 m"]
    labels = [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes if axes.get_title()]
    assert labels == [("Time (s)", "Position (m)")] * 2 + [
        ("Environment steps (after warm-up)", "Mean speed (m/s)")
    ]


def test_panels_are_in_the_order_of_their_letters(recorded: Recorded) -> None:
    turned = dict(reversed(recorded.items()))
    drawn = figure_10.draw(evaluations("cher"), drivers("human"), turned)
    assert [axes.get_title()[:3] for axes in drawn.axes[: len(turned)]] == ["(a)", "(b)"]


def test_traffic_is_that_of_the_recordings_middle_start(figure: Figure, recorded: Recorded) -> None:
    for axes, table in zip(figure.axes, recorded.values(), strict=False):
        episode = table[(table["target"] == "end_6") & (table["position"] <= 2500)]
        lines = axes.collections[0]
        assert len(lines.get_segments()) == sum(
            len(rows) - 1 for _, rows in episode.groupby("vehicle", observed=True)
        )
    human, cher = (axes.collections[0] for axes in figure.axes[:2])
    assert human.get_array().min() == 20
    assert cher.get_array().min() == 10
    assert [len(axes.collections[1].get_segments()) > 0 for axes in figure.axes[:2]] == [False, True]


def test_a_collision_is_seen(figure: Figure) -> None:
    """Both diagrams have the time axis of the longer episode."""
    human, cher = figure.axes[:2]
    assert human.get_xlim() == cher.get_xlim() == (0, 40)
    assert max(np.max(segment[:, 0]) for segment in cher.collections[0].get_segments()) == pytest.approx(30)


def test_colours_mean_the_same_in_both_diagrams(figure: Figure) -> None:
    (bar,) = [axes for axes in figure.axes if axes.get_label() == "<colorbar>"]
    assert bar.get_ylim() == (0, 15)
    assert {axes.collections[0].get_clim() for axes in figure.axes[:2]} == {(0, 15)}


def test_average_speeds_are_the_tables(figure: Figure) -> None:
    speeds = next(axes for axes in figure.axes if axes.get_title().startswith("(c)"))
    curves, levels = speeds.lines[:3], speeds.lines[3:]
    for number, (line, label) in enumerate(zip(curves, ("td3", "hrl", "cher"), strict=True)):
        np.testing.assert_array_equal(line.get_xydata(), [(600, 5 + number), (1_200, 5.5 + number)])
        assert same_color(line.get_color(), style.COLOURS[label])
        corners = speeds.collections[number].get_paths()[0].vertices[:, 1]
        assert (corners.min(), corners.max()) == pytest.approx((4.5 + number, 6 + number))
    assert [(line.get_label(), line.get_ydata()[0]) for line in levels] == [("Human", 3), ("Random actions", 4)]
    assert levels[0].get_linestyle() == "--"
    names = [text.get_text() for text in figure.legends[0].get_texts() if text.get_text()]
    assert sorted(names) == sorted(["TD3", "HRL", "CHER", "Human", "Random actions"])


def test_reduced_runs_are_marked_and_full_ones_state_their_extent(figure: Figure, recorded: Recorded) -> None:
    def marks(drawn: Figure) -> list[list[str]]:
        return [[text.get_text() for text in axes.texts] for axes in drawn.axes if axes.get_title()]

    reduced = "reduced: 1,200 of 1,500,000 steps, 2 of 10 seeds"
    assert marks(figure) == [[], [reduced], [reduced]]
    few = drivers("human").assign(reduced_why="2 of 10 seeds", reduced=True)
    drawn = figure_10.draw(evaluations("cher").assign(**FULL), few, recorded)
    assert marks(drawn) == [["reduced: 2 of 10 seeds"], ["1,200 steps, 2 seeds"], ["1,200 steps, 2 seeds"]]


@pytest.mark.parametrize(
    ("labels", "algorithms", "titles"),
    [
        ([], ["hrl"], ["(c) Average speed from 500 to 2,300 m"]),
        (["human"], [], ["(a) No control"]),
        (["cher"], ["cher"], ["(b) CHER", "(c) Average speed from 500 to 2,300 m"]),
        (["human", "cher", "my_own"], ["cher", "my_own"], ["(a) No control", "(b) CHER", "MY OWN", "(c) Average"]),
    ],
)
def test_any_part_may_be_missing(
    recorded: Recorded, labels: list[str], algorithms: list[str], titles: list[str]
) -> None:
    some = {("highway", label): recorded["highway", "cher"] for label in labels}
    table = evaluations(*algorithms) if algorithms else evaluations("hrl").iloc[:0]
    drawn = figure_10.draw(table, drivers("human"), some)
    drawn.draw_without_rendering()
    found = [axes.get_title() for axes in drawn.axes if axes.get_title()]
    assert len(found) == len(titles)
    assert all(title.startswith(start) for title, start in zip(found, titles, strict=True))


def test_a_table_of_drivers_without_any_draws_no_line(recorded: Recorded) -> None:
    drawn = figure_10.draw(evaluations("cher"), drivers("human").iloc[:0], {})
    assert len(drawn.axes[0].lines) == 1
    assert "drivers" not in drawn.legends[0].get_title().get_text()


def test_no_text_lies_on_other_text_or_outside_the_figure(figure: Figure) -> None:
    figure.draw_without_rendering()
    texts = [text for axes in figure.axes for text in (axes.title, *axes.texts) if text.get_text()]
    labels = [axis.label for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) if axis.label.get_text()]
    boxes = [text.get_window_extent() for text in [*texts, *labels, *figure.legends]]
    for number, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1
        assert box.count_overlaps(boxes[:number]) == 0


def other_start(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(position=table["position"] + (table["time"] == 0) * 0.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda table: table.assign(seed=1),
            "highway/human and highway/cher are .*: there is no seed 0; there are 1",
        ),
        (lambda table: table[table["target"] == "end_7"], "there is no target end_6; there are end_7"),
        (other_start, "highway/cher begins with other traffic than highway/human"),
        (lambda table: table[table["vehicle"] != "vehicle_70"], "highway/cher begins with other traffic"),
    ],
)
def test_recordings_must_begin_alike(recorded: Recorded, change, message: str) -> None:
    changed = recorded | {("highway", "cher"): change(recorded["highway", "cher"])}
    with pytest.raises(ValueError, match=message):
        figure_10.draw(evaluations("cher"), drivers("human"), changed)


def test_what_cannot_be_drawn_is_said(recorded: Recorded) -> None:
    nothing = evaluations("cher").iloc[:0]
    with pytest.raises(ValueError, match="neither recordings nor statistics of mean_speed on highway"):
        figure_10.draw(nothing, drivers("human"), {})
    with pytest.raises(ValueError, match="the statistics lack highway/cher, which there is a recording of"):
        figure_10.draw(evaluations("hrl"), drivers("human"), recorded)


def test_the_same_numbers_give_the_same_bytes(recorded: Recorded, tmp_path: Path) -> None:
    tables = {"human": recorded["highway", "human"], "cher": recorded["highway", "cher"]}
    tables |= {"evaluations": evaluations("hrl", "cher"), "drivers": drivers("human")}
    for name, table in tables.items():
        table.to_parquet(tmp_path / f"{name}.parquet")
    inputs = ["--recordings", *(f"highway/{name}={tmp_path}/{name}.parquet" for name in ("human", "cher"))]
    inputs += ["--evaluation-statistics", f"{tmp_path}/evaluations.parquet"]
    inputs += ["--driver-statistics", f"{tmp_path}/drivers.parquet"]
    for folder in "ab":
        figure_10.main([*inputs, "--out", *(f"{tmp_path}/{folder}/10.{ending}" for ending in ("svg", "pdf"))])
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
        assert 5_000 < path.stat().st_size < 1_000_000
    with pytest.raises(SystemExit, match=r"^figure_10: '.*nowhere.csv' names a file that is not there$"):
        figure_10.main([*inputs, "--recordings", "highway/cher=nowhere.csv", "--out", "a.png"])
