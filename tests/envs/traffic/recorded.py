"""The conditions under which Flow's highway was recorded, with SUMO's seed 50494 and actions of 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs.base import TaskEnv

RECORDED: dict[str, Any] = {
    "pool": False,
    "warmup_steps": 0,
    "noise": 0.0,
    "flows": [2114.0, 100.0],
    "end_speeds": [6.0],
}


def zeros(env: TaskEnv) -> np.ndarray:
    """Actions of 0."""
    return np.zeros(env.action_space.shape, np.float32)
