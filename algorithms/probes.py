"""A worker on its own: how well it reaches a few fixed goals, again and again over the course of a training.

A manager learns from what its worker makes of a goal, and that changes while the worker learns.  The same starts
and goals at every evaluation, whatever the algorithm and the manager, show how much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from algorithms.algorithm import Array
from algorithms.diagnostics import numbered
from algorithms.evaluate import Interrupted
from algorithms.levels import Levels
from algorithms.records import Row
from algorithms.seeding import integer, sequence
from envs.base import TaskSpec
from envs.tasks import VectorTask

NUMBER = 10  # probes per seed
STEPS = 50  # environment steps that the worker has for a goal


def probe(
    levels: Levels,
    envs: VectorTask,
    task: TaskSpec,
    seeds: Sequence[int],
    *,
    step: int,
    stop: Callable[[], bool] = lambda: False,
) -> list[Row]:
    """Let each seed's worker pursue the fixed probes of its seed, without exploration.

    Args:
        levels: the workers of S seeds.
        envs: S environments, one per seed.
        task: gives the goal box and, with its first evaluation point, the condition of all probes.
        seeds: the S seeds.
        step: training step, for the rows alone.
        stop: polled every step.

    Returns:
        One row per seed and probe: its start and goal, and the distance to the goal before the first step and
        after the last, which is that of the episode's end where it ends early.

    Raises:
        Interrupted: ``stop`` said so.
    """
    rows: list[list[Row]] = [[] for _ in seeds]
    for number in range(NUMBER):
        starts = [integer(seed, "probe", number) for seed in seeds]
        goals = np.stack([probe_goal(task, seed, number) for seed in seeds])
        errors = _pursue(levels, envs, task, starts, goals, stop)
        for index, (seed, error_start, error_end) in enumerate(zip(seeds, *errors, strict=True)):
            head = {"seed": seed, "step": step, "probe": number, "reset_seed": starts[index]}
            goal = numbered("goal", goals[index].tolist())
            rows[index].append({**head, **goal, "error_start": float(error_start), "error_end": float(error_end)})
    return [row for of_seed in rows for row in of_seed]


def probe_goal(task: TaskSpec, seed: int, number: int) -> Array:
    """A goal from the whole goal box, [d]; it depends on the seed and the probe's number alone."""
    generator = np.random.default_rng(sequence(seed, "probe_goal", number))
    return generator.uniform(task.goal_low, task.goal_high).astype(np.float32)


def _pursue(
    levels: Levels,
    envs: VectorTask,
    task: TaskSpec,
    starts: Sequence[int],
    goals: Array,
    stop: Callable[[], bool],
) -> tuple[Array, Array]:
    """Pursue the goals [S, d] for up to ``STEPS`` steps; the distances to them before and after, [S] each."""
    running, options = np.ones(len(starts), dtype=np.bool_), dict(task.evaluation_points[0].options)
    seeds: list[int | None] = list(starts)

    def reset(mask: Any) -> Array:
        fresh: Array = envs.reset(seed=seeds, options={**options, "reset_mask": mask})[0]
        return fresh

    observations = reset(running)
    first = last = np.linalg.norm(levels.goals.residual(observations, goals, observations), axis=-1)
    for _ in range(STEPS):
        if stop():
            raise Interrupted
        following: Array
        following, _, terminated, truncated, _ = envs.step(levels.control(observations, goals, explore=False))
        distances = np.linalg.norm(levels.goals.residual(observations, goals, following), axis=-1)
        last = np.where(running, distances, last)
        goals = levels.goals.transition(observations, goals, following)
        ended = terminated | truncated
        running &= ~ended
        if not running.any():
            break
        if ended.any():  # the others are not done yet, and an environment cannot rest
            following[ended] = reset(ended)[ended]
        observations = following
    return first, last
