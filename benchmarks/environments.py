"""Environment steps per second of every task under random actions, resets included, and the cost of an image."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from algorithms.config import load_preset
from benchmarks import goals, presets
from benchmarks.children import Child
from benchmarks.goals import Goal
from benchmarks.report import ms, table
from benchmarks.timing import in_turn, rotated, summary
from envs.ant.arena import Maze
from envs.ant.camera import TopDownCamera
from envs.ant.maze import CELL, ROWS
from envs.names import TASKS
from envs.tasks import make

TITLE = "Environments"


class Walk:
    """Whole episodes of one environment under random actions.

    Args:
        task: its name.
        options: its options.
    """

    def __init__(self, task: str, options: Mapping[str, Any]) -> None:
        self._env = make(task, options)
        self._env.action_space.seed(0)
        self._actions = [self._env.action_space.sample() for _ in range(1_000)]
        self._env.reset(seed=0)

    def episodes(self, steps: int) -> tuple[float, float, int, int]:
        """Episodes with some steps or more in all: milliseconds of resets and of steps, number of both."""
        resets, walking, done, number = 0.0, 0.0, 0, 0
        while done < steps:
            start = time.perf_counter()
            self._env.reset()
            begin = time.perf_counter()
            done += self._episode()
            resets, walking, number = resets + begin - start, walking + time.perf_counter() - begin, number + 1
        return 1000 * resets, 1000 * walking, number, done

    def _episode(self) -> int:
        step, over = 0, False
        while not over:
            action = self._actions[step % len(self._actions)]
            _, _, terminated, truncated, _ = self._env.step(action)
            step, over = step + 1, terminated or truncated
        return step


def measure(*, rounds: int = 5, steps: int = 1_000, tasks: Sequence[str] = tuple(TASKS)) -> dict[str, Any]:
    """Walk through some tasks, each in a process of its own, one at a time.

    Args:
        rounds: how often each has its turn.
        steps: per round and task, at least; episodes are finished.
        tasks: what to walk through.
    """
    options = load_preset("paper")["environment"]["tasks"]
    for task in tasks:
        presets.warm_up(task, options[task])
    walks: dict[str, list[tuple[float, float, int, int]]] = {task: [] for task in tasks}
    with ExitStack() as stack:
        children = {task: stack.enter_context(Child(Walk, task, options[task])) for task in tasks}
        for number in range(rounds):
            for task in rotated(list(tasks), number):
                walks[task].append(children[task].call("episodes", steps))
    return {"tasks": {task: costs(found) for task, found in walks.items()}, "image_ms": image(rounds)}


def image(rounds: int) -> dict[str, float]:
    """Milliseconds of an image of the visual maze, computed from its map."""
    camera = TopDownCamera(Maze(ROWS, CELL, coloured=True))
    times = in_turn({"image": lambda: camera.image(1.0, 2.0)}, rounds=rounds, calls=200, warmup=20)
    return summary(times["image"])


def costs(walks: Sequence[tuple[float, float, int, int]]) -> dict[str, Any]:
    """Steps per second, and milliseconds of a step and of a reset."""
    return {
        "steps_per_second": summary([1000 * done / (resets + steps) for resets, steps, _, done in walks]),
        "step_ms": summary([steps / done for _, steps, _, done in walks]),
        "reset_ms": summary([resets / number for resets, _, number, _ in walks]),
        "episode_length": summary([done / number for _, _, number, done in walks]),
    }


def goals_of(result: Mapping[str, Any]) -> list[Goal]:
    """The cost of a step where more than the simulator is ours, of a reset from a saved state, and of an image."""
    rows = []
    for task, row in result["tasks"].items():
        if (limit := goals.ENVIRONMENT_MS.get(task)) is not None:
            rows.append(goals.judge(f"{task}: step under random actions", _step_ms(row), limit, "ms"))
        if (limit := goals.RESET_MS.get(task)) is not None:
            rows.append(goals.judge(f"{task}: reset", row["reset_ms"]["median"], limit, "ms"))
    return [*rows, goals.judge("image of the visual maze", result["image_ms"]["median"], goals.IMAGE_MS, "ms")]


def report(result: Mapping[str, Any]) -> str:
    """One row per task."""
    rows = [
        [
            task,
            f"{row['steps_per_second']['median']:.0f}",
            ms(row["step_ms"]),
            ms(row["reset_ms"]),
            f"{row['episode_length']['median']:.0f}",
        ]
        for task, row in result["tasks"].items()
    ]
    header = ["task", "steps/s", "ms per step", "ms per reset", "steps per episode"]
    return (
        "Random actions, whole episodes, resets included:\n\n"
        + table(header, rows)
        + f"\n\nAn image of the visual maze takes {ms(result['image_ms'])} ms."
    )


def _step_ms(row: Mapping[str, Any]) -> float:
    return 1000 / float(row["steps_per_second"]["median"])
