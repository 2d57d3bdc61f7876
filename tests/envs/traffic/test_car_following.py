import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.traffic.car_following import (
    acceleration_noise,
    automated_acceleration,
    equilibrium_speed,
    idm_acceleration,
    next_speed,
)

EQUILIBRIUM = Path(__file__).parents[1] / "data" / "ring_equilibrium.csv"
TIME_STEP = 0.2


def acceleration(speed: float, leader_speed: float, gap: float) -> float:
    return float(idm_acceleration(np.array([speed]), np.array([leader_speed]), np.array([gap]))[0])


def test_idm_at_the_start_of_a_260_m_ring() -> None:
    assert acceleration(0, 0, 260 / 22 - 5) == pytest.approx(1.1881422222, abs=1e-9)


def test_idm_by_hand_while_closing_in() -> None:
    desired_gap = 2 + 10 + 10 * 4 / (2 * np.sqrt(1.3 * 2.0))
    assert acceleration(10, 6, 20) == pytest.approx(1.3 * (1 - (1 / 3) ** 4 - (desired_gap / 20) ** 2))


def test_idm_desired_gap_never_falls_below_the_standstill_gap() -> None:
    assert acceleration(5, 30, 4) == pytest.approx(1.3 * (1 - (5 / 30) ** 4 - (2 / 4) ** 2))


@pytest.mark.parametrize("gap", [0.0, 5e-4, -5e-4])
def test_idm_counts_tiny_gaps_as_a_millimetre(gap: float) -> None:
    assert acceleration(1, 1, gap) == acceleration(1, 1, 1e-3)


def test_noise_has_the_level_times_the_root_of_the_time_step() -> None:
    noise = acceleration_noise(np.random.default_rng(0), 0.2, TIME_STEP, 100_000)
    assert noise.std() == pytest.approx(0.0894, abs=1e-3)
    assert noise.mean() == pytest.approx(0, abs=1e-3)


@given(speed=st.floats(0, 40), acceleration=st.floats(-1e3, 1e3))
def test_vehicles_do_not_drive_backwards(speed: float, acceleration: float) -> None:
    assert next_speed(np.array([speed]), np.array([acceleration]), TIME_STEP)[0] >= 0


@given(action=st.floats(-1, 1), speed=st.floats(0, 40), bound=st.floats(0.1, 3))
def test_no_action_asks_for_a_negative_speed(action: float, speed: float, bound: float) -> None:
    assert speed + automated_acceleration(action, speed, bound, TIME_STEP) * TIME_STEP >= -1e-12


@given(action=st.floats(-1, 1), speed=st.floats(0, 0.0999))
def test_every_action_makes_a_difference_near_standstill(action: float, speed: float) -> None:
    following = speed + automated_acceleration(action, speed, 0.5, TIME_STEP) * TIME_STEP
    assert following == pytest.approx((action + 1) / 2 * TIME_STEP, abs=1e-12)


def test_action_scales_the_acceleration_bound_at_speed() -> None:
    assert automated_acceleration(-0.4, 3.0, 0.5, TIME_STEP) == pytest.approx(-0.2)


def test_equilibrium_speed_of_every_length() -> None:
    with EQUILIBRIUM.open() as file:
        table = {int(row["length_m"]): float(row["v_eq_mps"]) for row in csv.DictReader(file)}
    assert sorted(table) == list(range(220, 271))
    for length, expected in table.items():
        assert equilibrium_speed(length, 22) == pytest.approx(expected, abs=1e-3)


def test_acceleration_vanishes_at_the_equilibrium_speed() -> None:
    speed = equilibrium_speed(245, 22)
    assert acceleration(speed, speed, 245 / 22 - 5) == pytest.approx(0, abs=1e-12)


def test_traffic_stands_when_the_gaps_are_standstill_gaps() -> None:
    assert equilibrium_speed(154, 22) == pytest.approx(0, abs=1e-12)
    assert equilibrium_speed(120, 22) == 0
