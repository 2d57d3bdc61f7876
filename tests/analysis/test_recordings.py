"""Reading recordings, and what follows from their positions and speeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traffic import STEP, drive, highway, recording, wave

from analysis import recordings
from analysis.recordings import RecordingError


@pytest.fixture
def ring() -> pd.DataFrame:
    return recording(*drive(wave(-5)), automated=21)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_files(ring: pd.DataFrame, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    ring.to_csv(path, index=False) if ending == "csv" else ring.to_parquet(path, index=False)
    read = recordings.read(path)
    assert list(read) == list(ring)
    for name in ring:
        assert (read[name].astype(ring[name].dtype) == ring[name]).all(), name


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "", r"a.txt' is not a recording; allowed endings: .parquet, .csv"),
        ("b.csv", None, r"b.csv' cannot be read: .*No such file"),
        ("c.parquet", "text", r"c.parquet' cannot be read: "),
        ("d.csv", "", r"d.csv' cannot be read: No columns"),
        ("e.csv", "seed,target\n1,a\n", r"e.csv' is not a recording: there is no column episode"),
        ("f.csv", ",".join(recordings.COLUMNS) + "\n", r"f.csv' holds no episode"),
    ],
)
def test_what_is_no_recording_is_refused(name: str, content: str | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(RecordingError, match=message) as refusal:
        recordings.read(tmp_path / name)
    assert "\n" not in str(refusal.value)


def test_steps_without_goals_are_refused(tmp_path: Path) -> None:
    pd.DataFrame({"seed": [0], "target": ["a"], "episode": [0], "step": [0], "state_0": [1.0]}).to_csv(
        tmp_path / "a.csv"
    )
    with pytest.raises(
        RecordingError, match=r"is not a file of trajectories with goals: there is no column goal_0"
    ):
        recordings.read_goals(tmp_path / "a.csv")


def test_episodes_of_a_target(ring: pd.DataFrame) -> None:
    other = ring.assign(target="length_220", speed=1.0)
    table = pd.concat([other.assign(episode=1), ring, other.assign(episode=0, speed=2.0), ring.assign(seed=5)])
    assert [target for target, _ in recordings.episodes(table)] == [
        "length_220",
        "length_245",
        "length_220",
        "length_245",
    ]
    assert (recordings.first_episode(table)["speed"] == 1).all()
    first = recordings.first_episode(table, "length_245")
    pd.testing.assert_frame_equal(first, ring.astype({"target": "str"}), check_dtype=False)
    with pytest.raises(RecordingError, match="no target length_300; there are length_220, length_245"):
        recordings.first_episode(table, "length_300")


def test_roads_are_told_apart(ring: pd.DataFrame) -> None:
    assert recordings.is_ring(ring)
    road = highway()
    assert not recordings.is_ring(road)
    assert not recordings.is_ring(road[road["time"] < 0.5])  # ended by a collision before anybody has left
    with pytest.raises(RecordingError, match="a recording of the highway"):
        recordings.ring_arrays(highway())


def test_arrays_are_ordered_by_time_and_vehicle() -> None:
    positions, speeds = drive(wave(-5), moments=20)
    shuffled = recording(positions, speeds).sample(frac=1, random_state=1)
    found = recordings.ring_arrays(shuffled)
    order = np.argsort([f"vehicle_{index}" for index in range(22)])
    np.testing.assert_allclose(found[0], positions[:, order], rtol=1e-6)
    np.testing.assert_allclose(found[1], speeds[:, order], rtol=1e-6)
    assert recordings.time_step(shuffled) == pytest.approx(STEP)


def test_a_single_moment_has_no_time_step(ring: pd.DataFrame) -> None:
    with pytest.raises(RecordingError, match="single moment"):
        recordings.time_step(ring[ring["time"] == 0])


@settings(max_examples=20, deadline=None)
@given(length=st.floats(155, 400), velocity=st.floats(-10, -1))
def test_circumference_follows_from_vehicles_that_go_round(length: float, velocity: float) -> None:
    positions, speeds = drive(wave(velocity, length), length)
    rounded = positions.astype(np.float32).astype(np.float64)
    assert recordings.circumference(rounded, speeds, STEP) == pytest.approx(length, abs=1e-3)
    assert np.isnan(recordings.circumference(positions[:2] * 0 + 10, speeds[:2] * 0, STEP))


def test_mean_speed_is_that_of_the_vehicles_that_count(ring: pd.DataFrame) -> None:
    speeds = recordings.ring_arrays(ring)[1]
    np.testing.assert_allclose(recordings.mean_speeds(ring), speeds.mean(axis=1), rtol=1e-6)
    road = highway()
    outside = (road["position"] < 500) | (road["position"] > 2300)
    road.loc[outside, "speed"] = 1.0
    assert outside.any()
    assert (recordings.mean_speeds(road) == 20).all()


def test_matching_episodes_are_of_one_seed_and_the_middle_target(ring: pd.DataFrame) -> None:
    short = ring[ring["time"] < 1]
    table = pd.concat([short.assign(seed=seed, target=target) for seed in (2, 3) for target in "abcd"])
    found = recordings.matching_episodes({"first": table, "second": table[table["seed"] == 2].iloc[::-1]})
    assert list(found) == ["first", "second"]
    for episode in found.values():
        assert episode[["seed", "target"]].drop_duplicates().to_numpy().tolist() == [[2, "b"]]
        assert len(episode) == len(short)


def test_episodes_that_do_not_match_are_refused(ring: pd.DataFrame) -> None:
    for other, message in (
        (ring.assign(seed=5), "a and b are of different episodes: there is no seed 0; there are 5"),
        (ring.assign(target="c"), "a and b are of different episodes: there is no target length_245; there are c"),
    ):
        with pytest.raises(RecordingError, match=f"^{message}$"):
            recordings.matching_episodes({"a": ring, "b": other})
