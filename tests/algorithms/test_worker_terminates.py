"""The option that lets the worker end with the episode; by default it never ends."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from learners import constant, noise
from plain_periods import drawn, filled
from toys import HIERARCHIES, TASKS, feed, make, sample, walk

from algorithms.seeding import Streams
from envs.base import TaskSpec

SEEDS = (3, 8)
HIERARCHICAL = pytest.mark.parametrize("name", HIERARCHIES)


@HIERARCHICAL
@TASKS
def test_bootstrapping_stops_at_the_last_step_of_an_item_that_truly_ended(name: str, task: TaskSpec) -> None:
    algorithm = make(name, SEEDS, task=task, hierarchy={"worker_terminates": True})
    items = filled(algorithm)
    batch = sample(algorithm.replay, Streams(SEEDS), 200)
    given = algorithm.worker_batch(batch)
    constant(algorithm.worker.target_critics, -50, -40, -50, -40)
    targets = algorithm.worker.targets(given, noise(2, 200))
    for seed in range(2):
        kinds = set()
        for row, (item, step) in enumerate(drawn(batch, items, seed)):
            last, ended = step == item.length - 1, item.done == 1
            kinds.add((last, ended))
            assert given.continues[seed, row] == 1 - (last and ended)
            expected = item.worker_rewards[step] + (0 if last and ended else 0.99 * -50)
            assert targets[seed, row].item() == pytest.approx(expected, rel=1e-6)
        assert len(kinds) == 4, "ended or not, last step or not"


@pytest.mark.parametrize(
    ("end", "stops"), [("terminated", {9: False, 12: True}), ("truncated", {9: False, 12: False})]
)
def test_neither_a_time_limit_nor_the_end_of_a_period_ends_the_worker(end: str, stops: dict[int, bool]) -> None:
    algorithm = make("hrl", hierarchy={"worker_terminates": True}, learner={"batch_size": 4})
    feed(algorithm, walk(13), end=end)
    batch = sample(algorithm.replay, Streams([0]), 300)
    continues = algorithm.worker_batch(batch).continues
    time = torch.where(batch.lengths == 10, batch.steps, 10 + batch.steps)
    for moment, stop in stops.items():
        assert set(continues[time == moment].tolist()) == {1.0 - stop}
    others = (time != 9) & (time != 12)
    assert (continues[others] == 1).all()


def test_by_default_the_worker_goes_on_for_ever() -> None:
    algorithm = make("hrl")
    assert not algorithm.hierarchy.worker_terminates
    feed(algorithm, walk(3), end="terminated")
    assert algorithm.worker_batch(sample(algorithm.replay, Streams([0]), 8)).continues is None


@HIERARCHICAL
def test_a_training_with_the_option_differs_in_the_worker_only_by_its_ends(name: str) -> None:
    one, other = (make(name, SEEDS, hierarchy={"worker_terminates": option}) for option in (False, True))
    for algorithm in (one, other):
        filled(algorithm)
        algorithm.update()
    networks = one.networks, other.networks
    changed = {key for key, tensor in networks[0].items() if not torch.equal(tensor, networks[1][key])}
    assert changed == {key for key in networks[0] if key.startswith("worker.critics")}
    assert np.isfinite(other.metrics()["worker_q_batch"]).all()
