"""Making environments of the registered tasks, alone or several side by side."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import gymnasium
from gymnasium.spaces import Box

from envs.base import TaskEnv, TaskSpec
from envs.names import TASKS
from envs.processes import ProcessVectorEnv
from envs.threads import ThreadedVectorEnv
from envs.vector import TaskVectorEnv

VectorTask = TaskVectorEnv


def make(task: str, options: Mapping[str, Any] | None = None, *, render_mode: str | None = None) -> TaskEnv:
    """Make one environment of a task, without gymnasium's wrappers.

    Args:
        task: a key of :data:`TASKS`.
        options: keyword arguments of the task's class.
        render_mode: ``rgb_array`` for an environment that can be drawn.
    """
    known = TASKS[task].gymnasium_id
    env = gymnasium.make(known, render_mode=render_mode, disable_env_checker=True, **(options or {})).unwrapped
    assert isinstance(env, TaskEnv)
    return env


def describe(task: str, options: Mapping[str, Any] | None = None) -> tuple[TaskSpec, Box]:
    """A task as a learner sees it, and its action box."""
    env = make(task, options)
    assert isinstance(env.action_space, Box)
    env.close()
    return env.task, env.action_space


def make_vector(
    task: str,
    number: int,
    options: Mapping[str, Any] | None = None,
    *,
    threads: int = 1,
    render_mode: str | None = None,
) -> VectorTask:
    """Make ``number`` environments stepped side by side; resets are up to the caller (``reset_mask``).

    They share this process, unless the task allows one simulation per process: then each has a process of its own,
    which is replaced should it die or hang (:mod:`envs.processes`), and all of them run at the same time.

    Args:
        task: a key of :data:`TASKS`.
        number: how many environments.
        options: keyword arguments of the task's class.
        threads: how many environments that share this process are stepped at the same time.  Changes no result.
        render_mode: ``rgb_array`` for environments that can be drawn.

    Raises:
        ValueError: ``threads`` is not positive.
    """
    if threads < 1:
        raise ValueError(f"threads is {threads}; it must be at least 1")
    members = [partial(make, task, options, render_mode=render_mode)] * number
    if describe(task, options)[0].one_per_process:
        return ProcessVectorEnv(members)
    if min(threads, number) > 1:
        return ThreadedVectorEnv(members, min(threads, number))
    return TaskVectorEnv(members)
