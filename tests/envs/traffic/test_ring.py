import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from envs.traffic.car_following import equilibrium_speed
from envs.traffic.ring import RingRoad
from envs.traffic.simulation import libsumo

TRACE = Path(__file__).parents[1] / "data" / "flow_ring_trace_rl.csv.gz"
MakeRing = Callable[..., RingRoad]


@pytest.fixture
def make_ring() -> Iterator[MakeRing]:
    """Makes environments with a short warm-up and closes them after the test."""
    made: list[RingRoad] = []

    def make(**options: Any) -> RingRoad:
        made.append(RingRoad(**{"warmup_steps": 20, "horizon": 30, **options}))
        return made[-1]

    yield make
    for env in made:
        env.close()


def action(value: float) -> np.ndarray:
    return np.array([value], dtype=np.float32)


def run_episode(env: RingRoad, options: dict[str, Any] | None = None, seed: int | None = None) -> dict[str, Any]:
    """Drive one episode with action 0.3; its rewards, observations, final info and all vehicles step by step."""
    observation, _ = env.reset(seed=seed, options=options)
    observations, rewards, speeds, gaps, over = [observation], [], [], [], False
    while not over:
        observation, reward, terminated, truncated, info = env.step(action(0.3))
        observations.append(observation)
        rewards.append(reward)
        speeds.append(env.traffic.speeds.tolist())
        gaps.append(env.traffic.gaps.tolist())
        over = terminated or truncated
    seen = {"observations": np.array(observations), "rewards": np.array(rewards), "info": info}
    return {**seen, "speeds": speeds, "gaps": gaps}


@pytest.mark.parametrize("history_bug", [False, True])
def test_rewards_and_observations_are_flows(make_ring: MakeRing, history_bug: bool) -> None:
    """Flow's recording has the authors' frame history; the newest frame does not depend on it."""
    flow = pd.read_csv(TRACE)
    env = make_ring(warmup_steps=300, horizon=100, noise=0.0, perturbation=0.0, history_bug=history_bug)
    env.reset(options={"length": 260, "simulation_seed": 99346})
    compared = 25 if history_bug else 5
    expected = flow[[f"o{index}" for index in range(compared)]].to_numpy()
    for step in range(100):
        observation, reward, _, _, _ = env.step(action(np.sin(0.05 * step)))
        assert reward == pytest.approx(flow["reward"][step], abs=1e-6)
        np.testing.assert_allclose(observation[:compared], expected[step], rtol=0, atol=1e-6)
    speeds = env.traffic.speeds
    assert (speeds.mean(), speeds.std(), speeds.min()) == pytest.approx((4.420, 0.657, 2.471), abs=2e-3)


def test_first_reward_with_zero_action(make_ring: MakeRing) -> None:
    env = make_ring(warmup_steps=300, noise=0.0, perturbation=0.0)
    env.reset(options={"length": 260, "simulation_seed": 99346})
    assert env.step(action(0))[1] == pytest.approx(2.39609, abs=1e-5)


def test_observation_holds_speeds_and_gaps_in_order(make_ring: MakeRing) -> None:
    env = make_ring()
    env.reset(seed=1)
    observation = env.step(action(-1))[0]
    speeds, gaps = env.traffic.speeds, env.traffic.gaps
    expected = np.array([speeds[21], speeds[0], gaps[21], speeds[20], gaps[20]], dtype=np.float32)
    np.testing.assert_array_equal(observation[:5], expected)
    assert len(set(observation[:5])) == 5


def test_frames_come_newest_first(make_ring: MakeRing) -> None:
    observations = run_episode(make_ring(), seed=2)["observations"]
    np.testing.assert_array_equal(observations[1:, 5:], observations[:-1, :20])
    assert (observations[:, 2::5] > 0).all()  # the warm-up has filled the history


def test_missing_frames_are_zeros_at_the_end(make_ring: MakeRing) -> None:
    env = make_ring(warmup_steps=0)
    run_episode(env, seed=1)
    observations = run_episode(env, seed=2)["observations"]  # nothing is left of the episode before
    frames = (observations.reshape(-1, 5, 5) != 0).any(axis=2)
    assert frames[:6].sum(axis=1).tolist() == [1, 2, 3, 4, 5, 5]
    assert frames[1].tolist() == [True, True, False, False, False]


def test_frames_with_the_authors_bug_cycle(make_ring: MakeRing) -> None:
    observations = run_episode(make_ring(warmup_steps=0, history_bug=True), seed=2)["observations"]
    frames = (observations.reshape(-1, 5, 5) != 0).any(axis=2)
    assert frames.sum(axis=1)[:12].tolist() == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2]


def test_reward_is_a_tenth_of_the_squared_mean_speed(make_ring: MakeRing) -> None:
    env = make_ring()
    env.reset(seed=3)
    speeds: list[float] = []
    for value in (-1, 0, 1):
        _, reward, terminated, _, info = env.step(action(value))
        assert reward == pytest.approx(0.1 * env.traffic.speeds.mean() ** 2)
        assert info["speed"] == pytest.approx(env.traffic.speeds.mean())
        speeds.append(info["speed"])
        assert info["mean_speed"] == pytest.approx(np.mean(speeds))
        assert info["speed_fraction"] == pytest.approx(info["mean_speed"] / info["uniform_speed"])
        assert info["collision"] == 0
        assert not terminated


def test_action_is_a_share_of_the_largest_acceleration(make_ring: MakeRing) -> None:
    for value, bound in [(-1.0, 0.5), (-0.5, 0.5), (-0.2, 1.0)]:  # SUMO may lower speeds, so only braking is exact
        env = make_ring(warmup_steps=100, max_accel=bound)
        env.reset(seed=0, options={"length": 260})
        before = env.traffic.speeds[21]
        env.step(action(value))
        assert env.traffic.speeds[21] - before == pytest.approx(value * bound * 0.2, abs=1e-6)


def test_actions_are_clipped(make_ring: MakeRing) -> None:
    env = make_ring()
    observations = []
    for value in (1.0, 7.0):
        env.reset(seed=4)
        observations.append(env.step(action(value))[0])
    np.testing.assert_array_equal(observations[0], observations[1])


def test_end_of_an_episode(make_ring: MakeRing) -> None:
    env = make_ring()
    episode = run_episode(env, {"length": 230}, seed=5)
    rewards, metrics = episode["rewards"], episode["info"]["episode_metrics"]
    assert len(rewards) == 30
    assert set(metrics) == set(env.task.episode_metrics)
    assert all(type(value) is float for value in metrics.values())
    uniform_return = 30 * 0.1 * equilibrium_speed(230, 22) ** 2
    assert metrics["return_fraction"] == pytest.approx(rewards.sum() / uniform_return)
    assert metrics["mean_speed"] == pytest.approx(np.sqrt(rewards / 0.1).mean())
    assert metrics["ring_length"] == 230
    assert metrics["collisions"] == 0


@pytest.mark.parametrize(("horizon", "window"), [(1, 1), (30, 30), (280, 250)])
def test_metrics_are_those_of_the_vehicles(make_ring: MakeRing, horizon: int, window: int) -> None:
    env = make_ring(horizon=horizon)
    for length in (262, 231):  # nothing is left of the first episode in the second
        episode = run_episode(env, {"length": length}, seed=5)
        metrics, speeds = episode["info"]["episode_metrics"], episode["speeds"]
        mean_speed = statistics.fmean(map(statistics.fmean, speeds))
        assert len(speeds) == horizon
        assert metrics["speed_fraction"] == pytest.approx(mean_speed / equilibrium_speed(length, 22))
        deviations = [statistics.pstdev(vehicles) for vehicles in speeds[-window:]]
        assert metrics["speed_std"] == pytest.approx(statistics.fmean(deviations))
        own_gaps = [gaps[21] for gaps in episode["gaps"]]
        assert metrics["gap_max"] == max(own_gaps)
        assert metrics["gap_p95"] == pytest.approx(np.quantile(own_gaps, 0.95))


def test_time_limit_truncates(make_ring: MakeRing) -> None:
    env = make_ring(horizon=2)
    env.reset(seed=0)
    assert env.step(action(0))[2:4] == (False, False)
    assert env.step(action(0))[2:4] == (False, True)


def test_collision_terminates_without_reward(make_ring: MakeRing) -> None:
    env = make_ring(max_accel=5.0, horizon=200, warmup_steps=0)
    env.reset(seed=0)
    libsumo.vehicle.setSpeedMode("vehicle_21", 0)  # without safety bits SUMO obeys any command
    terminated = truncated = False
    deviations, gaps = [], []
    while not terminated and not truncated:
        observation, reward, terminated, truncated, info = env.step(action(1))
        deviations.append(env.traffic.speeds.std())
        gaps.append(env.traffic.gaps[21])
    assert terminated
    assert not truncated
    assert reward == 0
    assert np.isfinite(observation).all()
    metrics = info["episode_metrics"]
    assert metrics["collisions"] == 1
    assert metrics["speed_std"] == pytest.approx(np.mean(deviations))
    assert (metrics["gap_max"], metrics["gap_p95"]) == pytest.approx((max(gaps), np.quantile(gaps, 0.95)))


def test_lengths_cover_the_range_evenly(make_ring: MakeRing) -> None:
    env = make_ring(warmup_steps=0)
    env.reset(seed=0)
    lengths = [env.reset()[1]["length"] for _ in range(300)]
    assert (min(lengths), max(lengths)) == (220, 270)
    assert all(length.is_integer() for length in lengths)
    assert len(set(lengths)) >= 48
    assert np.mean(lengths) == pytest.approx(245, abs=2.5)


def test_length_and_seed_can_be_fixed_for_an_episode(make_ring: MakeRing) -> None:
    env = make_ring()
    drawn = run_episode(env, seed=6)
    assert env.reset(seed=6, options={"length": 255})[1]["length"] == 255
    length = int(drawn["info"]["episode_metrics"]["ring_length"])
    same = run_episode(env, {"length": length}, seed=6)
    np.testing.assert_array_equal(drawn["observations"], same["observations"])
    other = run_episode(env, {"length": length, "simulation_seed": 12}, seed=6)
    assert (drawn["observations"] != other["observations"]).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lenght": 245}, "unknown reset option 'lenght'; allowed are length, simulation_seed"),
        ({"length": 154}, "length must be a whole number of at least 155, got 154"),
        ({"length": 245.5}, "length must be a whole number of at least 155, got 245.5"),
        ({"simulation_seed": 100_001}, "simulation_seed must be a whole number from 0 to 100000, got 100001"),
    ],
)
def test_wrong_reset_options_are_refused(make_ring: MakeRing, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        make_ring().reset(options=options)


def test_humans_alone_ignore_the_actions(make_ring: MakeRing) -> None:
    env = make_ring(human_only=True)
    env.reset(seed=7)
    driven = [env.step(action(-1))[0] for _ in range(10)][-1]
    env.reset(seed=7)
    undisturbed = [env.step(action(1))[0] for _ in range(10)][-1]
    np.testing.assert_array_equal(driven, undisturbed)
    longer_warmup = make_ring(warmup_steps=30)
    np.testing.assert_array_equal(longer_warmup.reset(seed=7)[0], driven)


def test_waves_stand_at_the_end_of_every_warmup(make_ring: MakeRing) -> None:
    env = make_ring(warmup_steps=1500)
    env.reset(seed=0)
    deviations = []
    for _ in range(8):
        env.reset()
        deviations.append(env.traffic.speeds.std())
    assert min(deviations) > 2
    assert np.mean(deviations) == pytest.approx(3.35, abs=0.6)


def test_human_return_at_245_m(make_ring: MakeRing) -> None:
    """With the automated vehicle on SUMO's own model, as in the warm-up, the return is close to 1594."""
    env = make_ring(warmup_steps=1500, horizon=1500, human_only=True)
    episode = run_episode(env, {"length": 245}, seed=0)
    assert episode["rewards"].sum() == pytest.approx(1594, rel=0.02)


@pytest.mark.parametrize(("value", "low", "high"), [(1, 1560, 1650), (-1, 0, 100)])
def test_return_of_constant_actions_at_245_m(make_ring: MakeRing, value: float, low: float, high: float) -> None:
    env = make_ring(warmup_steps=1500, horizon=1500)
    env.reset(seed=0, options={"length": 245})
    assert low < sum(env.step(action(value))[1] for _ in range(1500)) < high


def test_human_return_over_all_lengths(make_ring: MakeRing) -> None:
    """Measured over random lengths: 1626 with standard deviation 466; here the lengths are evenly spread."""
    env = make_ring(warmup_steps=1500, horizon=1500, human_only=True)
    env.reset(seed=0)
    episodes = [run_episode(env, {"length": length}) for length in range(221, 270, 4)]
    returns = [episode["rewards"].sum() for episode in episodes]
    metrics = pd.DataFrame([episode["info"]["episode_metrics"] for episode in episodes])
    assert np.mean(returns) == pytest.approx(1626, abs=50)
    assert np.std(returns) == pytest.approx(466, abs=60)
    assert metrics["return_fraction"].mean() == pytest.approx(0.62, abs=0.015)
    assert metrics["return_fraction"].std(ddof=0) < 0.03
    assert metrics["speed_fraction"].between(0.60, 0.82).all()
    assert metrics["speed_std"].min() > 2


def test_speed_of_simulation(make_ring: MakeRing) -> None:
    env = make_ring(warmup_steps=1000)
    start = time.perf_counter()
    env.reset(seed=0)
    assert 1000 / (time.perf_counter() - start) > 500


def test_snapshot_tells_where_everybody_is() -> None:
    env = RingRoad(warmup_steps=20, noise=0.0)
    with pytest.raises(RuntimeError, match="before the first reset"):
        env.snapshot()
    env.reset(seed=0)
    for _ in range(5):
        observation, *_ = env.step(np.zeros(1, dtype=np.float32))
    time, names, positions, speeds, automated = env.snapshot()
    assert time == pytest.approx(1.0)
    assert len(set(names)) == 22
    assert positions.shape == speeds.shape == automated.shape == (22,)
    assert speeds[automated] == pytest.approx(observation[:1])
    env.close()
