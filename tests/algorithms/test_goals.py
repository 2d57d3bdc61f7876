from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from toys import ABSOLUTE, RELATIVE

from algorithms.goals import Goals

#: A path in the plane; both entries are goal dimensions.
PATH = np.array([(1, 2), (2, 1.5), (2.5, 2.5), (4, 3)], np.float32)


def vector(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def plane(*, relative: bool) -> Goals:
    return Goals(replace(RELATIVE, goal_indices=(0, 1), relative_goals=relative))


def chain(goals: Goals, path: NDArray[Any], goal: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Goals in force along a path (one more than steps) and the rewards of its steps."""
    carried, rewards = [goal], []
    for now, after in pairwise(path):
        rewards.append(goals.intrinsic_reward(now, carried[-1], after))
        carried.append(goals.transition(now, carried[-1], after))
    return np.array(carried), np.array(rewards)


def test_relative_goals_along_a_path() -> None:
    carried, rewards = chain(plane(relative=True), PATH, np.array([2, 1], np.float32))
    np.testing.assert_allclose(carried, [(2, 1), (1, 1.5), (0.5, 0.5), (-1, 0)])
    np.testing.assert_allclose(rewards, [-1.8027756, -0.7071068, -1.0], rtol=1e-6)
    np.testing.assert_allclose(PATH + carried, [(3, 3)] * 4)


def test_absolute_goals_along_a_path() -> None:
    carried, rewards = chain(plane(relative=False), PATH, np.array([3, 3], np.float32))
    np.testing.assert_allclose(carried, [(3, 3)] * 4)
    np.testing.assert_allclose(rewards, [-1.8027756, -0.7071068, -1.0], rtol=1e-6)


@pytest.mark.parametrize(("relative", "goal"), [(True, 5), (False, 5)])
def test_authors_hand_made_example(relative: bool, goal: float) -> None:
    path = np.arange(5, dtype=np.float32)[:, None].repeat(2, 1)
    carried, rewards = chain(plane(relative=relative), path, np.full(2, goal, np.float32))
    expected = [5, 4, 3, 2, 1] if relative else [5] * 5
    np.testing.assert_allclose(carried[:, 0], expected)
    np.testing.assert_allclose(rewards, [-5.65685425, -4.24264069, -2.82842712, -1.41421356], rtol=1e-6)


def test_goals_leave_their_box_within_a_period() -> None:
    goals = Goals(replace(RELATIVE, goal_indices=(0, 1), goal_low=np.full(2, -1.2), goal_high=np.full(2, 1.2)))
    now, after, goal = (np.array(pair, np.float32) for pair in ((0, 0), (-3, 0), (1.2, 1)))
    np.testing.assert_allclose(goals.transition(now, goal, after), (4.2, 1))


def test_absolute_goal_of_a_speed_stays() -> None:
    goals = Goals(replace(ABSOLUTE, goal_indices=(0,)))
    after = goals.transition(vector(9, 1), vector(7), vector(12, 1))
    np.testing.assert_array_equal(after, [7])


@pytest.mark.parametrize("relative", [True, False])
def test_reward_is_a_distance_not_a_mean(relative: bool) -> None:
    goals, here = plane(relative=relative), vector(0, 0)
    assert goals.intrinsic_reward(here, vector(3, 4), here) == pytest.approx(-5, rel=1e-7)


@pytest.mark.parametrize("relative", [True, False])
def test_reward_of_a_goal_that_is_met(relative: bool) -> None:
    goals, here = plane(relative=relative), vector(0, 0)
    assert goals.intrinsic_reward(here, here, here) == pytest.approx(-1e-5, rel=1e-6)


@pytest.mark.parametrize(("residual", "gradient"), [((3, 4), (-0.6, -0.8)), ((0, 0), (0, 0))])
def test_gradient_of_the_reward(residual: tuple[float, ...], gradient: tuple[float, ...]) -> None:
    goal = torch.tensor(residual, dtype=torch.float64, requires_grad=True)
    here = torch.zeros(2, dtype=torch.float64)
    plane(relative=True).intrinsic_reward(here, goal, here).backward()
    assert goal.grad is not None
    np.testing.assert_allclose(goal.grad.numpy(), np.array(gradient), atol=1e-12)


def test_goal_indices_keep_their_order() -> None:
    goals = Goals(replace(RELATIVE, goal_indices=(3, 1)))
    now, after = np.arange(7, dtype=np.float32), np.array([0, 10, 0, 100, 0, 0, 0], np.float32)
    np.testing.assert_array_equal(goals.state(now), [3, 1])
    np.testing.assert_array_equal(goals.transition(now, vector(0, 0), after), [3 - 100, 1 - 10])
    np.testing.assert_array_equal(goals.residual(now, vector(1, 2), after), [4 - 100, 3 - 10])


numbers = st.floats(-50, 50, width=32)


@st.composite
def paths(draw: st.DrawFn) -> tuple[list[list[float]], list[float], tuple[int, ...]]:
    size, steps = draw(st.integers(2, 6)), draw(st.integers(1, 8))
    indices = draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=size, unique=True))
    observation = st.lists(numbers, min_size=size, max_size=size)
    path = draw(st.lists(observation, min_size=steps + 1, max_size=steps + 1))
    goal = draw(st.lists(numbers, min_size=len(indices), max_size=len(indices)))
    return path, goal, tuple(indices)


@given(paths(), st.booleans())
@settings(deadline=None, max_examples=60)
def test_goals_follow_the_equations(
    drawn: tuple[list[list[float]], list[float], tuple[int, ...]], relative: bool
) -> None:
    path, goal, indices = drawn
    goals = Goals(replace(RELATIVE, goal_indices=indices, relative_goals=relative))
    carried, rewards = chain(goals, np.array(path), np.array(goal))
    expected = goal
    for time, (now, after) in enumerate(pairwise(path)):
        wanted = [(now[index] if relative else 0) + part for index, part in zip(indices, expected, strict=True)]
        missing = [want - after[index] for index, want in zip(indices, wanted, strict=True)]
        assert rewards[time] == pytest.approx(-math.sqrt(sum(part**2 for part in missing) + 1e-10), rel=1e-9)
        expected = missing if relative else expected
        np.testing.assert_allclose(carried[time + 1], expected, atol=1e-9)
    if relative:
        direct = goals.transition(np.array(path[0]), np.array(goal), np.array(path[-1]))
        np.testing.assert_allclose(carried[-1], direct, atol=1e-9)


@pytest.mark.parametrize("task", [RELATIVE, ABSOLUTE])
def test_arrays_and_tensors_agree_for_any_leading_axes(task: Any) -> None:
    random, goals = np.random.default_rng(0), Goals(task)
    arrays = [random.normal(size=(3, 4, size)).astype(np.float32) for size in (7, 2, 7)]
    tensors = [torch.from_numpy(array) for array in arrays]
    np.testing.assert_array_equal(goals.transition(*arrays), goals.transition(*tensors))
    rewards = goals.intrinsic_reward(*arrays)
    assert rewards.shape == (3, 4)
    np.testing.assert_allclose(rewards, goals.intrinsic_reward(*tensors), rtol=1e-6)


@pytest.mark.parametrize("relative", [True, False])
def test_reward_and_next_goal_of_a_transition_at_once(relative: bool) -> None:
    goals = Goals(replace(RELATIVE, goal_indices=(3, 1), relative_goals=relative))
    random = np.random.default_rng(0)
    before, after, wanted = (random.normal(size=(5, size)).astype(np.float32) for size in (7, 7, 2))
    reward, following = goals.advance(before, wanted, after)
    np.testing.assert_array_equal(reward, goals.intrinsic_reward(before, wanted, after))
    np.testing.assert_array_equal(following, goals.transition(before, wanted, after))
