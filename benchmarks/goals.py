"""What the suite should reach; a goal that is missed is shown, and stops nothing."""

from __future__ import annotations

from typing import Any

#: TD3's update relative to others, replay sampling included.
UPDATE = {"eager loop": 0.5, "bare products": 1.6}

#: HIRO's relabelling relative to its matrix products.
RELABELLING = 1.3

#: Learner's cost per environment step relative to the authors' TensorFlow graph.
AUTHORS = 1.0

#: Whole training step relative to TD3 on the same task.
STEP = {"hrl": 1.15, "cher": 1.3, "hac": 1.25, "hiro": 1.9}

#: Milliseconds of an environment step under random actions, resets included.
ENVIRONMENT_MS = {
    "ant_maze": 1000 / 1800,
    "ant_four_rooms": 1000 / 1800,
    "ring_road": 1000 / 2500,
    "highway": 1000 / 550,
}

#: Milliseconds of a reset.
RESET_MS = {"highway": 60.0}

#: Milliseconds of an image of the visual maze.
IMAGE_MS = 0.2

#: Share of evaluations in the time of a training.
EVALUATION = 0.2

#: Share of a training step that is neither simulator nor learner.
OVERHEAD = 0.05

#: Peak resident memory of a training with a full replay, in MB.
MEMORY_MB = 700.0

Goal = dict[str, Any]


def judge(what: str, measured: float, goal: float, unit: str = "x") -> Goal:
    """One line of the table of goals; all of them are upper limits."""
    return {"what": what, "measured": measured, "goal": goal, "unit": unit, "met": measured <= goal}
