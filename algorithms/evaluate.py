"""Deterministic evaluation, during a training or of a finished run.

    python -m algorithms.evaluate --run results/runs/ant_gather/hrl/seeds_0 --episodes 50
    python -m algorithms.evaluate --run results/runs/ant_gather/hrl/seeds_0 --trajectories paths.parquet
    python -m algorithms.evaluate --run results/runs/ant_gather/hrl/seeds_0 --video episode.mp4
    python -m algorithms.evaluate --run results/runs/ring_road/hrl/seeds_0 --recording traffic.parquet

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

from algorithms.algorithm import Array, Mask, Policy, prepare_process
from algorithms.config import recorded
from algorithms.diagnostics import EpisodeDiagnostics, Step
from algorithms.learner import load_networks
from algorithms.levels import HierarchicalPolicy
from algorithms.recording import Recording
from algorithms.records import Row, metrics_of, reason_against, write_table
from algorithms.registry import ALGORITHMS
from algorithms.seeding import evaluation_start
from algorithms.trajectories import ENDINGS, Recorder, Trajectories
from algorithms.video import VIDEO_ENDING, Video
from envs.base import DrawingError, SimulationError, TaskSpec
from envs.tasks import VectorTask, describe, make, make_vector

#: Options that name a file to write, and the endings it may have; any for the csv of the rows.
FILES = {"out": (), "trajectories": ENDINGS, "recording": ENDINGS, "video": (VIDEO_ENDING,)}


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
    recorders: Sequence[Recorder] = (),
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
        recorders: each takes in every step.

    Returns:
        One row per seed and evaluation point: means over its episodes.  A hierarchical policy has the columns of
        :class:`~algorithms.diagnostics.EpisodeDiagnostics` as well.

    Raises:
        Interrupted: ``stop`` said so.
    """
    diagnostics = EpisodeDiagnostics(policy, task) if isinstance(policy, HierarchicalPolicy) else None
    plan = Plan(policy, envs, task, seeds, step, episodes, diagnostics, recorders)
    observations = plan.start(np.ones(len(seeds), dtype=np.bool_), 0)
    while True:
        if stop():
            raise Interrupted
        actions = policy.act(observations)
        following, rewards, terminated, truncated, infos = envs.step(actions)
        ended = plan.record(Step(observations, actions, rewards, following, terminated, truncated), infos)
        observations = following
        if ended and plan.complete:
            return plan.rows()
        for index in ended:
            here = np.arange(len(seeds)) == index
            observations[index] = plan.start(here, plan.turns[index])[index]


class Plan:
    """The evaluation episodes of S seeds: all meet the same evaluation points in the same order.

    Episodes differ in length, so a seed may be done before others; it then repeats its last episode, unrecorded.

    Attributes:
        turns: how many episodes each seed has finished, [S].
    """

    def __init__(
        self,
        policy: Policy,
        envs: VectorTask,
        task: TaskSpec,
        seeds: Sequence[int],
        step: int,
        episodes: int,
        diagnostics: EpisodeDiagnostics | None,
        recorders: Sequence[Recorder],
    ) -> None:
        self._envs, self._task, self._seeds, self._step, self._episodes = envs, task, seeds, step, episodes
        self._policy, self._diagnostics, self._recorders = policy, diagnostics, recorders
        points = range(len(task.evaluation_points))
        self._schedule = [(point, episode) for point in points for episode in range(episodes)]
        self._outcomes: list[dict[int, list[dict[str, float]]]] = [defaultdict(list) for _ in seeds]
        self._returns = np.zeros(len(seeds))
        self._lengths, self.turns = (np.zeros(len(seeds), dtype=np.int64) for _ in range(2))

    @property
    def complete(self) -> bool:
        """Whether every seed has finished all its episodes."""
        return bool((self.turns >= len(self._schedule)).all())

    def start(self, mask: Mask, turn: int) -> Array:
        """Begin the ``turn``-th episode in the places of a mask; the environments' first observations, [S, n]."""
        point, episode = self._schedule[min(turn, len(self._schedule) - 1)]
        starts: list[int | None] = [evaluation_start(seed, self._step, point, episode) for seed in self._seeds]
        condition = self._task.evaluation_points[point]
        options: dict[str, Any] = {**condition.options, "reset_mask": mask}
        self._returns[mask], self._lengths[mask] = 0, 0
        self._policy.reset(mask, condition)
        fresh: Array = self._envs.reset(seed=starts, options=options)[0]
        if self._diagnostics is not None:
            self._diagnostics.start(mask, fresh, condition.ideal_goal)
        return fresh

    def record(self, step: Step, infos: Mapping[str, Any]) -> list[int]:
        """Take in one step of all environments; returns those whose episode has ended."""
        if self._recorders:
            running = np.array([*self._schedule, (-1, -1)])[self.turns]  # the last where all are finished
            for recorder in self._recorders:
                recorder.record(running, self._lengths, step)
        self._returns += step.rewards
        self._lengths += 1
        if self._diagnostics is not None:
            self._diagnostics.record(step)
        ends = step.terminated | step.truncated
        if not ends.any():
            return []
        ended: list[int] = np.flatnonzero(ends).tolist()
        for index in ended:
            if self.turns[index] < len(self._schedule):
                point, _ = self._schedule[self.turns[index]]
                self._outcomes[index][point].append(self._outcome(index, step, infos))
                self.turns[index] += 1
        return ended

    def _outcome(self, index: int, last: Step, infos: Mapping[str, Any]) -> dict[str, float]:
        """What the episode that has ended in one environment adds to its row."""
        names = self._task.episode_metrics
        return {
            "return": float(self._returns[index]),
            "episode_length": float(self._lengths[index]),
            **dict(zip(names, metrics_of(infos, index, names), strict=True)),
            **(self._diagnostics.outcome(index, last) if self._diagnostics is not None else {}),
        }

    def rows(self) -> list[Row]:
        """One row per seed and evaluation point."""
        return [
            {
                "seed": seed,
                "step": self._step,
                "target": self._task.evaluation_points[point].name,
                "episodes": self._episodes,
                **_means(outcomes),
            }
            for seed, results in zip(self._seeds, self._outcomes, strict=True)
            for point, outcomes in results.items()
        ]


def _means(outcomes: Sequence[Mapping[str, float]]) -> dict[str, float]:
    values = np.mean([list(outcome.values()) for outcome in outcomes], axis=0)
    return dict(zip(outcomes[0], values.tolist(), strict=True))


def evaluate_run(
    folder: Path,
    episodes: int,
    *,
    threads: int = 1,
    out: Path | None = None,
    trajectories: Path | None = None,
    recording: Path | None = None,
    video: Path | None = None,
) -> list[Row]:
    """Evaluate the final policies of a finished run; its first episodes are those of its last evaluation.

    Args:
        folder: the run folder.
        episodes: per seed and evaluation point.
        threads: how many environments are simulated at the same time.  Changes no result.
        out: a csv file for the rows.
        trajectories: a file for the steps of all episodes, see :class:`~algorithms.trajectories.Trajectories`.
        recording: a file for the traffic in the video's episodes, see :class:`~algorithms.recording.Recording`.
        video: a file for the first seed's first episodes, see :class:`~algorithms.video.Video`.

    Raises:
        FileNotFoundError: the folder holds no finished run.
        ValueError: its configuration is not one of this version's, or its task has no traffic to record.
        DrawingError: pictures are needed, and this machine cannot draw them.
    """
    config = recorded(json.loads((folder / "run.json").read_text())["config"])
    task, actions = describe(config.task, config.environment)
    algorithm = ALGORITHMS[config.algorithm].load()(config, task, actions, torch.device("cpu"))
    load_networks(algorithm.networks, torch.load(folder / "policy.pt", weights_only=True)["networks"])
    recorders: dict[Path, Recorder] = {}
    if trajectories:
        recorders[trajectories] = Trajectories(algorithm.policy, task, config.seeds)
    if recording:
        recorders[recording] = Recording(make(config.task, config.environment), config.seeds[0], config.run.steps)
    if video:
        drawn = make(config.task, config.environment, render_mode="rgb_array")
        recorders[video] = Video(drawn, config.seeds[0], config.run.steps)
    envs = make_vector(config.task, len(config.seeds), config.environment, threads=threads)
    setting = (algorithm.policy, envs, task, config.seeds)
    try:
        rows = evaluate(*setting, step=config.run.steps, episodes=episodes, recorders=list(recorders.values()))
    finally:
        envs.close()
    if out:
        write_table(out, rows)
    for path, recorder in recorders.items():
        recorder.write(path)
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = _parser()
    options = _checked_options(parser, arguments)
    prepare_process()
    files = {name: getattr(options, name) for name in FILES}
    try:
        rows = evaluate_run(options.run, options.episodes, threads=options.threads, **files)
    except (DrawingError, SimulationError, ValueError) as error:
        print(f"error: --run '{options.run}' cannot be evaluated: {error}", file=sys.stderr)
        return 1
    print(pd.DataFrame(rows).to_string(index=False))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="algorithms.evaluate", description="Evaluate a finished run.")
    parser.add_argument("--run", type=Path, required=True, help="the run folder")
    parser.add_argument("--episodes", type=int, default=10, help="per seed and evaluation point")
    parser.add_argument("--threads", type=int, default=1, help="how many environments are simulated at once")
    parser.add_argument("--out", type=Path, help="a csv file for the rows")
    parser.add_argument("--trajectories", type=Path, help="a .parquet or .csv file for every step of the episodes")
    parser.add_argument(
        "--video", type=Path, help="an .mp4 file of the first seed's first episode at each evaluation point"
    )
    parser.add_argument(
        "--recording", type=Path, help="a .parquet or .csv file for every vehicle in the same episodes"
    )
    return parser


def _checked_options(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for; ends the process with one line if it cannot be done."""
    options = parser.parse_args(arguments)
    for name in ("episodes", "threads"):
        if (value := getattr(options, name)) < 1:
            parser.error(f"--{name} is {value}; it must be at least 1")
    paths = {name: path for name in FILES if (path := getattr(options, name))}
    for name, path in paths.items():
        if FILES[name] and path.suffix not in FILES[name]:
            parser.error(f"--{name} '{path}' must end in {' or '.join(FILES[name])}")
        if list(paths.values()).count(path) > 1:
            parser.error(f"--{name} '{path}' is named by another option, too; each needs a file of its own")
    for name in ("run.json", "policy.pt"):
        if not (options.run / name).is_file():
            parser.error(f"--run '{options.run}' holds no finished run (no {name})")
    for name, path in paths.items():
        if reason := reason_against(path):
            parser.error(f"--{name} '{path}' cannot be written: {reason}")
    return options


if __name__ == "__main__":
    sys.exit(main())
