"""The real trainer, advanced in blocks and taken apart by what the time goes to."""

from __future__ import annotations

import time
from dataclasses import replace

import torch

from algorithms.evaluate import evaluate
from algorithms.settings import RunConfig
from algorithms.trainer import Trainer
from benchmarks.timing import elapsed
from envs.base import EvaluationPoint
from envs.tasks import VectorTask, make_vector


class Training:
    """One training that advances in blocks.

    Args:
        config: its configuration, for one seed.
    """

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self._trainer = Trainer(config, torch.device("cpu"))

    def advance(self, steps: int) -> dict[str, float]:
        """Train for some steps.

        Returns:
            Milliseconds per step of ``simulator``, ``learner`` and ``overhead``, the trainer's own.
        """
        trainer = self._trainer
        before, start, end = self._parts(), time.perf_counter(), trainer.step + steps
        trainer.run(lambda: trainer.step >= end, lambda: None)
        wall, after = time.perf_counter() - start, self._parts()
        spent = {part: after[part] - before[part] for part in after}
        seconds = {
            "simulator": spent["simulator"],
            "learner": spent["learner"],
            "overhead": wall - sum(spent.values()),
        }
        return {part: 1000 * value / steps for part, value in seconds.items()}

    def evaluate(self, episodes: int) -> dict[str, list[float]]:
        """End the training and evaluate its policy: milliseconds per ``reset`` and per ``step``, for each episode.

        The episodes are those of the evaluation points in turn.
        """
        self._trainer.close()
        points = self._trainer.task.evaluation_points
        envs = make_vector(self.config.task, 1, self.config.environment)
        try:
            costs = [self._episode(envs, points[number % len(points)], number) for number in range(episodes)]
        finally:
            envs.close()
        return {"reset": [reset for reset, _ in costs], "step": [step for _, step in costs]}

    def _episode(self, envs: VectorTask, point: EvaluationPoint, number: int) -> tuple[float, float]:
        """Milliseconds of a reset, and of a step of the episode after another one."""
        trainer = self._trainer
        reset = elapsed(lambda: envs.reset(seed=[number], options=dict(point.options)))
        task, policy = replace(trainer.task, evaluation_points=(point,)), trainer.algorithm.policy
        start = time.perf_counter()
        (row,) = evaluate(policy, envs, task, self.config.seeds, step=number, episodes=1)
        whole = 1000 * (time.perf_counter() - start)
        return reset, max(whole - reset, 0) / row["episode_length"]

    def _parts(self) -> dict[str, float]:
        return dict(self._trainer.clock.state_dict()["parts"])
