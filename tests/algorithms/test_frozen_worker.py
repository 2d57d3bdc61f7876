"""A worker that is taken over never learns again, and acts for itself from the first step on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sources import networks_of, on_a_worker, saved_networks, toy_source
from torch import Tensor
from toys import ACTIONS, HIERARCHIES, IMAGE, RELATIVE, Rollout, equal, make

from algorithms.learner import load_networks
from algorithms.transfer import adopt_worker

managers = pytest.mark.parametrize("algorithm", HIERARCHIES)
PARTS = {"actor", "critics", "target_actor", "target_critics"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_source(tmp_path_factory.mktemp("source"), task=RELATIVE)


def adopted(algorithm: str, source: Path, **settings: Any) -> Any:
    result = on_a_worker(algorithm, **settings)
    adopt_worker(result, source)
    return result


# ---- a frozen worker ------------------------------------------------------------------------------------------


@managers
def test_the_worker_stays_bit_for_bit_what_it_was_while_the_manager_learns(algorithm: str, source: Path) -> None:
    """Its actor, critics and targets."""
    learner = adopted(algorithm, source)
    manager = networks_of(learner, "manager.")
    assert {name.split(".")[1] for name in networks_of(learner, "worker.")} == PARTS
    Rollout(learner, [0]).run(warmup=60, steps=130)
    assert equal(networks_of(learner, "worker."), saved_networks(source, "worker."))
    for name, tensor in networks_of(learner, "manager.").items():
        assert not torch.equal(tensor, manager[name]), f"{name} has not learned"


def test_the_worker_stays_also_where_the_manager_sees_an_image(tmp_path: Path) -> None:
    folder = toy_source(tmp_path, task=IMAGE)
    learner = adopted("cher", folder, task=IMAGE)
    manager = networks_of(learner, "manager.")
    Rollout(learner, [0], IMAGE).run(warmup=60, steps=60)
    assert equal(networks_of(learner, "worker."), saved_networks(folder, "worker."))
    assert not equal(networks_of(learner, "manager."), manager)


def test_only_the_worker_is_taken_over(source: Path) -> None:
    """The manager is the one that the seed would have begun with anyway."""
    learner = adopted("hrl", source)
    assert equal(networks_of(learner, "manager."), networks_of(make("hrl"), "manager."))
    assert not equal(networks_of(learner, "worker."), networks_of(make("hrl"), "worker."))
    assert not equal(networks_of(learner, "manager."), saved_networks(source, "manager."))


def test_an_ordinary_worker_learns_as_ever(source: Path) -> None:
    """Else the tests above could not fail."""
    learner = make("hrl")
    adopt_worker(learner, source)
    Rollout(learner, [0]).run(warmup=60, steps=20)
    before = saved_networks(source, "worker.")
    assert all(not torch.equal(tensor, before[name]) for name, tensor in networks_of(learner, "worker.").items())


# ---- acting ---------------------------------------------------------------------------------------------------


class Asked:
    """Notes what the worker of a hierarchy is asked and what it does."""

    def __init__(self, learner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps: list[tuple[np.ndarray, np.ndarray, bool, np.ndarray]] = []
        act = learner.worker.act

        def noted(seen: np.ndarray, goals: np.ndarray, *, explore: bool) -> np.ndarray:
            actions: np.ndarray = act(seen, goals, explore=explore)
            self.steps.append((seen.copy(), goals.copy(), explore, actions.copy()))
            return actions

        monkeypatch.setattr(learner.worker, "act", noted)


@managers
def test_in_the_random_warm_up_the_worker_acts_for_itself_with_its_noise(
    algorithm: str, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = adopted(algorithm, source)
    silent = learner.worker.act
    asked = Asked(learner, monkeypatch)
    rollout = Rollout(learner, [0]).run(warmup=300)
    assert len(asked.steps) == 300
    assert all(explore for _, _, explore, _ in asked.steps)
    for (_, _, _, chosen), taken in zip(asked.steps, rollout.actions, strict=True):
        np.testing.assert_array_equal(chosen, taken)
    noise = np.concatenate([taken - silent(seen, goals, explore=False) for seen, goals, _, taken in asked.steps])
    half = (ACTIONS.high - ACTIONS.low) / 2
    inside = ((np.concatenate(rollout.actions) - ACTIONS.low) % (2 * half) > 1e-4).all(axis=1)
    assert inside.mean() > 0.5
    np.testing.assert_allclose(noise[inside].std(axis=0), 0.1 * half, rtol=0.25)


@managers
def test_what_acts_is_the_worker_of_the_source(algorithm: str, source: Path) -> None:
    learner, donor = adopted(algorithm, source), make("hrl", seeds=(3,))
    load_networks(donor.networks, saved_networks(source, ""))
    random = np.random.default_rng(0)
    for _ in range(5):
        seen, goals = (random.normal(size=(1, size)).astype(np.float32) for size in (3, 2))
        actions = [each.worker.act(seen, goals, explore=False) for each in (learner, donor)]
        np.testing.assert_array_equal(*actions)
        assert not np.allclose(actions[0], make("hrl").worker.act(seen, goals, explore=False))


@managers
def test_in_the_random_warm_up_the_manager_is_as_random_as_ever(algorithm: str, source: Path) -> None:
    """The same goals as without transfer, whatever the worker does; they fill the goal box."""
    learner, ordinary = adopted(algorithm, source), make(algorithm)
    goals: list[list[np.ndarray]] = [[], []]
    for each, noted in zip((learner, ordinary), goals, strict=True):
        begin = each.memory.begin

        def note(starts: Any, proposed: Any, begin: Any = begin, noted: list[np.ndarray] = noted) -> None:
            noted.append(np.array(proposed))
            begin(starts, proposed)

        each.memory.begin = note
        Rollout(each, [0]).run(warmup=600)
    number = min(map(len, goals))
    assert number >= 60
    drawn, expected = (np.concatenate(each[:number]) for each in goals)
    np.testing.assert_array_equal(drawn, expected)
    low, span = RELATIVE.goal_low, RELATIVE.goal_high - RELATIVE.goal_low
    np.testing.assert_allclose(((drawn - low) / span).mean(axis=0), 0.5, atol=0.15)
    assert (((drawn - low) / span).std(axis=0) > 0.2).all()


def test_without_transfer_the_warm_up_is_uniform(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = make("hrl")
    asked = Asked(learner, monkeypatch)
    rollout = Rollout(learner, [0]).run(warmup=400)
    assert asked.steps == []
    half = (ACTIONS.high - ACTIONS.low) / 2
    np.testing.assert_allclose(np.concatenate(rollout.actions).std(axis=0), 2 * half / np.sqrt(12), rtol=0.1)


def test_the_worker_explores_in_training_and_nowhere_else(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learner = adopted("hrl", source)
    silent = learner.worker.act
    asked = Asked(learner, monkeypatch)
    rollout = Rollout(learner, [0]).run(warmup=60, steps=40)
    assert [explore for _, _, explore, _ in asked.steps] == [True] * 100
    asked.steps.clear()
    streams = learner.state_dict()["streams"]
    learner.policy.reset(np.array([True]))
    actions = [learner.policy.act(rollout.observations).copy() for _ in range(3)]
    assert [explore for _, _, explore, _ in asked.steps] == [False] * 3
    for action, (seen, goals, _, _) in zip(actions, asked.steps, strict=True):
        np.testing.assert_array_equal(action, silent(seen, goals, explore=False))
    assert equal(learner.state_dict()["streams"], streams), "an evaluation draws no numbers of the training"


# ---- cooperation ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["cher", "cher_fixed"])
def test_the_managers_cooperative_gradient_goes_through_the_frozen_worker(algorithm: str, source: Path) -> None:
    learner = adopted(algorithm, source)
    Rollout(learner, [0]).run(warmup=60, steps=60)
    metrics = learner.metrics()
    assert metrics["cooperative_gradient"] > 1e-6
    assert metrics["weighted_gradient"] == pytest.approx(metrics["lambda"] * metrics["cooperative_gradient"])
    batch = learner.replay.batch(learner.drawn)
    goals = learner.manager.actions(learner.levels.manager_sees(batch.first_observations))
    before = learner.cooperative_gradient(batch, goals)
    assert before.abs().max() > 1e-6
    learner.worker.critics.flat.zero_()
    assert not torch.equal(learner.cooperative_gradient(batch, goals), before)


def test_cooperation_changes_what_the_manager_learns_on_a_frozen_worker(source: Path) -> None:
    learned = {}
    for weight in (0.0, 10.0):
        learner = adopted("cher_fixed", source, changes={"cher_fixed": {"fixed_lambda": weight}})
        Rollout(learner, [0]).run(warmup=60, steps=60)
        learned[weight] = networks_of(learner, "manager.")
    plain = adopted("hrl", source)
    Rollout(plain, [0]).run(warmup=60, steps=60)
    for name, tensor in networks_of(plain, "manager.").items():
        torch.testing.assert_close(tensor, learned[0.0][name])
    actor = [name for name in learned[0.0] if name.startswith("manager.actor.weight")]
    assert len(actor) == 3
    assert all(not torch.allclose(learned[0.0][name], learned[10.0][name]) for name in actor)


def test_lambda_learns_from_a_frozen_worker(source: Path) -> None:
    learner = adopted("cher", source, changes={"cher": {"delta": 0.0}})
    start = learner.log_lambda.clone()
    Rollout(learner, [0]).run(warmup=60, steps=60)
    assert (learner.log_lambda > start).all(), "no worker's return is as high as 0"


# ---- seeds ----------------------------------------------------------------------------------------------------


@managers
def test_a_seed_on_its_worker_learns_the_same_alone_and_in_a_group(algorithm: str, tmp_path: Path) -> None:
    seeds = (2, 5)
    group_source = toy_source(tmp_path / "group", seeds, task=RELATIVE)
    together = Rollout(adopted(algorithm, group_source, seeds=seeds), seeds).run(warmup=60, steps=100)
    for index, seed in enumerate(seeds):
        own = tmp_path / str(seed)
        own.mkdir()
        shared = {name: of_seed(name, tensor, index) for name, tensor in saved_networks(group_source, "").items()}
        torch.save({"networks": {name: tensor.clone() for name, tensor in shared.items()}}, own / "policy.pt")
        alone = Rollout(adopted(algorithm, own, seeds=[seed]), [seed]).run(warmup=60, steps=100)
        for mine, theirs in zip(alone.actions, together.actions, strict=True):
            np.testing.assert_allclose(mine[0], theirs[index], atol=1e-4)
        for name, tensor in alone.algorithm.networks.items():
            here = of_seed(name, together.algorithm.networks[name], index)
            np.testing.assert_allclose(tensor, here, atol=1e-4, err_msg=name)


def of_seed(name: str, tensor: Tensor, index: int) -> Tensor:
    """One seed's share of a group's parameters; critics come in pairs."""
    return tensor[2 * index : 2 * index + 2] if "critics" in name else tensor[index : index + 1]
