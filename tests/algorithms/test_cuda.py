"""The same training on a CUDA device; needs one: ``pytest -m cuda``."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from toys import ACTIONS, Rollout, learns, settings

from algorithms.algorithm import prepare_process
from algorithms.registry import ALGORITHMS
from envs.base import TaskSpec

pytestmark = pytest.mark.cuda


def trained(algorithm: str, task: TaskSpec, seeds: tuple[int, ...], device: str, steps: int) -> Rollout:
    prepare_process()
    made = ALGORITHMS[algorithm].load()(settings(algorithm, seeds), task, ACTIONS, torch.device(device))
    return Rollout(made, seeds, task).run(warmup=60, steps=steps)


@pytest.mark.parametrize("seeds", [(4,), (4, 9, 11)])
@learns
def test_a_cuda_device_gives_the_numbers_of_the_cpu(
    algorithm: str, task: TaskSpec, seeds: tuple[int, ...]
) -> None:
    one, other = (trained(algorithm, task, seeds, device, 120) for device in ("cpu", "cuda"))
    for mine, theirs in zip(one.actions, other.actions, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-3)
    for name, tensor in one.algorithm.networks.items():
        torch.testing.assert_close(tensor, other.algorithm.networks[name].cpu(), atol=1e-3, rtol=1e-3, msg=name)


@pytest.mark.parametrize("used", [0, 120])
@learns
def test_continues_from_its_state(algorithm: str, task: TaskSpec, used: int) -> None:
    rollout = trained(algorithm, task, (4, 9), "cuda", 100)
    state = rollout.algorithm.state_dict()
    # its graphs, if any, must serve the loaded state
    other = trained(algorithm, task, (4, 9), "cuda", used).algorithm
    other.load_state_dict(state)
    for each in (rollout.algorithm, other):
        for _ in range(100):
            each.update()
    for name, tensor in rollout.algorithm.networks.items():
        torch.testing.assert_close(tensor, other.networks[name], msg=name)
