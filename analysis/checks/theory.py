"""Formulas of the suite at points where theory knows their value."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from analysis import study_tables
from analysis.checks import configuration
from analysis.checks.check import Check
from envs.tasks import describe
from envs.traffic import car_following, ring_traffic
from envs.traffic.highway_network import DEPARTURE_SPEED

#: Lengths of ring, m, with rows of their own.
LENGTHS = (220, 230, 240, 245, 250, 260, 270)
#: J_HRL of section 5.4, which the paper's cooperation ratios are computed with.
PAPERS_RETURN = -600.0
DELTAS = (600, 450, 300, 150, 50, 0)
DRAWS = 200_000
ROUNDED = 2e-5  # references have five digits
SAMPLED = 2e-3  # six standard errors of a mean over the draws, and the rounding of the reference


def checks() -> Iterator[Check]:
    """Equilibria of the driver model, the driver's parameters, the cooperation ratio, goals drawn uniformly."""
    for length in LENGTHS:
        yield Check(f"D01_{length}", f"ring of {length} m", partial(uniform_speed, length), band=ROUNDED)
    yield Check("D02", "mean over rings", mean_uniform_speed, band=ROUNDED)
    yield Check("D13", "flow at the speed of departure", free_flow, band=1e-3)
    yield Check("AC_ring_77", "IDM's a and b, and the ring's noise", driver_parameters)
    for delta in DELTAS:
        yield Check(f"P03_{delta}", f"delta of -{delta}", partial(cooperation_ratio, -delta), band=1e-4)
    yield Check("D21", "ant_gather: norm of uniform goals", mean_goal_norm, band=SAMPLED)
    for row, task in {"PC14": "ring_road", "PC15": "highway"}.items():
        yield Check(row, f"{task}: highest goal", partial(highest_goal, task))


def uniform_speed(length: int) -> float:
    """Speed of evenly spaced humans on a ring, m/s."""
    return car_following.equilibrium_speed(length, ring_traffic.VEHICLES)


def mean_uniform_speed() -> float:
    """Mean of that speed over the whole metres of the preset's rings."""
    shortest, longest = configuration.option("ring_road", "lengths")
    return float(np.mean([uniform_speed(length) for length in range(shortest, longest + 1)]))


def free_flow() -> float:
    """Vehicles per hour of evenly spaced humans who keep the speed at which vehicles enter the highway.

    The gap at which the driver model's acceleration vanishes is found by bisection.
    """
    speed, low, high = np.array([DEPARTURE_SPEED]), 1.0, 1_000.0
    for _ in range(100):
        middle = (low + high) / 2
        if car_following.idm_acceleration(speed, speed, np.array([middle]))[0] < 0:
            low = middle
        else:
            high = middle
    return 3600 * DEPARTURE_SPEED / (low + car_following.VEHICLE_LENGTH)


def driver_parameters() -> str:
    """What the human model accelerates with, and brakes with, told from its accelerations."""
    standing, free = np.zeros(1), np.array([np.inf])
    largest = car_following.idm_acceleration(standing, standing, free)[0]
    speed, leader, gap = 10.0, 5.0, 20.0
    chosen = car_following.idm_acceleration(np.array([speed]), np.array([leader]), np.array([gap]))[0]
    share = 1 - (speed / car_following.DESIRED_SPEED) ** car_following.EXPONENT - chosen / largest
    wanted = gap * math.sqrt(share)
    approach = wanted - car_following.STANDSTILL_GAP - speed * car_following.TIME_HEADWAY
    braking = (speed * (speed - leader) / (2 * approach)) ** 2 / largest
    return f"{largest:.1f},{braking:.1f},{configuration.option('ring_road', 'noise'):.1f}"


def cooperation_ratio(delta: float) -> float:
    """The ratio that tables say of a delta, at the paper's worker return."""
    planned = configuration.resolved("ant_gather", "cher")
    assert planned.cher is not None
    run = planned.model_copy(update={"cher": planned.cher.model_copy(update={"delta": delta})})
    return float(study_tables.settings(run, planned, PAPERS_RETURN)["cooperation_ratio"])


def mean_goal_norm() -> float:
    """Mean Euclidean norm of goals drawn uniformly from the goal box."""
    task, _ = describe("ant_gather", configuration.resolved("ant_gather", "hrl").environment)
    drawn = np.random.default_rng(0).uniform(task.goal_low, task.goal_high, (DRAWS, len(task.goal_low)))
    return float(np.linalg.norm(drawn, axis=1).mean())


def highest_goal(task: str) -> float:
    """The upper end of the goal box, m/s."""
    spec, _ = describe(task, configuration.resolved(task, "hrl").environment)
    return float(spec.goal_high.max())
