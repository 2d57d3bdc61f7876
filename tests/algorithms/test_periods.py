from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from toys import CPU, RELATIVE

from algorithms.goals import Goals
from algorithms.meta import MetaMemory, MetaTransition, Sizes
from algorithms.periods import PeriodStatistics


def test_period_statistics_are_means_over_the_periods_since_the_last_call() -> None:
    box = {"goal_low": np.array([-9, -9, -9], np.float32), "goal_high": np.array([9, 9, 12], np.float32)}
    task = replace(RELATIVE, goal_indices=(0, 1, 2), position_indices=(1, 0), **box)
    statistics = PeriodStatistics(2, Goals(task, CPU), task)
    path = np.zeros((11, 4), np.float32)
    path[:3] = [(0, 0, 0, 9), (1, 1, 0, 9), (2, 4, 6, 9)]
    goals = np.zeros((11, 3), np.float32)
    goals[:3] = [(3, 4, 12), (2, 3, 12), (1, 0, 6)]
    item = MetaTransition(
        observations=path,
        goals=goals,
        actions=np.zeros((10, 1), np.float32),
        worker_rewards=np.array([-4, -2] + [0] * 8, np.float32),
        reward=0,
        done=0,
        length=2,
    )
    statistics.record(0, item)
    statistics.record(0, replace(item, worker_rewards=item.worker_rewards * 3))
    means = statistics.means()
    expected = {
        "intrinsic_reward": -6,
        "goal_distance_start": 13,
        "goal_distance_end": 37**0.5,
        "goal_saturation": 1 / 3,
        "goal_distance_xy_start": 5,
        "goal_distance_xy_end": 1,
        "moved": 20**0.5,
    }
    assert set(means) == set(expected)
    for name, value in expected.items():
        assert means[name][0] == pytest.approx(value, rel=1e-6), name
        assert np.isnan(means[name][1]), "no period of the second seed ended"
    assert np.isnan(statistics.means()["moved"][0])


def test_mean_intrinsic_reward_weighs_every_step_the_same() -> None:
    statistics = PeriodStatistics(1, Goals(RELATIVE, CPU), RELATIVE)
    sizes = Sizes(period=10, observation=7, goal=2, action=1)
    target = MetaMemory(1, sizes)
    for rewards in ((-4, -2), (-9,)):
        for reward in rewards:
            zeros = {"observations": 7, "actions": 1, "next_observations": 7, "next_goals": 2}
            entries = {name: np.zeros((1, size), np.float32) for name, size in zeros.items()}
            target.append(
                **entries, rewards=np.zeros(1, np.float32), worker_rewards=np.array([reward], np.float32)
            )
        statistics.record(0, target.close(0, done=False))
    assert statistics.means()["intrinsic_reward"] == pytest.approx(-5)
