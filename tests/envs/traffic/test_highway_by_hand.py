"""The highway's recorded figures, rewards and metrics recomputed from snapshots, and what a reset takes."""

import math
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from envs.base import TaskEnv
from envs.options import HIGHWAY_2020_OPTIONS
from envs.tasks import make
from envs.traffic.frames import FrameHistory
from envs.traffic.snapshot import Snapshot

STEP = 0.4
LENGTH = 2800.2
RECORDED: dict[str, Any] = {
    "pool": False,
    "warmup_steps": 0,
    "noise": 0.0,
    "flows": [2114.0, 100.0],
    "end_speeds": [6.0],
}


@pytest.fixture
def highway() -> Iterator[Callable[..., TaskEnv]]:
    """Makes environments and closes them after the test."""
    made: list[TaskEnv] = []

    def make_one(**options: Any) -> TaskEnv:
        made.append(make("highway", options))
        return made[-1]

    yield make_one
    for env in made:
        env.close()


def zeros(env: TaskEnv) -> np.ndarray:
    return np.zeros(env.action_space.shape, np.float32)


#: Steps: vehicles, their mean speed, reward.
CHECKPOINTS = {
    10: (3, 24.9536, 0),
    30: (8, 25.68981, 0),
    60: (15, 25.83668, 82.67386),
    120: (30, 25.73848, 71.46126),
    240: (60, 24.15958, 64.28792),
    360: (85, 19.21378, 59.27327),
    480: (95, 17.22538, 56.45436),
    500: (97, 16.92962, 56.26159),
    506: (None, None, 56.16273),
}


def test_recorded_figures(highway: Callable[..., TaskEnv]) -> None:
    """The fourth automated vehicle runs into its leader in step 507."""
    env = highway(**RECORDED)
    observation, _ = env.reset(seed=0, options={"simulation_seed": 50494})
    assert (observation == 0).all()
    for step in range(1, 508):
        observation, reward, terminated, truncated, info = env.step(zeros(env))
        assert terminated == (step == 507)
        assert not truncated
        if step in CHECKPOINTS:
            vehicles, speed, expected = CHECKPOINTS[step]
            assert reward == pytest.approx(expected, abs=1e-4)
            if vehicles is not None:
                snapshot = env.snapshot()
                assert len(snapshot.names) == vehicles
                assert snapshot.speeds.mean() == pytest.approx(speed, abs=1e-4)
    assert reward == 0
    assert info["episode_metrics"]["collisions"] == 1


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
        assert info["mean_speed"] == pytest.approx(speed)
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


def test_observation_without_neighbours(highway: Callable[..., TaskEnv]) -> None:
    """One vehicle every 5 minutes."""
    env = highway(**{**RECORDED, "flows": [0.0, 12.0]})
    env.reset(seed=0)
    while not env.step(zeros(env))[4]["controlled"]:
        pass
    observation = env.step(zeros(env))[0].reshape(5, 5, 5)
    speed = env.snapshot().speeds[0]
    expected = np.array([speed, 30.0, LENGTH, 30.0, LENGTH], np.float32)
    np.testing.assert_array_equal(observation[0, 0], expected)
    assert (observation[0, :, 0] > 24).all()  # it brings its history along
    np.testing.assert_array_equal(observation[0, 1:, 1:], np.tile(expected[1:], (4, 1)))
    assert (observation[1:] == 0).all()


def test_human_only_shows_and_rewards_but_does_not_obey(highway: Callable[..., TaskEnv]) -> None:
    env = highway(**RECORDED, horizon=200, human_only=True)
    calm, _ = drive(env, zeros(env), seed=0, options={"simulation_seed": 4})
    wild, _ = drive(env, np.full(5, -1, np.float32), seed=0, options={"simulation_seed": 4})
    np.testing.assert_array_equal(calm.snapshots[-1].positions, wild.snapshots[-1].positions)


def test_actions_are_clipped(highway: Callable[..., TaskEnv]) -> None:
    env = highway(**RECORDED, horizon=200)
    one, _ = drive(env, np.full(5, -1, np.float32), seed=0, options={"simulation_seed": 4})
    more, _ = drive(env, np.full(5, -7, np.float32), seed=0, options={"simulation_seed": 4})
    np.testing.assert_array_equal(one.snapshots[-1].positions, more.snapshots[-1].positions)
    other, _ = drive(env, np.full(5, -0.9, np.float32), seed=0, options={"simulation_seed": 4})
    assert (other.snapshots[-1].positions != one.snapshots[-1].positions).any()


def test_frames_in_the_authors_way_and_in_the_right_way(highway: Callable[..., TaskEnv]) -> None:
    frames = [np.arange(5) + 10.0 * number for number in range(1, 14)]
    for options, shown in [
        ({}, lambda number: [number - back for back in range(min(5, number))]),
        ({"history_bug": True}, lambda number: [number - back for back in range((number - 1) % 5 + 1)]),
        ({"frame_skip": 3}, lambda number: [number - back for back in range(0, 13, 3) if number - back > 0]),
    ]:
        history = FrameHistory(highway(**RECORDED, **options).options)
        for number, frame in enumerate(frames, start=1):
            history.add(frame)
            expected = np.zeros((5, 5))
            for place, index in enumerate(shown(number)):
                expected[place] = frames[index - 1]
            np.testing.assert_array_equal(history.values(), expected.ravel(), err_msg=f"{options} {number}")


def test_late_2020(highway: Callable[..., TaskEnv]) -> None:
    env = highway(**{**HIGHWAY_2020_OPTIONS, "warmup_steps": 300, "pool": False})
    observation, _ = env.reset(seed=0)
    assert observation.shape == (250,)
    assert env.action_space.shape == (10,)
    assert env.task.goal_indices == tuple(range(0, 250, 25))
    before = env.snapshot().time
    env.step(zeros(env))
    assert env.snapshot().time - before == pytest.approx(1.2)


def test_task(highway: Callable[..., TaskEnv]) -> None:
    task = highway().task
    assert task.goal_indices == (0, 25, 50, 75, 100)
    assert task.goal_low.tolist() == [0] * 5
    assert task.goal_high.tolist() == [20] * 5
    assert not task.relative_goals
    assert task.horizon == 1500
    assert task.one_per_process


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"noise": -1}, "noise = -1"),
        ({"slots": 0}, "slots = 0"),
        ({"automated_share": 0}, "automated_share = 0"),
        ({"automated_share": 1.5}, "automated_share = 1.5"),
        ({"end_speeds": []}, "end_speeds"),
        ({"end_speeds": [6, 6]}, "end_speeds"),
        ({"end_speeds": [31]}, "end_speeds"),
        ({"end_speeds": 6}, "end_speeds = 6"),
        ({"enforced_end_speed": 0}, "enforced_end_speed = 0"),
        ({"flows": [2000.0]}, "flows"),
        ({"flows": [2000.0, -1.0]}, "flows"),
        ({"sims_per_step": 0}, "sims_per_step = 0"),
        ({"history_bug": True, "frame_skip": 2}, "history_bug"),
        ({"inflow": float("nan")}, "inflow = nan"),
        ({"unheard_of": 1}, "unheard_of"),
        ({"pool": "yes"}, "pool = 'yes'"),
    ],
)
def test_wrong_options_are_refused_in_one_line(options: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValueError, match=r"allowed|must|missing") as caught:
        make("highway", options)
    message = str(caught.value)
    assert wrong in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"end_speed": 4.0}, "end_speed"),
        ({"end_speed": "6"}, "end_speed"),
        ({"state": 2}, "state"),
        ({"state": -1}, "state"),
        ({"state": 0.5}, "state"),
        ({"simulation_seed": -1}, "simulation_seed"),
        ({"simulation_seed": 1.5}, "simulation_seed"),
        ({"episode_seed": -3}, "episode_seed"),
        ({"episode_seed": "a"}, "episode_seed"),
        ({"length": 250}, "length"),
    ],
)
def test_wrong_reset_options_are_refused_in_one_line(
    highway: Callable[..., TaskEnv], short_states: dict[str, Any], options: dict[str, Any], wrong: str
) -> None:
    env = highway(**short_states)
    with pytest.raises(ValueError, match=r"allowed|must|known") as caught:
        env.reset(seed=0, options=options)
    assert wrong in str(caught.value)
    assert "\n" not in str(caught.value)
    env.reset(seed=0)


@pytest.mark.filterwarnings("ignore:.*observation space m.*imum value is")
def test_gymnasium_accepts_it(highway: Callable[..., TaskEnv], short_states: dict[str, Any]) -> None:
    check_env(highway(**short_states), skip_render_check=True)


def random_steps(env: TaskEnv, steps: int) -> int:
    """Random actions, resets at ends and anywhere; how many resets there were."""
    generator = np.random.default_rng(0)
    env.reset(seed=0)
    resets = 0
    for _ in range(steps):
        observation, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        assert observation.dtype == np.float32
        assert observation in env.observation_space
        assert type(reward) is float
        assert np.isfinite(observation).all()
        assert 0 <= reward <= 90
        names = env.snapshot().names
        assert len(set(names)) == len(names)
        if terminated or truncated or generator.random() < 0.01:
            env.reset()
            resets += 1
    return resets


def test_random_steps(highway: Callable[..., TaskEnv], short_states: dict[str, Any]) -> None:
    assert random_steps(highway(**RECORDED), 2000) > 10
    assert random_steps(highway(**short_states), 200) > 10


@pytest.mark.slow
def test_many_random_steps(highway: Callable[..., TaskEnv], short_states: dict[str, Any]) -> None:
    assert random_steps(highway(**short_states), 10_000) > 100


@pytest.mark.slow
def test_memory_does_not_grow_with_resets(highway: Callable[..., TaskEnv], short_states: dict[str, Any]) -> None:
    """Neither Python's nor the process's."""
    env = highway(**short_states)
    env.reset(seed=0)

    def resets(number: int) -> None:
        for _ in range(number):
            env.reset()
            env.step(zeros(env))

    resets(50)
    tracemalloc.start()
    before, held = tracemalloc.get_traced_memory()[0], resident_bytes()
    resets(200)
    growth = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert growth < 500_000
    assert resident_bytes() - held < 20_000_000


def resident_bytes() -> int:
    """Memory of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
