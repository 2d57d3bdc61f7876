"""Checkpoints survive crashes, and never serve another run."""

import logging

import numpy as np
import pytest
import torch

from algorithms.checkpoint import CheckpointError, Checkpoints
from envs.names import TASKS
from envs.tasks import make

STATE = {
    "tensor": torch.arange(6.0).view(2, 3),
    "array": np.arange(4, dtype=np.int64),
    "random": np.random.default_rng(0).bit_generator.state,
    "rows": [{"seed": 0, "return": None, "value": 0.1}],
    "flags": np.array([True, False]),
}


@pytest.fixture
def checkpoints(tmp_path):
    checkpoints = Checkpoints(tmp_path / "run", "hash")
    with checkpoints.lock():
        yield checkpoints


def assert_equal(state, other):
    assert state.keys() == other.keys()
    assert torch.equal(state["tensor"], other["tensor"])
    np.testing.assert_array_equal(state["array"], other["array"])
    assert state["array"].dtype == other["array"].dtype
    assert [state[name] for name in ("random", "rows")] == [other[name] for name in ("random", "rows")]
    np.testing.assert_array_equal(state["flags"], other["flags"])


def test_nothing_to_load(checkpoints):
    assert checkpoints.load() is None


def test_what_is_saved_is_loaded(checkpoints):
    checkpoints.save(STATE)
    assert_equal(checkpoints.load(), STATE)


@pytest.mark.parametrize("kind", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("shape", [(0,), (0, 3), (), (2, 0), (1, 2)])
def test_arrays_of_any_shape_are_loaded(checkpoints, kind, shape):
    array = np.ones(shape, dtype=kind)
    checkpoints.save({"array": array})
    loaded = checkpoints.load()["array"]
    assert (loaded.dtype, loaded.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(loaded, array)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("steps", [0, 1, 13])
def test_running_episode_goes_through_a_checkpoint(checkpoints, task, steps):
    """Also one that has just begun, which has taken no action yet."""
    options = {"ring_road": {"warmup_steps": 10}, "highway": {"pool": False, "warmup_steps": 100}}.get(task)
    env = make(task, options)
    env.reset(seed=1)
    action = env.action_space.high / 2
    for _ in range(steps):
        env.step(action)
    checkpoints.save({"episode": env.episode_state})
    expected = [env.step(action)[0] for _ in range(3)]
    env.close()
    other = make(task, options)
    other.episode_state = checkpoints.load()["episode"]
    np.testing.assert_array_equal([other.step(action)[0] for _ in range(3)], expected)
    other.close()


def test_newest_wins_and_one_before_is_kept(checkpoints):
    for number in range(3):
        checkpoints.save(STATE | {"array": np.array([number])})
    assert checkpoints.load()["array"] == [2]
    assert sorted(path.name for path in checkpoints.folder.iterdir()) == [
        "checkpoint.previous.pt",
        "checkpoint.pt",
    ]


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_damaged_file_falls_back_on_the_one_before(checkpoints, damage, caplog):
    checkpoints.save(STATE | {"array": np.array([1])})
    checkpoints.save(STATE | {"array": np.array([2])})
    path = checkpoints.folder / "checkpoint.pt"
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 1
    path.write_bytes({"cut": data[: len(data) // 2], "flip": data, "empty": b""}[damage])
    with caplog.at_level(logging.WARNING):
        assert checkpoints.load()["array"] == [1]
    assert "damaged" in caplog.text


def test_killed_between_the_two_moves(checkpoints):
    checkpoints.save(STATE)
    (checkpoints.folder / "checkpoint.pt").rename(checkpoints.folder / "checkpoint.previous.pt")
    assert_equal(checkpoints.load(), STATE)


def test_no_intact_file_is_an_error(checkpoints):
    checkpoints.save(STATE)
    (checkpoints.folder / "checkpoint.pt").write_bytes(b"rubbish")
    with pytest.raises(CheckpointError, match="no checkpoint is intact; delete "):
        checkpoints.load()


def test_checkpoint_of_another_configuration_is_refused(checkpoints):
    checkpoints.save(STATE)
    other = Checkpoints(checkpoints.run, "other")
    assert other.load() is None
    checkpoints.folder.rename(other.folder)
    with pytest.raises(CheckpointError, match=r"belongs to another configuration \(hash, not other"):
        other.load()


def test_run_is_locked(checkpoints):
    with pytest.raises(CheckpointError, match="another process is training this run"):
        Checkpoints(checkpoints.run, "other").lock()


@pytest.fixture
def finished(checkpoints):
    checkpoints.save(STATE)
    checkpoints.finished.mkdir()
    for name in ("a.csv", "b.json"):
        (checkpoints.finished / name).write_text(name)
    return checkpoints


def test_finished_files_outlive_the_checkpoints(finished):
    (finished.folder / "checkpoint.partial").write_bytes(b"left by a kill")
    finished.remove()
    assert [path.name for path in finished.folder.iterdir()] == ["finished"]
    assert finished.load() is None


@pytest.mark.parametrize("links", [True, False])
def test_finished_files_are_published(finished, tmp_path, monkeypatch, links):
    def refuse(source, target):
        raise OSError("no links here")

    if not links:
        monkeypatch.setattr("algorithms.checkpoint.os.link", refuse)
    for _ in range(2):
        assert finished.publish(tmp_path / "runs/x", ["a.csv", "b.json"])
    assert {path.name: path.read_text() for path in (tmp_path / "runs/x").iterdir()} == {
        "a.csv": "a.csv",
        "b.json": "b.json",
    }


def test_incomplete_files_are_not_published(finished, tmp_path):
    assert not finished.publish(tmp_path / "runs/x", ["a.csv", "b.json", "c.pt"])
    assert not (tmp_path / "runs").exists()


def test_checkpoint_of_another_version_is_refused(checkpoints, monkeypatch):
    checkpoints.save(STATE)
    monkeypatch.setattr("algorithms.checkpoint.LAYOUT", -1)
    with pytest.raises(CheckpointError, match="was written by another version of this software; delete"):
        checkpoints.load()
