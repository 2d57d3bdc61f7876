"""A seed meets the same episodes in a group of seeds as alone, on every task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from algorithms.config import load_preset, resolve
from algorithms.records import metrics_of
from algorithms.trainer import Trainer
from envs.names import TASKS

STEPS = {"ring_road": 320, "highway": 320}  # more than two of the smoke preset's episodes
A_WHOLE_EPISODE = 520


def shown(task: str, seeds: Sequence[int], threads: int = 1) -> dict[int, list[Any]]:
    """All that the environments of a training show each seed, under actions that depend on the seed alone."""
    config = resolve(load_preset("smoke"), task, "hrl", seeds=seeds)
    trainer = Trainer(config, torch.device("cpu"), threads=threads)
    first = trainer.state_dict()["observations"]
    seen: dict[int, list[Any]] = {seed: [first[index].tolist()] for index, seed in enumerate(seeds)}
    generators = [np.random.default_rng(seed) for seed in seeds]
    size = trainer.envs.single_action_space.shape
    for step in range(STEPS.get(task, A_WHOLE_EPISODE)):
        if step % 5 == 0:  # half a second of full torques throws an Ant over now and then
            actions = np.stack([generator.choice([-30, 30], size) for generator in generators]).astype(np.float32)
        advance(trainer, actions, seen)
    trainer.close()
    return seen


def advance(trainer: Trainer, actions: Any, seen: dict[int, list[Any]]) -> None:
    """One step of all environments; those whose episode ends start another."""
    observations, rewards, terminated, truncated, infos = trainer.envs.step(actions)
    ends = terminated | truncated
    fresh = trainer.envs.reset(options={"reset_mask": ends})[0] if ends.any() else observations
    for index, seed in enumerate(trainer.config.seeds):
        seen[seed] += [observations[index].tolist(), float(rewards[index]), bool(terminated[index])]
        if ends[index]:
            seen[seed] += [metrics_of(infos, index, trainer.task.episode_metrics), fresh[index].tolist()]


@pytest.mark.usefixtures("warmed_up")
@pytest.mark.parametrize("task", TASKS)
def test_a_seed_meets_the_same_episodes_in_a_group_as_alone(task: str) -> None:
    together = shown(task, [0, 1], threads=2)
    assert together == shown(task, [0]) | shown(task, [1])
    assert together[0][0] != together[1][0], "first observations"
    assert any(len(seen) > 1 + 3 * STEPS.get(task, A_WHOLE_EPISODE) for seen in together.values()), (
        "episodes ended"
    )
