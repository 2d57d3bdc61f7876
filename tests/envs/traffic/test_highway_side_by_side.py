"""The highway task against the plain loop of ``plain_highway``, step by step.

The task is driven first; then the loop, in another process, gets the same actions.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.base import TaskEnv
from envs.options import HighwayOptions
from envs.traffic.pool import state_file
from tests.envs.traffic.plain_highway import Job, Moment, in_another_process
from tests.envs.traffic.plain_traffic import idm

#: Actions for a step and an observation.
Driver = Callable[[int, np.ndarray], np.ndarray]


def sine(step: int, observation: np.ndarray) -> np.ndarray:
    return np.sin(0.05 * step + np.arange(len(observation) // 25))


def bang_bang(step: int, observation: np.ndarray) -> np.ndarray:
    return np.where(sine(2 * step, observation) > 0, 1.0, -1.0)


def random(step: int, observation: np.ndarray) -> np.ndarray:
    return np.random.default_rng(step).uniform(-1.5, 1.5, len(observation) // 25)  # beyond the box, too


def careful(step: int, observation: np.ndarray) -> np.ndarray:
    """As a human, with accelerations of up to 3 m/s^2, and some that are too large."""
    frames = observation.reshape(-1, 25)[:, :3].astype(float)
    wanted = [idm(speed, leader_speed, gap) / 3 if gap else 0.7 for speed, leader_speed, gap in frames]
    return np.clip(np.array(wanted) + 0.1 * sine(step, observation), -1, 1)


def drive(env: TaskEnv, driver: Driver, steps: int, options: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Actions, and what the task shows at the reset and after each of them."""
    observation, _ = env.reset(seed=0, options=options)
    actions, seen = [], [(observation, 0.0, False, env.snapshot())]
    for step in range(steps):
        actions.append(driver(step, observation).astype(np.float32))
        observation, reward, terminated, _, _ = env.step(actions[-1])
        seen.append((observation, reward, terminated, env.snapshot()))
        if terminated:
            break
    return actions, seen


def compare(seen: list[Any], moments: list[Moment]) -> None:
    assert len(seen) == len(moments)
    for step, (shown, moment) in enumerate(zip(seen, moments, strict=True)):
        observation, reward, terminated, snapshot = shown
        assert terminated == moment.collision, f"step {step}"
        if step > 0:
            assert reward == pytest.approx(moment.reward, abs=1e-6), f"step {step}"
        if terminated:
            assert reward == 0
            continue
        compare_places(snapshot, moment, step)
        np.testing.assert_allclose(observation, moment.observation, rtol=1e-6, atol=1e-6, err_msg=f"step {step}")


def compare_places(snapshot: Any, moment: Moment, step: int) -> None:
    assert set(snapshot.names) == set(moment.positions), f"step {step}"
    positions = [moment.positions[name] for name in snapshot.names]
    speeds = [moment.speeds[name] for name in snapshot.names]
    np.testing.assert_allclose(snapshot.positions, positions, rtol=0, atol=1e-7, err_msg=f"step {step}")
    np.testing.assert_allclose(snapshot.speeds, speeds, rtol=0, atol=1e-7, err_msg=f"step {step}")
    automated = {name for name, flag in zip(snapshot.names, snapshot.automated, strict=True) if flag}
    assert automated == set(moment.controlled), f"step {step}"


def side_by_side(env: TaskEnv, driver: Driver, steps: int, folder: Path, job: Job) -> list[Moment]:
    """Drive the task and the plain loop, compare them, and return what the loop saw."""
    options: dict[str, Any] = {"simulation_seed": job.seed, "end_speed": job.end_speed}
    if job.state is not None:
        options["state"] = 0
    actions, seen = drive(env, driver, steps, options)
    job.actions = [action.astype(float).tolist() for action in actions]
    moments = in_another_process(job, folder)
    compare(seen, moments)
    return moments


def empty_road(job: Job, **options: Any) -> dict[str, Any]:
    """Options of the task for what the plain loop does."""
    options = {"flows": list(job.flows), "end_speeds": [job.end_speed], **options}
    return {"pool": False, "warmup_steps": 0, "noise": 0.0, **options}


def places(moments: list[Moment]) -> set[tuple[str, int]]:
    """Who was in which place at some time."""
    return {(name, place) for moment in moments for place, name in enumerate(moment.controlled)}


@pytest.mark.parametrize("driver", [sine, bang_bang, random])
def test_from_an_empty_road(highway: Callable[..., TaskEnv], tmp_path: Path, driver: Driver) -> None:
    job = Job(flows=(1900.0, 150.0), end_speed=6.0, seed=50494)
    moments = side_by_side(highway(**empty_road(job)), driver, 450, tmp_path, job)
    assert len(moments) > 300


def test_vehicles_that_wait_for_a_place(highway: Callable[..., TaskEnv], tmp_path: Path) -> None:
    job = Job(flows=(1000.0, 700.0), end_speed=7.0, seed=3, slots=2, bound=3.0)
    env = highway(**empty_road(job, slots=2, max_accel=3.0))
    moments = side_by_side(env, careful, 400, tmp_path, job)
    assert len(moments) == 401
    taken = places(moments)
    moved_up = {name for name, place in taken if place == 0} & {name for name, place in taken if place == 1}
    assert moved_up
    waiting = [
        name
        for name, x in moments[-1].positions.items()
        if name.startswith("rl") and 500 <= x < 2300 and name not in moments[-1].controlled
    ]
    assert waiting


def test_the_limit_that_is_enforced_instead(highway: Callable[..., TaskEnv], tmp_path: Path) -> None:
    job = Job(flows=(1900.0, 150.0), end_speed=5.0, seed=11, enforced=6.0, bound=3.0)
    env = highway(**empty_road(job, enforced_end_speed=6.0, max_accel=3.0))
    moments = side_by_side(env, careful, 420, tmp_path, job)
    slow_part = [v for name, v in moments[-1].speeds.items() if moments[-1].positions[name] > 2600]
    assert max(slow_part) == pytest.approx(6.0)


@pytest.mark.parametrize("driver", [sine, careful])
def test_three_simulation_steps_per_action(
    highway: Callable[..., TaskEnv], tmp_path: Path, driver: Driver
) -> None:
    bound = 3.0 if driver is careful else 0.5
    job = Job(flows=(2215 * 11 / 12, 2215 / 12), end_speed=6.0, seed=21, slots=10, simulations=3, bound=bound)
    env = highway(**empty_road(job, slots=10, sims_per_step=3, max_accel=bound))
    moments = side_by_side(env, driver, 260, tmp_path, job)
    assert len(moments) > 80


def test_after_a_warmup_at_the_reset(highway: Callable[..., TaskEnv], tmp_path: Path) -> None:
    """Nobody is automated in the warm-up; then every 22nd vehicle is, as in a saved state."""
    job = Job(flows=(1950.0, 100.0), end_speed=6.0, seed=21, warmup=600, bound=3.0)
    env = highway(**empty_road(job, warmup_steps=600, max_accel=3.0))
    moments = side_by_side(env, careful, 200, tmp_path, job)
    assert len(moments) == 201
    assert moments[0].controlled


@pytest.mark.parametrize("end_speed", [5.0, 6.0])
def test_from_a_saved_state(
    highway: Callable[..., TaskEnv], tmp_path: Path, quiet_states: dict[str, Any], end_speed: float
) -> None:
    """Who is automated, and that commands are obeyed, after a state was loaded."""
    path = state_file(HighwayOptions(**quiet_states), end_speed, 0)
    flows = (2050 * 21 / 22, 2050 / 22)
    job = Job(flows=flows, end_speed=end_speed, seed=77, state=str(path), bound=3.0)
    moments = side_by_side(highway(**quiet_states, max_accel=3.0), careful, 250, tmp_path, job)
    assert len(moments) == 251
    assert len(moments[0].controlled) >= 2
    entered = set(moments[-1].positions) - set(moments[0].positions)
    assert any(name.startswith("rl") for name in entered)
