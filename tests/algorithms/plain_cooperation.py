"""The worker's share in the manager's objective for a single step, written from the paper's equations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from reference import PlainTD3
from torch import Tensor
from toys import ACTIONS, RELATIVE, make

from algorithms.algorithm import Entries
from algorithms.goals import Goals
from algorithms.levels import Levels
from algorithms.meta import MetaTransition
from envs.base import TaskSpec

SEEDS = (3, 8)
READINGS = ("equation5", "total", "authors", "released")


def enlarge(algorithm: Any) -> Any:
    """Values and actions of order one, and targets unlike the networks they follow."""
    for level in ("manager", "worker"):
        for part in ("actor", "critics"):
            algorithm.networks[f"{level}.{part}.weight_2"].mul_(100)
    return algorithm


def cooperative(
    name: str = "cher_fixed",
    *,
    task: TaskSpec = RELATIVE,
    reading: str = "equation5",
    weight: float = 0.5,
    learner: Any = None,
    **cher: Any,
) -> Any:
    """CHER of two seeds with networks of order one."""
    changes: dict[str, Any] = {"cooperation": {"gradient": reading}}
    changes |= {"cher": cher} if name == "cher" else {"cher_fixed": {"fixed_lambda": weight}}
    return enlarge(make(name, SEEDS, task=task, learner=learner, changes=changes))


@dataclass(frozen=True)
class PlainWorker:
    """What a worker does and what its first critic says, for one observation; all in double precision."""

    act: Callable[[Tensor], Tensor]
    value: Callable[[Tensor, Tensor], Tensor]

    @classmethod
    def of(cls, algorithm: Any, seed: int) -> PlainWorker:
        """The present worker of one seed."""
        factor = algorithm.worker._factor
        factor = None if factor is None else factor.double()
        plain = PlainTD3(algorithm.networks, "worker", seed, ACTIONS.low, ACTIONS.high, factor)
        return cls(plain.act, lambda seen, action: plain.value(plain.critics[0], seen, action))


@dataclass(frozen=True)
class Step:
    """One step of a meta-transition: s_t, s_{t+i}, s_{t+i+1}, s_{t+T} and a_{t+i}."""

    first: Tensor
    now: Tensor
    after: Tensor
    last: Tensor
    action: Tensor

    @classmethod
    def of(cls, item: MetaTransition, i: int) -> Step:
        rows = (item.observations[time] for time in (0, i, i + 1, item.length))
        return cls(*(torch.tensor(row, dtype=torch.float64) for row in (*rows, item.actions[i])))


def share(
    reading: str, task: TaskSpec, worker: PlainWorker, step: Step, proposal: Tensor, frozen: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Reward and value of one step, for a proposal of the manager at s_t.

    In Eq. 5 the value is linear in the worker's action, with the slope that it has for the proposal ``frozen`` (by
    default this one).
    """
    picked, seen = list(task.goal_indices), step.now[list(task.worker_indices)]
    until = step.last if reading == "released" else step.now

    def goal_of(asked: Tensor) -> Tensor:
        return step.first[picked] + asked - until[picked] if task.relative_goals else asked

    goal = goal_of(proposal)
    inputs = torch.cat((seen, goal))
    residual = (step.now[picked] + goal if task.relative_goals else goal) - step.after[picked]
    if reading == "released":
        residual = residual + step.now[picked]
    if reading in ("authors", "released"):
        return -(residual**2).sum() / len(residual), worker.value(inputs, step.action)
    reward, action = -((residual**2).sum() + 1e-10).sqrt(), worker.act(inputs)
    if reading == "total":
        return reward, worker.value(inputs, action)
    then = torch.cat((seen, goal_of((proposal if frozen is None else frozen).detach()))).detach()
    base = worker.act(then).detach().requires_grad_()
    value = worker.value(then, base)
    (slope,) = torch.autograd.grad(value, base)
    return reward, value.detach() + (slope * (action - base.detach())).sum()


def shares(
    reading: str,
    task: TaskSpec,
    worker: PlainWorker,
    steps: Iterable[tuple[MetaTransition, int]],
    proposals: Tensor,
) -> tuple[Tensor, Tensor]:
    """Mean reward and mean value over one seed's share of a batch, for proposals [B, d]."""
    pairs = [
        share(reading, task, worker, Step.of(item, i), proposal)
        for (item, i), proposal in zip(steps, proposals, strict=True)
    ]
    rewards, values = zip(*pairs, strict=True)
    return torch.stack(rewards).mean(), torch.stack(values).mean()


def levels_of(task: TaskSpec, worker: Any) -> Levels:
    """Levels whose worker is any object with ``actions`` and ``first_value``."""
    manager: Any = None
    sees = Entries(task.manager_indices), Entries(task.worker_indices)
    return Levels(manager, worker, Goals(task), 10, *sees)


def batch_with(**fields: Tensor) -> Any:
    """What the readings use of a batch; anything else they asked for would be an error."""
    return SimpleNamespace(**fields)
