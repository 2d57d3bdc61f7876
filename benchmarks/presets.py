"""The settings that are measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from algorithms.config import load_preset, merge
from envs.options import HighwayOptions
from envs.strict import parse
from envs.traffic import pool

#: Stands for the share of a worker return that no run has reached here; it changes no cost.
DELTA = -100.0


def paper() -> dict[str, Any]:
    """The paper's preset, with a delta that does not wait for finished runs."""
    return merge(load_preset("paper"), {"cher": {"default": {"delta": DELTA}}})


def warm_up(task: str, environment: Mapping[str, Any]) -> None:
    """Make the saved states that a task's episodes begin with, unless they are there or it needs none."""
    if task == "highway":
        pool.build(parse(HighwayOptions, environment))
