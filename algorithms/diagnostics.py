"""What a hierarchy can say about its goals and its manager's values, for the paper's claims about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.algorithm import Array, Mask
from algorithms.goals import Goals
from algorithms.levels import HierarchicalPolicy
from algorithms.records import Row
from envs.base import TaskSpec


class Step(NamedTuple):
    """One environment step of S environments: observations [S, n], actions [S, m], and [S] of the rest."""

    observations: Array
    actions: Array
    rewards: NDArray[np.float64]
    next_observations: Array
    terminated: Mask
    truncated: Mask


class Moment(NamedTuple):
    """What an episode's numbers need of one step of S environments.

    Attributes:
        goals: those in force, [S, d].
        fresh: where the manager has just set them, [S].
        missing: what is missing to them after the step, [S, d].
        rewards: [S].
    """

    goals: Array
    fresh: Mask
    missing: Array
    rewards: NDArray[np.float64]


class EpisodeDiagnostics:
    """What the running episodes of S environments under a hierarchical policy amount to.

    ``goal_distance`` is ||residual(s, g, s')|| with the goal in force, ``goal_distance_xy`` its planar part (tasks
    with a position), ``goal_level`` the place of an absolute goal in the goal box, from 0 to 1, and ``goal_error``
    its distance per dimension from the evaluation point's ideal goal (tasks with such a point); all are means over
    steps.

    ``manager_q`` is the manager's first critic at its first goal of the episode, ``manager_return`` what it was to
    foresee: scaled rewards, discounted once per meta-period.  To a critic an episode goes on beyond a time limit;
    ``manager_return_bootstrapped`` adds the manager's value of the last state of an episode cut short, times
    ``manager_discount``: what its own discount has come to by then, and 0 where the episode terminated.

    A running episode only takes notes; its numbers are computed all at once when it has ended.
    """

    def __init__(self, policy: HierarchicalPolicy, task: TaskSpec) -> None:
        self._policy, self._task, self._goals = policy, task, policy.levels.goals
        self._gamma = policy.levels.manager.settings.gamma
        self._planar = task.planar_goals
        self._has_ideals = any(point.ideal_goal is not None for point in task.evaluation_points)
        self._ideals = np.full(policy.goals.shape, np.nan)
        seeds = policy.levels.seeds
        self._moments: list[Moment] = []
        self._begins = np.zeros(seeds, dtype=np.int64)  # the first moment of each running episode
        self._first_values = np.zeros(seeds)

    def start(self, mask: Mask, observations: Array, ideal_goal: Sequence[float] | None) -> None:
        """Begin an episode in the environments of a mask, with their first observations in [S, n]."""
        self._begins[mask] = len(self._moments)
        self._forget()
        self._first_values[mask] = self._policy.value(observations)[mask]
        self._ideals[mask] = np.nan if ideal_goal is None else ideal_goal

    def record(self, step: Step) -> None:
        """Take in one step of all environments, after the policy has acted and before it is reset."""
        policy = self._policy
        missing = self._goals.residual(step.observations, policy.goals, step.next_observations)
        self._moments.append(Moment(policy.goals, policy.fresh, missing, step.rewards))

    def outcome(self, index: int, last: Step) -> dict[str, float]:
        """The columns of the episode that has ended in one environment with the last step recorded."""
        moments = zip(*self._moments[self._begins[index] :], strict=True)
        goals, fresh, missing, rewards = (np.array([values[index] for values in field]) for field in moments)
        terms = self._about_goals(goals, missing.astype(np.float64), self._ideals[index])
        fresh[0] = False  # the first period is not discounted
        discounts = np.cumprod(np.where(fresh, self._gamma, 1.0))
        foreseen = in_order(discounts * self._task.reward_scale * rewards)
        discount = value = 0.0
        if not last.terminated[index]:
            discount = float(self._gamma * discounts[-1])
            value = float(self._policy.value(last.next_observations)[index])
        return {
            **{name: in_order(values) / len(values) for name, values in terms.items()},
            "manager_q": float(self._first_values[index]),
            "manager_return": foreseen,
            "manager_return_bootstrapped": foreseen + discount * value,
            "manager_discount": discount,
        }

    def _forget(self) -> None:
        """Drop the steps that no running episode needs."""
        oldest = int(self._begins.min())
        del self._moments[:oldest]
        self._begins -= oldest

    def _about_goals(
        self, goals: Array, missing: NDArray[np.float64], ideal: NDArray[np.float64]
    ) -> dict[str, NDArray[Any]]:
        """One number per step of an episode, [T], from its goals and what was missing to them, [T, d]."""
        task = self._task
        terms: dict[str, NDArray[Any]] = {"goal_distance": np.linalg.norm(missing, axis=-1)}
        if self._planar:
            terms["goal_distance_xy"] = np.linalg.norm(missing[:, self._planar], axis=-1)
        if not task.relative_goals:
            terms["goal_level"] = ((goals - task.goal_low) / (task.goal_high - task.goal_low)).mean(-1)
        if self._has_ideals:
            terms["goal_error"] = np.abs(goals - ideal).mean(-1)
        return terms


def in_order(values: NDArray[Any]) -> float:
    """The sum of an array [T], added up from the first entry to the last; ``np.sum`` adds in another order."""
    return float(np.cumsum(values)[-1])


class ProposalLog:
    """Every 40th goal that each manager sets after the warm-up, as it was carried out, beginning with the first.

    Args:
        seeds: the S seeds.
        goals: says which part of an observation goals refer to.
    """

    EVERY = 40

    def __init__(self, seeds: Sequence[int], goals: Goals) -> None:
        self._seeds, self._goals = list(seeds), goals
        self._counts = np.zeros(len(seeds), dtype=np.int64)
        self._where: list[tuple[int, int]] = []
        self._values: list[Array] = []

    def record(self, step: int, starts: Mask, observations: Array, goals: Array) -> None:
        """Take in the goals [S, d] set at a training step for the seeds in ``starts``."""
        for index in np.flatnonzero(starts & (self._counts % self.EVERY == 0)).tolist():
            self._where.append((self._seeds[index], step))
            self._values.append(np.concatenate((self._goals.state(observations[index]), goals[index])))
        self._counts += starts

    def rows(self) -> list[Row]:
        """``seed`` and ``step``, the state entries that the goal refers to, and the goal."""
        return [
            {"seed": seed, "step": step, **numbered("state", state), **numbered("goal", goal)}
            for (seed, step), (state, goal) in zip(
                self._where, (np.split(values, 2) for values in self._values), strict=True
            )
        ]

    def state_dict(self) -> dict[str, Any]:
        """Everything, as arrays."""
        values = np.stack(self._values) if self._values else np.zeros((0, 0), dtype=np.float32)
        where = np.array(self._where, dtype=np.int64).reshape(-1, 2)
        return {"counts": self._counts.copy(), "where": where, "values": values}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        self._counts[:] = state["counts"]
        self._where = [(seed, step) for seed, step in state["where"].tolist()]
        self._values = list(state["values"])


def numbered(name: str, values: Array) -> dict[str, Any]:
    """One column per entry of a vector: ``name_0``, ``name_1``, ..."""
    return {f"{name}_{index}": value for index, value in enumerate(values)}
