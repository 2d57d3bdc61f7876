"""The settings that are measured."""

from __future__ import annotations

from typing import Any

from algorithms.config import load_preset, merge

#: Stands for the share of a worker return that no run has reached here; it changes no cost.
DELTA = -100.0


def paper() -> dict[str, Any]:
    """The paper's preset, with a delta that does not wait for finished runs."""
    return merge(load_preset("paper"), {"cher": {"default": {"delta": DELTA}}})
