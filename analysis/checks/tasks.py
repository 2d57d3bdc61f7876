"""The tasks themselves, asked by stepping them: what they pay, how long they last, where things are."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from analysis.checks import configuration
from analysis.checks.check import Check
from analysis.checks.theory import uniform_speed
from envs.base import TaskEnv
from envs.tasks import make

MAZES = ("ant_maze", "ant_four_rooms")
ANT = ("ant_gather", *MAZES)
#: Targets drawn for the return of a robot that stands still; their mean distance has an error of 0.5 %.
TARGETS = 1_500
NOISE = 0.02  # the robot does not stand still exactly
FASTEST = 30.0  # m/s, the speed limit
#: A short way to moving traffic.
SHORT = {"ring_road": {"warmup_steps": 100}, "highway": {"pool": False, "warmup_steps": 250}}


def checks() -> Iterator[Check]:
    """One check per row, or per row and task."""
    yield Check("PC00", "apples at the start", partial(count_objects, 0))
    yield Check("PC01", "bombs at the start", partial(count_objects, 1))
    yield Check("PC02", "side of the square that the sensor's objects lie in", field_side)
    yield Check("D15", "return of all apples", best_gather_return)
    for task in ANT:
        yield Check("PC03", f"{task}: steps until truncation", partial(episode_length, task))
        yield Check("PC04", f"{task}: time step of MuJoCo", partial(simulator_step, task))
        yield Check("PC05", f"{task}: simulator steps per environment step", partial(frame_skip, task))
    for row, tasks in {"PC28": ("ant_gather",), "PC27": MAZES, "PC29": ("ring_road", "highway")}.items():
        for task in tasks:
            yield Check(row, f"{task}: reward scale", partial(reward_scale, task))
    yield Check("D17", "ant_maze: standing still in training", standing_in_training, band=NOISE)
    yield Check("D18", "ant_maze: standing still in evaluations", partial(standing, "ant_maze"), band=NOISE)
    yield Check("D19", "ant_four_rooms: standing still", partial(standing, "ant_four_rooms"), band=NOISE)
    yield Check("PC06", "vehicles on the ring", ring_vehicles)
    yield Check("PC13", "ring_road: observation size", observation_size)
    for row, task in {"PC09": "ring_road", "PC10": "highway"}.items():
        yield Check(row, f"{task}: seconds per step", partial(seconds_per_step, task))
    yield Check("D03", "ring_road: return of uniform traffic", uniform_return, band=1e-4)
    yield Check("D14", "highway: return at the speed limit", fastest_return)


def environment(task: str, **changes: Any) -> TaskEnv:
    """A task with the options of the paper's preset, but for some."""
    return make(task, configuration.resolved(task, "hrl").environment | changes)


def count_objects(kind: int) -> float:
    """How many apples (0) or bombs (1) there are after a reset."""
    env: Any = environment("ant_gather")
    env.reset(seed=0)
    return float((env.object_kinds == kind).sum())


def field_side() -> float:
    """Twice the largest coordinate at which an object was ever seen, m."""
    env: Any = environment("ant_gather")
    furthest = 0.0
    for seed in range(50):
        env.reset(seed=seed)
        furthest = max(furthest, float(np.abs(env.object_positions).max()))
    return 2 * furthest


def best_gather_return() -> float:
    """Reward of the steps in which every apple is put under the robot, one after the other."""
    env: Any = environment("ant_gather")
    env.reset(seed=0)
    apples = np.flatnonzero(env.object_kinds == 0)
    far = np.full_like(env.object_positions, 9.0)
    total = 0.0
    for _ in apples:
        env.object_positions = far[: len(env.object_kinds)].copy()
        env.object_positions[np.flatnonzero(env.object_kinds == 0)[0]] = env.position
        total += env.step(np.zeros(8, np.float32))[1]
    return total


def episode_length(task: str) -> float:
    """Steps until an episode of a robot without torque is truncated."""
    env = environment(task)
    env.reset(seed=0)
    for step in range(1, 10_000):
        _, _, terminated, truncated, _ = env.step(np.zeros(8, np.float32))
        if truncated:
            return float(step)
        if terminated:
            env.reset(seed=step)
            raise RuntimeError(f"the episode terminated in step {step}")
    raise RuntimeError("the episode has no end")


def simulator_step(task: str) -> float:
    """Seconds per step of MuJoCo."""
    env: Any = environment(task)
    return float(env.model.opt.timestep)


def frame_skip(task: str) -> float:
    """Steps of MuJoCo per environment step, told from its clock."""
    env: Any = environment(task)
    env.reset(seed=0)
    before = env.data.time
    env.step(np.zeros(8, np.float32))
    return round((env.data.time - before) / env.model.opt.timestep, 6)


def reward_scale(task: str) -> float:
    """What the learner multiplies rewards with."""
    return environment(task).task.reward_scale


def first_reward(env: TaskEnv, seed: int, **options: Any) -> float:
    """Reward of a first step without torque."""
    env.reset(seed=seed, options=options)
    return float(env.step(np.zeros(8, np.float32))[1])


def standing_in_training() -> float:
    """Return of a robot that stays at the start, over targets as training draws them."""
    env = environment("ant_maze")
    return env.task.horizon * float(np.mean([first_reward(env, seed) for seed in range(TARGETS)]))


def standing(task: str) -> float:
    """Return of a robot that stays at the start, mean over the evaluation points."""
    env = environment(task)
    points = env.task.evaluation_points
    return env.task.horizon * float(np.mean([first_reward(env, 0, **point.options) for point in points]))


def ring_vehicles() -> float:
    """How many vehicles SUMO has on the ring."""
    env: Any = environment("ring_road", warmup_steps=1)
    env.reset(seed=0)
    return float(len(env.traffic.speeds))


def observation_size() -> float:
    """Entries of an observation."""
    shape = environment("ring_road").observation_space.shape
    assert shape is not None
    return float(np.prod(shape))


def seconds_per_step(task: str) -> float:
    """Seconds per environment step, as learners are told."""
    vehicles = environment(task).task.vehicles
    assert vehicles is not None
    return vehicles.time_step


def reward_factor(task: str) -> float:
    """Reward of a step of moving traffic, divided by the squared mean speed of the vehicles that count."""
    env: Any = environment(task, **SHORT[task])
    env.reset(seed=0)
    reward = env.step(np.zeros(env.action_space.shape, np.float32))[1]
    snapshot = env.snapshot()
    low, high = (500.0, 2300.0) if task == "highway" else (-np.inf, np.inf)
    speeds = snapshot.speeds[(snapshot.positions >= low) & (snapshot.positions <= high)]
    return round(float(reward) / float(speeds.mean()) ** 2, 9)


def uniform_return() -> float:
    """Return of evenly spaced humans, mean over the whole metres of the preset's rings."""
    env: Any = environment("ring_road")
    shortest, longest = env.options.lengths
    squares = [uniform_speed(length) ** 2 for length in range(shortest, longest + 1)]
    return env.task.horizon * reward_factor("ring_road") * float(np.mean(squares))


def fastest_return() -> float:
    """Return of vehicles that all drive at the speed limit."""
    return environment("highway").task.horizon * reward_factor("highway") * FASTEST**2
