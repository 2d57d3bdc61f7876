"""What Figure 6 shows: the same episodes of all algorithms, with the goals where they were set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from recorded_episodes import STEPS, extents, on_foot, on_the_ring

from algorithms.seeding import evaluation_start
from analysis.figures import figure_06
from analysis.named_files import Cell
from envs.ant.gather import AntGather
from envs.ant.maze import TARGETS

LENGTHS = ("length_220", "length_240", "length_270")
Tables = dict[Cell, pd.DataFrame]


@pytest.fixture(scope="module")
def ring() -> tuple[Tables, Tables]:
    """Steps and recordings of HRL and CHER."""
    (first, hrl), (second, cher) = on_the_ring(LENGTHS), on_the_ring(LENGTHS)
    steps = {("ring_road", "hrl"): hrl, ("ring_road", "cher"): cher.assign(goal_0=cher["goal_0"] + 1)}
    return steps, {("ring_road", "hrl"): first, ("ring_road", "cher"): second}


@pytest.fixture(scope="module")
def paths() -> Tables:
    """Steps of HRL and CHER on two Ant tasks."""
    return {(task, label): on_foot(task) for task in ("ant_maze", "ant_gather") for label in ("hrl", "cher")}


@pytest.fixture(scope="module")
def figure(ring: tuple[Tables, Tables], paths: Tables) -> Figure:
    steps, recorded = ring
    return draw(paths | steps, recorded)


def draw(trajectories: Tables, recorded: Tables | None = None) -> Figure:
    recorded = recorded or {}
    return figure_06.draw(extents({**trajectories, **recorded}), trajectories, recorded)


def titles(figure: Figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes if axes.get_title()]


def scenes(figure: Figure) -> list[Axes]:
    """Panels with paths: those of an arena's shape, without the headers above them."""
    return [axes for axes in figure.axes if axes.get_aspect() == 1]


def drawn_path(axes: Axes) -> np.ndarray:
    (line,) = [line for line in axes.lines if len(line.get_xdata()) > 10 and line.get_color() == "black"]
    return line.get_xydata()


def links(axes: Axes) -> np.ndarray:
    """From where the agent was to its goals, [n, 2 ends, 2]."""
    (lines,) = [artist for artist in axes.collections if isinstance(artist, LineCollection)]
    return np.array(lines.get_segments())


def test_panels_are_in_the_papers_order(figure: Figure) -> None:
    ring = ["(a) Ring Road: HRL"] * 2 + ["(a) Ring Road: CHER"] * 2
    ants = [f"({letter}) {task}: {name}" for letter, task in zip("bd", ("Ant Gather", "Ant Maze"), strict=True)
            for name in ("HRL", "CHER")]  # fmt: skip
    assert titles(figure) == ring + ants
    assert len(scenes(figure)) == 2 * 2 * figure_06.EPISODES


def test_every_titled_panel_says_that_its_run_is_reduced(figure: Figure) -> None:
    marks = [axes.texts[0].get_text() for axes in figure.axes if axes.get_title()]
    assert marks == ["reduced: 1,200 of 1,000,000 steps, 2 of 10 seeds\n1 setting changed"] * 8


def test_a_full_run_is_not_marked(paths: Tables) -> None:
    hrl = {("ant_maze", "hrl"): paths["ant_maze", "hrl"]}
    header = figure_06.draw(extents(hrl, reduced=False), hrl, {}).axes[0]
    assert header.texts[0].get_text() == "1,200 steps, 2 seeds"


def test_ring_shows_one_and_the_same_episode(figure: Figure, ring: tuple[Tables, Tables]) -> None:
    """That of the middle length, of which the recording and the steps are."""
    steps, recorded = ring
    panels = [axes for axes in figure.axes if axes.get_title().startswith("(a)")]
    for (diagram, speeds), label in zip((panels[:2], panels[2:]), ("hrl", "cher"), strict=True):
        traffic = recorded["ring_road", label]
        places = traffic.loc[traffic["target"] == LENGTHS[1], "position"]
        ends = np.concatenate([np.concatenate(c.get_segments()) for c in diagram.collections])[:, 1]
        assert (ends.min(), ends.max()) == pytest.approx((places.min(), places.max()))
        commanded, actual = speeds.lines
        table = steps["ring_road", label]
        episode = table[table["target"] == LENGTHS[1]]
        np.testing.assert_allclose(commanded.get_xydata(), np.c_[episode["step"] * 0.2, episode["goal_0"]])
        np.testing.assert_allclose(actual.get_ydata(), episode["state_0"])
        assert (commanded.get_label(), actual.get_label()) == ("Commanded", "Actual")


def test_an_episode_that_a_collision_has_ended_is_seen_to_be_short(ring: tuple[Tables, Tables]) -> None:
    steps, recorded = ({cell: table.copy() for cell, table in tables.items()} for tables in ring)
    short, table = recorded["ring_road", "cher"], steps["ring_road", "cher"]
    recorded["ring_road", "cher"] = short[short["time"] <= 8]
    steps["ring_road", "cher"] = table[table["step"] <= 40]
    panels = [axes for axes in draw(steps, recorded).axes if axes.get_title()]
    assert {axes.get_xlim() for axes in panels} == {(0, 20)}
    assert panels[1].get_ylim() == panels[3].get_ylim()
    assert panels[3].lines[0].get_xdata().max() == pytest.approx(8)


def test_goals_begin_where_the_agent_was_when_they_were_set(figure: Figure, paths: Tables) -> None:
    gather, maze = scenes(figure)[:6], scenes(figure)[6:]
    for task, panels in (("ant_gather", gather), ("ant_maze", maze)):
        for label, three in (("hrl", panels[:3]), ("cher", panels[3:])):
            table = paths[task, label]
            wanted = [(target, 0) for target in table["target"].unique()] if task == "ant_maze" else None
            for axes, (target, episode) in zip(three, wanted or [("default", n) for n in range(3)], strict=True):
                rows = table[(table["target"] == target) & (table["episode"] == episode)]
                np.testing.assert_array_equal(drawn_path(axes), rows[["x", "y"]])
                fresh = rows[rows["period_start"]]
                position = fresh[["x", "y"]].to_numpy()
                np.testing.assert_allclose(links(axes)[:, 0], position)
                np.testing.assert_allclose(links(axes)[:, 1], position + fresh[["goal_0", "goal_1"]].to_numpy())
                assert len(fresh) == 3


def test_panels_of_a_task_have_one_scale_at_which_everything_is_seen(figure: Figure) -> None:
    for panels in (scenes(figure)[:6], scenes(figure)[6:]):
        ((low, high),) = {axes.get_xlim() for axes in panels}
        ((bottom, top),) = {axes.get_ylim() for axes in panels}
        for axes in panels:
            xs, ys = np.concatenate([drawn_path(axes), links(axes).reshape(-1, 2)]).T
            assert low <= xs.min() <= xs.max() <= high
            assert bottom <= ys.min() <= ys.max() <= top


def test_apples_and_bombs_are_those_of_the_episode(figure: Figure) -> None:
    for number, axes in enumerate(scenes(figure)[:3]):
        env = AntGather()
        env.reset(seed=evaluation_start(0, STEPS, 0, number))
        apples, bombs = (found for found in axes.collections[-3:] if not isinstance(found, LineCollection))
        np.testing.assert_array_equal(apples.get_offsets(), env.object_positions[env.object_kinds == 0])
        np.testing.assert_array_equal(bombs.get_offsets(), env.object_positions[env.object_kinds == 1])


def test_no_objects_are_made_up_where_the_start_is_unknown(paths: Tables) -> None:
    hrl = {("ant_gather", "hrl"): paths["ant_gather", "hrl"]}
    figure = figure_06.draw(extents(hrl).assign(steps_run=STEPS + 1), hrl, {})
    for axes in scenes(figure):
        assert len(axes.collections) == 2, "walls, and links to goals"


def test_each_episode_shows_its_own_target(figure: Figure) -> None:
    crosses = [[tuple(line.get_xydata()[0]) for line in axes.lines if line.get_color() == "#D55E00" and
                len(line.get_xdata())] for axes in scenes(figure)[6:]]  # fmt: skip
    assert crosses == [[target] for target in TARGETS] * 2


def test_legend_explains_what_there_is(figure: Figure, paths: Tables) -> None:
    (legend,) = figure.legends
    names = {text.get_text() for text in legend.get_texts() if text.get_text()}
    assert {"Commanded", "Actual", "apple", "bomb", "target"} < names
    maze = draw({("ant_maze", "hrl"): paths["ant_maze", "hrl"]}).legends[0]
    assert "target" in [text.get_text() for text in maze.get_texts()]
    assert not {"Commanded", "apple", "bomb"} & {text.get_text() for text in maze.get_texts()}


def test_episodes_are_those_that_all_have(paths: Tables) -> None:
    """Here the last two of each target; and of the second seed, where only that is common."""
    hrl, later = on_foot("ant_maze", seed=1), on_foot("ant_maze", seed=1)
    both = pd.concat([paths["ant_maze", "hrl"], hrl], ignore_index=True)
    figure = draw({("ant_maze", "hrl"): both, ("ant_maze", "cher"): later[later["episode"] >= 2]})
    for number, axes in enumerate(scenes(figure)):
        target = later["target"].unique()[number % 3]
        rows = hrl[(hrl["target"] == target) & (hrl["episode"] == 2)]
        np.testing.assert_array_equal(drawn_path(axes), rows[["x", "y"]])


@pytest.mark.parametrize(("labels", "panels"), [(["hrl"], 3), (["hrl", "hiro", "cher", "my_own-variant"], 12)])
def test_any_number_of_labels(paths: Tables, labels: list[str], panels: int) -> None:
    figure = draw({("ant_maze", label): paths["ant_maze", "hrl"] for label in labels})
    assert len(scenes(figure)) == panels
    assert len(titles(figure)) == len(labels)
    assert no_text_overlaps(figure)


def test_a_recording_alone_and_steps_alone(ring: tuple[Tables, Tables]) -> None:
    steps, recorded = ring
    diagram, bar = draw({}, {("ring_road", "hrl"): recorded["ring_road", "hrl"]}).axes
    assert bar.get_label() == "<colorbar>"
    assert diagram.get_ylabel() == "Position (m)"
    (speeds,) = draw({("ring_road", "cher"): steps["ring_road", "cher"]}).axes
    assert speeds.get_ylabel() == "Speed (m/s)"


def test_no_text_lies_on_other_text_or_outside_the_figure(figure: Figure) -> None:
    assert no_text_overlaps(figure)


def no_text_overlaps(figure: Figure) -> bool:
    figure.draw_without_rendering()
    texts = [text for axes in figure.axes for text in (axes.title, *axes.texts) if text.get_text()]
    labels = [axis.label for axes in figure.axes if axes.axison for axis in (axes.xaxis, axes.yaxis)]
    boxes = [text.get_window_extent() for text in [*texts, *labels, *figure.legends]]
    inside = all(
        figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1
        and figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1
        for box in boxes
    )
    return inside and not any(box.count_overlaps(boxes[:number]) for number, box in enumerate(boxes) if box.width)


def test_episodes_of_other_seeds_or_lengths_are_refused(ring: tuple[Tables, Tables]) -> None:
    steps, recorded = ring
    other = {cell: table.assign(seed=1) for cell, table in steps.items()}
    with pytest.raises(
        ValueError, match=r"^traffic of ring_road/hrl and steps of ring_road/hrl are of .*: there is no seed 0"
    ):
        draw(other, recorded)
    shorter = {
        ("ring_road", "hrl"): recorded["ring_road", "hrl"],
        ("ring_road", "cher"): on_the_ring(LENGTHS[2:])[0],
    }
    with pytest.raises(ValueError, match="no target length_240; there are length_270"):
        draw({}, shorter)


def test_what_cannot_be_drawn_is_said(ring: tuple[Tables, Tables], paths: Tables) -> None:
    hrl = paths["ant_maze", "hrl"]
    with pytest.raises(ValueError, match="there is nothing to draw"):
        draw({})
    with pytest.raises(ValueError, match="the statistics lack ant_maze/hrl"):
        figure_06.draw(extents([("ant_maze", "cher")]), {("ant_maze", "hrl"): hrl}, {})
    with pytest.raises(ValueError, match="'highway' has no paths to be drawn; allowed: ant_gather"):
        draw({("highway", "hrl"): hrl})
    with pytest.raises(ValueError, match="ant_maze/hrl have no column x"):
        draw({("ant_maze", "hrl"): hrl.drop(columns="x")})
    with pytest.raises(ValueError, match="ring_road/td3 have no column goal_0"):
        draw({("ring_road", "td3"): ring[0]["ring_road", "hrl"].drop(columns="goal_0")})
    with pytest.raises(ValueError, match="hrl and cher have no seed, target and episode in common"):
        draw({("ant_maze", "hrl"): hrl, ("ant_maze", "cher"): hrl.assign(seed=1)})


def test_the_same_numbers_give_the_same_bytes(
    ring: tuple[Tables, Tables], paths: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps, recorded = ring
    tables = {"steps": steps["ring_road", "hrl"], "traffic": recorded["ring_road", "hrl"]}
    tables |= {
        "paths": paths["ant_maze", "hrl"],
        "statistics": extents([("ring_road", "hrl"), ("ant_maze", "hrl")]),
    }
    for name, table in tables.items():
        table.to_parquet(tmp_path / f"{name}.parquet")
    inputs = [
        "--statistics",
        f"{tmp_path}/statistics.parquet",
        "--recordings",
        f"ring_road/hrl={tmp_path}/traffic.parquet",
    ]
    inputs += [
        "--trajectories",
        f"ring_road/hrl={tmp_path}/steps.parquet",
        f"ant_maze/hrl={tmp_path}/paths.parquet",
    ]
    for folder in "ab":
        figure_06.main([*inputs, "--out", *(f"{tmp_path}/{folder}/6.{ending}" for ending in ("svg", "pdf"))])
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
        assert 5_000 < path.stat().st_size < 1_000_000
    with pytest.raises(
        SystemExit, match=r"^figure_06: 'highway/hrl=a.csv' is of another task; allowed: ring_road$"
    ):
        figure_06.main([*inputs[:2], "--recordings", "highway/hrl=a.csv", "--out", "c.png"])
    with pytest.raises(SystemExit, match=r"^figure_06: 'ant_maze/hrl=a.csv' names a file that is not there$"):
        figure_06.main([*inputs[:2], "--trajectories", "ant_maze/hrl=a.csv", "--out", "c.png"])
