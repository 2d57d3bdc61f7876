"""What every algorithm of the registry must do; a new one is tested by being registered."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from toys import ACTIONS, IMAGE, KINDS, RELATIVE, Rollout, equal, make

from algorithms.algorithm import Algorithm
from algorithms.checkpoint import Checkpoints
from algorithms.registry import ALGORITHMS
from envs.base import TaskSpec

SEEDS = (0, 1, 2)
CASES = [(name, kind, task) for name in ALGORITHMS for kind, task in KINDS.items()]
CASES += [(name, "image", IMAGE) for name, entry in ALGORITHMS.items() if entry.sees_images]

#: Every algorithm on every kind of task that it learns.
tasks = pytest.mark.parametrize(
    ("name", "task"),
    [(name, task) for name, _, task in CASES],
    ids=[f"{name}-{kind}" for name, kind, _ in CASES],
)


@pytest.fixture(params=ALGORITHMS)
def name(request: pytest.FixtureRequest) -> str:
    algorithm: str = request.param
    return algorithm


def started(name: str, task: TaskSpec = RELATIVE, *, warmup: int = 60, steps: int = 0) -> Rollout:
    return Rollout(make(name, SEEDS, task=task), SEEDS, task).run(warmup=warmup, steps=steps)


def test_is_an_algorithm(name: str) -> None:
    assert isinstance(make(name), Algorithm)


@tasks
@pytest.mark.parametrize("random", [True, False])
def test_actions_fill_the_box(name: str, random: bool, task: TaskSpec) -> None:
    rollout = started(name, task, warmup=0)
    for network in [tensor for key, tensor in rollout.algorithm.networks.items() if "actor.weight_2" in key]:
        network.mul_(300)
    for _ in range(200):
        rollout.step(random=random)
    actions = np.stack(rollout.actions)
    assert actions.shape == (200, 3, 2)
    assert actions.dtype == np.float32
    assert (actions >= ACTIONS.low).all()
    assert (actions <= ACTIONS.high).all()
    assert (actions.std((0, 1)) > 0.1).all()


@tasks
def test_policy_acts_in_the_box_and_repeats_itself(name: str, task: TaskSpec) -> None:
    rollout = started(name, task, steps=5)
    policy, everyone = rollout.algorithm.policy, np.ones(3, bool)
    runs = []
    for _ in range(2):
        policy.reset(everyone)
        runs.append([policy.act(rollout.observations) for _ in range(25)])
    assert equal(runs[0], runs[1])
    actions = np.stack(runs[0])
    assert actions.shape == (25, 3, 2)
    assert actions.dtype == np.float32
    assert (actions >= ACTIONS.low).all()
    assert (actions <= ACTIONS.high).all()


@tasks
def test_same_seeds_give_the_same_bits(name: str, task: TaskSpec) -> None:
    first, second = (started(name, task, steps=50) for _ in range(2))
    assert equal(first.actions, second.actions)
    assert equal(first.algorithm.state_dict(), second.algorithm.state_dict())
    assert equal(first.algorithm.metrics(), second.algorithm.metrics())


def test_seeds_differ(name: str) -> None:
    rollout = started(name, steps=25)
    actions = np.stack(rollout.actions)
    planned = make(name, SEEDS).policy.act(np.ones((3, 7), np.float32))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (actions[:, one] != actions[:, other]).all(1).mean() > 0.9
        assert (planned[one] != planned[other]).any(), "networks start differently"


@tasks
def test_networks_hold_all_that_learns(name: str, task: TaskSpec) -> None:
    rollout = started(name, task)
    networks = rollout.algorithm.networks
    levels = {key.split(".")[0] for key in networks}
    for level in levels:
        parts = {key.split(".")[1] for key in networks if key.startswith(f"{level}.")}
        assert parts >= {"actor", "critics", "target_actor", "target_critics"}
    assert all(tensor.shape[0] == (6 if "critics" in key else 3) for key, tensor in networks.items())
    before = {key: tensor.clone() for key, tensor in networks.items()}
    rollout.run(steps=41)
    unchanged = [key for key, tensor in networks.items() if torch.equal(tensor, before[key])]
    assert not unchanged, "they share memory with the algorithm"
    assert equal(rollout.algorithm.networks, networks)


@tasks
def test_networks_are_all_that_the_policy_needs(name: str, task: TaskSpec) -> None:
    rollout, other = started(name, task, steps=30), make(name, (7, 8, 9), task=task)
    for key, tensor in other.networks.items():
        tensor.copy_(rollout.algorithm.networks[key])
    everyone = np.ones(3, bool)
    for algorithm in (rollout.algorithm, other):
        algorithm.policy.reset(everyone)
    for step in range(15):
        observations = rollout.observations + step
        assert equal(rollout.algorithm.policy.act(observations), other.policy.act(observations))


@tasks
def test_metrics_are_finite_numbers_per_seed(name: str, task: TaskSpec) -> None:
    rollout = started(name, task, steps=40)
    first = rollout.algorithm.metrics()
    second = rollout.run(steps=40).algorithm.metrics()
    assert first.keys() == second.keys()
    for metrics in (first, second):
        for key, values in metrics.items():
            assert values.shape == (3,), key
            assert values.dtype == np.float32, key
            assert np.isfinite(values).all(), key
    assert not equal(first, second)


def test_metrics_change_nothing(name: str) -> None:
    quiet, curious = started(name, steps=30), started(name, steps=30)
    curious.algorithm.metrics()
    for rollout in (quiet, curious):
        rollout.run(steps=30)
    assert equal(quiet.actions, curious.actions)
    assert equal(quiet.algorithm.networks, curious.algorithm.networks)


@tasks
def test_evaluation_leaves_training_untouched(name: str, task: TaskSpec) -> None:
    quiet, watched = started(name, task), started(name, task)
    observer, size = np.random.default_rng(0), len(task.unit_scale)
    for step in range(45):
        for rollout in (quiet, watched):
            rollout.run(steps=1)
        if step % 7 == 0:
            watched.algorithm.policy.reset(np.ones(3, bool))
        for _ in range(step % 4):
            watched.algorithm.policy.act(observer.normal(size=(3, size)).astype(np.float32))
            watched.algorithm.policy.reset(observer.random(3) < 0.2)
    assert equal(quiet.actions, watched.actions)
    assert equal(quiet.algorithm.state_dict(), watched.algorithm.state_dict())


def saved(state: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A state after a way through a file."""
    checkpoints = Checkpoints(folder, "identity")
    with checkpoints.lock():
        checkpoints.save(state)
        loaded = checkpoints.load()
    assert loaded is not None
    return loaded


@tasks
@pytest.mark.parametrize("steps", [0, 47], ids=["warmup", "training"])
def test_continues_from_a_checkpoint_in_mid_period(name: str, task: TaskSpec, steps: int, tmp_path: Path) -> None:
    rollout = started(name, task, warmup=43, steps=steps)
    state = rollout.algorithm.state_dict()
    assert not all(len(env.episode_state["actions"]) % 10 == 0 for env in rollout.envs), "in mid-period"
    resumed = Rollout(make(name, SEEDS, task=task), SEEDS, task)
    resumed.run(warmup=20, steps=3)  # leaves traces that loading must remove
    fresh = Rollout(make(name, SEEDS, task=task), SEEDS, task)
    for other in (resumed, fresh):
        other.algorithm.load_state_dict(saved(state, tmp_path))
        other.envs, other.observations = copy.deepcopy(rollout.envs), rollout.observations.copy()
        other.actions = list(rollout.actions)
    for each in (rollout, resumed, fresh):
        each.run(warmup=5 * (steps == 0), steps=40)
    metrics = rollout.algorithm.metrics()
    for other in (resumed, fresh):
        assert equal(rollout.actions, other.actions)
        assert equal(metrics, other.algorithm.metrics())
        assert equal(rollout.algorithm.state_dict(), other.algorithm.state_dict())


def test_state_of_another_size_is_refused(name: str) -> None:
    state = started(name).algorithm.state_dict()
    with pytest.raises(ValueError, match="saved networks do not fit"):
        make(name, SEEDS, learner={"hidden": [8, 8]}).load_state_dict(state)
