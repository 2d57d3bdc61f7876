"""Longitudinal motion of the vehicles: the human driver model and the automated vehicle's bounds.

All quantities are in metres and seconds.  Every function works on whole arrays of vehicles.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

DESIRED_SPEED = 30.0
TIME_HEADWAY = 1.0
MAX_ACCELERATION = 1.3
COMFORTABLE_DECELERATION = 2.0
EXPONENT = 4
STANDSTILL_GAP = 2.0
VEHICLE_LENGTH = 5.0
#: The hardest braking and acceleration that the fail-safes allow, m/s^2 (Flow's vehicle type).
HARDEST_BRAKING, LARGEST_ACCELERATION = 4.5, 2.6
_SMALLEST_GAP = 1e-3

Array = NDArray[np.float64]


def idm_acceleration(speed: Array, leader_speed: Array, gap: Array) -> Array:
    """Acceleration of the Intelligent Driver Model (Treiber et al., 2000; parameters of the authors' code).

    Args:
        speed: speeds, m/s.
        leader_speed: speeds of the vehicles ahead, m/s.
        gap: bumper-to-bumper distances to the vehicles ahead, m; those below 1 mm count as 1 mm (Flow), and
            infinity says that nobody is ahead.

    Returns:
        accelerations in m/s^2, without noise or bounds, of the shape of the arguments.
    """
    approach = speed * (speed - leader_speed) / (2 * math.sqrt(MAX_ACCELERATION * COMFORTABLE_DECELERATION))
    desired_gap = STANDSTILL_GAP + np.maximum(0.0, speed * TIME_HEADWAY + approach)
    gap = np.where(np.abs(gap) < _SMALLEST_GAP, _SMALLEST_GAP, gap)
    return MAX_ACCELERATION * (1 - (speed / DESIRED_SPEED) ** EXPONENT - (desired_gap / gap) ** 2)


def acceleration_noise(generator: np.random.Generator, level: float, time_step: float, number: int) -> Array:
    """Noise added to human accelerations, shape [number]: sqrt(time_step) * N(0, level), in m/s^2 (Flow)."""
    return math.sqrt(time_step) * generator.normal(0.0, level, size=number)


def obey_speed_limit(speed: Array, acceleration: Array, limit: Array, time_step: float) -> Array:
    """Accelerations that take nobody beyond the limit of the road that it is on at present (Flow).

    Args:
        speed: speeds, m/s.
        acceleration: m/s^2.
        limit: speed limits, m/s.
        time_step: seconds.
    """
    return np.minimum(acceleration, (np.maximum(limit, 0.0) - speed) / time_step)


def keep_distance(speed: Array, acceleration: Array, leader_speed: Array, gap: Array, time_step: float) -> Array:
    """Accelerations that avoid a collision in the next step: Flow's ``safe_velocity`` without delay.

    It looks one step ahead, so it comes too late for bounded braking.

    Args:
        speed: speeds, m/s.
        acceleration: m/s^2.
        leader_speed: speeds of the vehicles ahead, m/s.
        gap: bumper-to-bumper distances to the vehicles ahead, m; infinity says that nobody is ahead.
        time_step: seconds.
    """
    safe_speed = np.maximum(2 * gap / time_step + (leader_speed - speed), 0.0)
    return np.minimum(acceleration, (safe_speed - speed) / time_step)


def fail_safe(
    speed: Array, acceleration: Array, limit: Array, leader_speed: Array, gap: Array, time_step: float
) -> Array:
    """The highway's three fail-safes in Flow's order: speed limit, distance, bounds of acceleration.

    Since the bounds come last, distance is not kept at all costs: vehicles can collide.
    """
    acceleration = obey_speed_limit(speed, acceleration, limit, time_step)
    acceleration = keep_distance(speed, acceleration, leader_speed, gap, time_step)
    return np.clip(acceleration, -HARDEST_BRAKING, LARGEST_ACCELERATION)


def next_speed(speed: Array, acceleration: Array, time_step: float) -> Array:
    """Speed after one time step of constant acceleration; vehicles do not drive backwards."""
    return np.maximum(speed + acceleration * time_step, 0.0)


def automated_acceleration(action: Array, speed: Array, max_acceleration: float, time_step: float) -> Array:
    """Accelerations of automated vehicles for actions in [-1, 1] (authors' code).

    An action means ``max_acceleration * action``.  At speeds below ``max_acceleration * time_step`` full braking
    would ask for a negative speed; there the range of the next speed is shifted up to
    [0, 2 * max_acceleration * time_step], so that every action still makes a difference.
    """
    shift = np.maximum(max_acceleration - speed / time_step, 0.0)
    return max_acceleration * action + shift


def equilibrium_speed(length: float, vehicles: int) -> float:
    """Speed of uniform human traffic on a ring, m/s: the speed at which the model's acceleration vanishes.

    It solves (s0 + v T) / sqrt(1 - (v / v0)^4) = gap for the equal gaps ``length / vehicles`` minus a vehicle
    length, and is 0 if the gaps do not exceed the standstill gap s0.

    Args:
        length: circumference of the ring, m.
        vehicles: number of vehicles on it.
    """
    gap = length / vehicles - VEHICLE_LENGTH
    low, high = 0.0, DESIRED_SPEED
    while low < (middle := (low + high) / 2) < high:
        free_share = math.sqrt(1 - (middle / DESIRED_SPEED) ** EXPONENT)
        if STANDSTILL_GAP + middle * TIME_HEADWAY < gap * free_share:
            low = middle
        else:
            high = middle
    return low
