"""Saved states of the highway that several tests share; short warm-ups."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from envs.base import TaskEnv
from envs.options import HighwayOptions
from envs.tasks import make
from envs.traffic.pool import build

#: Two states for each of two end speeds; traffic is jammed at the end of the road, not yet everywhere.
SHORT_STATES: dict[str, Any] = {"warmup_steps": 900, "states": 2, "end_speeds": [5.0, 6.0]}
#: The same without noise, so that what follows can be computed.
QUIET_STATES: dict[str, Any] = {**SHORT_STATES, "states": 1, "noise": 0.0}


@pytest.fixture(scope="session")
def short_states(cache: Path) -> dict[str, Any]:
    """Options of tasks whose states were made."""
    build(HighwayOptions(**SHORT_STATES))
    return SHORT_STATES


@pytest.fixture(scope="session")
def quiet_states(cache: Path) -> dict[str, Any]:
    """The same, without noise."""
    build(HighwayOptions(**QUIET_STATES))
    return QUIET_STATES


@pytest.fixture
def highway() -> Iterator[Callable[..., TaskEnv]]:
    """Makes environments with the given options and closes them after the test."""
    made: list[TaskEnv] = []

    def make_one(**options: Any) -> TaskEnv:
        made.append(make("highway", options))
        return made[-1]

    yield make_one
    for env in made:
        env.close()
