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
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from algorithms.algorithm import Array, Mask, Policy, prepare_process
from algorithms.learner import load_networks
from algorithms.records import Row, metrics_of, write_table
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
    plan = Plan(envs, task, seeds, step, episodes)
    everywhere = np.ones(len(seeds), dtype=np.bool_)
    policy.reset(everywhere)
    observations = plan.start(everywhere, 0)
    while True:
        if stop():
            raise Interrupted
        observations, rewards, terminated, truncated, infos = envs.step(policy.act(observations))
        ended = plan.record(rewards, terminated | truncated, infos)
        if plan.complete:
            return plan.rows()
        for index in ended:
            here = np.arange(len(seeds)) == index
            policy.reset(here)
            observations[index] = plan.start(here, plan.turns[index])[index]


class Plan:
    """The evaluation episodes of S seeds: all meet the same evaluation points in the same order.

    Episodes differ in length, so a seed may be done before others; it then repeats its last episode, unrecorded.

    Attributes:
        turns: how many episodes each seed has finished, [S].
    """

    def __init__(self, envs: VectorTask, task: TaskSpec, seeds: Sequence[int], step: int, episodes: int) -> None:
        self._envs, self._task, self._seeds, self._step, self._episodes = envs, task, seeds, step, episodes
        points = range(len(task.evaluation_points))
        self._schedule = [(point, episode) for point in points for episode in range(episodes)]
        self._outcomes: list[dict[int, list[list[float]]]] = [defaultdict(list) for _ in seeds]
        self._returns, self._lengths = np.zeros(len(seeds)), np.zeros(len(seeds), dtype=np.int64)
        self.turns = np.zeros(len(seeds), dtype=np.int64)

    @property
    def complete(self) -> bool:
        """Whether every seed has finished all its episodes."""
        return bool((self.turns >= len(self._schedule)).all())

    def start(self, mask: Mask, turn: int) -> Array:
        """Begin the ``turn``-th episode in the environments of a mask; their first observations, [S, n]."""
        point, episode = self._schedule[min(turn, len(self._schedule) - 1)]
        starts: list[int | None] = [
            integer(seed, "evaluation", self._step, point, episode) for seed in self._seeds
        ]
        options: dict[str, Any] = {**self._task.evaluation_points[point].options, "reset_mask": mask}
        self._returns[mask], self._lengths[mask] = 0, 0
        fresh: Array = self._envs.reset(seed=starts, options=options)[0]
        return fresh

    def record(self, rewards: NDArray[np.float64], ends: Mask, infos: Mapping[str, Any]) -> list[int]:
        """Take in one step of all environments; returns those whose episode has ended."""
        self._returns += rewards
        self._lengths += 1
        ended: list[int] = np.flatnonzero(ends).tolist()
        for index in ended:
            if self.turns[index] < len(self._schedule):
                metrics = metrics_of(infos, index, self._task.episode_metrics)
                outcome = [float(self._returns[index]), float(self._lengths[index]), *metrics]
                self._outcomes[index][self._schedule[self.turns[index]][0]].append(outcome)
                self.turns[index] += 1
        return ended

    def rows(self) -> list[Row]:
        """One row per seed and evaluation point."""
        names = ["return", "episode_length", *self._task.episode_metrics]
        return [
            {
                "seed": seed,
                "step": self._step,
                "target": self._task.evaluation_points[point].name,
                "episodes": self._episodes,
                **dict(zip(names, np.mean(outcomes, axis=0).tolist(), strict=True)),
            }
            for seed, results in zip(self._seeds, self._outcomes, strict=True)
            for point, outcomes in results.items()
        ]


def evaluate_run(folder: Path, episodes: int, *, threads: int = 1) -> list[Row]:
    """Evaluate the final policies of a finished run; its first episodes are those of its last evaluation.

    Args:
        folder: the run folder.
        episodes: per seed and evaluation point.
        threads: how many environments are simulated at the same time.  Changes no result.

    Raises:
        FileNotFoundError: the folder holds no finished run.
    """
    config = RunConfig.model_validate(json.loads((folder / "run.json").read_text())["config"])
    task, actions = describe(config.task, config.environment)
    algorithm = ALGORITHMS[config.algorithm].load()(config, task, actions, torch.device("cpu"))
    load_networks(algorithm.networks, torch.load(folder / "policy.pt", weights_only=True)["networks"])
    number, separate = len(config.seeds), task.one_per_process and len(config.seeds) > 1
    envs = make_vector(config.task, number, config.environment, separate_processes=separate, threads=threads)
    try:
        return evaluate(algorithm.policy, envs, task, config.seeds, step=config.run.steps, episodes=episodes)
    finally:
        envs.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="algorithms.evaluate", description="Evaluate a finished run.")
    parser.add_argument("--run", type=Path, required=True, help="the run folder")
    parser.add_argument("--episodes", type=int, default=10, help="per seed and evaluation point")
    parser.add_argument(
        "--threads", type=int, default=1, help="how many environments are simulated at the same time"
    )
    parser.add_argument("--out", type=Path, help="a csv file for the rows")
    options = parser.parse_args(arguments)
    for name in ("episodes", "threads"):
        if (value := getattr(options, name)) < 1:
            parser.error(f"--{name} is {value}; it must be at least 1")
    for name in ("run.json", "policy.pt"):
        if not (options.run / name).is_file():
            parser.error(f"--run '{options.run}' holds no finished run (no {name})")
    prepare_process()
    rows = evaluate_run(options.run, options.episodes, threads=options.threads)
    print(pd.DataFrame(rows).to_string(index=False))
    if options.out:
        write_table(options.out, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
