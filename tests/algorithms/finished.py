"""Run folders to evaluate, without a training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from learners import CPU

from algorithms.config import load_preset, resolve
from algorithms.registry import ALGORITHMS
from envs.tasks import describe

NETWORKS = {"learner": {"hidden": [8, 8], "buffer_steps": 2000}}


def finished_run(
    folder: Path,
    task: str,
    algorithm: str,
    environment: dict[str, Any] | None = None,
    seeds: tuple[int, ...] = (4, 9),
) -> Path:
    """A run folder of untrained seeds."""
    overrides = {**NETWORKS, **(environment or {})}
    config = resolve(load_preset("paper"), task, algorithm, seeds=seeds, overrides=overrides)
    learner = ALGORITHMS[algorithm].load()(config, *describe(task, config.environment), CPU)
    torch.save({"networks": dict(learner.networks)}, folder / "policy.pt")
    (folder / "run.json").write_text(json.dumps({"config": config.model_dump(mode="json")}))
    return folder
