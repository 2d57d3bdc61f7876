"""Scripted drivers of automated vehicles: what they do in a situation, apart from any simulator.

A driver is a function of a :class:`Situation`, and perhaps of parameters, to actions in [-1, 1].  All quantities
are in metres and seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from envs.base import EvaluationPoint
from envs.traffic.car_following import Array


class Situation(NamedTuple):
    """What S seeds' automated vehicles see and may do at one moment; there are V places for vehicles.

    Attributes:
        speed: their speeds, [S, V].
        leader_speed: speeds of the vehicles ahead, [S, V].
        gap: bumper-to-bumper distances to the vehicles ahead, [S, V].
        uniform: numbers drawn for this moment alone, uniform in [-1, 1], [S, V].
        points: the conditions under which they drive, length S.
        max_accel: acceleration that an action of 1 stands for, m/s^2.
        time_step: seconds until the next action.
    """

    speed: Array
    leader_speed: Array
    gap: Array
    uniform: Array
    points: Sequence[EvaluationPoint]
    max_accel: float
    time_step: float


def constant(situation: Situation) -> Array:
    """Keep the speed: actions of 0."""
    return np.zeros_like(situation.speed)


def random(situation: Situation) -> Array:
    """Uniform actions, as in the random phase of a training."""
    return situation.uniform


def follower_stopper(
    situation: Situation,
    *,
    standstill_gaps: Sequence[float],
    decelerations: Sequence[float],
    uniform_share: float,
) -> Array:
    """Drive at a steady speed unless the vehicle ahead is near (FollowerStopper; Stern et al., 2018).

    Args:
        situation: the moment.
        standstill_gaps: see :func:`safe_speed`.
        decelerations: see :func:`safe_speed`.
        uniform_share: see :func:`desired_speed`.
    """
    desired = np.array([[desired_speed(point, uniform_share)] for point in situation.points])
    speed, leader_speed, gap = situation[:3]
    return actions_towards(
        situation, safe_speed(speed, leader_speed, gap, desired, standstill_gaps, decelerations)
    )


def desired_speed(point: EvaluationPoint, uniform_share: float) -> float:
    """A steady speed that suits all traffic: that at the end of the road, or somewhat less than is ideal.

    Args:
        point: the condition, with the option ``end_speed``, or with an ideal goal (on a ring, the speed of uniform
            traffic).
        uniform_share: share of that ideal.

    Raises:
        ValueError: it has neither.
    """
    if "end_speed" in point.options:
        return float(point.options["end_speed"])
    if point.ideal_goal is None:
        raise ValueError(f"evaluation point {point.name} has neither the option end_speed nor an ideal goal")
    return uniform_share * point.ideal_goal[0]


def safe_speed(
    speed: Array,
    leader_speed: Array,
    gap: Array,
    desired_speed: Array,
    standstill_gaps: Sequence[float],
    decelerations: Sequence[float],
) -> Array:
    """The speed that the FollowerStopper asks for.

    Three gaps, each a parabola of the speed of approach, divide the road ahead: 0 below the first, the leader's
    speed at the second, the desired speed from the third on, and linear in between.

    Args:
        speed: own speeds.
        leader_speed: speeds of the vehicles ahead; counted as at least 0 and at most the desired speed.
        gap: distances to the vehicles ahead.
        desired_speed: what to drive at on an empty road.
        standstill_gaps: the three gaps without approach, in order.
        decelerations: how sharply the vehicle would brake at each of them, m/s^2, the sharpest first.
    """
    approach = np.minimum(leader_speed - speed, 0)
    gaps = [rest + approach**2 / (2 * brake) for rest, brake in zip(standstill_gaps, decelerations, strict=True)]
    following, free = (np.clip((gap - near) / (far - near), 0, 1) for near, far in pairwise(gaps))
    leader_speed = np.minimum(np.maximum(leader_speed, 0), desired_speed)
    return leader_speed * following + (desired_speed - leader_speed) * free


def actions_towards(situation: Situation, target: Array) -> Array:
    """Actions after which the speeds are as close to ``target`` as one step allows.

    The inverse of :func:`envs.traffic.car_following.automated_acceleration`, its rule for low speeds included.
    Where an action lasts for several simulation steps it is exact for other than low speeds only.
    """
    change = situation.max_accel * situation.time_step
    if change == 0:
        return np.zeros_like(situation.speed)
    still = np.maximum(situation.speed, change)  # the speed after an action of 0
    return np.clip((target - still) / change, -1, 1)
