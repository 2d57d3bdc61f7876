"""Where the numbers of a study come from: one row per training, from what its ``run.json`` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from algorithms.settings import RunConfig, format_seeds

COLUMNS = [
    "seeds",
    "steps",
    "hash",
    "commit",
    "finished",
    "wall_time",
    "resumed",
    "device",
    "hardware",
    "versions",
]


def row(run: RunConfig, description: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of how a training came about; a text is empty and a number NaN or 0 where it is not said.

    Args:
        run: its configuration.
        description: content of its ``run.json``.
    """
    values = (
        format_seeds(run.seeds),
        run.run.steps,
        run.hash,
        description.get("git_commit") or "",
        description.get("finished") or "",
        float(description.get("wall_time", "nan")),
        int(description.get("resumed", 0)),
        description.get("device") or "",
        hardware(description.get("hardware") or {}),
        ", ".join(f"{name} {version}" for name, version in (description.get("versions") or {}).items()),
    )
    return dict(zip(COLUMNS, values, strict=True))


def hardware(parts: Mapping[str, Any]) -> str:
    """A machine in one line: processor, its cores, accelerator if there is one, and system."""
    cores = f"{parts['cores']} cores" if parts.get("cores") else None
    named = (parts.get("processor"), cores, parts.get("accelerator"), parts.get("system"))
    return ", ".join(str(part) for part in named if part)
