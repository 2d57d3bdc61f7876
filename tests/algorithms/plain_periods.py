"""Meta-transitions written out by hand, and what should become of them, in plain Python numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from toys import ACTIONS, RELATIVE

from algorithms.meta import MetaBatch, MetaReplay, MetaTransition
from envs.base import TaskSpec

Vector = Sequence[float]
Act = Callable[[Vector, Vector], Vector]

#: A plane in which every entry of an observation is a goal dimension; the goal box is wide.
PLANE = replace(
    RELATIVE,
    goal_low=np.array([-10, -10], np.float32),
    goal_high=np.array([10, 10], np.float32),
    goal_indices=(0, 1),
    position_indices=(0, 1),
    manager_indices=(0, 1),
    worker_indices=(0, 1),
    unit_scale=np.ones(2, np.float32),
)
ABSOLUTE_PLANE = replace(PLANE, relative_goals=False)
#: Three steps in this plane.
PATH = np.array([(1, 2), (2, 1.5), (2.5, 2.5), (4, 3)], np.float32)

# ---- the equations, one number at a time ----------------------------------------------------------------------


def entries(task: TaskSpec, observation: Any) -> list[float]:
    """The goal entries of an observation."""
    return [float(observation[index]) for index in task.goal_indices]


def in_force(task: TaskSpec, goal: Vector, first: Vector, now: Vector) -> list[float]:
    """What a goal set at state ``first`` has become at state ``now``: the same point of the goal space."""
    if not task.relative_goals:
        return [float(part) for part in goal]
    return [start + part - here for start, part, here in zip(first, goal, now, strict=True)]


def missing(task: TaskSpec, goal: Vector, now: Vector, after: Vector) -> list[float]:
    """From the next state to the goal in force before the transition."""
    target = [here + part for here, part in zip(now, goal, strict=True)] if task.relative_goals else goal
    return [wanted - there for wanted, there in zip(target, after, strict=True)]


def paid(task: TaskSpec, goal: Vector, now: Vector, after: Vector) -> float:
    """The worker's reward of one step."""
    return -math.sqrt(sum(part**2 for part in missing(task, goal, now, after)) + 1e-10)


def goals_along(task: TaskSpec, path: NDArray[Any], goal: Vector) -> list[list[float]]:
    states = [entries(task, observation) for observation in path]
    return [in_force(task, goal, states[0], state) for state in states]


def rewards_along(task: TaskSpec, path: NDArray[Any], goal: Vector) -> list[float]:
    states, goals = [entries(task, observation) for observation in path], goals_along(task, path, goal)
    return [paid(task, mine, now, after) for mine, (now, after) in zip(goals[:-1], pairwise(states), strict=True)]


def plain_scores(
    task: TaskSpec, act: Act, item: MetaTransition, candidates: Sequence[Vector], half: Vector, *, flipped: bool
) -> list[float]:
    """Candidate by candidate, step by step, action by action."""
    states = [entries(task, observation) for observation in item.observations]
    scores = []
    for candidate in candidates:
        score = 0.0
        for step in range(item.length):
            goal = in_force(task, candidate, states[0], states[step])
            if flipped and task.relative_goals:
                goal = [2 * part - here for part, here in zip(candidate, goal, strict=True)]
            seen = [float(item.observations[step, index]) for index in task.worker_indices]
            wanted = act(seen, goal)
            for taken, would, unit in zip(item.actions[step], wanted, half, strict=True):
                score -= 0.5 * ((float(taken) - would) / unit) ** 2
        scores.append(score)
    return scores


# ---- meta-transitions -----------------------------------------------------------------------------------------


def padded(values: Any, rows: int) -> NDArray[np.float32]:
    values = np.asarray(values, np.float32)
    full = np.zeros((rows, *values.shape[1:]), np.float32)
    full[: len(values)] = values
    return full


def written(
    task: TaskSpec,
    path: NDArray[Any],
    goal: Vector,
    actions: Any = None,
    *,
    reward: float = 0,
    done: float = 0,
    period: int = 10,
) -> MetaTransition:
    """The meta-transition of a path [T + 1, n] under a goal of the manager."""
    actions = np.zeros((len(path) - 1, 2)) if actions is None else actions
    return MetaTransition(
        observations=padded(path, period + 1),
        goals=padded(goals_along(task, path, goal), period + 1),
        actions=padded(actions, period),
        worker_rewards=padded(rewards_along(task, path, goal), period),
        reward=reward,
        done=done,
        length=len(path) - 1,
    )


def wanderings(task: TaskSpec, number: int, seed: int = 0, *, period: int = 10) -> list[MetaTransition]:
    """Random meta-transitions of all lengths, with goals in and actions in their boxes."""
    random = np.random.default_rng(seed)
    items = []
    for index in range(number):
        length = period if index % 3 else 1 + index // 3 % period
        path = random.normal(0, 0.4, (length + 1, len(task.unit_scale))).cumsum(0).astype(np.float32)
        goal = random.uniform(task.goal_low, task.goal_high)
        actions = random.uniform(ACTIONS.low, ACTIONS.high, (length, 2))
        end = dict(reward=float(random.normal()), done=float(index % 2))
        items.append(written(task, path, goal.tolist(), actions, **end, period=period))
    return items


def filled(algorithm: Any, number: int = 40) -> list[list[MetaTransition]]:
    """Random meta-transitions in the replay of every seed of an algorithm; returns them."""
    items = [wanderings(algorithm.task, number, seed) for seed in algorithm.config.seeds]
    for index, own in enumerate(items):
        for item in own:
            algorithm.replay.add(index, item)
    return items


def batch_of(replay: MetaReplay, items: Sequence[Sequence[MetaTransition]], steps: Any) -> MetaBatch:
    """Store the items of each seed and show them as one batch, with these steps ([S, B])."""
    for seed, own in enumerate(items):
        for item in own:
            replay.add(seed, item)
    capacity, length = replay.buffer.capacity, replay.buffer.length
    where = torch.tensor([[seed * capacity + row for row in range(len(own))] for seed, own in enumerate(items)])
    lengths = torch.tensor([[item.length for item in own] for own in items])
    steps = torch.as_tensor(steps)
    return replay.batch({"items": where, "steps": steps, "lengths": lengths, "rows": where * length + steps})


def drawn(batch: MetaBatch, items: Sequence[Sequence[MetaTransition]], seed: int) -> Iterator[Any]:
    """Item and step of each row of a batch."""
    rows = (batch.items[seed] - seed * batch.buffer.capacity).tolist()
    yield from zip([items[seed][row] for row in rows], batch.steps[seed].tolist(), strict=True)


def as_manager(task: TaskSpec, rows: Sequence[tuple[MetaTransition, Any]]) -> dict[str, Tensor]:
    """Meta-transitions as the manager sees them, with these goals as its actions."""
    seen = list(task.manager_indices)
    columns = {
        "observations": [item.observations[0, seen] for item, _ in rows],
        "actions": [goal for _, goal in rows],
        "rewards": [item.reward for item, _ in rows],
        "next_observations": [item.observations[item.length, seen] for item, _ in rows],
        "dones": [item.done for item, _ in rows],
    }
    return {name: torch.tensor(np.array(values), dtype=torch.float64) for name, values in columns.items()}
