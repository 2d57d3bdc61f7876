"""Delta of dynamic lambda: the file that it is taken from.

Where a preset leaves delta open, it is a share of J_HRL, the return that the workers of the task's HRL runs
reached.  ``python -m analysis.worker_return`` measures it and writes the file.
"""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import Any

from algorithms.config import ConfigError
from algorithms.settings import RunConfig


def complete(run: RunConfig, path: Path | None, label: str = "hrl") -> tuple[RunConfig, dict[str, Any] | None]:
    """Set the delta that a run leaves open, from a file.

    Args:
        run: the resolved configuration.
        path: the file.
        label: the HRL runs that it must be about, see :func:`algorithms.studies.reference`.

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
        content = read(path, run.task, label)
        return run.with_worker_return(content["worker_return"]), content
    if path is not None:
        reason = f"its cher.delta is {run.cher.delta}" if run.cher else "it has no cher.delta"
        raise ConfigError(f"--worker-return is not allowed for {run.label} on {run.task}: {reason}")
    return run, None


def read(path: Path, task: str, label: str = "hrl") -> dict[str, Any]:
    """The content of a worker return file.

    Raises:
        ConfigError: there is none, it belongs to another task or other runs, or its number is not finite and
            negative.
    """
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        variant = label.removeprefix("hrl").replace("-", " --variant ", 1)
        command = f"python -m analysis.worker_return --task {task}{variant}"
        message = f"worker return {path} not found; `{command}` makes it"
        raise ConfigError(message) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"worker return {path} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"worker return {path} is not a JSON object")
    if content.get("task") != task:
        raise ConfigError(f"worker return {path} is that of task '{content.get('task')}'; it must be '{task}'")
    if content.get("label") != label:
        raise ConfigError(f"worker return {path} is that of {content.get('label')} runs; it must be of {label}")
    if not is_return(value := content.get("worker_return")):
        raise ConfigError(f"worker return {path} has worker_return = {value!r}; it must be finite and negative")
    return content


def is_return(value: Any) -> bool:
    """Whether a value can be a worker's return: intrinsic rewards are negative distances."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value < 0
