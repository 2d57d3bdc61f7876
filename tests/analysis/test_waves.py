"""The velocity of waves is found from traffic whose waves are known, and that of the ring is the known one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traffic import RING_LENGTH, STEP, drive, highway, recording, wave

from analysis import waves
from analysis.recordings import RecordingError
from envs.tasks import make

#: Faster or slower than every vehicle (2.5 to 5.5 m/s): vehicles would gather where the wave has their speed.
VELOCITIES = st.floats(-11, -1) | st.floats(0, 1.5) | st.floats(6.5, 11)


@settings(max_examples=25, deadline=None)
@given(velocity=VELOCITIES, length=st.floats(155, 400), number=st.integers(1, 3), noise=st.floats(0, 1))
def test_velocity_of_made_up_waves(velocity: float, length: float, number: int, noise: float) -> None:
    positions, speeds = drive(wave(velocity, length, number), length)
    noisy = speeds + noise * np.random.default_rng(0).normal(size=speeds.shape)
    found, correlation = waves.wave_speed(positions, noisy, length, STEP)
    assert found == pytest.approx(velocity, abs=0.1)
    assert 0.3 < correlation <= 1
    # the same traffic, driving the other way
    mirrored = waves.wave_speed(length - positions, noisy, length, STEP)
    assert mirrored == pytest.approx((-found, correlation), abs=1e-6)


@pytest.mark.parametrize("velocity", [-5.08, -5.05, -5.02])
def test_waves_that_do_not_change(velocity: float) -> None:
    """They correlate fully, along a velocity that is found to a fraction of the resolution."""
    found, correlation = waves.wave_speed(*drive(wave(velocity)), RING_LENGTH, STEP)
    assert found == pytest.approx(velocity, abs=0.2 * waves.RESOLUTION)
    assert correlation == pytest.approx(1, abs=0.01)


def test_noise_alone_has_no_waves() -> None:
    positions, speeds = drive(wave(-5))
    speeds = np.random.default_rng(0).normal(size=speeds.shape)
    assert abs(waves.wave_speed(positions, speeds, RING_LENGTH, STEP)[1]) < 0.05


def test_mean_and_spread() -> None:
    positions, speeds = drive(wave(-5))
    found = waves.measure(recording(positions, speeds))
    assert found.wave_speed == pytest.approx(-5, abs=0.05)
    assert found.mean_speed == pytest.approx(speeds.mean(), rel=1e-5)
    assert found.speed_std == pytest.approx(speeds.std(axis=1).mean(), rel=1e-5)


@pytest.mark.parametrize("speed", [0.0, 4.0], ids=["standstill", "uniform traffic"])
def test_traffic_in_which_nothing_varies_has_no_wave_speed(speed: float) -> None:
    found = waves.measure(recording(*drive(lambda places, _: np.full_like(places, speed))))
    assert np.isnan([found.wave_speed, found.correlation]).all()
    assert (found.mean_speed, found.speed_std) == (speed, 0)


def test_highway_is_refused() -> None:
    with pytest.raises(RecordingError, match="it must be one of the ring road"):
        waves.measure(highway())


def human_ring(length: int) -> pd.DataFrame:
    """An episode of the ring with human drivers alone, after the whole warm-up."""
    env = make("ring_road", {"human_only": True})
    env.reset(seed=1, options={"length": length})
    snapshots = [env.snapshot()]
    for _ in range(env.task.horizon):
        env.step(np.zeros(1, dtype=np.float32))
        snapshots.append(env.snapshot())
    env.close()
    return recording(np.array([now.positions for now in snapshots]), np.array([now.speeds for now in snapshots]))


def test_waves_of_human_drivers_travel_backwards() -> None:
    """At about 5 m/s, as on real roads; the spread is that of saturated waves, 3.5 m/s."""
    found = waves.measure(human_ring(245))
    assert -6 <= found.wave_speed <= -3.5
    assert found.correlation > 0.9
    assert found.mean_speed == pytest.approx(3.2, abs=0.3)
    assert found.speed_std == pytest.approx(3.4, abs=0.3)


def test_beginning_may_be_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Uniform traffic once a controller has dissolved the waves."""
    positions, speeds = drive(
        lambda places, time: wave(-5)(places, time) if time < 40 else np.full_like(places, 4)
    )
    episode = recording(positions, speeds)
    assert waves.table(episode)["wave_speed"].item() == pytest.approx(-5, abs=0.2)
    assert waves.table(episode)["speed_std"].item() == pytest.approx(
        0.4 * waves.measure(episode[episode["time"] < 40]).speed_std, rel=0.01
    )
    late = waves.table(episode, after=40)
    assert np.isnan(late["wave_speed"].item())
    assert late["speed_std"].item() == 0
    episode.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(SystemExit, match="nothing was recorded after 200 s; recordings end at 100 s"):
        waves.main(["--recording", str(tmp_path / "a.csv"), "--after", "200"])
    waves.main(["--recording", str(tmp_path / "a.csv"), "--after", "40"])
    assert "NaN" in capsys.readouterr().out


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (recording(*drive(wave(velocity)), target=name) for velocity, name in ((-5, "a"), (8, "b")))
    pd.concat([first, second]).to_parquet(tmp_path / "human.parquet")
    waves.main(["--recording", str(tmp_path / "human.parquet")])
    head, *rows = (line.split() for line in capsys.readouterr().out.splitlines())
    assert head == [
        "recording",
        "seed",
        "target",
        "episode",
        "wave_speed",
        "correlation",
        "mean_speed",
        "speed_std",
    ]
    assert [row[:3] for row in rows] == [["human", "0", "a"], ["human", "0", "b"]]
    assert [float(row[4]) for row in rows] == pytest.approx([-5, 8], abs=0.1)
    highway().to_parquet(tmp_path / "highway.parquet")
    with pytest.raises(SystemExit, match="waves: this is a recording of the highway"):
        waves.main(["--recording", str(tmp_path / "highway.parquet")])
