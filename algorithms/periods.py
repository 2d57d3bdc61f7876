"""What a log point says about the meta-periods of a hierarchy."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from algorithms.algorithm import Array
from algorithms.goals import Goals
from algorithms.meta import MetaTransition
from envs.base import TaskSpec


class PeriodStatistics:
    """Means over the meta-periods that ended since the last log point.

    Distances are those between state and goal, over all goal dimensions and over the planar position alone; they
    are means over periods, the intrinsic reward is one over steps.  Goal saturation is the share of the entries of
    the manager's goals, exploration included, that lie at the edge of the goal box.
    """

    EDGE = 0.99  # of the half range

    def __init__(self, seeds: int, goals: Goals, task: TaskSpec) -> None:
        self._goals = goals
        self._position, self._planar = list(task.position_indices), task.planar_goals
        self._middle = (task.goal_high + task.goal_low) / 2
        self._edge = self.EDGE * (task.goal_high - task.goal_low) / 2
        names = ["intrinsic_reward", "goal_distance_start", "goal_distance_end", "goal_saturation"]
        if self._planar:
            names += ["goal_distance_xy_start", "goal_distance_xy_end", "moved"]
        self._names = names
        self._sums = np.zeros((seeds, len(names)))
        self._weights = np.zeros((seeds, len(names)))

    def record(self, seed: int, item: MetaTransition) -> None:
        """Take in one finished meta-transition."""
        last = item.length
        first, final = item.observations[:1], item.observations[last - 1 : last]
        start = self._goals.residual(first, item.goals[:1], first)[0]
        end = self._goals.residual(final, item.goals[last - 1 : last], item.observations[last : last + 1])[0]
        saturated = np.abs(item.goals[0] - self._middle) >= self._edge
        values = [
            item.worker_rewards[:last].sum(),
            sqrt(start @ start),
            sqrt(end @ end),
            np.count_nonzero(saturated) / len(saturated),
        ]
        if self._planar:
            moved = item.observations[last, self._position] - item.observations[0, self._position]
            values += [sqrt(vector @ vector) for vector in (start[self._planar], end[self._planar], moved)]
        self._sums[seed] += values
        self._weights[seed] += [last] + [1] * (len(values) - 1)  # the reward is a mean over steps

    def means(self) -> dict[str, Array]:
        """The means by name, [S] each (not a number where no period ended), and start anew."""
        means = (self._sums / np.where(self._weights > 0, self._weights, np.nan)).astype(np.float32)
        self.clear()
        return dict(zip(self._names, means.T, strict=True))

    def clear(self) -> None:
        """Forget all periods."""
        self._sums[:] = 0
        self._weights[:] = 0

    def state_dict(self) -> dict[str, Any]:
        """Copies of the running sums."""
        return {"sums": self._sums.copy(), "weights": self._weights.copy()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        self._sums[:] = state["sums"]
        self._weights[:] = state["weights"]
