"""The highway as a learner sees it."""

from __future__ import annotations

import numpy as np

from envs.base import EvaluationPoint, TaskSpec, VehicleSpec
from envs.options import HighwayOptions
from envs.traffic.frames import HISTORY_SIZE
from envs.traffic.highway_metrics import HIGHWAY_METRICS
from envs.traffic.highway_traffic import TIME_STEP

EVALUATIONS_PER_END_SPEED = 2


def highway_task(options: HighwayOptions) -> TaskSpec:
    """The learner's view of the task.  Goals are desired speeds of the controlled vehicles, 0 to 20 m/s (E.2)."""
    size = options.slots * HISTORY_SIZE
    return TaskSpec(
        name="highway",
        goal_low=np.zeros(options.slots, dtype=np.float32),
        goal_high=np.full(options.slots, 20, dtype=np.float32),
        goal_indices=tuple(range(0, size, HISTORY_SIZE)),
        relative_goals=False,
        position_indices=(),
        manager_indices=tuple(range(size)),
        worker_indices=tuple(range(size)),
        horizon=options.horizon,
        reward_scale=1.0,
        unit_scale=np.full(size, 0.1, dtype=np.float32),
        evaluation_points=_evaluation_points(options),
        episode_metrics=HIGHWAY_METRICS,
        one_per_process=True,
        vehicles=VehicleSpec(TIME_STEP * options.sims_per_step, options.max_accel),
    )


def _evaluation_points(options: HighwayOptions) -> tuple[EvaluationPoint, ...]:
    """Two per end speed: of the saved states the first two.  Noise and SUMO's seed are left to the evaluation."""
    points = []
    for end_speed in options.end_speeds:
        for number in range(EVALUATIONS_PER_END_SPEED):
            state = {"state": number % options.states} if options.pool else {}
            points.append(EvaluationPoint(f"end_{end_speed:g}_state_{number}", {"end_speed": end_speed, **state}))
    return tuple(points)
