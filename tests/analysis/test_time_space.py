"""What time-space diagrams, mean speeds and commanded speeds show, and that their files stay small."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from PIL import Image
from traffic import RING_LENGTH, STEP, drive, highway, recording, wave

from analysis import style, time_space
from envs.traffic.drawing import SLOW_PART

#: What people without one kind of cones see of linear RGB (Machado, Oliveira and Fernandes, 2009).
COLOUR_BLINDNESS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
    "none": np.eye(3),
}


@pytest.fixture(autouse=True)
def _restore_style() -> Iterator[None]:
    with matplotlib.rc_context():
        style.use()
        yield


@pytest.fixture(scope="module")
def ring() -> pd.DataFrame:
    return recording(*drive(wave(-5)), automated=21)


def diagram(episode: pd.DataFrame) -> tuple[Axes, LineCollection, LineCollection]:
    """The axes, all vehicles and the automated ones."""
    axes = Figure().add_subplot()
    time_space.draw_time_space(axes, episode)
    traffic, automated = (artist for artist in axes.collections if isinstance(artist, LineCollection))
    return axes, traffic, automated


def test_lines_of_the_ring_break_where_a_vehicle_has_gone_round(ring: pd.DataFrame) -> None:
    lines, speeds, automated = time_space.segments(ring)
    driven = np.diff(lines, axis=1)[:, 0]
    np.testing.assert_allclose(driven[:, 0], STEP)
    np.testing.assert_allclose(driven[:, 1], STEP * speeds, atol=1e-4)
    positions, _ = drive(wave(-5))
    rounds = (np.diff(positions, axis=0) < 0).sum(axis=0)
    assert rounds.min() > 0
    assert len(lines) == 500 * 22 - rounds.sum()
    assert automated.sum() == 500 - rounds[21]


def test_lines_break_where_a_vehicle_is_away() -> None:
    road = highway()
    away = road[~road["time"].between(20, 21)]
    lines = time_space.segments(away)[0]
    assert np.diff(lines, axis=1)[:, 0, 0].max() == pytest.approx(STEP)
    vehicles = road.groupby("vehicle", observed=True)
    assert len(time_space.segments(road)[0]) == sum(len(rows) - 1 for _, rows in vehicles)


def test_ring_is_shown_as_a_whole_and_coloured_by_speed(ring: pd.DataFrame) -> None:
    axes, traffic, automated = diagram(ring)
    assert axes.get_xlim() == (0, 100)
    assert axes.get_ylim() == pytest.approx((0, RING_LENGTH), abs=1)
    assert (traffic.get_clim(), traffic.get_cmap()) == ((0, 8), time_space.SPEED_COLOURS)
    assert traffic.get_array().min() == pytest.approx(2.5, abs=0.01)
    assert same_color(automated.get_color()[0], "black")
    assert 400 < len(automated.get_segments()) < 500
    assert automated.get_zorder() >= traffic.get_zorder()


def test_slow_end_of_the_highway_is_left_out() -> None:
    axes, traffic, automated = diagram(highway())
    assert axes.get_ylim() == (0, SLOW_PART)
    assert traffic.get_clim() == (0, 15)
    ends = np.array(traffic.get_segments())[..., 1]
    assert (ends.min(), ends.max()) == pytest.approx((0, 2500), abs=4)
    inside = np.array(automated.get_segments())[..., 1]
    assert (inside.min(), inside.max()) == pytest.approx((500, 2300), abs=4)


def test_waves_go_down_in_the_picture(tmp_path: Path) -> None:
    """The place of the slowest pixel of a column falls by 5 m/s."""
    figure = Figure(figsize=(5, 5), dpi=100)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    time_space.draw_time_space(axes, recording(*drive(wave(-5))), (2.5, 5.5))
    axes.set_axis_off()
    figure.savefig(tmp_path / "a.png", dpi=100)
    pixels = np.asarray(Image.open(tmp_path / "a.png").convert("RGB")).astype(float)[::-1]  # [y upwards, x, rgb]
    slow = np.linalg.norm(pixels - 255 * np.array(time_space.SPEED_COLOURS(0.0)[:3]), axis=-1) < 60
    angles = 2 * np.pi * np.arange(500) / 500
    phase = np.unwrap([np.angle(np.exp(1j * angles)[column].sum()) for column in slow.T[5:-5]])
    velocity = np.polyfit(np.arange(len(phase)) / 5, phase, 1)[0] * RING_LENGTH / (2 * np.pi)
    assert velocity == pytest.approx(-5, abs=0.2)


@pytest.mark.parametrize("kind", COLOUR_BLINDNESS)
def test_speeds_are_told_apart_by_all_readers(kind: str) -> None:
    """Slow, middling, fast and paper are at least 18 apart in CIELAB (2.3 is just noticeable)."""
    colours = np.vstack([time_space.SPEED_COLOURS([0.0, 0.3, 1.0])[:, :3], np.ones(3)])
    seen = cielab(colours, COLOUR_BLINDNESS[kind])
    distances = np.linalg.norm(seen[:, None] - seen, axis=-1)[np.triu_indices(4, 1)]
    assert distances.min() > 18


def test_slow_traffic_is_dark() -> None:
    """Also a black and white print shows the waves."""
    lightness = cielab(time_space.SPEED_COLOURS(np.linspace(0, 1, 11))[:, :3], np.eye(3))[:, 0]
    assert (np.diff(lightness[:6]) > 5).all()
    assert lightness[5:].min() > lightness[:3].max() + 15


def cielab(colours: np.ndarray, blindness: ArrayLike) -> np.ndarray:
    """Colours in sRGB, [n, 3], as seen with a kind of colour blindness, in CIELAB."""
    linear = np.where(colours > 0.04045, ((colours + 0.055) / 1.055) ** 2.4, colours / 12.92)
    xyz = np.clip(linear @ np.transpose(blindness), 0, 1) @ np.array(
        [[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]]
    )
    scaled = xyz / np.array([0.9505, 1.0, 1.0891])
    x, y, z = np.where(scaled > 0.008856, np.cbrt(scaled), 7.787 * scaled + 16 / 116).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def test_mean_speeds_have_the_colours_of_their_algorithms(ring: pd.DataFrame) -> None:
    axes = Figure().add_subplot()
    time_space.draw_mean_speed(axes, {"Human": ring, "CHER": ring, "hrl": ring, "FollowerStopper": ring})
    human, cher, hrl, stopper = axes.get_lines()
    assert [line.get_linestyle() for line in (human, cher, hrl, stopper)] == ["--", "-", "-", "-."]
    assert human.get_zorder() > cher.get_zorder()
    for driver, line in (("human", human), ("follower_stopper", stopper)):
        assert same_color(line.get_color(), style.DRIVER_LINES[driver][1])
    assert [line.get_color() for line in (cher, hrl)] == [style.COLOURS["cher"], style.COLOURS["hrl"]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "Human",
        "CHER",
        "hrl",
        "FollowerStopper",
    ]
    np.testing.assert_allclose(cher.get_xdata(), np.arange(501) * STEP, atol=1e-9)
    np.testing.assert_allclose(cher.get_ydata(), ring.groupby("time")["speed"].mean())


def test_bar_explains_the_colours_once(ring: pd.DataFrame) -> None:
    figure = time_space.draw({"Human": ring, "CHER": ring}, limits=(1, 6))
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["Human", "CHER", "Mean speed"]
    (bar,) = [axes for axes in figure.axes if axes.get_label() == "<colorbar>"]
    assert (bar.get_ylabel(), bar.get_ylim()) == ("Speed (m/s)", (1, 6))
    clims = [artist.get_clim() for axes in figure.axes[:2] for artist in axes.collections[:1]]
    assert clims == [(1, 6)] * 2


def test_episodes_of_different_lengths_share_the_time_axis(ring: pd.DataFrame) -> None:
    figure = time_space.draw({"Human": ring[ring["time"] <= 20], "CHER": ring})
    assert [axes.get_xlim() for axes in figure.axes[:3]] == [(0, 100)] * 3


@pytest.fixture
def files(ring: pd.DataFrame, tmp_path: Path) -> dict[str, Path]:
    """Two recordings, and the steps of seeds 0 and 1 with goals."""
    paths = {name: tmp_path / f"{name}.parquet" for name in ("human", "cher", "steps")}
    other = ring.assign(target="length_220", speed=1.0)
    pd.concat([ring, other]).to_parquet(paths["human"])
    pd.concat([other.assign(seed=1), other, ring]).to_parquet(paths["cher"])
    step = {"target": "length_245", "episode": 0, "step": range(3), "state_0": [1.0, 2.0, 3.0]}
    goals = [pd.DataFrame({"seed": seed, **step, "goal_0": [9.0 - seed, 9.0, None]}) for seed in (0, 1)]
    pd.concat(goals).to_parquet(paths["steps"])
    return paths


def test_seed_and_targets_are_those_of_the_first_recording(files: dict[str, Path]) -> None:
    paths = [files["human"], files["cher"]]
    for target, expected in ((None, "length_245"), ("length_220", "length_220")):
        recorded = time_space.load(paths, ["Human", "CHER"], target)
        assert [episode["target"].unique().tolist() for episode in recorded.values()] == [[expected]] * 2
        assert [episode["seed"].unique().tolist() for episode in recorded.values()] == [[0]] * 2


def test_recordings_of_different_seeds_are_refused(ring: pd.DataFrame, tmp_path: Path) -> None:
    paths = [tmp_path / "zero.parquet", tmp_path / "one.parquet"]
    for seed, path in enumerate(paths):
        ring.assign(seed=seed).to_parquet(path)
    with pytest.raises(SystemExit, match=r"^time_space: '.*one\.parquet': there is no seed 0; there are 1$"):
        time_space.main(["--recording", *map(str, paths), "--out", str(tmp_path / "a.png")])


def test_commanded_and_actual_speed_of_the_recorded_seed(files: dict[str, Path], ring: pd.DataFrame) -> None:
    recorded = {"HRL": ring, "CHER": ring.assign(seed=1)}
    goals = time_space.load_goals([files["steps"]] * 2, recorded)
    figure = time_space.draw(recorded, goals)
    panels = [axes for axes in figure.axes if axes.get_ylim() == axes.get_ylim() and len(axes.get_lines()) == 2][
        1:
    ]
    firsts = []
    for axes in panels:
        commanded, actual = axes.get_lines()
        assert (commanded.get_label(), actual.get_label()) == ("Commanded", "Actual")
        np.testing.assert_allclose(actual.get_xydata(), [(0, 1), (STEP, 2), (2 * STEP, 3)])
        firsts.append(commanded.get_ydata()[0])
    assert firsts == [9, 8]
    assert panels[0].get_ylim() == panels[1].get_ylim()


def test_vector_files_stay_small(files: dict[str, Path], tmp_path: Path) -> None:
    """The 11,000 lines are an image in them; and the same numbers give the same bytes."""
    written = []
    for name in "ab":
        out = [tmp_path / f"new/{name}.{ending}" for ending in ("svg", "pdf")]
        time_space.main(["--recording", str(files["human"]), "--label", "Human", "--out", *map(str, out)])
        written.append([path.read_bytes() for path in out])
    assert written[0] == written[1]
    assert all(len(content) < 1_000_000 for content in written[0])
    assert written[0][0].count(b"<path") < 500
    assert written[0][0].count(b"<image") >= 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--label", "Human"], "--label must be 2 different names, one per recording; got Human"),
        (["--label", "a", "a"], "--label must be 2 different names, one per recording; got a a"),
        (["--trajectories", "a.csv"], "--trajectories must be 2 files, one per recording; got 1"),
        (["--limits", "5", "5"], "--limits must be two speeds, the lower one first; got 5 5"),
    ],
)
def test_wrong_arguments_are_refused(
    changes: list[str], message: str, files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [str(files["human"]), str(files["cher"])]
    with pytest.raises(SystemExit) as stop:
        time_space.main(["--recording", *paths, "--out", "a.png", *changes])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--target", "length_300"], "there is no target length_300; there are length_245, length_220"),
        (["--recording", "nowhere.csv"], "'nowhere.csv' cannot be read"),
        (["--trajectories", "steps", "--target", "length_220"], "there is no target length_220"),
        (["--out", "figure.jpeg"], "'figure.jpeg' is not a figure file; allowed endings: .svg, .pdf, .png"),
    ],
)
def test_what_cannot_be_drawn_is_said(changes: list[str], message: str, files: dict[str, Path]) -> None:
    arguments = ["--recording", str(files["human"]), "--out", "a.png", *changes]
    with pytest.raises(SystemExit, match=message):
        time_space.main([str(files.get(argument, argument)) for argument in arguments])


def test_steps_of_another_seed_are_refused(files: dict[str, Path], ring: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="there is no seed 7; there are 0, 1"):
        time_space.load_goals([files["steps"]], {"CHER": ring.assign(seed=7)})
