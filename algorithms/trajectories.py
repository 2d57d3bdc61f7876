"""Every step of some evaluation episodes, for figures of paths and of goals along them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from algorithms.algorithm import Array, Mask, Policy
from algorithms.diagnostics import Step
from algorithms.levels import HierarchicalPolicy
from algorithms.records import in_one_move
from envs.base import TaskSpec

ENDINGS = (".parquet", ".csv")


class Recorder(Protocol):
    """Takes in the steps of an evaluation, and makes a file of them when it is done."""

    def record(self, episodes: NDArray[np.int64], lengths: NDArray[np.int64], step: Step) -> None:
        """Take in one step of all environments.

        Args:
            episodes: evaluation point and number of each seed's episode, [S, 2]; negative where none is recorded.
            lengths: how many steps of it came before, [S].
            step: what happened.
        """

    def write(self, path: Path) -> None:
        """Write the file in one move; makes its folder."""


class Trajectories:
    """A table with one row per seed, evaluation point, episode and environment step.

    A row holds the state before the step, the action, the reward for it, and, for a hierarchy, the goal in force
    and whether it was set at this very step.  An episode's last row holds the state it ended in and nothing else.

    Args:
        policy: acts in the episodes.
        task: says which entries of an observation are the position, and which goals refer to.
        seeds: the S seeds.
    """

    def __init__(self, policy: Policy, task: TaskSpec, seeds: Sequence[int]) -> None:
        self._policy = policy if isinstance(policy, HierarchicalPolicy) else None
        self._task, self._seeds = task, np.array(seeds)
        self._blocks: list[NDArray[np.float64]] = []
        self._actions = 0

    def record(self, episodes: NDArray[np.int64], lengths: NDArray[np.int64], step: Step) -> None:
        """Take in one step of all environments, see :class:`Recorder`."""
        recorded = episodes[:, 0] >= 0
        ended = recorded & (step.terminated | step.truncated)
        number, self._actions = step.actions.shape
        never, chosen = np.zeros(number, dtype=np.bool_), step.actions
        fresh = never
        if self._policy is not None:
            fresh, chosen = self._policy.fresh, np.concatenate((self._policy.goals, step.actions), axis=1)
        taken = self._rows(episodes, lengths, step.rewards, fresh, step.observations, chosen)
        nothing = np.full(number, np.nan), np.full_like(chosen, np.nan)
        final = self._rows(episodes, lengths + 1, nothing[0], never, step.next_observations, nothing[1])
        self._blocks += [taken[recorded], final[ended]]

    def table(self) -> pd.DataFrame:
        """All rows, ordered by seed, evaluation point, episode and step."""
        table = pd.DataFrame(np.concatenate(self._blocks), columns=self._columns())
        whole = ["seed", "target", "episode", "step"]
        table = table.astype(dict.fromkeys(whole, "int64")).sort_values(whole, ignore_index=True)
        names = [point.name for point in self._task.evaluation_points]
        table["target"] = [names[index] for index in table["target"]]
        vectors = {name: "float32" for name in table if name not in (*whole, "reward", "period_start")}
        return table.astype({"period_start": "bool", **vectors})

    def write(self, path: Path) -> None:
        """Write the table in one move, in the format that the file's ending names."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with in_one_move(path) as partial:
            write_frame(partial, path.suffix, self.table())

    def _rows(
        self,
        episodes: NDArray[np.int64],
        lengths: NDArray[np.int64],
        rewards: NDArray[np.float64],
        fresh: Mask,
        observations: Array,
        chosen: Array,
    ) -> NDArray[np.float64]:
        """One row per environment, [S, columns]; ``chosen`` are goals and actions side by side."""
        position = observations[:, list(self._task.position_indices)]
        state = observations[:, list(self._task.goal_indices)]
        parts = (self._seeds, episodes, lengths, rewards, fresh, position, state, chosen)
        return np.column_stack(parts).astype(np.float64)

    def _columns(self) -> list[str]:
        goals = len(self._task.goal_indices)
        sizes = {"state": goals, "goal": goals if self._policy else 0, "action": self._actions}
        return [
            *("seed", "target", "episode", "step", "reward", "period_start"),
            *"xy"[: len(self._task.position_indices)],
            *(f"{name}_{index}" for name, size in sizes.items() for index in range(size)),
        ]


def write_frame(path: Path, ending: str, table: pd.DataFrame) -> None:
    """Write a table to a file of any name, in the format that ``ending`` (of :data:`ENDINGS`) stands for."""
    if ending == ".parquet":
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False, lineterminator="\n")
