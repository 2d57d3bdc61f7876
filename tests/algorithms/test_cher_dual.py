"""Lambda as a multiplier: how it moves, by what, and when."""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from plain_cooperation import READINGS, PlainWorker, shares
from plain_periods import drawn, filled
from reference import PlainTD3
from torch import Tensor
from toys import HIERARCHIES, RELATIVE, TASKS, Rollout, equal, make

from envs.base import TaskSpec

SEEDS = (3, 8)
TINY = {"hidden": [4], "batch_size": 4}


def cher(
    seeds: Sequence[int] = (0,), *, task: TaskSpec = RELATIVE, reading: str = "equation5", **dual: Any
) -> Any:
    changes = {"cher": dual, "cooperation": {"gradient": reading}}
    return make("cher", seeds, task=task, changes=changes)


def log_lambdas(value: float, delta: float, steps: int) -> list[float]:
    """Adam on x for lambda = exp(x) and the loss exp(x) (Q - delta), in plain Python numbers."""
    x, mean, square, path = -4.2, 0.0, 0.0, [-4.2]
    for step in range(1, steps + 1):
        slope = math.exp(x) * (value - delta)
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        x -= 3e-4 * (mean / (1 - 0.9**step)) / (math.sqrt(square / (1 - 0.999**step)) + 1e-8)
        path.append(x)
    return path


# ---- the step -------------------------------------------------------------------------------------------------

#: log lambda and lambda after so many steps in which the worker returns this much, for delta = -450.
PUBLISHED = {
    -600: {1: (-4.1997, 0.0150001), 10: (-4.1969997, 0.0150406), 1000: (-3.8795406, 0.0206603)},
    -300: {1: (-4.2003, 0.0149911), 10: (-4.2029997, 0.0149507), 1000: (-4.4819465, 0.0113114)},
}


@pytest.mark.parametrize("value", [-600, -300])
def test_lambda_under_a_constant_value(value: int) -> None:
    algorithm, expected = cher(delta=-450), log_lambdas(value, -450, 1000)
    assert algorithm.weight.item() == pytest.approx(0.0149956, abs=5e-8)
    for step in range(1, 1001):
        algorithm.update_lambda(torch.tensor([float(value)]))
        assert algorithm.log_lambda.item() == pytest.approx(expected[step], abs=1e-7)
        if step in PUBLISHED[value]:
            log_lambda, weight = PUBLISHED[value][step]
            assert algorithm.log_lambda.item() == pytest.approx(log_lambda, abs=6e-8)
            assert algorithm.weight.item() == pytest.approx(weight, abs=6e-8)


def test_seeds_have_their_own_lambda() -> None:
    algorithm = cher((0, 1, 2), delta=-450)
    for _ in range(50):
        algorithm.update_lambda(torch.tensor([-600.0, -450.0, -300.0]))
    expected = [log_lambdas(value, -450, 50)[-1] for value in (-600, -450, -300)]
    np.testing.assert_allclose(algorithm.log_lambda, expected, atol=1e-8)
    assert algorithm.weight.shape == (3, 1, 1)
    np.testing.assert_allclose(algorithm.weight.flatten(), np.exp(expected), rtol=1e-6)


def test_speed_does_not_depend_on_the_violation() -> None:
    paths = []
    for gap in (1, 1000):
        algorithm = cher(delta=-450)
        for _ in range(20):
            algorithm.update_lambda(torch.tensor([-450.0 - gap]))
        paths.append(algorithm.log_lambda.item())
    assert paths[0] == pytest.approx(paths[1], abs=1e-7)
    assert paths[0] == pytest.approx(-4.2 + 20 * 3e-4, abs=2e-5)


def test_lambda_starts_below_its_lid() -> None:
    assert cher(delta=-450, lambda_max=0.01).weight.item() == pytest.approx(0.01)


def test_lambda_max_is_a_lid() -> None:
    algorithm = cher(delta=-450, lambda_max=0.02)
    weights = []
    for _ in range(1500):
        algorithm.update_lambda(torch.tensor([-600.0]))
        weights.append(algorithm.weight.item())
    assert weights == sorted(weights)
    assert weights[900] < weights[-1] == pytest.approx(0.02, rel=1e-6)
    for _ in range(300):
        algorithm.update_lambda(torch.tensor([-300.0]))
    assert algorithm.weight.item() < 0.0199
    free = cher(delta=-450)
    for _ in range(1500):
        free.update_lambda(torch.tensor([-600.0]))
    assert free.weight.item() > 0.022


# ---- what moves it --------------------------------------------------------------------------------------------


def moved_by(algorithm: Any) -> list[Tensor]:
    """What lambda's steps are given from now on."""
    values: list[Tensor] = []
    update_lambda = algorithm.update_lambda

    def record(value: Tensor) -> None:
        values.append(value.clone())
        update_lambda(value)

    algorithm.update_lambda = record
    return values


@TASKS
@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("with_reward", [False, True])
def test_the_workers_value_of_the_managers_present_goals(reading: str, task: TaskSpec, with_reward: bool) -> None:
    algorithm = cher(SEEDS, task=task, reading=reading, dual_includes_reward=with_reward, dual_start=0)
    for level in ("manager", "worker"):
        for part in ("actor", "critics"):
            algorithm.networks[f"{level}.{part}.weight_2"].mul_(100)
    items, values = filled(algorithm), moved_by(algorithm)
    for _ in range(9):
        algorithm.update()
    assert not values
    managers = [PlainTD3(algorithm.networks, "manager", seed, task.goal_low, task.goal_high) for seed in range(2)]
    workers = [PlainWorker.of(algorithm, seed) for seed in range(2)]
    algorithm.update()
    (value,) = values
    batch = algorithm.replay.batch(algorithm.drawn)
    for seed in range(2):
        states = batch.first_observations[seed].double()[:, list(task.manager_indices)]
        goals = managers[seed].act(states).detach()
        reward, expected = shares(reading, task, workers[seed], drawn(batch, items, seed), goals)
        assert abs(reward.item()) > 0.1
        assert value[seed].item() == pytest.approx((expected + with_reward * reward).item(), rel=1e-4, abs=1e-5)


def test_the_actor_learns_with_the_new_lambda() -> None:
    algorithm = cher(SEEDS, dual_start=0, dual_learning_rate=0.5)
    filled(algorithm)
    used, gradient = [], algorithm.manager_gradient

    def record(batch: Any, goals: Tensor) -> Tensor:
        used.append(algorithm.weight.clone())
        return gradient(batch, goals)

    algorithm.manager_gradient = record
    for _ in range(20):
        algorithm.update()
    assert len(used) == 1
    torch.testing.assert_close(used[0], algorithm.weight)
    assert (torch.log(used[0]) + 4.2).abs().min() > 0.9, "two steps of half each"
    torch.testing.assert_close(algorithm.weight.flatten().double(), algorithm.log_lambda.exp())


def test_lambda_learns_nothing_else() -> None:
    """A step of lambda leaves all networks and their optimisers as they are."""
    algorithm = cher(SEEDS)
    before = {name: tensor.clone() for name, tensor in algorithm.networks.items()}
    algorithm.update_lambda(torch.tensor([-600.0, -1.0]))
    assert equal(algorithm.networks, before)
    assert algorithm.state_dict()["dual"]["optimiser"]["steps"] == 1
    assert algorithm.state_dict()["manager"]["actor"]["steps"] == 0


# ---- when -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HIERARCHIES)
def test_schedule_of_every_hierarchy(name: str) -> None:
    """Over 1,000 environment steps, and lambda's over 20,000, in the paper's settings."""
    changes = {"cher": {"dual_start": 1000}} if name == "cher" else {}
    algorithm = make(name, learner=TINY, changes=changes)
    counts: Counter[str] = Counter()
    duals = []
    for step in range(1, 20_001):
        algorithm.updates = step
        due = vars(algorithm.due())
        if due.pop("dual", False):
            duals.append(step)
        if step <= 1_000:
            counts.update(kind for kind, learns in due.items() if learns)
    assert counts == {"manager_critics": 100, "manager_actor": 50, "worker_actor": 500}
    assert duals == (list(range(10_010, 20_001, 10)) if name == "cher" else [])


def counted(made: Counter[str], name: str, function: Any) -> Any:
    def call(*values: Any) -> None:
        made[name] += 1
        function(*values)

    return call


@pytest.mark.parametrize("name", ["hiro", "hac", "cher_fixed", "cher"])
def test_what_is_due_is_done(name: str) -> None:
    algorithm = make(name, learner=TINY)
    filled(algorithm)
    made: Counter[str] = Counter()
    for level in ("manager", "worker"):
        learner = getattr(algorithm, level)
        for kind in ("update_critics", "update_actor"):
            setattr(learner, kind, counted(made, f"{level} {kind}", getattr(learner, kind)))
    for _ in range(100):
        algorithm.update()
    assert made == {
        "worker update_critics": 100,
        "worker update_actor": 50,
        "manager update_critics": 10,
        "manager update_actor": 5,
    }


def test_lambda_waits_for_the_managers_first_updates() -> None:
    algorithm = make("cher", SEEDS, learner=TINY, changes={"cher": {"dual_start": 100}})
    filled(algorithm)
    values = moved_by(algorithm)
    start = algorithm.log_lambda.clone()
    assert start.tolist() == [-4.2, -4.2]
    for _ in range(1_009):
        algorithm.update()
    assert not values
    assert torch.equal(algorithm.log_lambda, start)
    algorithm.update()
    assert len(values) == 1
    np.testing.assert_allclose((algorithm.log_lambda - start).abs(), 3e-4, rtol=1e-4)
    for _ in range(20):
        algorithm.update()
    assert len(values) == 3, "with every update of the manager's critics, not with its actor's alone"


# ---- saving ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [25, 47])
def test_lambda_goes_on_where_it_was(steps: int) -> None:
    """Before its first update and between two of them."""
    first, other = (cher(SEEDS, dual_learning_rate=0.1) for _ in range(2))
    Rollout(first, SEEDS).run(warmup=60, steps=steps)
    state = copy.deepcopy(first.state_dict()["dual"])
    assert state["log_lambda"].dtype == torch.float64
    assert (state["log_lambda"] == -4.2).all() == (steps < 30)
    Rollout(other, SEEDS).run(warmup=60, steps=60)
    other.load_state_dict(copy.deepcopy(first.state_dict()))
    assert torch.equal(other.weight, first.weight)
    for algorithm in (first, other):
        for _ in range(40):
            algorithm.update()
    assert equal(other.state_dict()["dual"], first.state_dict()["dual"])
    assert not equal(other.state_dict()["dual"], state)


def test_lambda_waits_for_the_managers_actor() -> None:
    late, changes = {"manager_actor_start": 200}, {"cher": {"dual_start": 0}}
    algorithm = make("cher", learner=TINY, hierarchy=late, changes=changes)
    filled(algorithm)
    values = moved_by(algorithm)
    for _ in range(200):
        algorithm.update()
    assert not values
    for _ in range(20):
        algorithm.update()
    assert len(values) == 2
