"""Videos show the episodes that were evaluated, and change nothing about the evaluation."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from finished import finished_run

from algorithms import evaluate as evaluation
from algorithms.video import CAPTION_HEIGHT
from envs.ant import gather, rendering
from envs.ant.gather import AntGather
from envs.traffic.ring import RingRoad

RING = {"environment": {"warmup_steps": 5, "horizon": 10, "lengths": [220, 221]}}


def frames_of(path: Path) -> tuple[dict[str, Any], list[np.ndarray]]:
    """What is in a video file: its description and its frames, [H, W, 3]."""
    reader = imageio_ffmpeg.read_frames(str(path))
    about = next(reader)
    width, height = about["size"]
    return about, [np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in reader]


def evaluate(run: Path, *arguments: str) -> list[dict[str, str]]:
    """Rows of two episodes per seed and evaluation point."""
    out = run / "rows.csv"
    assert evaluation.main(["--run", str(run), "--episodes", "2", "--out", str(out), *arguments]) == 0
    with out.open() as file:
        return list(csv.DictReader(file))


def steps_of_first_episodes(trajectories: Path) -> list[dict[str, str]]:
    """Rows of the first seed's first episode at each evaluation point."""
    with trajectories.open() as file:
        return [row for row in csv.DictReader(file) if (row["seed"], row["episode"]) == ("4", "0")]


@pytest.fixture
def short_gather(opengl: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "HORIZON", 12)


@pytest.mark.parametrize("algorithm", ["td3", "hrl"])
def test_video_of_ant_gather(
    algorithm: str, short_gather: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First seed, first episode, in real time; the rows are those of an evaluation without a video."""
    run, video, paths = finished_run(tmp_path, "ant_gather", algorithm), tmp_path / "new/a.mp4", tmp_path / "a.csv"
    expected = evaluate(run, "--trajectories", str(paths))
    poses, draw = [], AntGather.draw
    monkeypatch.setattr(AntGather, "draw", lambda env: poses.append(env.data.qpos[:2].copy()) or draw(env))
    assert evaluate(run, "--video", str(video)) == expected
    about, frames = frames_of(video)
    assert (about["codec"], about["fps"], about["size"]) == ("h264", 10, (480, 480 + CAPTION_HEIGHT))
    assert len(frames) == 13
    steps = steps_of_first_episodes(paths)
    np.testing.assert_allclose(poses, [(float(row["x"]), float(row["y"])) for row in steps], rtol=1e-6)
    assert (frames[0] != frames[-1]).any()
    assert [path.name for path in video.parent.iterdir()] == ["a.mp4"]


def test_video_of_ring_road(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both evaluation points, one after the other, at 20 times real time: every fourth step and the last one."""
    run, video = finished_run(tmp_path, "ring_road", "td3", RING), tmp_path / "ring.mp4"
    paths = tmp_path / "a.csv"
    expected = evaluate(run, "--trajectories", str(paths))
    speeds, draw = [], RingRoad.draw
    monkeypatch.setattr(RingRoad, "draw", lambda env: speeds.append(env.traffic.speeds[-1]) or draw(env))
    assert evaluate(run, "--video", str(video)) == expected
    about, frames = frames_of(video)
    assert (about["fps"], len(frames)) == (25, 8)
    first = [row for row in steps_of_first_episodes(paths) if row["step"] in ("0", "4", "8", "10")]
    assert [row["target"] for row in first] == ["length_220"] * 4 + ["length_221"] * 4
    np.testing.assert_allclose(speeds, [float(row["state_0"]) for row in first], rtol=1e-6)


def test_machine_without_opengl_is_told_before_anything_is_evaluated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(rendering, "usable_backend", lambda: None)
    monkeypatch.setattr(evaluation, "evaluate", lambda *arguments, **options: pytest.fail("it was evaluated"))
    video = tmp_path / "a.mp4"
    run = finished_run(tmp_path, "ant_gather", "td3")
    assert evaluation.main(["--run", str(run), "--video", str(video)]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"error: --run '{run}' cannot be evaluated: system libraries for pictures of the Ant are missing; "
        "install them with: apt-get update && apt-get install -y libegl1 libgl1"
    )
    assert not video.exists()
