"""Recordings show the traffic of the episodes that were evaluated, and change nothing about the evaluation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from finished import finished_run
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from toys import RELATIVE

from algorithms import evaluate as evaluation
from algorithms.recording import Recording
from envs.base import EvaluationPoint, TaskEnv
from envs.traffic.car_following import VEHICLE_LENGTH
from envs.traffic.ring_traffic import TIME_STEP, VEHICLES
from envs.traffic.snapshot import Snapshot

RING = {"environment": {"warmup_steps": 20, "horizon": 10, "lengths": [220, 221]}}
COLUMNS = ["seed", "target", "episode", "time", "vehicle", "position", "speed", "automated"]


def evaluate(run: Path, *arguments: str) -> pd.DataFrame:
    """Rows of two episodes per seed and evaluation point."""
    out = run / "rows.csv"
    assert evaluation.main(["--run", str(run), "--episodes", "2", "--out", str(out), *arguments]) == 0
    return pd.read_csv(out)


@pytest.mark.parametrize("seeds", [(4,), (9, 4)], ids=["one process", "a process per seed"])
@pytest.mark.parametrize("algorithm", ["td3", "hrl"])
def test_ring_road(algorithm: str, seeds: tuple[int, ...], tmp_path: Path) -> None:
    """Start and every step of the first seed's first episodes, as the policy has seen them."""
    run = finished_run(tmp_path, "ring_road", algorithm, RING, seeds)
    recording, paths = tmp_path / "new/a.parquet", tmp_path / "a.csv"
    plain = evaluate(run, "--trajectories", str(paths))
    pd.testing.assert_frame_equal(evaluate(run, "--recording", str(recording)), plain)
    assert [path.name for path in recording.parent.iterdir()] == ["a.parquet"]

    table, steps = pd.read_parquet(recording), pd.read_csv(paths)
    assert list(table) == COLUMNS
    kinds = ["int64", "category", "int64", "float64", "category", "float32", "float32", "bool"]
    assert [str(kind) for kind in table.dtypes] == kinds
    assert (table["seed"].unique(), table["episode"].unique()) == (seeds[0], 0)
    steps = steps[(steps["seed"] == seeds[0]) & (steps["episode"] == 0)]
    for target in ("length_220", "length_221"):
        seen, (_, episode) = (
            steps[steps["target"] == target],
            next(iter(table[table["target"] == target].groupby("seed"))),
        )
        np.testing.assert_array_equal(
            episode["time"], np.repeat([0, 0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8, 2], VEHICLES)
        )
        own = episode[episode["automated"]]
        assert own["vehicle"].nunique() == 1
        np.testing.assert_allclose(own["speed"], seen["state_0"], rtol=1e-6)
        mean = episode.groupby("time")["speed"].mean()
        np.testing.assert_allclose(0.1 * mean[1:] ** 2, seen["reward"][:-1], rtol=1e-5)


def test_vehicles_keep_their_distance_and_drive_at_their_speeds(tmp_path: Path) -> None:
    """Positions and speeds belong together: on the way around, and to the vehicle ahead."""
    run, recording = finished_run(tmp_path, "ring_road", "td3", RING, (4,)), tmp_path / "a.csv"
    evaluate(run, "--recording", str(recording))
    table = pd.read_csv(recording)
    for _, episode in table.groupby("target"):
        speeds = episode.pivot(index="time", columns="vehicle", values="speed").to_numpy()
        positions = episode.pivot(index="time", columns="vehicle", values="position").to_numpy()
        driven = np.diff(positions, axis=0) % (int(episode["target"].iloc[0][-3:]) + 0.4)
        np.testing.assert_allclose(driven, TIME_STEP * (speeds[1:] + speeds[:-1]) / 2, atol=1e-4)
        assert np.diff(np.sort(positions, axis=1), axis=1).min() > VEHICLE_LENGTH


def test_both_formats_hold_the_same(tmp_path: Path) -> None:
    run, files = (
        finished_run(tmp_path, "ring_road", "td3", RING, (4,)),
        (tmp_path / "a.csv", tmp_path / "a.parquet"),
    )
    for path in files:
        evaluate(run, "--recording", str(path))
    text, binary = pd.read_csv(files[0]), pd.read_parquet(files[1])
    assert list(text) == list(binary)
    for name in text:
        assert (text[name].astype(binary[name].dtype) == binary[name]).all(), name


def test_a_video_of_the_same_episodes_changes_nothing(tmp_path: Path) -> None:
    """One after the other, both take over the one simulation that SUMO allows this process."""
    run, files = (
        finished_run(tmp_path, "ring_road", "td3", RING, (4,)),
        (tmp_path / "a.parquet", tmp_path / "b.parquet"),
    )
    evaluate(run, "--recording", str(files[0]))
    evaluate(run, "--recording", str(files[1]), "--video", str(tmp_path / "a.mp4"))
    assert files[0].read_bytes() == files[1].read_bytes()


def test_task_without_vehicles_is_refused_before_anything_is_evaluated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(evaluation, "evaluate", lambda *arguments, **options: pytest.fail("it was evaluated"))
    run = finished_run(tmp_path, "ant_gather", "td3")
    assert evaluation.main(["--run", str(run), "--recording", str(tmp_path / "a.csv")]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"error: --run '{run}' cannot be evaluated: ant_gather has no vehicles, so there is no traffic to record"
    )


class Road(TaskEnv):
    """A vehicle enters at every step, and the oldest leaves; the number there is random."""

    task = replace(
        RELATIVE, evaluation_points=(EvaluationPoint("near"), EvaluationPoint("far")), episode_metrics=()
    )
    observation_space = Box(-np.inf, np.inf, (7,), np.float32)
    action_space = Box(-1, 1, (1,), np.float32)

    def reset_episode(self, options: Any) -> Any:
        self.number, self.now = int(self.np_random.integers(2, 9)), 0
        return np.zeros(7, np.float32), {}

    def step_episode(self, action: Any) -> Any:
        self.now += 1
        ended = self.now == self.number
        return np.zeros(7, np.float32), 0.0, False, ended, {"episode_metrics": {}} if ended else {}

    def snapshot(self) -> Snapshot:
        vehicles = np.arange(self.now, self.now + self.number)
        names = [f"vehicle_{vehicle}" for vehicle in vehicles]
        return Snapshot(self.now * 0.4, names, 10.0 * vehicles, 0.5 * vehicles, vehicles % 2 == 0)


class Idle:
    """A policy that does nothing."""

    def reset(self, starts: Any, point: Any = None) -> None:
        pass

    def act(self, observations: Any) -> Any:
        return np.zeros((len(observations), 1), np.float32)


def test_vehicles_may_come_and_go(tmp_path: Path) -> None:
    recording = Recording(Road(), 3, 100)
    envs = SyncVectorEnv([Road, Road], autoreset_mode=AutoresetMode.DISABLED)
    rows = evaluation.evaluate(Idle(), envs, Road.task, (3, 8), step=100, episodes=1, recorders=[recording])
    recording.write(tmp_path / "a.parquet")
    table = pd.read_parquet(tmp_path / "a.parquet")
    assert table["target"].unique().tolist() == ["near", "far"]
    for row in rows[:2]:
        episode, number = table[table["target"] == row["target"]], int(row["episode_length"])
        assert len(episode) == number * (number + 1)
        last = episode[episode["time"] == round(0.4 * number, 6)]
        assert last["vehicle"].tolist() == [f"vehicle_{number + index}" for index in range(number)]
        assert last["position"].tolist() == [10 * (number + index) for index in range(number)]
        assert last["automated"].tolist() == [(number + index) % 2 == 0 for index in range(number)]
