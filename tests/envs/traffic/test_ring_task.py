"""The ring road as a learner sees it, before any traffic runs."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from envs.base import VehicleSpec
from envs.traffic.car_following import equilibrium_speed
from envs.traffic.ring import RingRoad


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"warmup_steps": -1}, "warmup_steps = -1 is not allowed; it must be greater than or equal to 0"),
        ({"horizon": 0}, "horizon = 0 is not allowed; it must be greater than or equal to 1"),
        ({"noise": "much"}, "noise = 'much' is not allowed; it must be a valid number"),
        ({"perturbation": 2}, "perturbation = 2 is not allowed; it must be less than or equal to 1"),
        ({"max_accel": float("nan")}, "max_accel = nan is not allowed; it must be .*"),
        ({"lengths": 245}, "lengths = 245 is not allowed; it must be a valid tuple"),
        ({"lengths": (270, 220)}, r"lengths \(270, 220\) must be in order, the smallest first"),
    ],
)
def test_wrong_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        RingRoad(**options)


def test_task_description() -> None:
    task = RingRoad().task
    assert task.goal_indices == (0,)
    assert (task.goal_low, task.goal_high) == (0, 10)
    assert task.manager_indices == task.worker_indices == tuple(range(25))
    assert task.unit_scale.shape == (25,)
    assert task.horizon == 1500
    assert task.vehicles == VehicleSpec(time_step=0.2, max_accel=0.5)
    assert RingRoad(max_accel=1.0).task.vehicles == VehicleSpec(time_step=0.2, max_accel=1.0)
    lengths = [point.options["length"] for point in task.evaluation_points]
    assert lengths == [220, 226, 231, 237, 242, 248, 253, 259, 264, 270]
    assert task.evaluation_points[0].name == "length_220"


def test_ideal_goal_is_the_speed_of_uniform_traffic() -> None:
    points = RingRoad().task.evaluation_points
    goals = {point.options["length"]: point.ideal_goal for point in points}
    assert goals[220] == pytest.approx((2.9998,), abs=1e-4)
    assert goals[270] == pytest.approx((5.2693,), abs=1e-4)
    assert all(goal == (equilibrium_speed(length, 22),) for length, goal in goals.items())


def test_evaluation_stays_within_the_lengths_of_training() -> None:
    points = RingRoad(lengths=(258, 262)).task.evaluation_points
    assert [point.name for point in points] == [f"length_{length}" for length in range(258, 263)]


@pytest.mark.filterwarnings("ignore:.*observation space m.*imum value is")
def test_gymnasium_accepts_it() -> None:
    env = gymnasium.make("RingRoad-v0", warmup_steps=5)
    check_env(env.unwrapped)
    env.close()


@pytest.mark.slow
def test_200000_random_steps() -> None:
    env = RingRoad()
    generator, ended = np.random.default_rng(0), True
    for _ in range(200_000):
        if ended:
            env.reset(seed=int(generator.integers(1_000_000)))
        observation, reward, terminated, ended, _ = env.step(generator.uniform(-1, 1, 1))
        ended |= terminated
        assert np.isfinite(observation).all()
        assert 0 <= reward < 0.1 * 30**2
    env.close()
