"""Delta of dynamic lambda: the runs it depends on, and the file that it is taken from.

Where a preset leaves delta open, it is a share of J_HRL, the return that the workers of the task's HRL runs
reached.  ``python -m analysis.worker_return`` measures it and writes the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from algorithms.config import ConfigError, cells
from algorithms.settings import RunConfig


def hrl_runs(preset: Mapping[str, Any], task: str) -> list[RunConfig]:
    """The HRL runs whose workers set the scale of delta on a task; the preset need not list ``hrl``."""
    return cells({**preset, "tasks": [task], "algorithms": ["hrl"]})


def dependent_tasks(preset: Mapping[str, Any]) -> list[str]:
    """Tasks on which some run needs the worker return."""
    return list(dict.fromkeys(run.task for run in cells(preset) if run.needs_worker_return))


def trainings(preset: Mapping[str, Any]) -> list[RunConfig]:
    """Every training that a preset asks for, and the HRL runs that some of them need."""
    needed = [run for task in dependent_tasks(preset) for run in hrl_runs(preset, task)]
    return list({run.key: run for run in (*cells(preset), *needed)}.values())


def complete(run: RunConfig, path: Path | None) -> tuple[RunConfig, dict[str, Any] | None]:
    """Set the delta that a run leaves open, from a file.

    Returns:
        The run, and the file's content; the run as it is and None, where it leaves nothing open.

    Raises:
        ConfigError: the file is needed and not given, not needed and given, or not allowed.
    """
    if run.needs_worker_return:
        if path is None:
            raise ConfigError(
                f"cher.delta is not set for {run.label} on {run.task}; give --worker-return FILE, made by "
                "`python -m analysis.worker_return`, or --set cher.delta=VALUE"
            )
        content = read(path, run.task)
        return run.with_worker_return(content["worker_return"]), content
    if path is not None:
        reason = f"its cher.delta is {run.cher.delta}" if run.cher else "it has no cher.delta"
        raise ConfigError(f"--worker-return is not allowed for {run.label} on {run.task}: {reason}")
    return run, None


def read(path: Path, task: str) -> dict[str, Any]:
    """The content of a worker return file.

    Raises:
        ConfigError: there is none, it belongs to another task, or its number is not finite and negative.
    """
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        message = f"worker return {path} not found; `python -m analysis.worker_return --task {task}` makes it"
        raise ConfigError(message) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"worker return {path} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"worker return {path} is not a JSON object")
    if content.get("task") != task:
        raise ConfigError(f"worker return {path} is that of task '{content.get('task')}'; it must be '{task}'")
    if not is_return(value := content.get("worker_return")):
        raise ConfigError(f"worker return {path} has worker_return = {value!r}; it must be finite and negative")
    return content


def is_return(value: Any) -> bool:
    """Whether a value can be a worker's return: intrinsic rewards are negative distances."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value < 0
