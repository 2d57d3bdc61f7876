"""Every algorithm learns to move a point towards a target.

The point starts at random in the square [-1, 1] x [-1, 1], and so does its target; an action moves it by up to 0.2
along each axis; an episode of 30 steps pays minus the distance at each step.

Measured on these 30 episodes: random actions return -39 and -35 for the two seeds, standing still -34 and -31,
going straight to the target -2.7 and -2.3.  After 2,000 updates td3 returns -4, hiro and hac -4 to -6, hrl and
both forms of cher -8 to -12; over eight seeds the worst return of any algorithm was -16.  The margin asks for
0.6 of the better of the two poor policies, which is -18.  Workers end 0.05 or less from goals at a distance of
0.5, where 0.15 is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box
from numpy.typing import NDArray
from toys import RELATIVE, make

from algorithms.registry import ALGORITHMS

SEEDS = (0, 1)
ACTIONS = Box(np.full(2, -1, np.float32), np.full(2, 1, np.float32))
TASK = replace(
    RELATIVE,
    goal_low=np.full(2, -1, np.float32),
    goal_high=np.full(2, 1, np.float32),
    goal_indices=(0, 1),
    position_indices=(0, 1),
    manager_indices=(0, 1, 2, 3),
    worker_indices=(0, 1),
    horizon=30,
    reward_scale=1.0,
    unit_scale=np.ones(4, np.float32),
)


LEARNER = {
    "hidden": [32, 32],
    "batch_size": 64,
    "learning_rate": 2e-3,
    "buffer_steps": 10_000,
    "gamma": 0.9,
    "tau": 0.02,
}
#: Returns are negative: a trained policy may have this share of a poor one's.
MARGIN = 0.6
#: How far from its goal a trained worker may still be, on average.
LEFT = 0.15

Act = Callable[[NDArray[Any]], NDArray[Any]]


class Points:
    """One point and its target per seed; observation ``[x, y, target x, target y]``."""

    def __init__(self, number: int, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.observations = np.zeros((number, 4), np.float32)
        self.reset()

    def reset(self) -> None:
        self.observations, self.time = self._random.uniform(-1, 1, self.observations.shape).astype(np.float32), 0

    def step(self, actions: NDArray[Any]) -> tuple[NDArray[Any], bool]:
        """Rewards, [S], and whether the episode is over."""
        moved = self.observations.copy()
        moved[:, :2] += 0.2 * actions
        self.observations, self.time = moved, self.time + 1
        return -np.linalg.norm(moved[:, :2] - moved[:, 2:], axis=1), self.time == TASK.horizon


@cache
def trained(name: str) -> Any:
    """An algorithm after 600 random steps and 2,000 with an update each."""
    hierarchy = {} if name == "td3" else {"meta_period": 5, "manager_critic_every": 2, "manager_actor_every": 4}
    changes = {"cher": {"delta": -5, "dual_start": 100}} if name == "cher" else {}
    algorithm = make(
        name, SEEDS, task=TASK, actions=ACTIONS, learner=LEARNER, hierarchy=hierarchy, changes=changes
    )
    points, nobody = Points(len(SEEDS), 1), np.zeros(len(SEEDS), bool)
    for step in range(2_600):
        before, warm_up = points.observations, step < 600
        actions = algorithm.act(before, random=warm_up)
        rewards, over = points.step(actions)
        algorithm.observe(before, actions, rewards, points.observations, nobody, nobody | over)
        if over:
            points.reset()
        if not warm_up:
            algorithm.update()
    return algorithm


def returns(act: Act, reset: Callable[[], None] = lambda: None) -> NDArray[Any]:
    """Mean returns over 30 episodes, the same ones at each call."""
    points, total = Points(len(SEEDS), 2), np.zeros(len(SEEDS))
    for _ in range(30):
        reset()
        points.reset()
        over = False
        while not over:
            rewards, over = points.step(act(points.observations))
            total += rewards
    return total / 30


@pytest.mark.parametrize("name", ALGORITHMS)
def test_return_is_far_above_that_of_random_actions(name: str) -> None:
    policy, random = trained(name).policy, np.random.default_rng(0)
    learned = returns(policy.act, lambda: policy.reset(np.ones(len(SEEDS), bool)))
    assert (learned > MARGIN * returns(lambda _: random.uniform(-1, 1, (len(SEEDS), 2)))).all()
    assert (learned > MARGIN * returns(lambda _: np.zeros((len(SEEDS), 2)))).all(), "and of standing still"


@pytest.mark.parametrize("name", [name for name in ALGORITHMS if name != "td3"])
def test_the_worker_goes_where_it_is_sent(name: str) -> None:
    """Goals of length 0.5 in all directions, from everywhere; one period takes it there."""
    levels, points = trained(name).levels, Points(len(SEEDS), 3)
    left = []
    for angle in np.linspace(0, 2 * np.pi, 40):
        points.reset()
        goals = np.tile(0.5 * np.array([np.cos(angle), np.sin(angle)], np.float32), (len(SEEDS), 1))
        for _ in range(levels.period):
            before = points.observations
            points.step(levels.control(before, goals, explore=False))
            goals = levels.goals.transition(before, goals, points.observations)
        left.append(np.linalg.norm(goals, axis=1))
    assert (np.mean(left, axis=0) < LEFT).all()
