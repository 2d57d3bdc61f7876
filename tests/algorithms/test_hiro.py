"""The off-policy correction, against numbers worked out by hand and plain loops over candidates and steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_periods import (
    ABSOLUTE_PLANE,
    PATH,
    PLANE,
    Vector,
    batch_of,
    filled,
    plain_scores,
    wanderings,
    written,
)
from torch import Tensor
from toys import ACTIONS, CPU, KINDS, RELATIVE, Rollout, make

from algorithms.meta import MetaBatch, MetaReplay, Sizes
from envs.base import TaskSpec

SEEDS = (3, 8)
#: Actions of the path in the plane: a tenth of the goal (3, 1) as it stands at each step.
TENTH = 0.1 * np.array([(3, 1), (2, 1.5), (1.5, 0.5)])


def hiro(seeds: Sequence[int] = (0,), *, actions: Box = ACTIONS, task: TaskSpec = PLANE, **changes: Any) -> Any:
    return make("hiro", seeds, task=task, actions=actions, changes={"hiro": changes})


def one_tenth(algorithm: Any) -> Any:
    """The worker's action becomes a tenth of its goal, whatever it sees besides."""
    algorithm.worker.acting = lambda batch: lambda inputs: 0.1 * inputs[..., -2:]
    return algorithm


def unit_box(half: float = 1) -> Box:
    return Box(np.full(2, -half, np.float32), np.full(2, half, np.float32))


def relabelled(algorithm: Any, batch: MetaBatch, noise: Tensor | None = None) -> Tensor:
    seeds, size = batch.items.shape
    shape = (seeds, size, algorithm.hiro.candidates - 2, 2)
    return algorithm.relabel(batch, {"candidates": torch.zeros(shape) if noise is None else noise})


# ---- scores ---------------------------------------------------------------------------------------------------

SCORES = {False: [-0.015, 0, -0.15], True: [-0.040, -0.075, -0.075]}


@pytest.mark.parametrize("flipped", [False, True])
def test_scores_of_three_candidates(flipped: bool) -> None:
    algorithm = one_tenth(hiro(actions=unit_box(), flipped_sign=flipped, candidates=3))
    batch = batch_of(algorithm.replay, [[written(PLANE, PATH, (2, 1), TENTH)]], [[0]])
    candidates = torch.tensor([[[(2.0, 1), (3, 1), (0, 0)]]])
    np.testing.assert_allclose(algorithm.scores(batch, candidates)[0, 0], SCORES[flipped], atol=1e-7)
    back_to_nothing = torch.tensor([[[(-3 / 5, -1 / 5)]]])  # achieved plus this many deviations of (5, 5): (0, 0)
    picked = relabelled(algorithm, batch, back_to_nothing)
    assert picked.tolist() == [[[2, 1] if flipped else [3, 1]]]


def test_scores_of_absolute_candidates() -> None:
    algorithm = one_tenth(hiro(actions=unit_box(), task=ABSOLUTE_PLANE))
    actions = 0.1 * np.array([(4, 3)] * 3)
    batch = batch_of(algorithm.replay, [[written(ABSOLUTE_PLANE, PATH, (3, 3), actions)]], [[1]])
    candidates = torch.tensor([[[(3.0, 3), (4, 3), (3, 1)]]])
    np.testing.assert_allclose(algorithm.scores(batch, candidates)[0, 0], [-0.015, 0, -0.075], atol=1e-7)
    assert relabelled(algorithm, batch).tolist() == [[[4, 3]]], "where the period ended"


def test_actions_count_in_units_of_their_half_range() -> None:
    box = Box(np.array([-2, -5], np.float32), np.array([2, 15], np.float32))
    algorithm = one_tenth(hiro(actions=box))
    batch = batch_of(algorithm.replay, [[written(PLANE, PATH[:2], (2, 1), [(0.2, 0.1)])]], [[0]])
    candidates = torch.tensor([[[(2.0, 1), (4, 1), (2, 6)]]])
    expected = [0, -0.5 * (0.2 / 2) ** 2, -0.5 * (0.5 / 10) ** 2]
    np.testing.assert_allclose(algorithm.scores(batch, candidates)[0, 0], expected, atol=1e-8)


@pytest.mark.parametrize("length", range(1, 4))
def test_steps_after_the_end_of_a_short_item_do_not_count(length: int) -> None:
    algorithm = one_tenth(hiro(actions=unit_box()))
    item = written(PLANE, PATH[: length + 1], (2, 1), TENTH[:length])
    junk = replace(item, observations=item.observations.copy(), actions=item.actions.copy())
    junk.observations[length + 1 :], junk.actions[length:] = 100, 50
    batch = batch_of(algorithm.replay, [[item, junk]], [[0, length - 1]])
    scores = algorithm.scores(batch, torch.tensor([[[(2.0, 1), (3, 1), (0, 0)]] * 2]))
    np.testing.assert_allclose(scores[0], [np.array(SCORES[False]) * length / 3] * 2, atol=1e-7)


@pytest.mark.parametrize("length", [1, 10])
def test_an_item_of_any_length_is_relabelled(length: int) -> None:
    algorithm = one_tenth(hiro(actions=unit_box()))
    path = np.outer(np.arange(length + 1), (0.3, -0.2)).astype(np.float32)
    achieved = path[-1]
    actions = 0.1 * (achieved - path[:-1])
    batch = batch_of(algorithm.replay, [[written(PLANE, path, (5, 5), actions)]], [[0]])
    np.testing.assert_allclose(relabelled(algorithm, batch)[0, 0], achieved, atol=1e-6)


def test_memory_of_a_replay_is_read_at_the_items_own_steps() -> None:
    """The steps scored are those of the item, whichever step the worker was given."""
    algorithm = one_tenth(hiro(actions=unit_box()))
    item = written(PLANE, PATH, (2, 1), TENTH)
    replay = MetaReplay(1, 10, Sizes(10, 2, 2, 2), CPU)
    batch = batch_of(replay, [[item] * 3], [[0, 1, 2]])
    scores = algorithm.scores(batch, torch.tensor([[[(2.0, 1), (3, 1), (0, 0)]] * 3]))
    np.testing.assert_allclose(scores[0], [SCORES[False]] * 3, atol=1e-7)


# ---- candidates -----------------------------------------------------------------------------------------------

#: Three goal dimensions with half ranges 10, 10 and 0.5.
THREE = replace(
    PLANE,
    goal_low=np.array([-10, -10, -0.5], np.float32),
    goal_high=np.array([10, 10, 0.5], np.float32),
    goal_indices=(0, 1, 2),
    manager_indices=(0, 1, 2),
    unit_scale=np.ones(3, np.float32),
)


def test_candidates_are_clipped_and_spread_by_half_the_half_range() -> None:
    algorithm = hiro(task=THREE, candidates=4)
    path = np.array([(1, 1, 0.2), (13, -2, 1.1)], np.float32)
    batch = batch_of(algorithm.replay, [[written(THREE, path, (2, 20, 0.1))]], [[0]])
    noise = torch.tensor([[[(-1.0, 1, -2), (1, -2, 1)]]])
    expected = [(2, 10, 0.1), (10, -3, 0.5), (12 - 5, -3 + 5, 0.9 - 0.5), (10, -10, 0.5)]
    np.testing.assert_allclose(algorithm.candidates(batch, noise)[0, 0], expected, rtol=1e-5)


def test_absolute_candidates_surround_the_state_at_the_end() -> None:
    task = replace(ABSOLUTE_PLANE, goal_low=np.array([0, 0], np.float32), goal_high=np.array([20, 4], np.float32))
    algorithm = hiro(task=task, candidates=3)
    batch = batch_of(algorithm.replay, [[written(task, PATH, (3, 3))]], [[0]])
    candidates = algorithm.candidates(batch, torch.tensor([[[(0.5, -1.0)]]]))[0, 0]
    np.testing.assert_allclose(candidates, [(3, 3), (4, 3), (4 + 2.5, 3 - 1)])


def test_spread_of_the_candidates() -> None:
    wide = replace(PLANE, goal_low=np.array([-1e3, -1e2], np.float32), goal_high=np.array([1e3, 1e2], np.float32))
    algorithm = hiro(task=wide, candidates=10)
    filled(algorithm)
    values, half = [], torch.from_numpy((wide.goal_high - wide.goal_low) / 2)
    for updates in range(10, 610, 10):
        algorithm.updates = updates
        algorithm.draw(algorithm._drawn.begin(), algorithm.due())
        numbers = algorithm._drawn.send()
        batch = algorithm.replay.batch(numbers)
        gaussian = algorithm.candidates(batch, numbers["candidates"])[0, :, 2:]
        achieved = (batch.last_observations - batch.first_observations)[0, :, None]
        values.append((gaussian - achieved) / half)
    units = torch.stack(values).numpy()  # of the half range, [update, B, K - 2, d]
    assert units.shape == (60, 16, 8, 2)
    np.testing.assert_allclose(units.mean((0, 1, 2)), 0, atol=4 * 0.5 / 7680**0.5)
    inside = np.clip(units, -0.75, 0.75)  # the box begins at about two deviations
    expected = np.clip(0.5 * np.random.default_rng(0).normal(size=10**6), -0.75, 0.75).std()
    np.testing.assert_allclose(inside.std((0, 1, 2)), expected, rtol=0.03)
    flat = units.reshape(60, -1)
    assert abs(np.corrcoef(flat[:-1].ravel(), flat[1:].ravel())[0, 1]) < 0.04, "new ones each time"


# ---- the choice -----------------------------------------------------------------------------------------------


def test_the_stored_goal_wins_a_tie() -> None:
    algorithm = hiro()
    algorithm.worker.acting = lambda batch: lambda inputs: torch.zeros(*inputs.shape[:-1], 2)
    batch = batch_of(algorithm.replay, [wanderings(PLANE, 20)], [[0] * 20])
    noise = torch.randn(1, 20, 8, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(relabelled(algorithm, batch, noise), batch.first_goals)


def test_two_candidates_need_no_random_numbers() -> None:
    algorithm = one_tenth(hiro(actions=unit_box(), candidates=2))
    batch = batch_of(algorithm.replay, [[written(PLANE, PATH, (2, 1), TENTH)]], [[0]])
    assert algorithm.candidates(batch, torch.zeros(1, 1, 0, 2)).tolist() == [[[[2, 1], [3, 1]]]]
    assert relabelled(algorithm, batch).tolist() == [[[3, 1]]]
    rollout = Rollout(make("hiro", SEEDS, changes={"hiro": {"candidates": 2}}), SEEDS).run(warmup=60, steps=20)
    assert np.isfinite(rollout.algorithm.metrics()["manager_q"]).all()


def test_the_worker_is_asked_as_it_is_now_and_without_noise() -> None:
    algorithm = hiro(task=RELATIVE)
    algorithm.networks["worker.actor.weight_2"].mul_(200)
    batch = batch_of(algorithm.replay, [wanderings(RELATIVE, 12)], [[0] * 12])
    candidates = algorithm.candidates(batch, torch.randn(1, 12, 8, 2, generator=torch.Generator().manual_seed(0)))
    first = algorithm.scores(batch, candidates)
    algorithm.networks["worker.target_actor.weight_2"].add_(1)
    assert torch.equal(algorithm.scores(batch, candidates), first)
    algorithm.networks["worker.actor.weight_2"].mul_(-1)
    assert (algorithm.scores(batch, candidates) != first).all()


@given(st.integers(0, 10**6), st.sampled_from(list(KINDS.values())), st.integers(2, 6), st.booleans())
@settings(deadline=None, max_examples=40)
def test_scores_and_choice_are_those_of_plain_loops(seed: int, task: TaskSpec, number: int, flipped: bool) -> None:
    algorithm = hiro(SEEDS, task=task, candidates=number, flipped_sign=flipped)
    random = np.random.default_rng(seed)
    mix = [random.normal(size=(5, 2)).astype(np.float32) for _ in SEEDS]
    stacked = torch.from_numpy(np.stack(mix))
    algorithm.worker.acting = lambda batch: lambda inputs: torch.tanh(inputs @ stacked)
    items = [wanderings(task, 5, seed + index) for index in range(2)]
    steps = [[int(random.integers(item.length)) for item in own] for own in items]
    batch = batch_of(algorithm.replay, items, steps)
    noise = torch.from_numpy(random.normal(size=(2, 5, number - 2, 2)).astype(np.float32))
    candidates, picked = algorithm.candidates(batch, noise), relabelled(algorithm, batch, noise)
    scores, half = algorithm.scores(batch, candidates), ((ACTIONS.high - ACTIONS.low) / 2).tolist()
    for index, own in enumerate(items):

        def act(seen: Vector, goal: Vector, matrix: Any = mix[index]) -> Vector:
            return np.tanh(np.array([*seen, *goal]) @ matrix.astype(float)).tolist()

        for row, item in enumerate(own):
            options = candidates[index, row].tolist()
            expected = plain_scores(task, act, item, options, half, flipped=flipped)
            np.testing.assert_allclose(scores[index, row], expected, rtol=1e-3, atol=1e-3)
            assert picked[index, row].tolist() in options
            chosen = options.index(picked[index, row].tolist())
            assert expected[chosen] > max(expected) - 2e-3
