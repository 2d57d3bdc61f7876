"""Deterministic evaluation, during a training or of a finished run.

    python -m algorithms.evaluate --run results/runs/ant_gather/hrl/seeds_0 --episodes 50

It leaves a training untouched: it has its own environments, its own policy memory and its own random streams.
These depend on seed, training step, evaluation point and episode alone, so that every algorithm meets the same
starts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from algorithms.algorithm import Array, Mask, Policy, prepare_process
from algorithms.learner import load_networks
from algorithms.records import Row, write_table
from algorithms.registry import ALGORITHMS
from algorithms.seeding import integer
from algorithms.settings import RunConfig
from envs.base import TaskSpec
from envs.tasks import VectorTask, describe, make_vector


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


def evaluate_run(folder: Path, episodes: int) -> list[Row]:
    """Evaluate the final policies of a finished run; its first episodes are those of its last evaluation.

    Args:
        folder: the run folder.
        episodes: per seed and evaluation point.

    Raises:
        FileNotFoundError: the folder holds no finished run.
    """
    config = RunConfig.model_validate(json.loads((folder / "run.json").read_text())["config"])
    task, actions = describe(config.task, config.environment)
    algorithm = ALGORITHMS[config.algorithm].load()(config, task, actions, torch.device("cpu"))
    load_networks(algorithm.networks, torch.load(folder / "policy.pt", weights_only=True)["networks"])
    number, separate = len(config.seeds), task.one_per_process and len(config.seeds) > 1
    envs = make_vector(config.task, number, config.environment, separate_processes=separate)
    try:
        return evaluate(algorithm.policy, envs, task, config.seeds, step=config.run.steps, episodes=episodes)
    finally:
        envs.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="algorithms.evaluate", description="Evaluate a finished run.")
    parser.add_argument("--run", type=Path, required=True, help="the run folder")
    parser.add_argument("--episodes", type=int, default=10, help="per seed and evaluation point")
    parser.add_argument("--out", type=Path, help="a csv file for the rows")
    options = parser.parse_args(arguments)
    if options.episodes < 1:
        parser.error(f"--episodes is {options.episodes}; it must be at least 1")
    for name in ("run.json", "policy.pt"):
        if not (options.run / name).is_file():
            parser.error(f"--run '{options.run}' holds no finished run (no {name})")
    prepare_process()
    rows = evaluate_run(options.run, options.episodes)
    print(pd.DataFrame(rows).to_string(index=False))
    if options.out:
        write_table(options.out, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
