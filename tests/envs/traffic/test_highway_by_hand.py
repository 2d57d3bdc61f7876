"""The highway's recorded figures, what it shows, and what it refuses."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from recorded import RECORDED, zeros

from algorithms.config import load_preset
from envs.base import TaskEnv
from envs.tasks import make
from envs.traffic.frames import FrameHistory
from envs.traffic.simulation import libsumo

LENGTH = 2800.2
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


def test_collision_in_the_last_step_terminates(highway: Callable[..., TaskEnv]) -> None:
    env = highway(**RECORDED, horizon=507)
    env.reset(seed=0, options={"simulation_seed": 50494})
    ends = [env.step(zeros(env))[2:4] for _ in range(507)]
    assert ends[-2:] == [(False, False), (True, False)]


def places_after(env: TaskEnv, action: float) -> np.ndarray:
    """Where everybody is after an episode under one action."""
    env.reset(seed=0, options={"simulation_seed": 4})
    over = False
    while not over:
        _, _, terminated, truncated, _ = env.step(np.full(5, action, np.float32))
        over = terminated or truncated
    return np.asarray(env.snapshot().positions)


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


def test_controlled_vehicles_have_no_noise(highway: Callable[..., TaskEnv]) -> None:
    """On an open road, below its limit, they do exactly what the action says."""
    env = highway(**{**RECORDED, "noise": 0.3}, horizon=200)
    env.reset(seed=0)
    for _ in range(80):
        env.step(np.full(5, -0.5, np.float32))
    checked = 0
    for _ in range(30):
        before = env.snapshot()
        env.step(np.full(5, -0.5, np.float32))
        after = env.snapshot()
        speeds = dict(zip(after.names, after.speeds, strict=True))
        for name, speed, chosen in zip(before.names, before.speeds, before.automated, strict=True):
            if chosen and after.automated[after.names.index(name)]:
                assert speeds[name] == pytest.approx(speed - 0.25 * 0.4, abs=1e-9)
                checked += 1
    assert checked > 20


def test_human_only_shows_and_rewards_but_does_not_obey(highway: Callable[..., TaskEnv]) -> None:
    env = highway(**RECORDED, horizon=200, human_only=True)
    np.testing.assert_array_equal(places_after(env, 0), places_after(env, -1))


def test_actions_are_clipped(highway: Callable[..., TaskEnv]) -> None:
    env = highway(**RECORDED, horizon=200)
    np.testing.assert_array_equal(places_after(env, -1), places_after(env, -7))
    assert (places_after(env, -1) != places_after(env, -0.9)).any()


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
    options = load_preset("highway_2020")["environment"]["tasks"]["highway"]
    env = highway(**{**options, "warmup_steps": 300, "pool": False})
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
    env.action_space.seed(0)
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
    assert random_steps(highway(**RECORDED), 2000) > 5
    assert random_steps(highway(**short_states), 200) > 2


def test_nobody_keeps_sumos_modes(highway: Callable[..., TaskEnv], short_states: dict[str, Any]) -> None:
    """Braking alone is bounded, lanes are never changed: after loading, and for newcomers."""
    env = highway(**short_states, human_only=True)
    env.reset(seed=0)
    entered = 0.0
    for _ in range(30):
        for name in env.snapshot().names:
            assert libsumo.vehicle.getSpeedMode(name) == 12
            assert libsumo.vehicle.getLaneChangeMode(name) == 512
        entered = env.step(zeros(env))[4]["departed"]
    assert entered > 3


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
