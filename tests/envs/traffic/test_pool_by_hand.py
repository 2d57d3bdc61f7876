"""Saved states: made reproducibly, found by their parameters, and loaded as they were."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.base import TaskEnv
from envs.options import HighwayOptions
from envs.traffic.highway_traffic import Conditions, HighwayTraffic
from envs.traffic.pool import CACHE_VARIABLE, MANIFEST, MissingStatesError, build, folder, main, state_file

TINY: dict[str, Any] = {"warmup_steps": 150, "states": 2, "end_speeds": [6.0, 7.0]}
ROOT = Path(__file__).parents[3]


def contents(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(path.iterdir())}


def test_two_builds_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one in another process, and a day later as far as files are concerned."""
    options = HighwayOptions(**TINY)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "one"))
    first = contents(build(options))
    assert len(first) == 5
    states = [content for name, content in first.items() if name != MANIFEST]
    assert len(set(states)) == 4
    command = [sys.executable, "-m", "envs.traffic.pool", "--options", json.dumps(TINY)]
    variables = {**os.environ, CACHE_VARIABLE: str(tmp_path / "two"), "PYTHONHASHSEED": "5"}
    subprocess.run(command, cwd=ROOT, env=variables, check=True, capture_output=True)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "two"))
    assert contents(folder(options)) == first


def test_states_do_not_depend_on_which_others_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    many, one = HighwayOptions(**TINY), HighwayOptions(**{**TINY, "states": 1, "end_speeds": [7.0]})
    build(many)
    build(one)
    assert state_file(many, 7.0, 0).read_bytes() == state_file(one, 7.0, 0).read_bytes()


def test_a_second_build_leaves_everything_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    options = HighwayOptions(**{**TINY, "states": 1})
    made = build(options)
    before = {file: file.stat().st_mtime_ns for file in made.iterdir()}
    assert build(options) == made
    assert {file: file.stat().st_mtime_ns for file in made.iterdir()} == before
    assert [path.name for path in made.parent.iterdir()] == [made.name]


@pytest.mark.parametrize("options", [TINY, {**TINY, "flows": [1800.0, 90.5]}])
def test_command_of_the_message_makes_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, highway: Callable[..., TaskEnv], options: dict[str, Any]
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    env = highway(**options)
    with pytest.raises(MissingStatesError) as caught:
        env.reset(seed=0)
    message = str(caught.value)
    assert "\n" not in message
    assert str(tmp_path) in message
    found = re.search(r"python (-m envs\.traffic\.pool.*)$", message)
    assert found, message
    command = [sys.executable, *shlex.split(found.group(1))]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert env.reset(seed=0)[0].shape == (125,)


MATTERS: dict[str, Any] = {
    "warmup_steps": 2999,
    "noise": 0.2,
    "inflow": 2060.0,
    "automated_share": 1 / 12,
    "flows": [1900.0, 150.0],
    "end_speeds": [5.0, 6.0, 8.0],
}
DOES_NOT_MATTER: dict[str, Any] = {
    "horizon": 700,
    "max_accel": 1.0,
    "frame_skip": 5,
    "history_bug": True,
    "human_only": True,
    "slots": 10,
    "sims_per_step": 3,
    "enforced_end_speed": 6.0,
    "av_speed_mode": 25,
}


@pytest.mark.parametrize("name", MATTERS)
def test_what_shapes_states_changes_their_folder(name: str) -> None:
    assert folder(HighwayOptions(**{name: MATTERS[name]})) != folder(HighwayOptions())


@pytest.mark.parametrize("name", DOES_NOT_MATTER)
def test_what_shapes_only_episodes_does_not(name: str) -> None:
    assert folder(HighwayOptions(**{name: DOES_NOT_MATTER[name]})) == folder(HighwayOptions())


def test_equal_numbers_are_the_same_states() -> None:
    assert folder(HighwayOptions(inflow=2050, end_speeds=(5, 6, 7))) == folder(HighwayOptions())


def test_manifest_tells_what_was_made(short_states: dict[str, Any]) -> None:
    options = HighwayOptions(**short_states)
    manifest = json.loads((folder(options) / MANIFEST).read_text())
    states = {(state["end_speed"], state["number"]): state for state in manifest["pool"]}
    assert set(states) == {(speed, number) for speed in (5.0, 6.0) for number in (0, 1)}
    for (speed, number), state in states.items():
        assert (folder(options) / state["file"]) == state_file(options, speed, number)


def test_loaded_state_is_the_saved_one(tmp_path: Path) -> None:
    traffic, generator = HighwayTraffic(), np.random.default_rng(0)
    conditions = Conditions(end_speed=6.0, human_flow=1950.0, automated_flow=90.0, noise=0.3)
    traffic.start(conditions, 5)
    for _ in range(400):
        traffic.step(generator, {})
    names, positions, speeds = list(traffic.names), traffic.positions.copy(), traffic.speeds.copy()
    path = tmp_path / "state.xml.gz"
    traffic.save(path)
    HighwayTraffic().start(conditions, 6)  # another one in between
    traffic.start(conditions, 7, path)
    assert list(traffic.names) == names
    np.testing.assert_allclose(traffic.positions, positions, rtol=0, atol=1e-9)
    np.testing.assert_allclose(traffic.speeds, speeds, rtol=0, atol=1e-9)
    traffic.close()


def test_command_line_refuses_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for options in ('{"end_speed": 6}', "[3", "[3]", '{"states": 0}', '{"inflow": "much"}'):
        try:
            status = main(["--options", options])
        except SystemExit as left:
            status = int(left.code or 0)
        assert status != 0
        printed = capsys.readouterr()
        assert len(printed.err.strip().splitlines()) == 1
        assert not printed.out
