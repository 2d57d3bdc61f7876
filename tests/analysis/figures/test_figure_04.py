"""Figure 4: every panel shows its task."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from PIL import Image

from analysis.figures import figure_04
from envs.ant.arena import Arena
from envs.ant.drawing import draw_arena, draw_robot, footprints
from envs.ant.four_rooms import AntFourRooms
from envs.ant.maze import AntMaze

README_PICTURE = Path(__file__).parents[3] / "docs/tasks.png"


@pytest.fixture(scope="module")
def figure():
    return figure_04.draw()


def test_panels_are_the_papers(figure):
    assert [axes.get_title() for axes in figure.axes] == [
        "(a) Highway",
        "(b) Ring Road",
        "(c) Ant Gather",
        "(d) Ant Four Rooms",
        "(e) Ant Maze",
    ]


@pytest.mark.parametrize(("panel", "blocks"), [(2, 4), (3, 61), (4, 18)])
def test_walls_and_robot(figure, panel, blocks):
    (walls,) = [found for found in figure.axes[panel].collections if isinstance(found, PatchCollection)]
    assert len(walls.get_paths()) == blocks
    (legs,) = [found for found in figure.axes[panel].collections if isinstance(found, LineCollection)]
    assert len(legs.get_segments()) == 12


def test_objects_of_gather(figure):
    green, black = [found for found in figure.axes[2].collections if not isinstance(found, PatchCollection)][-2:]
    assert len(green.get_offsets()) == len(black.get_offsets()) == 8


@pytest.mark.parametrize(("panel", "task"), [(3, AntFourRooms), (4, AntMaze)])
def test_targets(figure, panel, task):
    crosses = {tuple(line.get_xydata()[0]) for line in figure.axes[panel].lines}
    assert crosses == {point.options["target"] for point in task().task.evaluation_points}


@pytest.mark.parametrize("task", [AntFourRooms, AntMaze])
def test_walls_are_where_the_robot_may_not_be(task):
    """At random points, the drawn footprints and the arena agree."""
    arena = task().arena
    lows, highs = footprints(arena)
    for x, y in np.random.default_rng(0).uniform(lows.min(0), highs.max(0), (500, 2)).tolist():
        covered = ((lows <= (x, y)) & (highs >= (x, y))).all(1).any()
        assert arena.is_open(x, y) != covered


def test_legs_are_as_long_as_seen_from_above():
    env = AntMaze()
    axes = Figure().add_subplot()
    draw_robot(axes, env.model, env.model.qpos0)
    (legs,) = axes.collections
    lengths = [np.linalg.norm(end - start) for start, end in legs.get_segments()]
    np.testing.assert_allclose(sorted(lengths), [np.hypot(0.2, 0.2)] * 8 + [np.hypot(0.4, 0.4)] * 4)


def test_open_floor_has_no_walls():
    axes = Figure().add_subplot()
    draw_arena(axes, Arena())
    assert axes.get_xlim() == axes.get_ylim() == (-10, 10)


def test_same_bytes_again(tmp_path: Path):
    for name in ("a", "b"):
        figure_04.main(["--out", str(tmp_path / f"{name}.svg"), str(tmp_path / f"{name}.png")])
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").stat().st_size > 5_000


def test_picture_of_the_readme_is_this_figure(tmp_path: Path):
    """Renew it with ``python -m analysis.figures.figure_04 --out docs/tasks.png``."""
    figure_04.main(["--out", str(tmp_path / "tasks.png")])
    ours, shown = (np.asarray(Image.open(path), dtype=float) for path in (tmp_path / "tasks.png", README_PICTURE))
    assert ours.shape == shown.shape
    assert np.abs(ours - shown).mean() < 1
