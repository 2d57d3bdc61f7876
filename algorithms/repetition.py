"""Evaluation episodes once more, for records that would take time or change something during the evaluation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.algorithm import Array
from algorithms.diagnostics import Step
from algorithms.records import in_one_move
from algorithms.seeding import evaluation_start
from envs.base import TaskEnv


class Moment(NamedTuple):
    """Where a repeated episode is; the environment is in that state.

    Attributes:
        target: name of the evaluation point.
        step: how many steps have been taken, 0 at the start.
        total: sum of their rewards.
        last: whether the episode ends here.
    """

    target: str
    step: int
    total: float
    last: bool


class Repetition(ABC):
    """A file about one seed's first episode at each evaluation point.

    The actions are noted during the evaluation, which thereby stays as it is; the episodes are repeated with them
    in an environment of their own when the file is written.  By then the evaluation's environments are not needed
    any more, so the repetition may take over the one simulation that some simulators allow a process.

    Args:
        env: repeats the episodes; made with the options of the evaluation's environments.
        seed: the first of the evaluated seeds.
        step: training step, part of the evaluation's random streams.
    """

    def __init__(self, env: TaskEnv, seed: int, step: int) -> None:
        self._env, self._seed, self._step = env, seed, step
        self._actions: dict[int, list[Array]] = defaultdict(list)

    def record(self, episodes: NDArray[np.int64], lengths: NDArray[np.int64], step: Step) -> None:
        """Take in one step of all environments, see :class:`~algorithms.trajectories.Recorder`."""
        point, episode = episodes[0].tolist()
        if episode == 0:
            self._actions[point].append(step.actions[0].copy())

    def write(self, path: Path) -> None:
        """Repeat the episodes, write the file in one move, and close the environment."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with in_one_move(path) as partial:
                self._write(partial, path.suffix)
        finally:
            self._env.close()

    @abstractmethod
    def _write(self, path: Path, ending: str) -> None:
        """Write a file of any name in the format that ``ending`` stands for."""

    def _moments(self) -> Iterator[Moment]:
        """Repeat the episodes: each one's start, and after every step."""
        for point, actions in sorted(self._actions.items()):
            condition = self._env.task.evaluation_points[point]
            start = evaluation_start(self._seed, self._step, point, 0)
            self._env.reset(seed=start, options=dict(condition.options))
            total = 0.0
            yield Moment(condition.name, 0, total, last=False)
            for step, action in enumerate(actions, 1):
                total += self._env.step(action)[1]
                yield Moment(condition.name, step, total, last=step == len(actions))
