"""What the tasks share in which the Ant walks to a target: observation, reward and success."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import hypot, isfinite
from numbers import Real
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.ant.arena import Arena, Point
from envs.ant.rendering import Marker
from envs.ant.robot import CONTACT_FORCE_SIZE, ROBOT_METRICS, ROBOT_SIZE, AntEnv, goal_space
from envs.base import EvaluationPoint, Observation, StepResult, TaskSpec
from envs.options import AntNavigationOptions

HORIZON = 500
SUCCESS_DISTANCE = 5.0
TIME_UNIT = 0.001
TARGET_SIZE = 2
MARKER_RADIUS = 0.8  # m
MARKER_COLOUR = (0.0, 0.45, 0.7)


class AntNavigation(AntEnv):
    """Walk to a target that each episode draws anew; subclasses say how, in :meth:`draw_target`.

    The reward is the negative distance in metres between torso and target in the plane, after the step.  An
    episode is truncated after 500 steps and never terminates, not even when the robot lies on its back.

    The observation, float32, holds positions (15), velocities (14), if asked for contact forces (84), 0.001 times
    the number of steps since the reset (1), and the target's x and y (2), which the manager alone sees: 32 numbers
    in all.

    Episode metrics: ``success`` is 1 where the last step ends within 5 m of the target (paper, D.1), ``entered``
    where any step does (paper, F.2), ``final_distance`` is the distance at the end.  ``info["is_success"]`` is the
    former again, under the name that others look for.

    Option of :meth:`reset`: ``target``, x and y in metres; it is drawn when not given.

    Args:
        name: task name.
        arena: where the robot moves.
        options: fields of the task's options.
        evaluation: targets of the evaluation points.
        worker_hides_xy: keep x and y from the worker.
        render_mode: as in :class:`~envs.base.TaskEnv`.
    """

    def __init__(
        self,
        name: str,
        arena: Arena,
        options: AntNavigationOptions,
        evaluation: Sequence[Point],
        *,
        worker_hides_xy: bool,
        render_mode: str | None,
    ) -> None:
        super().__init__(arena, options, render_mode)
        self.task = _task_spec(name, options, evaluation, worker_hides_xy)
        self.observation_space = Box(-np.inf, np.inf, (len(self.task.unit_scale),), np.float32)
        self.target = np.zeros(TARGET_SIZE)
        self._shows_time = options.time_feature
        self._entered = False

    def draw_target(self) -> NDArray[np.float64]:
        """A target for an episode of training, x and y in metres."""
        raise NotImplementedError

    def reset_episode(self, options: Mapping[str, Any]) -> tuple[Observation, dict[str, Any]]:
        """Start an episode.

        Raises:
            ValueError: an option is unknown, or ``target`` is not two finite numbers.
        """
        fixed = _checked_options(options)
        self.reset_robot()
        drawn = self.draw_target()  # always, so that fixing a target leaves all else as it would have been
        self.target = drawn if fixed is None else fixed
        self._entered = False
        return self.observe(), {}

    def step_episode(self, action: NDArray[np.float32]) -> StepResult:
        """Move the robot and see how far away the target is."""
        info = self.simulate(action)
        distance = self.distance
        self._entered |= distance < SUCCESS_DISTANCE
        truncated = self.elapsed_steps >= HORIZON
        if truncated:
            success = distance < SUCCESS_DISTANCE
            metrics = {
                "success": float(success),
                "entered": float(self._entered),
                "final_distance": distance,
                **self.robot_metrics(),
            }
            info |= {"episode_metrics": metrics, "is_success": success}
        return self.observe(), -distance, False, truncated, info

    @property
    def distance(self) -> float:
        """Distance between torso and target in the plane, in metres."""
        x, y = (self.position - self.target).tolist()
        return hypot(x, y)

    def observe(self) -> Observation:
        """The present observation."""
        parts = self.robot_state()
        if self._shows_time:
            parts.append(np.array([TIME_UNIT * self.elapsed_steps]))
        return np.concatenate([*parts, self.target], dtype=np.float32)

    def markers(self) -> list[Marker]:
        """A ball at the target."""
        x, y = self.target.tolist()
        return [Marker((x, y, MARKER_RADIUS), MARKER_RADIUS, MARKER_COLOUR)]

    def save_task(self) -> dict[str, Any]:
        """The target, and whether it was reached so far."""
        return {"target": self.target.copy(), "entered": self._entered}

    def load_task(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`save_task` gave."""
        self.target, self._entered = state["target"].copy(), state["entered"]


def _task_spec(
    name: str, options: AntNavigationOptions, evaluation: Sequence[Point], worker_hides_xy: bool
) -> TaskSpec:
    for_all = ROBOT_SIZE + CONTACT_FORCE_SIZE * options.contact_forces + options.time_feature
    entries = tuple(range(for_all + TARGET_SIZE))
    return TaskSpec(
        name=name,
        **goal_space(),
        manager_indices=entries,
        worker_indices=entries[2:for_all] if worker_hides_xy else entries[:for_all],
        horizon=HORIZON,
        reward_scale=0.1,
        unit_scale=np.ones(len(entries), dtype=np.float32),
        evaluation_points=tuple(EvaluationPoint(f"target_{x:g}_{y:g}", {"target": (x, y)}) for x, y in evaluation),
        episode_metrics=("success", "entered", "final_distance", *ROBOT_METRICS),
    )


def _checked_options(options: Mapping[str, Any]) -> NDArray[np.float64] | None:
    """The target asked for, if any."""
    if unknown := sorted(set(options) - {"target"}):
        raise ValueError(f"unknown reset option {unknown[0]!r}; allowed is target")
    if "target" not in options:
        return None
    target = options["target"]
    numbers = target.tolist() if isinstance(target, np.ndarray) else target
    if not isinstance(numbers, Sequence) or len(numbers) != TARGET_SIZE or not all(map(_is_finite, numbers)):
        raise ValueError(f"target must be two finite numbers, x and y in metres, got {target!r}")
    return np.array(numbers, dtype=np.float64)


def _is_finite(number: Any) -> bool:
    return isinstance(number, Real) and not isinstance(number, bool) and isfinite(number)
