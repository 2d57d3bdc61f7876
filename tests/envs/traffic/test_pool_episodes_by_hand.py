"""Episodes that begin with saved states: who is automated, what is random, how jammed the road is."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.base import TaskEnv
from envs.options import HighwayOptions
from envs.traffic.pool import MANIFEST, build

#: Own simulations of 3,000 steps: vehicles on the road and in range, mean speeds there, deviation in range.
ROWS = {5.0: (200, 131, 5.73, 5.51, 4.25), 6.0: (183, 117, 6.89, 6.98, 4.67), 7.0: (153, 104, 9.09, 8.40, 5.39)}


def expected_controlled(names: list[str], positions: np.ndarray, every: int, places: int) -> list[str]:
    """Of the 22nd, 44th ... from upstream, those on the controlled part, the most downstream first."""
    order = np.argsort(positions)
    chosen = [int(order[rank]) for rank in range(every - 1, len(order), every)]
    inside = [index for index in chosen if 500 <= positions[index] < 2300]
    inside.sort(key=lambda index: -positions[index])
    return [names[index] for index in inside][:places]


@pytest.mark.parametrize(("every", "places"), [(22, 5), (12, 10), (6, 3)])
def test_every_nth_vehicle_is_automated(
    highway: Callable[..., TaskEnv], short_states: dict[str, Any], every: int, places: int
) -> None:
    options = {**short_states, "flows": [2050 * 21 / 22, 2050 / 22], "automated_share": 1 / every}
    options = {**options, "slots": places, "states": 1}
    build(HighwayOptions(**options))
    env = highway(**options)
    for end_speed in (5.0, 6.0):
        observation, _ = env.reset(seed=4, options={"end_speed": end_speed, "state": 0})
        snapshot = env.snapshot()
        expected = expected_controlled(snapshot.names, snapshot.positions, every, places)
        shown = [name for name, flag in zip(snapshot.names, snapshot.automated, strict=True) if flag]
        assert set(shown) == set(expected)
        speeds = dict(zip(snapshot.names, snapshot.speeds, strict=True))
        slots = observation.reshape(places, 25)
        for slot, name in enumerate(expected):
            assert slots[slot, 0] == np.float32(speeds[name])
        assert (slots[:, 5:] == 0).all()  # one frame so far
        assert (slots[len(expected) :] == 0).all()


def episode(env: TaskEnv, steps: int = 30, **reset: Any) -> bytes:
    observation, info = env.reset(**reset)
    seen = observation.tobytes() + repr(info).encode()
    for step in range(steps):
        observation, reward, terminated, _, info = env.step(np.full(5, np.sin(step), np.float32))
        seen += observation.tobytes() + repr((reward, info)).encode()
        if terminated:
            break
    return seen


def test_same_seed_same_episode(highway: Callable[..., TaskEnv], short_states: dict[str, Any]) -> None:
    env = highway(**short_states)
    first = episode(env, seed=3)
    after_it = episode(env)
    assert episode(env, seed=4) != first
    assert episode(env, seed=3) == first
    assert episode(env) == after_it
    assert episode(highway(**short_states), seed=3) == first


def test_same_seed_same_episode_in_another_process(
    highway: Callable[..., TaskEnv], short_states: dict[str, Any]
) -> None:
    program = (
        "import json, sys; from envs.tasks import make; "
        "from tests.envs.traffic.test_pool_episodes_by_hand import episode; "
        "print(episode(make('highway', json.loads(sys.argv[1])), seed=3).hex())"
    )
    command = [sys.executable, "-c", program, json.dumps(short_states)]
    printed = subprocess.run(command, cwd=Path(__file__).parents[3], check=True, capture_output=True, text=True)
    assert printed.stdout.strip() == episode(highway(**short_states), seed=3).hex()


@pytest.mark.parametrize("reset", [None, {"end_speed": 5.0}, {"state": 1}])
def test_interrupted_episode_goes_on(
    highway: Callable[..., TaskEnv], short_states: dict[str, Any], reset: dict[str, Any] | None
) -> None:
    def rest(env: TaskEnv) -> bytes:
        seen = b""
        for _ in range(25):
            observation, reward, _, _, info = env.step(np.zeros(5, np.float32))
            seen += observation.tobytes() + repr((reward, info)).encode()
        return seen + env.reset()[0].tobytes()

    env = highway(**short_states, human_only=True)
    env.reset(seed=5)
    env.reset(options=reset)
    for _ in range(10):
        env.step(np.ones(5, np.float32))
    state = env.episode_state
    expected = rest(env)
    other = highway(**short_states, human_only=True)
    other.episode_state = state
    assert rest(other) == expected


def test_noise_differs_between_episodes_from_one_state(
    highway: Callable[..., TaskEnv], short_states: dict[str, Any]
) -> None:
    env = highway(**short_states)
    fixed = {"end_speed": 5.0, "state": 1, "simulation_seed": 6}
    env.reset(seed=0, options=fixed)
    start = env.snapshot()
    env.step(np.zeros(5, np.float32))
    speeds = env.snapshot().speeds
    env.reset(seed=1, options=fixed)
    np.testing.assert_array_equal(env.snapshot().positions, start.positions)
    env.step(np.zeros(5, np.float32))
    differences = env.snapshot().speeds - speeds
    assert 0.03 < differences.std() < 0.15  # 0.19 m/s^2 * 0.4 s * sqrt(2) = 0.107 m/s where no bound cuts it


def test_end_speed_and_state_are_drawn_evenly(
    highway: Callable[..., TaskEnv], short_states: dict[str, Any]
) -> None:
    env = highway(**short_states)
    drawn: dict[tuple[float, float], int] = {}
    env.reset(seed=0)
    for _ in range(60):
        _, info = env.reset()
        key = (info["end_speed"], float(env.snapshot().positions.sum()))
        drawn[key] = drawn.get(key, 0) + 1
    assert len(drawn) == 4
    assert min(drawn.values()) >= 5


def test_commands_are_obeyed_after_loading(highway: Callable[..., TaskEnv], cache: Path) -> None:
    """SUMO's own default would keep everybody below the lane's 5 m/s, times a factor of the vehicle's own."""
    options: dict[str, Any] = {"warmup_steps": 500, "states": 1, "end_speeds": [5.0], "noise": 0.0}
    options["enforced_end_speed"] = 9.0
    build(HighwayOptions(**options))
    env = highway(**options, human_only=True)
    env.reset(seed=0)
    for _ in range(150):
        env.step(np.zeros(5, np.float32))
    snapshot = env.snapshot()
    slow_part = snapshot.speeds[snapshot.positions > 2650]
    assert len(slow_part) > 5
    assert slow_part == pytest.approx(9.0, abs=0.1)


@pytest.fixture(scope="session")
def full_pool(cache: Path) -> dict[str, Any]:
    """Manifest of the default states."""
    manifest: dict[str, Any] = json.loads((build(HighwayOptions()) / MANIFEST).read_text())
    return manifest


@pytest.mark.slow
@pytest.mark.parametrize("end_speed", [5.0, 6.0, 7.0])
def test_default_states_are_as_jammed_as_they_should_be(full_pool: dict[str, Any], end_speed: float) -> None:
    names = ("vehicles", "vehicles_in_range", "mean_speed_all", "mean_speed", "speed_std")
    states = [state for state in full_pool["pool"] if state["end_speed"] == end_speed]
    assert len(states) == 2
    for name, expected in zip(names, ROWS[end_speed], strict=True):
        mean = np.mean([state[name] for state in states])
        assert mean == pytest.approx(expected, rel=0.15 if name == "speed_std" else 0.1), name


@pytest.mark.slow
@pytest.mark.parametrize("state", [0, 1])
def test_humans_alone_return_what_they_should(
    full_pool: dict[str, Any], highway: Callable[..., TaskEnv], state: int
) -> None:
    """About 4.7 a step at 6 m/s, whatever the actions."""
    env = highway(human_only=True, end_speeds=[5.0, 6.0, 7.0])
    env.reset(seed=state, options={"end_speed": 6.0, "state": state})
    rewards = []
    for step in range(1500):
        _, reward, terminated, truncated, info = env.step(np.full(5, np.sin(step), np.float32))
        rewards.append(reward)
        assert not terminated
    assert truncated
    assert np.mean(rewards) == pytest.approx(4.7, rel=0.05)
    metrics = info["episode_metrics"]
    assert metrics["throughput"] == pytest.approx(1632, rel=0.05)
    waiting = next(
        row["backlog"] for row in full_pool["pool"] if (row["end_speed"], row["number"]) == (6.0, state)
    )
    assert metrics["departed"] + metrics["backlog"] - waiting == pytest.approx(600 * 2050 / 3600, abs=4)
