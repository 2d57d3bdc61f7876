"""Settings of the paper's preset that the paper, or else the authors' code, states."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from algorithms import config
from algorithms.sections import (
    DynamicLambdaSettings,
    FixedLambdaSettings,
    HACSettings,
    HierarchySettings,
    HIROSettings,
)
from algorithms.settings import RunConfig
from analysis.checks.check import Check, Value

ANT = ("ant_gather", "ant_maze", "ant_four_rooms", "visual_ant_maze")
TASKS = (*ANT, "ring_road", "highway")
#: The value of the best fixed lambda by task (E.1), as rows of the references.
FIXED_LAMBDA = {"P07": ("ant_gather", "ring_road", "highway"), "P08": ("ant_maze", "ant_four_rooms")}

#: Rows about every task: where the number stands in a run's configuration, as CHER reads it.
EVERYWHERE: dict[str, Callable[[RunConfig], Value]] = {
    "PC16": lambda run: run.learner.gamma,
    "PC17": lambda run: run.learner.tau,
    "PC18": lambda run: run.learner.buffer_steps,
    "PC19": lambda run: run.learner.learning_rate,
    "PC20": lambda run: "x".join(map(str, run.learner.hidden)),
    "PC21": lambda run: run.run.warmup_steps,
    "PC22": lambda run: run.learner.exploration_noise,
    "PC23": lambda run: run.section(HierarchySettings).manager_critic_every,
    "PC24": lambda run: run.section(HierarchySettings).manager_actor_every,
    "AC_meta_67": lambda run: run.section(HierarchySettings).meta_period,
    "AC_batch_68": lambda run: run.learner.batch_size,
    "AC_log-lambda_71": lambda run: run.section(DynamicLambdaSettings).initial_log_lambda,
    "AC_lambda_72": lambda run: run.section(DynamicLambdaSettings).dual_learning_rate,
}


def checks() -> Iterator[Check]:
    """One check per row, or per row and task."""
    yield Check("P01", "seeds of the paper's preset", lambda: len(config.load_preset("paper")["seeds"]))
    for row, value in EVERYWHERE.items():
        for task in TASKS:
            yield Check(row, task, partial(_setting, task, "cher", value))
    for row, tasks in FIXED_LAMBDA.items():
        for task in tasks:
            yield Check(row, task, partial(_setting, task, "cher_fixed", _fixed_lambda))
    yield Check("P05", "ant_gather: share of J_HRL", partial(_setting, "ant_gather", "cher", _share))
    yield Check("P09", "steps of a transfer's source", partial(_setting, "ant_gather", "hrl", _steps, "transfer"))
    yield Check("P10", "ant_maze: steps between evaluations", partial(_setting, "ant_maze", "cher", _interval))
    yield Check("P11", "visual_ant_maze: steps", partial(_setting, "visual_ant_maze", "cher", _steps))
    yield Check("PC25", "ant_gather", partial(_setting, "ant_gather", "hiro", _candidates))
    yield Check("PC26", "ant_gather", partial(_setting, "ant_gather", "hac", _testing_rate))
    for row, name in {"PC12": "warmup_steps", "PC11": "horizon"}.items():
        yield Check(row, f"ring_road: {name}", partial(_option, "ring_road", name))
    yield Check("PC11", "highway: horizon", partial(_option, "highway", "horizon"))
    yield Check("PC12h", "highway: warmup_steps", partial(_option, "highway", "warmup_steps"))
    for task in ("ring_road", "highway"):
        yield Check("AC_ring/highway_78", f"{task}: max_accel", partial(_option, task, "max_accel"))
    for row, end in {"PC07": 0, "PC08": 1}.items():
        yield Check(row, "ring_road: lengths", partial(_ring_length, end))


def resolved(task: str, algorithm: str, variant: str | None = None) -> RunConfig:
    """A training as the paper's preset plans it."""
    preset = config.load_preset("paper")
    return config.resolve(preset, task, algorithm, seeds=preset["seeds"], variant=variant)


def option(task: str, name: str) -> Any:
    """An option of a task in the paper's preset."""
    return resolved(task, "hrl").environment[name]


def _setting(task: str, algorithm: str, value: Callable[[RunConfig], Value], variant: str | None = None) -> Value:
    return value(resolved(task, algorithm, variant))


def _option(task: str, name: str) -> float:
    return float(option(task, name))


def _ring_length(end: int) -> float:
    return float(option("ring_road", "lengths")[end])


def _fixed_lambda(run: RunConfig) -> float:
    return run.section(FixedLambdaSettings).fixed_lambda


def _share(run: RunConfig) -> float:
    return run.section(DynamicLambdaSettings).delta_share


def _candidates(run: RunConfig) -> float:
    return run.section(HIROSettings).candidates


def _testing_rate(run: RunConfig) -> float:
    return run.section(HACSettings).subgoal_testing_rate


def _steps(run: RunConfig) -> float:
    return run.run.steps


def _interval(run: RunConfig) -> float:
    return run.run.evaluate_every
