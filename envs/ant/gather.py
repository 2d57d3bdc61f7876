"""Ant Gather: collect apples, avoid bombs (paper, D.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.ant.arena import SquareField
from envs.ant.rendering import Marker
from envs.ant.robot import CONTACT_FORCE_SIZE, ROBOT_METRICS, ROBOT_SIZE, AntEnv, goal_space
from envs.ant.sensor import BINS, range_readings
from envs.base import EvaluationPoint, Observation, StepResult, TaskSpec
from envs.options import AntGatherOptions
from envs.strict import parse

APPLE, BOMB = 0, 1
APPLE_COUNT = BOMB_COUNT = 8
CATCH_RADIUS = 1.0
HEALTHY_HEIGHT = (0.3, 1.0)
HORIZON = 500
WALL_DISTANCE = 10.5  # inner faces; objects lie within 10 m
TORSO_FRAME_SIZE = 12
MARKER_RADIUS = 0.5
COLOURS = {APPLE: (0.1, 0.7, 0.1), BOMB: (0.8, 0.1, 0.1)}


def object_cells() -> NDArray[np.float64]:
    """Where objects may lie: the grid {-10, -8, ..., 8} squared without the origin, in metres, shape [99, 2]."""
    axis = np.arange(-10.0, 10.0, 2.0)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    return grid[grid.any(axis=1)]


class AntGather(AntEnv):
    """Eight apples and eight bombs in a walled 20 m x 20 m field.

    An object within 1 m of the torso is collected and gone: +1 for an apple, -1 for a bomb.  The episode
    terminates when the torso leaves the heights [0.3, 1.0] m (that step is rewarded 0 and collects nothing)
    or when no object is left, and is truncated after 500 steps.  Objects have no body.

    The observation, float32, holds positions (15), velocities (14) and the readings of the range sensor for
    apples (10) and bombs (10), 49 numbers in all.

    Args:
        render_mode: ``rgb_array`` or None, see :class:`~envs.base.TaskEnv`.
        options: fields of :class:`~envs.options.AntGatherOptions`.

    Raises:
        ValueError: an option is unknown, or its value is not allowed.
    """

    def __init__(self, *, render_mode: str | None = None, **options: Any) -> None:
        chosen = parse(AntGatherOptions, options)
        super().__init__(SquareField(WALL_DISTANCE, colour=(0.8, 0.9, 0.8)), chosen, render_mode)
        size = ROBOT_SIZE + (CONTACT_FORCE_SIZE + TORSO_FRAME_SIZE) * chosen.contact_forces + 2 * BINS
        self.observation_space = Box(-np.inf, np.inf, (size,), np.float32)
        self.task = _task_spec(size, chosen)
        self.object_positions = np.empty((0, 2))
        self.object_kinds = np.empty(0, dtype=np.int64)
        self._cells = object_cells()
        self._collected = [0, 0]

    def reset_episode(self, options: Mapping[str, Any]) -> tuple[Observation, dict[str, Any]]:
        """Start an episode with a fresh layout of objects.

        Raises:
            ValueError: ``options`` is not empty.
        """
        if options:
            raise ValueError(f"unknown reset options {sorted(options)}; {self.task.name} has none")
        self.reset_robot()
        cells = self.np_random.choice(len(self._cells), APPLE_COUNT + BOMB_COUNT, replace=False)
        self.object_positions = self._cells[cells]
        self.object_kinds = np.repeat([APPLE, BOMB], [APPLE_COUNT, BOMB_COUNT])
        self._collected = [0, 0]
        return self._observation(), {}

    def step_episode(self, action: NDArray[np.float32]) -> StepResult:
        """Move the robot, then collect; the order is that of the authors' code."""
        info = self.simulate(action)
        died = not HEALTHY_HEIGHT[0] <= self.height <= HEALTHY_HEIGHT[1]
        reward = 0.0 if died else self._collect()
        terminated = died or not len(self.object_kinds)
        truncated = not terminated and self.elapsed_steps >= HORIZON
        if terminated or truncated:
            info["episode_metrics"] = self._episode_metrics(died)
        return self._observation(), reward, terminated, truncated, info

    def markers(self) -> list[Marker]:
        """Balls for the objects that are left: apples green, bombs red."""
        objects = zip(self.object_positions.tolist(), self.object_kinds.tolist(), strict=True)
        return [Marker((x, y, MARKER_RADIUS), MARKER_RADIUS, COLOURS[kind]) for (x, y), kind in objects]

    def save_task(self) -> dict[str, Any]:
        """Objects left and objects collected so far."""
        return {
            "object_positions": self.object_positions.copy(),
            "object_kinds": self.object_kinds.copy(),
            "collected": list(self._collected),
        }

    def load_task(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`save_task` gave."""
        self.object_positions = state["object_positions"].copy()
        self.object_kinds = state["object_kinds"].copy()
        self._collected = list(state["collected"])

    def _collect(self) -> float:
        x, y = (self.object_positions - self.position).T
        caught = np.hypot(x, y) < CATCH_RADIUS
        if not caught.any():
            return 0.0
        apples, bombs = np.bincount(self.object_kinds[caught], minlength=2).tolist()
        self._collected[APPLE] += apples
        self._collected[BOMB] += bombs
        self.object_positions = self.object_positions[~caught]
        self.object_kinds = self.object_kinds[~caught]
        return float(apples - bombs)

    def _observation(self) -> Observation:
        parts = self.robot_state()
        if self._with_contact_forces:
            parts.extend(self.torso_frame())
        readings = range_readings(self.object_positions - self.position, self.object_kinds, self.heading)
        return np.concatenate([*parts, readings[APPLE], readings[BOMB]], dtype=np.float32)

    def _episode_metrics(self, died: bool) -> dict[str, float]:
        apples, bombs = self._collected
        return {"apples": float(apples), "bombs": float(bombs), "died": float(died), **self.robot_metrics()}


def _task_spec(observation_size: int, options: AntGatherOptions) -> TaskSpec:
    entries = tuple(range(observation_size))
    worker = entries if options.worker_sees == "all" else entries[:ROBOT_SIZE]
    return TaskSpec(
        name="ant_gather",
        **goal_space(),
        manager_indices=entries,
        worker_indices=worker[2:] if options.worker_hides_xy else worker,
        horizon=HORIZON,
        reward_scale=10.0,
        unit_scale=np.ones(observation_size, dtype=np.float32),
        evaluation_points=(EvaluationPoint("default"),),
        episode_metrics=("apples", "bombs", "died", *ROBOT_METRICS),
    )
