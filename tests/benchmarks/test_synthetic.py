from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from algorithms.registry import ALGORITHMS
from benchmarks.synthetic import ACTION, OBSERVATION, Feed, filled, task


class Recording:
    """Stands in for an algorithm."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def act(self, observations: Any, *, random: bool = False) -> Any:
        self.calls.append(("act", random))
        return np.zeros((1, ACTION), np.float32)

    def observe(self, observations: Any, actions: Any, rewards: Any, *rest: Any) -> None:
        self.calls.append(("observe", observations, *rest))

    def update(self) -> None:
        self.calls.append(("update",))


def test_transitions_are_connected_and_episodes_have_full_length():
    spec, _ = task()
    recording: Any = Recording()
    Feed(recording, spec).fill(2 * spec.horizon)
    seen = [call[1:] for call in recording.calls if call[0] == "observe"]
    for (_, following, *_), (here, *_) in pairwise(seen):
        assert following is here
    late = [step for step, (*_, truncated) in enumerate(seen, start=1) if truncated.item()]
    assert late == [spec.horizon, 2 * spec.horizon]
    assert not any(terminated.item() for _, _, terminated, _ in seen)


def test_a_step_acts_observes_and_updates():
    recording: Any = Recording()
    Feed(recording, task()[0]).step()
    assert [call[0] for call in recording.calls] == ["act", "observe", "update"]
    assert recording.calls[0] == ("act", False)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_can_learn_from_it(algorithm: str):
    feed = filled(algorithm, 1_500)
    before = {name: tensor.clone() for name, tensor in feed.algorithm.networks.items()}
    for _ in range(20):
        feed.step()
    assert any(not tensor.equal(before[name]) for name, tensor in feed.algorithm.networks.items())
    assert len(task()[0].manager_indices) == OBSERVATION
