"""A training that cannot go on says so in one line, and can be continued from its last checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from algorithms import train
from algorithms.config import load_preset, resolve
from algorithms.trainer import Breakdown, Trainer
from envs.ant import rendering
from envs.ant.robot import AntEnv

ARGUMENTS = ["--preset", "smoke", "--task", "ant_maze", "--algorithm", "hrl", "--seeds", "0", "--steps", "600"]
SAVED, BROKEN = 200, 277  # training steps
WARMUP = 500


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MuJoCo logs its warnings to a file in the working directory."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def run(out: Path) -> int:
    return train.main([*ARGUMENTS, "--set", f"run.checkpoint_every={SAVED}", "--out", str(out)])


def progress(out: Path) -> bytes:
    return (out / "runs/ant_maze/hrl/seeds_0/progress.csv").read_bytes()


def test_broken_simulation_keeps_the_last_checkpoint(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    steps, simulate = 0, AntEnv.simulate

    def explode(env: AntEnv, action: Any) -> dict[str, Any]:
        nonlocal steps
        steps += 1
        if steps == WARMUP + BROKEN:
            env.data.qvel[0] = 1e12
        return simulate(env, action)

    with monkeypatch.context() as patch:
        patch.setattr(AntEnv, "simulate", explode)
        assert run(tmp_path / "broken") == 1
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith(f"error: ant_maze/hrl/seeds_0, after step {BROKEN - 1}: the simulation broke down")
    assert "mjWARN_BADQVEL" in line
    assert not (tmp_path / "broken/runs").exists()

    caplog.set_level("INFO")
    assert run(tmp_path / "broken") == 0
    assert f"continuing at step {SAVED}" in caplog.text
    assert run(tmp_path / "whole") == 0
    assert progress(tmp_path / "broken") == progress(tmp_path / "whole")


@pytest.mark.parametrize("algorithm", ["td3", "hrl"])
def test_policy_that_has_diverged(algorithm: str) -> None:
    config = resolve(load_preset("smoke"), "ant_maze", algorithm, seeds=[0])
    trainer = Trainer(config, torch.device("cpu"))
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        if calls == WARMUP + 1:
            for tensor in trainer.algorithm.networks.values():
                tensor.fill_(torch.nan)
        return False

    with pytest.raises(
        Breakdown, match=f"{algorithm}/seeds_0, after step 0: action .* 8 finite numbers; the last"
    ):
        trainer.run(stop, lambda: None)
    trainer.close()


def test_networks_that_have_diverged_are_not_saved() -> None:
    trainer = Trainer(resolve(load_preset("smoke"), "ant_maze", "td3", seeds=[0]), torch.device("cpu"))
    assert trainer.state_dict()["step"] == -WARMUP
    next(iter(trainer.algorithm.networks.values())).flatten()[0] = torch.inf
    with pytest.raises(Breakdown, match=r"td3/seeds_0, after step -500: policy.* is not finite; the last"):
        trainer.state_dict()
    trainer.close()


@pytest.mark.parametrize("threads", [1, 2])
def test_the_seed_that_broke_down_is_named(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(
        resolve(load_preset("smoke"), "ant_maze", "td3", seeds=[3, 8]), torch.device("cpu"), threads=threads
    )
    broken = trainer.envs.envs[1].unwrapped
    simulate = AntEnv.simulate

    def explode(env: AntEnv, action: Any) -> dict[str, Any]:
        if env is broken and env.elapsed_steps == 5:
            env.data.qvel[0] = 1e12
        return simulate(env, action)

    monkeypatch.setattr(AntEnv, "simulate", explode)
    with pytest.raises(Breakdown, match=r"3,8, after step -495: seed 8: the simulation broke down at step 6"):
        trainer.run(lambda: False, lambda: None)
    trainer.close()


def test_images_that_cannot_be_drawn_are_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(rendering, "usable_backend", lambda: None)
    task = ["--preset", "smoke", "--task", "visual_ant_maze", "--algorithm", "hrl", "--seeds", "0"]
    assert train.main([*task, "--set", "environment.renderer=mujoco", "--out", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith(
        "error: system libraries for pictures of the Ant are missing; install them with: apt-get"
    )
