"""Rewards and metrics of the highway, recomputed from snapshots."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from recorded import RECORDED, zeros

from envs.base import TaskEnv
from envs.traffic.snapshot import Snapshot

STEP = 0.4


class Watched:
    """What an episode showed, for metrics of its own."""

    def __init__(self, env: TaskEnv, initial: Snapshot) -> None:
        self.env, self.before = env, set(initial.names)
        self.entered: set[str] = set()
        self.arrived = 0
        self.snapshots: list[Snapshot] = []
        self.rewards: list[float] = []

    def step(self, action: np.ndarray) -> tuple[bool, dict[str, Any]]:
        _, reward, terminated, truncated, info = self.env.step(action)
        snapshot = self.env.snapshot()
        now = set(snapshot.names)
        self.entered |= now - self.before
        self.arrived += len(self.before - now)
        self.before = now
        self.snapshots.append(snapshot)
        self.rewards.append(reward)
        if not terminated:
            self.check_step(snapshot, reward, info)
        return terminated or truncated, info

    def check_step(self, snapshot: Snapshot, reward: float, info: dict[str, Any]) -> None:
        speed = mean(in_range(snapshot))
        assert reward == pytest.approx(0.1 * speed**2, rel=1e-9)
        assert info["speed"] == pytest.approx(speed)
        assert info["vehicles"] == len(snapshot.names)
        if snapshot.automated.any():  # never where humans drive alone, though places are taken
            assert info["controlled"] == snapshot.automated.sum()
        assert info["departed"] == len(self.entered)
        assert info["arrived"] == self.arrived


def in_range(snapshot: Snapshot) -> np.ndarray:
    inside = (snapshot.positions >= 500) & (snapshot.positions <= 2300)
    return np.asarray(snapshot.speeds[inside])


def mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def gaps_of_controlled(snapshot: Snapshot) -> list[float]:
    places = sorted(snapshot.positions.tolist())
    gaps = []
    for place in snapshot.positions[snapshot.automated]:
        ahead = [other for other in places if other > place]
        if ahead:
            gaps.append(min(ahead) - 5 - float(place))
    return gaps


def expected_metrics(watched: Watched, window: int = 125, seconds: float = STEP) -> dict[str, float]:
    snapshots, steps = watched.snapshots, len(watched.snapshots)
    speeds_all = [mean(snapshot.speeds) for snapshot in snapshots]
    spreads = [float(np.std(in_range(snapshot))) for snapshot in snapshots[-window:]]
    return {
        "mean_speed": float(np.mean([mean(in_range(snapshot)) for snapshot in snapshots])),
        "mean_speed_all": float(np.mean(speeds_all)),
        "return_all": float(sum(0.1 * speed**2 for speed in speeds_all)),
        "speed_std": float(np.mean(spreads)),
        "throughput": watched.arrived / (steps * seconds / 3600),
        "departed": len(watched.entered),
        "vehicles": float(np.mean([len(snapshot.names) for snapshot in snapshots])),
        "stopped": float(np.mean([(snapshot.speeds < 0.1).sum() for snapshot in snapshots])),
    }


def expected_of_controlled(watched: Watched) -> dict[str, float]:
    gaps = [gap for snapshot in watched.snapshots for gap in gaps_of_controlled(snapshot)]
    return {
        "gap_max": max(gaps),
        "gap_p95": float(np.percentile(gaps, 95)),
        "controlled": float(np.mean([snapshot.automated.sum() for snapshot in watched.snapshots])),
    }


def drive(env: TaskEnv, action: np.ndarray, **reset: Any) -> tuple[Watched, dict[str, float]]:
    """One episode under constant actions; what it showed, and its metrics."""
    env.reset(**reset)
    watched, over = Watched(env, env.snapshot()), False
    while not over:
        over, info = watched.step(action)
    return watched, info["episode_metrics"]


@pytest.mark.parametrize("horizon", [60, 300])
def test_metrics_of_jammed_traffic(
    highway: Callable[..., TaskEnv], short_states: dict[str, Any], horizon: int
) -> None:
    env = highway(**short_states, horizon=horizon, human_only=True)
    watched, metrics = drive(env, zeros(env), seed=2, options={"end_speed": 5.0})
    assert set(metrics) == set(env.task.episode_metrics)
    assert metrics["end_speed"] == 5.0
    assert metrics["collisions"] == 0
    for name, expected in expected_metrics(watched).items():
        assert metrics[name] == pytest.approx(expected, rel=1e-9), name
    assert metrics["speed_std"] > 1
    assert metrics["controlled"] > 1
    assert all(type(value) is float for value in metrics.values())


def test_metrics_of_controlled_vehicles(highway: Callable[..., TaskEnv]) -> None:
    env = highway(**{**RECORDED, "flows": [1900.0, 200.0]}, horizon=400)
    watched, metrics = drive(env, np.full(5, -0.3, np.float32), seed=0)
    assert len(watched.snapshots) == 400
    assert metrics["collisions"] == 0
    expected = {**expected_metrics(watched), **expected_of_controlled(watched)}
    assert expected["controlled"] > 0.5
    assert watched.arrived > 0
    for name, value in expected.items():
        assert metrics[name] == pytest.approx(value, rel=1e-9), name


def test_metrics_of_an_episode_that_ends_in_a_collision(highway: Callable[..., TaskEnv]) -> None:
    """The step of the collision counts, with what was there before it, but brings no reward."""
    env = highway(**RECORDED)
    watched, metrics = drive(env, zeros(env), seed=0, options={"simulation_seed": 50494})
    assert len(watched.snapshots) == 507
    expected = {**expected_metrics(watched), **expected_of_controlled(watched)}
    expected["return_all"] -= 0.1 * mean(watched.snapshots[-1].speeds) ** 2
    for name, value in expected.items():
        assert metrics[name] == pytest.approx(value, rel=1e-9), name
    assert metrics["collisions"] == 1


def test_metrics_with_three_simulation_steps_per_action(
    highway: Callable[..., TaskEnv], short_states: dict[str, Any]
) -> None:
    env = highway(**short_states, sims_per_step=3, horizon=40, human_only=True)
    watched, metrics = drive(env, zeros(env), seed=2, options={"end_speed": 6.0})
    assert watched.arrived > 10
    for name, value in expected_metrics(watched, seconds=3 * STEP).items():
        assert metrics[name] == pytest.approx(value, rel=1e-9), name


def test_everybody_who_arrives_departs_or_waits(highway: Callable[..., TaskEnv]) -> None:
    """Human drivers; the entrance is blocked by 4,000 vehicles per hour, more than a lane takes."""
    env = highway(**{**RECORDED, "flows": [3800.0, 150.0]}, horizon=500, human_only=True)
    _, metrics = drive(env, zeros(env), seed=0)
    seconds = 502 * STEP - 1  # two steps ran before the episode; flows begin at 1 s
    arrivals = sum(math.floor(seconds * flow / 3600) + 1 for flow in (3800, 150))
    assert metrics["departed"] + metrics["backlog"] == pytest.approx(arrivals, abs=3)
    assert metrics["backlog"] > 5


def test_everybody_departs_where_there_is_room(highway: Callable[..., TaskEnv]) -> None:
    env = highway(**{**RECORDED, "flows": [1200.0, 60.0]}, horizon=500, human_only=True)
    _, metrics = drive(env, zeros(env), seed=0)
    assert metrics["backlog"] == 0
    assert metrics["departed"] == pytest.approx(200 * 1260 / 3600 + 1, abs=2)


def test_arrivals_go_on_after_a_state_was_loaded(
    highway: Callable[..., TaskEnv], short_states: dict[str, Any]
) -> None:
    """Without a burst: 200 s bring 2,050 / 18 vehicles."""
    env = highway(**short_states, horizon=500, human_only=True)
    watched, metrics = drive(env, zeros(env), seed=0, options={"end_speed": 6.0})
    assert metrics["departed"] + metrics["backlog"] == pytest.approx(500 * STEP * 2050 / 3600, abs=6)
    automated = [name for name in watched.entered if name.startswith("rl")]
    assert len(automated) == pytest.approx(500 * STEP * 2050 / 22 / 3600, abs=2)
