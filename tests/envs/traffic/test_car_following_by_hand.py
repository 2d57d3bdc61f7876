"""Human drivers, fail-safes and the low-speed rule against numbers worked out by hand, and against plain loops."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.traffic.car_following import (
    acceleration_noise,
    automated_acceleration,
    fail_safe,
    idm_acceleration,
    keep_distance,
    next_speed,
    obey_speed_limit,
)
from tests.envs.traffic.plain_traffic import all_fail_safes, avoid_crash, idm, limit_speed, pedal

STEP = 0.4
SPEEDS = st.floats(0, 35)
GAPS = st.floats(0, 3000)
ACCELERATIONS = st.floats(-60, 10)


def array(value: float) -> np.ndarray:
    return np.array([value])


def human(speed: float, leader_speed: float, gap: float) -> float:
    return float(idm_acceleration(array(speed), array(leader_speed), array(gap))[0])


def at_limit(speed: float, acceleration: float, limit: float) -> float:
    return float(obey_speed_limit(array(speed), array(acceleration), array(limit), STEP)[0])


def at_distance(speed: float, acceleration: float, leader_speed: float, gap: float) -> float:
    return float(keep_distance(array(speed), array(acceleration), array(leader_speed), array(gap), STEP)[0])


def safe(speed: float, acceleration: float, limit: float, leader_speed: float, gap: float) -> float:
    arguments = [array(value) for value in (speed, acceleration, limit, leader_speed, gap)]
    return float(fail_safe(*arguments, STEP)[0])


@pytest.mark.parametrize(
    ("speed", "leader_speed", "gap", "expected"),
    [
        (0, 0, 6.8181818, 1.1881422),  # start on the ring of 260 m
        (0, 0, 2.0, 0.0),  # standstill
        (15, 15, 20, 1.3 * (1 - 1 / 16 - (17 / 20) ** 2)),
        (10, 0, 40, 1.3 * (1 - 1 / 81 - ((12 + 100 / (2 * math.sqrt(2.6))) / 40) ** 2)),
        (10, 30, 10, 1.3 * (1 - 1 / 81 - (2 / 10) ** 2)),  # the leader runs away: 12 - 62 < 2
        (30, 30, math.inf, 0.0),  # desired speed reached
        (24.1, 30, math.inf, 0.758590),  # a newcomer on an empty road
        (0, 0, 0.0, 1.3 * (1 - 4e6)),  # no gap counts as 1 mm
    ],
)
def test_human_driver(speed: float, leader_speed: float, gap: float, expected: float) -> None:
    assert human(speed, leader_speed, gap) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(speed=SPEEDS, leader_speed=SPEEDS, gap=GAPS)
def test_human_driver_is_the_plain_one(speed: float, leader_speed: float, gap: float) -> None:
    assert human(speed, leader_speed, gap) == pytest.approx(idm(speed, leader_speed, gap), rel=1e-12, abs=1e-12)


@given(speed=SPEEDS)
def test_human_driver_with_a_free_road(speed: float) -> None:
    assert human(speed, 30.0, math.inf) == pytest.approx(1.3 * (1 - (speed / 30) ** 4), abs=1e-12)


@pytest.mark.parametrize(
    ("speed", "acceleration", "limit", "expected"),
    [
        (29.8, 1.0, 30, 0.5),
        (29.6, 1.0, 30, 1.0),  # exactly reached
        (30, 0.5, 6, -60.0),  # no bound of braking here
        (10, 2.0, 30, 2.0),
        (5, 1.0, 0, -12.5),  # a limit of 0: to a stop
        (5, -1.0, 0, -12.5),
        (0, -3.0, 0, -3.0),
    ],
)
def test_speed_limit(speed: float, acceleration: float, limit: float, expected: float) -> None:
    assert at_limit(speed, acceleration, limit) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("speed", "acceleration", "leader_speed", "gap", "expected"),
    [
        (10, 0.0, 10, 2.0, 0.0),  # allowed: 2*2/0.4 + 0 = 10
        (10, 0.5, 10, 2.0, 0.0),  # 10.2 is cut to 10
        (10, 0.0, 4, 2.0, -15.0),  # allowed: 10 - 6 = 4
        (10, 1.0, 0, 1.0, -25.0),  # allowed: 5 - 10 < 0: to a stop
        (10, -25.0, 0, 1.0, -25.0),
        (10, 0.0, 0, 1.0, -25.0),
        (10, 1.0, 0, 4.0, 0.0),  # allowed: 20 - 10 = 10
        (3, 1.0, 3, -0.5, -7.5),  # overlapping: stop
        (30, 2.6, 30, math.inf, 2.6),
        (0, 1.0, 0, 0.0, 0.0),
    ],
)
def test_distance(speed: float, acceleration: float, leader_speed: float, gap: float, expected: float) -> None:
    assert at_distance(speed, acceleration, leader_speed, gap) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("speed", "acceleration", "limit", "leader_speed", "gap", "expected"),
    [
        (10, 5.0, 30, 10, 100, 2.6),  # largest acceleration
        (10, -9.0, 30, 10, 100, -4.5),  # hardest braking
        (30, 1.0, 6, 30, 500, -4.5),  # the limit asks for -60, the bound comes last
        (10, 0.0, 30, 0, 1.0, -4.5),  # distance asks for -25: a crash is not prevented
        (6, 3.0, 6.4, 6, 100, 1.0),  # limit
        (6, 3.0, 6.4, 6, 1.25, 0.625),  # allowed by distance: 6.25
        (1, -9.0, 30, 0, 1.0, -4.5),
        (29.8, 9.0, 30, 30, math.inf, 0.5),
    ],
)
def test_all_of_them_in_order(
    speed: float, acceleration: float, limit: float, leader_speed: float, gap: float, expected: float
) -> None:
    assert safe(speed, acceleration, limit, leader_speed, gap) == pytest.approx(expected, abs=1e-9)


@given(speed=SPEEDS, acceleration=ACCELERATIONS, limit=st.floats(0, 30), leader_speed=SPEEDS, gap=GAPS)
def test_fail_safes_are_the_plain_ones(
    speed: float, acceleration: float, limit: float, leader_speed: float, gap: float
) -> None:
    """Compared by the next speed, which is never negative, however hard somebody brakes."""

    def reached(braking: float) -> float:
        return max(speed + braking * STEP, 0)

    expected = limit_speed(speed, acceleration, limit)
    assert at_limit(speed, acceleration, limit) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    actual = at_distance(speed, acceleration, leader_speed, gap)
    expected = avoid_crash(speed, acceleration, leader_speed, gap)
    assert reached(actual) == pytest.approx(reached(expected), rel=1e-9, abs=1e-9)
    actual = safe(speed, acceleration, limit, leader_speed, gap)
    expected = all_fail_safes(speed, acceleration, limit, leader_speed, gap)
    assert reached(actual) == pytest.approx(reached(expected), rel=1e-9, abs=1e-9)
    assert -4.5 <= actual <= 2.6


@given(speed=SPEEDS, acceleration=ACCELERATIONS)
def test_nobody_ahead(speed: float, acceleration: float) -> None:
    assert at_distance(speed, acceleration, 30.0, math.inf) == acceleration


@pytest.mark.parametrize(
    ("action", "speed", "step", "expected"),
    [
        (1.0, 5.0, 0.4, 0.5),
        (-1.0, 5.0, 0.4, -0.5),
        (-1.0, 0.0, 0.4, 0.0),  # full brake: stay
        (1.0, 0.0, 0.4, 1.0),  # next speed 0.4
        (-1.0, 0.1, 0.4, -0.25),  # next speed 0
        (0.0, 0.1, 0.4, 0.25),  # next speed 0.2
        (-1.0, 0.2, 0.4, -0.5),  # the rule ends here
        (0.2, 0.2, 0.4, 0.1),
        (0.2, 0.1, 0.2, 0.1),
        (1.0, 0.05, 0.2, 0.75),
    ],
)
def test_what_an_action_means(action: float, speed: float, step: float, expected: float) -> None:
    actual = automated_acceleration(array(action), array(speed), 0.5, step)
    assert float(actual[0]) == pytest.approx(expected, abs=1e-12)


@given(action=st.floats(-1, 1), speed=st.floats(0, 2), step=st.sampled_from([0.2, 0.4]))
def test_low_speeds_are_the_plain_ones(action: float, speed: float, step: float) -> None:
    actual = float(automated_acceleration(array(action), array(speed), 0.5, step)[0])
    assert actual == pytest.approx(pedal(action, speed, step=step), abs=1e-12)
    assert speed + actual * step >= -1e-12


@pytest.mark.parametrize(("level", "step", "expected"), [(0.2, 0.2, 0.0894), (0.3, 0.4, 0.1897)])
def test_noise_of_ring_and_highway(level: float, step: float, expected: float) -> None:
    drawn = acceleration_noise(np.random.default_rng(3), level, step, 200_000)
    assert drawn.shape == (200_000,)
    assert drawn.std() == pytest.approx(expected, abs=1e-3)
    assert drawn.mean() == pytest.approx(0, abs=2e-3)
    assert np.mean(drawn**4) / drawn.var() ** 2 == pytest.approx(3, abs=0.1)  # normal


def test_next_speed_is_never_negative() -> None:
    assert next_speed(np.array([1.0, 1.0]), np.array([-2.0, -3.0]), STEP).tolist() == pytest.approx([0.2, 0.0])
