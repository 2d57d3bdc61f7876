"""Finished runs to take a worker from, without a training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from toys import CPU, Rollout, make

from algorithms.algorithm import Algorithm
from algorithms.config import load_preset, resolve
from algorithms.registry import ALGORITHMS
from algorithms.settings import RunConfig
from envs.base import TaskSpec
from envs.tasks import describe

SMALL = {"learner": {"hidden": [8, 8], "buffer_steps": 2_000}}


def planned(
    task: str, algorithm: str, variant: str | None = None, *, seeds: Sequence[int] = (0,), **changes: Any
) -> RunConfig:
    """A run of the smoke preset with small networks; ``changes`` are overrides by section."""
    overrides = {**SMALL, **changes}
    return resolve(load_preset("smoke"), task, algorithm, seeds=seeds, variant=variant, overrides=overrides)


def fresh(config: RunConfig) -> Algorithm:
    """An algorithm that has learned nothing yet."""
    return ALGORITHMS[config.algorithm].load()(config, *describe(config.task, config.environment), CPU)


def finished(folder: Path, config: RunConfig) -> Path:
    """The folder of a run that has learned nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"networks": dict(fresh(config).networks)}, folder / "policy.pt")
    description = {"config": config.record, "hash": config.hash, "seeds": config.seeds}
    (folder / "run.json").write_text(json.dumps(description))
    return folder


def saved_networks(folder: Path, level: str) -> dict[str, Tensor]:
    """The networks in a policy file whose names begin in a way, such as ``worker.``."""
    networks = torch.load(folder / "policy.pt", weights_only=True)["networks"]
    return {name: tensor for name, tensor in networks.items() if name.startswith(level)}


def networks_of(algorithm: Algorithm, level: str) -> dict[str, Tensor]:
    """A copy of an algorithm's networks whose names begin in a way."""
    return {name: tensor.clone() for name, tensor in algorithm.networks.items() if name.startswith(level)}


def toy_source(folder: Path, seeds: Sequence[int] = (0,), *, task: TaskSpec, **settings: Any) -> Path:
    """The policy file of point masses whose worker has learned for a while."""
    folder.mkdir(parents=True, exist_ok=True)
    learned = Rollout(make("hrl", seeds, task=task, **settings), seeds, task).run(warmup=60, steps=60).algorithm
    torch.save({"networks": dict(learned.networks)}, folder / "policy.pt")
    return folder


def on_a_worker(
    algorithm: str, seeds: Sequence[int] = (0,), *, changes: Mapping[str, Any] | None = None, **settings: Any
) -> Any:
    """A fresh algorithm of point masses that takes over a worker; it has still to be given one."""
    source = {"task": "ant_gather", "algorithm": "hrl", "variant": "transfer", "policy": "made up"}
    return make(algorithm, seeds, changes={"transfer": source, **(changes or {})}, **settings)
