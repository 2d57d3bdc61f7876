"""Which scripted drivers a preset asks for, and under which configuration each of them drives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from algorithms.config import ConfigError, parsed, require, sections_of
from algorithms.nested import present
from algorithms.registry import DRIVERS
from algorithms.sections import Count, RunSettings, Seed, Unique
from envs.names import TASKS
from envs.strict import Strict, digest


class DriverConfig(Strict):
    """The resolved configuration of one driver on one task.

    Attributes:
        task: task name.
        driver: name of the driver.
        parameters: the driver's own.
        environment: the task's options.
        step: training step whose evaluation it is compared with.  The starts of episodes depend on it.
        episodes: per seed and evaluation point.
        seeds: all of them.
    """

    task: str
    driver: str
    parameters: dict[str, Any]
    environment: dict[str, Any]
    step: Count
    episodes: Count
    seeds: Annotated[list[Seed], Field(min_length=1), Unique]

    @property
    def record(self) -> dict[str, Any]:
        """Everything that decides the numbers, in plain types."""
        return self.model_dump(mode="json")

    @property
    def hash(self) -> str:
        """Hexadecimal digest of :attr:`record`, as far as it is not None."""
        return digest(present(self.record))

    @property
    def key(self) -> str:
        """Path of the results below ``drivers/``."""
        return f"{self.task}/{self.driver}"


def resolve(
    preset: Mapping[str, Any],
    task: str,
    driver: str,
    *,
    seeds: Sequence[int],
    overrides: Mapping[str, Any] | None = None,
) -> DriverConfig:
    """The configuration of a driver that meets the very starts of the learners' final evaluation.

    Args:
        preset: a merged preset.
        task: task name.
        driver: driver name.
        seeds: the seeds that are evaluated.
        overrides: nested values of the sections ``run`` and ``environment``, applied last.

    Raises:
        ConfigError: an unknown name or key, a task without traffic, or a value that is not allowed.
    """
    require(task, tuple(TASKS), "task")
    require(driver, tuple(DRIVERS), "driver")
    if not TASKS[task].is_traffic:
        raise ConfigError(f"task '{task}' has no traffic; allowed: {', '.join(traffic_tasks(TASKS))}")
    values = sections_of(preset, task, driver, (), overrides or {})
    run = parsed(RunSettings, values["run"], "run: ")
    entry = DRIVERS[driver]
    settings = {
        "task": task,
        "driver": driver,
        "parameters": dict(entry.parameters),
        "environment": values["environment"] | dict(entry.environment),
        "step": run.steps,
        "episodes": run.final_evaluation_episodes,
        "seeds": list(seeds),
    }
    return parsed(DriverConfig, settings)


def traffic_tasks(tasks: Sequence[str] | Mapping[str, Any]) -> list[str]:
    """Those of some tasks that a driver can drive."""
    return [task for task in tasks if TASKS[task].is_traffic]


def planned(preset: Mapping[str, Any]) -> list[DriverConfig]:
    """Every driver on every task with traffic that a preset asks for, in its order."""
    return [
        resolve(preset, task, driver, seeds=preset["seeds"])
        for task in traffic_tasks(preset["tasks"])
        for driver in preset["drivers"]
    ]
