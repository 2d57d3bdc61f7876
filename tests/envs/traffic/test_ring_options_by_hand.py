"""Options of the ring road, seen from outside: where vehicles start, who drives them, what is shown."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from gymnasium.utils.env_checker import check_env

from envs.base import TaskEnv
from envs.tasks import make
from envs.traffic.simulation import libsumo
from envs.traffic.snapshot import Snapshot
from tests.envs.traffic.plain_traffic import idm, pedal

DATA = Path(__file__).parents[1] / "data"
STEP = 0.2
ZERO = np.zeros(1, np.float32)


@pytest.fixture
def ring() -> Iterator[Callable[..., TaskEnv]]:
    """Makes environments and closes them after the test."""
    made: list[TaskEnv] = []

    def make_one(**options: Any) -> TaskEnv:
        made.append(make("ring_road", options))
        return made[-1]

    yield make_one
    for env in made:
        env.close()


def gaps(snapshot: Snapshot, length: float) -> np.ndarray:
    """Bumper-to-bumper distance of every vehicle to the next; junctions make the ring 0.4 m longer."""
    ahead = leaders(snapshot)
    distance = (snapshot.positions[ahead] - snapshot.positions) % (length + 0.4)
    return np.asarray(distance - 5)


def leaders(snapshot: Snapshot) -> np.ndarray:
    order = np.argsort(snapshot.positions)
    ahead = np.empty(len(order), int)
    ahead[order] = np.roll(order, -1)
    return ahead


def test_recorded_trajectories_and_frames(ring: Callable[..., TaskEnv]) -> None:
    recorded = pd.read_csv(DATA / "flow_ring_trace.csv.gz").set_index(["step", "veh"]).sort_index()
    shown = pd.read_csv(DATA / "flow_ring_trace_rl.csv.gz")
    env = ring(warmup_steps=300, noise=0.0, perturbation=0.0, history_bug=True)
    env.reset(seed=0, options={"length": 260, "simulation_seed": 99346})
    for number, row in enumerate(shown.to_dict("records")):
        observation, reward, terminated, _, _ = env.step(np.array([row["action"]], np.float32))
        snapshot = env.snapshot()
        step = recorded.loc[301 + number]
        np.testing.assert_allclose(np.sort(snapshot.positions), np.sort(step["x"]), rtol=0, atol=1.1e-6)
        np.testing.assert_allclose(np.sort(snapshot.speeds), np.sort(step["speed"]), rtol=0, atol=1e-6)
        np.testing.assert_allclose(observation, [row[f"o{i}"] for i in range(25)], rtol=0, atol=2e-6)
        assert reward == pytest.approx(row["reward"], abs=1e-6)
        assert not terminated


def test_random_spacing(ring: Callable[..., TaskEnv]) -> None:
    env = ring(spacing="random", warmup_steps=0)
    ranks, places, smallest = [], [], []
    env.reset(seed=0)
    for _ in range(80):
        env.reset(options={"length": 250})
        snapshot = env.snapshot()
        assert len(snapshot.names) == 22
        found = gaps(snapshot, 250)
        assert found.min() >= 0.5 - 1e-6
        assert found.sum() == pytest.approx(250.4 - 110)
        smallest.append(found.min())
        automated = int(np.flatnonzero(snapshot.automated)[0])
        assert snapshot.automated.sum() == 1
        ranks.append(int((snapshot.positions < snapshot.positions[automated]).sum()))
        places.append(float(snapshot.positions[automated]))
    assert min(smallest) < 1
    assert {rank // 6 for rank in ranks} == {0, 1, 2, 3}
    assert np.histogram(places, bins=4, range=(0, 251))[0].min() >= 8


def test_random_spacing_fits_the_shortest_ring(ring: Callable[..., TaskEnv]) -> None:
    env = ring(spacing="random", warmup_steps=0, lengths=[155, 155])
    for seed in range(10):
        env.reset(seed=seed)
        assert gaps(env.snapshot(), 155).min() >= 0.5 - 1e-6


def test_uniform_spacing(ring: Callable[..., TaskEnv]) -> None:
    env = ring(warmup_steps=0)
    moved = []
    for seed in range(30):
        env.reset(seed=seed, options={"length": 220})
        snapshot = env.snapshot()
        assert gaps(snapshot, 220).min() > 0
        assert snapshot.automated[np.argmax(snapshot.positions)]  # the last one
        moved.append(np.sort(snapshot.positions) - np.arange(22) * 10)
    assert np.std(moved) == pytest.approx(0.5, abs=0.06)
    assert (snapshot.speeds == 0).all()


@pytest.mark.parametrize("spacing", ["uniform", "random"])
def test_everybody_follows_the_vehicle_ahead(ring: Callable[..., TaskEnv], spacing: str) -> None:
    """Each step from the snapshot before, but for SUMO's own steps: on junctions, and where it fears a crash."""
    env = ring(spacing=spacing, warmup_steps=0, noise=0.0)
    env.reset(seed=3, options={"length": 240})
    total = exact = 0
    for step in range(150):
        before, ahead, free = env.snapshot(), leaders(env.snapshot()), gaps(env.snapshot(), 240)
        action = np.sin(0.1 * step)
        observation, _, _, _, _ = env.step(np.array([action], np.float32))
        after = env.snapshot()
        assert after.names == before.names
        for index in range(22):
            if any(0 <= before.positions[index] - start <= 0.1 for start in (60, 120.1, 180.2, 240.3)):
                continue
            speed = float(before.speeds[index])
            if before.automated[index]:
                acceleration = pedal(float(np.float32(action)), speed, step=STEP)
            else:
                acceleration = idm(speed, float(before.speeds[ahead[index]]), float(free[index]))
            expected = max(speed + acceleration * STEP, 0)
            assert after.speeds[index] <= expected + 1e-7
            total, exact = total + 1, exact + (abs(after.speeds[index] - expected) < 1e-7)
        check_newest_frame(observation, after, 240)
    assert exact > 0.97 * total


def check_newest_frame(observation: np.ndarray, snapshot: Snapshot, length: float) -> None:
    ahead, free = leaders(snapshot), gaps(snapshot, length)
    own = int(np.flatnonzero(snapshot.automated)[0])
    behind = int(np.flatnonzero(ahead == own)[0])
    speeds = snapshot.speeds
    expected = [speeds[own], speeds[ahead[own]], free[own], speeds[behind], free[behind]]
    np.testing.assert_allclose(observation[:5], expected, rtol=1e-5, atol=1e-5)


def spread(env: TaskEnv) -> float:
    env.reset(seed=0, options={"length": 260, "simulation_seed": 99346})
    return float(env.snapshot().speeds.std())


def test_who_drives_in_the_warmup(ring: Callable[..., TaskEnv]) -> None:
    """SUMO's own driver is what differs from the others: without it, equal humans hardly do."""
    quiet: dict[str, Any] = {"warmup_steps": 300, "noise": 0.0, "perturbation": 0.0}
    assert spread(ring(**quiet)) == pytest.approx(0.294, abs=2e-3)
    assert spread(ring(**quiet, av_warmup="idm")) < 0.1


def test_noise_of_the_warmup_driver(ring: Callable[..., TaskEnv]) -> None:
    """The automated vehicle has the humans' noise if it drives like them: no two starts are alike."""

    def speeds(driver: str, noise: float) -> np.ndarray:
        env = ring(av_warmup=driver, noise=noise, perturbation=0.0, warmup_steps=1)
        found = []
        for seed in range(12):
            env.reset(seed=seed, options={"length": 260, "simulation_seed": 1})
            found.append(env.snapshot().speeds[env.snapshot().automated][0])
        return np.array(found)

    assert np.std(speeds("idm", 0.2)) == pytest.approx(0.0894 * STEP, rel=0.5)
    assert np.ptp(speeds("sumo", 0.2)) == 0
    assert speeds("idm", 0.0) == pytest.approx(np.full(12, 0.2376284), abs=0.01)


def test_modes(ring: Callable[..., TaskEnv]) -> None:
    """SUMO may slow vehicles down for safety and right of way, and bounds neither acceleration nor braking."""
    env = ring(warmup_steps=20)
    for seed in range(2):
        env.reset(seed=seed)
        for name in env.snapshot().names:
            assert libsumo.vehicle.getSpeedMode(name) == 25
            assert libsumo.vehicle.getLaneChangeMode(name) == 512


@pytest.mark.parametrize("skip", [1, 3, 10])
def test_frames_are_some_steps_apart(ring: Callable[..., TaskEnv], skip: int) -> None:
    env = ring(frame_skip=skip, warmup_steps=60)
    observation, _ = env.reset(seed=1)
    newest = [observation[:5]]
    for step in range(1, 60):
        observation, *_ = env.step(np.array([np.sin(step)], np.float32))
        newest.append(observation[:5])
        for frame in range(5):
            if step >= frame * skip:
                np.testing.assert_array_equal(observation[5 * frame : 5 * frame + 5], newest[step - frame * skip])
            else:
                assert (observation[5 * frame : 5 * frame + 5] != 0).any()  # from the warm-up


def test_frames_without_a_warmup(ring: Callable[..., TaskEnv]) -> None:
    env = ring(frame_skip=2, warmup_steps=0)
    observation, _ = env.reset(seed=1)
    for step in range(10):
        shown = (observation.reshape(5, 5) != 0).any(axis=1)
        assert shown.tolist() == [frame * 2 <= step for frame in range(5)]
        observation, *_ = env.step(ZERO)


@pytest.mark.parametrize("options", [{"spacing": "random"}, {"frame_skip": 10}, {"av_warmup": "idm"}])
@pytest.mark.filterwarnings("ignore:.*observation space m.*imum value is")
def test_gymnasium_accepts_the_options(ring: Callable[..., TaskEnv], options: dict[str, Any]) -> None:
    check_env(ring(warmup_steps=5, **options), skip_render_check=True)


WRONG: list[dict[str, Any]] = [
    {"spacing": "wide"},
    {"av_warmup": "nobody"},
    {"frame_skip": 0},
    {"frame_skip": 1.5},
]
WRONG += [{"history_bug": True, "frame_skip": 2}, {"perturbation": -0.1}, {"lengths": [150, 200]}, {"slots": 5}]


@pytest.mark.parametrize("options", WRONG)
def test_wrong_options_are_refused_in_one_line(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"allowed|must") as caught:
        make("ring_road", options)
    assert "\n" not in str(caught.value)
    assert next(iter(options)) in str(caught.value)


def random_steps(env: TaskEnv, steps: int) -> None:
    """Random actions, resets at ends and anywhere."""
    generator = np.random.default_rng(0)
    env.action_space.seed(0)
    env.reset(seed=0)
    for _ in range(steps):
        observation, reward, terminated, truncated, _ = env.step(2 * env.action_space.sample())
        assert observation.dtype == np.float32
        assert observation in env.observation_space
        assert type(reward) is float
        assert reward >= 0
        assert not terminated
        assert len(set(env.snapshot().names)) == 22
        if truncated or generator.random() < 0.01:
            env.reset()


def test_random_steps(ring: Callable[..., TaskEnv]) -> None:
    random_steps(ring(warmup_steps=30, spacing="random", frame_skip=4, horizon=200), 2000)


@pytest.mark.slow
def test_many_random_steps(ring: Callable[..., TaskEnv]) -> None:
    random_steps(ring(warmup_steps=300), 10_000)


def test_nobody_is_lost(ring: Callable[..., TaskEnv]) -> None:
    """After many rounds, with full throttle."""
    env = ring(warmup_steps=1500, horizon=1500)
    env.reset(seed=0, options={"length": 270})
    travelled, before = 0.0, env.snapshot().positions[env.snapshot().automated][0]
    truncated = False
    while not truncated:
        _, _, terminated, truncated, _ = env.step(np.ones(1, np.float32))
        assert not terminated
        snapshot = env.snapshot()
        assert len(snapshot.names) == 22
        now = snapshot.positions[snapshot.automated][0]
        travelled += (now - before) % 270.4
        before = now
    assert travelled > 4 * 270


def test_who_stands_for_long_is_not_removed(ring: Callable[..., TaskEnv]) -> None:
    """Full braking for 340 s: everybody stops, and nobody is taken for a collision."""
    env = ring(warmup_steps=100, horizon=1700)
    env.reset(seed=0)
    truncated = False
    while not truncated:
        _, reward, terminated, truncated, _ = env.step(-np.ones(1, np.float32))
        assert not terminated
    assert reward < 1e-3


#: Length: mean and standard deviation of speeds in standing waves; human returns with both drivers.
WAVES = {220: (2.31, 2.89, 805, 862), 245: (3.14, 3.52, 1523, 1594), 270: (3.97, 4.05, 2377, 2550)}


@pytest.mark.parametrize("length", WAVES)
def test_waves_of_humans_alone(ring: Callable[..., TaskEnv], length: int) -> None:
    """Over the last 500 of 3,000 steps, by the human model or with SUMO's driver among them."""
    mean, deviation, low, high = WAVES[length]
    env = ring(human_only=True)
    env.reset(seed=1, options={"length": length})
    speeds, total = [], 0.0
    for _ in range(1500):
        _, reward, *_ = env.step(ZERO)
        speeds.append(env.snapshot().speeds)
        total += reward
    assert 0.93 * low < total < 1.07 * high
    assert np.mean(speeds[-500:]) == pytest.approx(mean, rel=0.06)
    assert np.mean(np.std(speeds[-500:], axis=1)) == pytest.approx(deviation, abs=0.2)
