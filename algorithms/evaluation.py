"""Deterministic evaluation that leaves a training untouched.

It has its own environments, its own policy memory and its own random streams, which depend on seed, training step,
evaluation point and episode alone: every algorithm meets the same starts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from algorithms.algorithm import Array, Mask, Policy
from algorithms.records import Row
from algorithms.seeding import integer
from envs.base import TaskSpec
from envs.tasks import VectorTask


class Interrupted(Exception):
    """The evaluation was asked to stop; it leaves nothing behind and can be repeated."""


def evaluate(
    policy: Policy,
    envs: VectorTask,
    task: TaskSpec,
    seeds: Sequence[int],
    *,
    step: int,
    episodes: int,
    stop: Callable[[], bool] = lambda: False,
) -> list[Row]:
    """Run a policy for some episodes at each evaluation point.

    Args:
        policy: acts for S environments.
        envs: S environments, one per seed.
        task: names the evaluation points.
        seeds: the S seeds.
        step: training step, part of the random streams.
        episodes: per evaluation point.
        stop: polled every step.

    Returns:
        One row per seed and evaluation point: means over its episodes.

    Raises:
        Interrupted: ``stop`` said so.
    """
    schedule = [(point, episode) for point in range(len(task.evaluation_points)) for episode in range(episodes)]
    number = len(seeds)
    results: list[dict[int, list[list[float]]]] = [defaultdict(list) for _ in seeds]
    turn = np.zeros(number, dtype=np.int64)
    returns, lengths = np.zeros(number), np.zeros(number, dtype=np.int64)

    def start(mask: Mask, turn: int) -> Array:
        """Begin an episode of the schedule in the environments of a mask."""
        point, episode = schedule[min(turn, len(schedule) - 1)]
        starts: list[int | None] = [integer(seed, "evaluation", step, point, episode) for seed in seeds]
        options: dict[str, Any] = {**task.evaluation_points[point].options, "reset_mask": mask}
        policy.reset(mask)
        fresh: Array = envs.reset(seed=starts, options=options)[0]
        return fresh

    observations = start(np.ones(number, dtype=np.bool_), 0)
    while (turn < len(schedule)).any():
        if stop():
            raise Interrupted
        observations, rewards, terminated, truncated, infos = envs.step(policy.act(observations))
        returns += rewards
        lengths += 1
        for index in np.flatnonzero(terminated | truncated).tolist():
            if turn[index] < len(schedule):
                extra = [float(infos["episode_metrics"][name][index]) for name in task.episode_metrics]
                results[index][schedule[turn[index]][0]].append([returns[index], float(lengths[index]), *extra])
                turn[index] += 1
            observations[index] = start(np.arange(number) == index, turn[index])[index]
            returns[index], lengths[index] = 0, 0

    names = ["return", "episode_length", *task.episode_metrics]
    return [
        {
            "seed": seed,
            "step": step,
            "target": task.evaluation_points[point].name,
            "episodes": episodes,
            **dict(zip(names, np.mean(outcomes, axis=0).tolist(), strict=True)),
        }
        for seed, result in zip(seeds, results, strict=True)
        for point, outcomes in result.items()
    ]
