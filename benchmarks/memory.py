"""Peak memory of a training whose replay is full, with an evaluation and a checkpoint."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from algorithms.checkpoint import Checkpoints
from algorithms.config import resolve
from algorithms.settings import RunConfig
from algorithms.trainer import Trainer
from benchmarks import goals
from benchmarks.children import Child
from benchmarks.goals import Goal
from benchmarks.machine import peak_memory_mb
from benchmarks.presets import paper
from benchmarks.report import table
from benchmarks.synthetic import TASK, Feed

TITLE = "Memory"

#: A flat replay and one of meta-transitions.
MEASURED = ("td3", "hrl")


class Hoarder:
    """A training that fills its replay with made-up transitions and then goes on for a while."""

    def peak(self, config: RunConfig, fill: int) -> float:
        """Largest resident memory of this process in MB.

        Args:
            config: of a training that is as short as it may be.
            fill: transitions put into the replay first.
        """
        trainer = Trainer(config, torch.device("cpu"))
        Feed(trainer.algorithm, trainer.task).fill(fill)
        with tempfile.TemporaryDirectory() as folder:
            checkpoints = Checkpoints(Path(folder), config.hash)
            checkpoints.lock()
            trainer.run(lambda: False, lambda: checkpoints.save(trainer.state_dict()))
        trainer.close()
        return peak_memory_mb()


def configure(algorithm: str, learner: Mapping[str, Any] | None = None) -> RunConfig:
    """The paper's settings, with one evaluation of one episode and one checkpoint within 200 steps."""
    short = {
        "steps": 200,
        "log_every": 100,
        "evaluate_every": 200,
        "evaluation_episodes": 1,
        "final_evaluation_episodes": 1,
        "checkpoint_every": 100,
        "warmup_steps": 2_000,
    }
    overrides = {"run": short, "learner": dict(learner or {})}
    return resolve(paper(), TASK, algorithm, seeds=[0], overrides=overrides)


def measure(*, algorithms: Sequence[str] = MEASURED, learner: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Train some algorithms, each in a process of its own.

    Args:
        algorithms: what to train.
        learner: settings other than the paper's.
    """
    peaks = {}
    for name in algorithms:
        config = configure(name, learner)
        with Child(Hoarder) as child:
            peaks[name] = child.call("peak", config, config.learner.buffer_steps)
    return {"task": TASK, "buffer_steps": config.learner.buffer_steps, "peak_mb": peaks}


def goals_of(result: Mapping[str, Any]) -> list[Goal]:
    """The limit for every training."""
    return [
        goals.judge(f"{name} on {result['task']}: peak memory", peak, goals.MEMORY_MB, "MB")
        for name, peak in result["peak_mb"].items()
    ]


def report(result: Mapping[str, Any]) -> str:
    """One row per algorithm."""
    rows = [[result["task"], name, f"{peak:.0f}"] for name, peak in result["peak_mb"].items()]
    return (
        f"Largest resident memory of a training of one seed with {result['buffer_steps']:,} steps in its replay; "
        "one evaluation and one checkpoint included:\n\n" + table(["task", "algorithm", "MB"], rows)
    )
