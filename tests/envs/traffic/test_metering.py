"""What the highway's return can be had for: cars that hold the others back (docs/decisions.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.base import TaskEnv
from envs.options import HighwayOptions
from envs.traffic.pool import build

#: Full throttle or full brakes in each slot, the most downstream vehicle first.
THROTTLE, METERING = (1, 1, 1, 1, 1), (1, 1, -1, -1, 1)


def episode(env: TaskEnv, signs: Sequence[int]) -> tuple[float, dict[str, float]]:
    """Return and metrics of an episode of one constant action, at 6 m/s."""
    action = np.array(signs, np.float32)
    env.reset(seed=1, options={"end_speed": 6.0, "state": 0})
    total: float = 0.0
    info: dict[str, Any] = {}
    for _ in range(1500):
        _, reward, terminated, _, info = env.step(action)
        assert not terminated
        total += float(reward)
    return total, info["episode_metrics"]


@pytest.mark.slow
def test_a_constant_action_that_holds_cars_back(highway: Callable[..., TaskEnv], cache: Path) -> None:
    """Three times the return at the same throughput; only those who wait outside tell."""
    build(HighwayOptions())
    env = highway(av_speed_mode=25)
    (free, flowing), (held, metered) = (episode(env, signs) for signs in (THROTTLE, METERING))
    assert free < 7_500
    assert held > 2.5 * free
    assert metered["throughput"] > 0.97 * flowing["throughput"]
    assert metered["return_all"] > flowing["return_all"]
    assert metered["departed"] < 0.8 * flowing["departed"]
    assert metered["backlog"] > flowing["backlog"] + 50
