"""Made-up transitions, to fill replays and feed learners without a simulator."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box

from algorithms.algorithm import Algorithm
from algorithms.config import resolve
from algorithms.registry import ALGORITHMS
from algorithms.settings import RunConfig
from benchmarks.presets import paper
from envs.base import TaskSpec
from envs.tasks import describe

#: Gives everything but the sizes: goals, horizon, scales.
TASK = "ant_gather"

#: What every level sees, besides its goal, and chooses.
OBSERVATION, ACTION = 45, 8

#: The learner that is measured; the other settings are the paper's.
LEARNER = {"hidden": [256, 256], "batch_size": 128, "actor_delay": 2}

#: Distinct observations; more would be read from memory that is not the learner's.
_PATH = 512


def task() -> tuple[TaskSpec, Box]:
    """A task with the sizes that are compared, and its action box."""
    spec, _ = describe(TASK)
    seen, unit = tuple(range(OBSERVATION)), np.ones(ACTION, dtype=np.float32)
    return replace(spec, manager_indices=seen, worker_indices=seen), Box(-unit, unit)


def configure(algorithm: str, buffer_steps: int) -> RunConfig:
    """The paper's settings for one seed, with the sizes that are compared."""
    changes = {"learner": {**LEARNER, "buffer_steps": buffer_steps}}
    return resolve(paper(), TASK, algorithm, seeds=[0], overrides=changes)


class Feed:
    """One environment that does nothing: a random path, walked in a circle, in episodes of the task's length.

    Args:
        algorithm: what acts, observes and learns; it has one seed.
        spec: the task.
    """

    def __init__(self, algorithm: Algorithm, spec: TaskSpec) -> None:
        self.algorithm, self._horizon = algorithm, spec.horizon
        random = np.random.default_rng(0)
        size = len(spec.unit_scale)
        path = random.normal(size=(_PATH, 1, size)) / spec.unit_scale
        self._path: list[Any] = list(path.astype(np.float32))
        self._rewards = list(random.normal(size=(_PATH, 1)).astype(np.float32))
        self._no, self._yes = np.zeros(1, np.bool_), np.ones(1, np.bool_)
        self._time = 0

    def collect(self, *, random: bool = False) -> None:
        """Act and observe once."""
        here, following = self._time % _PATH, (self._time + 1) % _PATH
        actions = self.algorithm.act(self._path[here], random=random)
        self._time += 1
        late = self._yes if self._time % self._horizon == 0 else self._no
        self.algorithm.observe(
            self._path[here], actions, self._rewards[here], self._path[following], self._no, late
        )

    def fill(self, steps: int) -> Feed:
        """Some steps of the random warm-up."""
        for _ in range(steps):
            self.collect(random=True)
        return self

    def step(self) -> None:
        """What a learner does for one environment step."""
        self.collect()
        self.algorithm.update()


def filled(algorithm: str, buffer_steps: int) -> Feed:
    """A fresh algorithm whose replay is full."""
    spec, actions = task()
    config = configure(algorithm, buffer_steps)
    made = ALGORITHMS[algorithm].load()(config, spec, actions, torch.device("cpu"))
    return Feed(made, spec).fill(buffer_steps)
