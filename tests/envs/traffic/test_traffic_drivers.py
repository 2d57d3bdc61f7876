"""Control laws of scripted drivers by themselves, and what they reach on the ring."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from envs.base import EvaluationPoint
from envs.traffic import drivers
from envs.traffic.car_following import Array, automated_acceleration, equilibrium_speed, next_speed
from envs.traffic.drivers import Situation, actions_towards, desired_speed, safe_speed
from envs.traffic.ring import RingRoad

GAPS, DECELERATIONS = (4.5, 5.25, 6.0), (1.5, 1.0, 0.5)
follower_stopper = partial(
    drivers.follower_stopper, standstill_gaps=GAPS, decelerations=DECELERATIONS, uniform_share=0.97
)
ANYWHERE = EvaluationPoint("anywhere", ideal_goal=(4.0,))

speeds = st.floats(0, 30)


def situation(
    speed: float | Array = 0.0,
    leader_speed: float | Array = 0.0,
    gap: float | Array = 10.0,
    *,
    points: tuple[EvaluationPoint, ...] = (ANYWHERE,),
    max_accel: float = 0.5,
    time_step: float = 0.2,
) -> Situation:
    """A situation of one vehicle, or of those in arrays [S, V]."""
    shape = np.broadcast_shapes((len(points), 1), np.shape(speed))
    speed, leader_speed, gap = (
        np.broadcast_to(value, shape).astype(float) for value in (speed, leader_speed, gap)
    )
    uniform = np.linspace(-1, 1, speed.size).reshape(shape)
    return Situation(speed, leader_speed, gap, uniform, points, max_accel, time_step)


def wanted(speed: float, leader_speed: float, gap: float, desired: float = 4.0) -> float:
    values = (np.array(value) for value in (speed, leader_speed, gap, desired))
    return float(safe_speed(*values, GAPS, DECELERATIONS))


@pytest.mark.parametrize(
    ("gap", "expected"),
    [(-1, 0), (0, 0), (4.5, 0), (4.875, 1), (5.25, 2), (5.625, 3), (6.0, 4), (50, 4)],
)
def test_speeds_behind_a_leader_that_is_not_approached(gap: float, expected: float) -> None:
    """The leader drives 2 m/s, the vehicle as fast; it wants 4 m/s."""
    assert wanted(2, 2, gap) == pytest.approx(expected)


def test_the_three_gaps_grow_with_the_square_of_the_approach() -> None:
    """At 3 m/s of approach by 9 / 3, 9 / 2 and 9 / 1 metres."""
    first, second, third = 4.5 + 3, 5.25 + 4.5, 6.0 + 9
    assert wanted(5, 2, first) == 0
    assert wanted(5, 2, second) == pytest.approx(2)
    assert wanted(5, 2, (second + third) / 2) == pytest.approx(3)
    assert wanted(5, 2, third) == pytest.approx(4)


def test_a_leader_that_draws_away_moves_no_gap_and_is_not_followed_beyond_the_desired_speed() -> None:
    assert wanted(1, 9, 5.25) == wanted(9, 9, 5.25) == pytest.approx(4)
    assert wanted(0, -3, 5.25 + 9 / 2) == 0, "nor does it drive backwards behind one that does"


@given(speed=speeds, leader_speed=speeds, gap=st.floats(-5, 300), desired=speeds)
def test_the_wanted_speed_lies_between_standstill_and_the_desired_one(
    speed: float, leader_speed: float, gap: float, desired: float
) -> None:
    assert 0 <= wanted(speed, leader_speed, gap, desired) <= desired + 1e-9
    assert wanted(speed, leader_speed, gap, desired) <= wanted(speed, leader_speed, gap + 1, desired) + 1e-9


@given(speed=speeds, target=speeds, max_accel=st.floats(0.01, 5), time_step=st.sampled_from([0.2, 0.4]))
@example(speed=0.0, target=0.0, max_accel=0.5, time_step=0.2)
@example(speed=0.05, target=0.15, max_accel=0.5, time_step=0.2)
@example(speed=0.1, target=0.05, max_accel=0.5, time_step=0.2)
def test_an_action_leads_to_the_target_as_far_as_it_can(
    speed: float, target: float, max_accel: float, time_step: float
) -> None:
    """Against the automated vehicle's own rule, which shifts what actions mean at low speed."""
    moment = situation(speed, max_accel=max_accel, time_step=time_step)
    action = float(actions_towards(moment, np.array([[target]]))[0, 0])
    assert -1 <= action <= 1
    change = max_accel * time_step
    low, high = (0, 2 * change) if speed < change else (speed - change, speed + change)
    acceleration = automated_acceleration(action, speed, max_accel, time_step)
    reached = float(next_speed(np.array(speed), np.array(acceleration), time_step))
    assert reached == pytest.approx(np.clip(target, low, high), abs=1e-9)


def test_a_vehicle_that_cannot_accelerate_is_left_alone() -> None:
    assert actions_towards(situation(3.0, max_accel=0.0), np.array([[9.0]])) == 0


def test_the_desired_speed_is_the_roads() -> None:
    assert desired_speed(EvaluationPoint("ring", {"length": 245}, (4.0,)), 0.97) == pytest.approx(3.88)
    assert desired_speed(EvaluationPoint("highway", {"end_speed": 6}, (8.0,) * 5), 0.97) == 6
    with pytest.raises(
        ValueError, match=r"^evaluation point nowhere has neither the option end_speed nor an ideal"
    ):
        desired_speed(EvaluationPoint("nowhere"), 0.97)


def test_every_place_and_every_seed_is_driven_by_itself() -> None:
    """Two seeds under different conditions, three places each."""
    points = (ANYWHERE, EvaluationPoint("highway", {"end_speed": 6.0}))
    speed, leader = np.array([[3.8, 3.9, 2.0], [3.8, 6.0, 2.0]]), np.array([[9.0, 9.0, 0.0], [9.0, 9.0, 0.0]])
    gap = np.array([[50.0, 50.0, 1.0], [50.0, 50.0, 1.0]])
    actions = follower_stopper(situation(speed, leader, gap, points=points))
    np.testing.assert_allclose(actions, [[0.8, -0.2, -1.0], [1.0, 0.0, -1.0]], atol=1e-9)


def test_simple_drivers() -> None:
    moment = situation(np.full((2, 3), 5.0), points=(ANYWHERE, ANYWHERE))
    assert (drivers.constant(moment) == np.zeros((2, 3))).all()
    assert drivers.random(moment) is moment.uniform


def episode(law: Callable[[Situation], Array], length: int, seed: int) -> tuple[float, float]:
    """Return of an episode on the ring, and the standard deviation of speeds in its last 50 s."""
    env = RingRoad()
    point = EvaluationPoint("ring", {"length": length}, (equilibrium_speed(length, 22),))
    observation, _ = env.reset(seed=seed, options={"length": length})
    total, over = 0.0, False
    while not over:
        speed, leader_speed, gap = observation[:3].astype(float).tolist()
        action = law(situation(speed, leader_speed, gap, points=(point,)))
        observation, reward, terminated, truncated, info = env.step(action[0].astype(np.float32))
        total, over = total + reward, terminated or truncated
    env.close()
    assert info["episode_metrics"]["collisions"] == 0
    return total, info["episode_metrics"]["speed_std"]


def full_throttle(moment: Situation) -> Array:
    return np.ones_like(moment.speed)


def full_brake(moment: Situation) -> Array:
    return -np.ones_like(moment.speed)


def test_follower_stopper_dissolves_the_waves_of_a_ring() -> None:
    """At 245 m the return of humans is 1,590, at most 1,610 with full throttle, and 2,565 without any waves."""
    total, deviation = episode(follower_stopper, 245, seed=0)
    assert 2_050 < total < 2_565
    assert deviation < 0.1
    assert episode(full_throttle, 245, seed=0)[0] == pytest.approx(1_609, rel=0.02)
    assert episode(full_brake, 245, seed=0)[0] < 70


@pytest.mark.slow
@pytest.mark.parametrize(
    ("length", "low", "high", "most"), [(220, 820, 1_000, 1.3), (245, 2_050, 2_260, 0.1), (270, 3_480, 3_760, 0.1)]
)
def test_follower_stopper_on_short_and_long_rings(length: int, low: float, high: float, most: float) -> None:
    """On the shortest rings there is no room for its gap; it then gets no further than humans do."""
    for seed in range(6):
        total, deviation = episode(follower_stopper, length, seed)
        assert low < total < high
        assert deviation < most
