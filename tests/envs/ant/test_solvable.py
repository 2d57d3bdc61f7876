"""The Ant can reach every evaluation target in time, past real walls and within its torque limits."""

import numpy as np
import pytest
from walker import Walker

from envs.tasks import make

ROUTES = {
    "ant_maze": {
        "target_16_0": [(16, 0)],
        "target_16_16": [(14, 0), (16, 2), (16, 16)],
        "target_0_16": [(14, 0), (16, 2), (16, 14), (14, 16), (0, 16)],
    },
    "ant_four_rooms": {
        "target_20_0": [(8, 3), (12, 3), (20, 0)],
        "target_0_20": [(3, 8), (3, 12), (0, 20)],
        "target_20_20": [(3, 8), (3, 12), (8, 17), (12, 17), (20, 20)],
    },
}


def episode_metrics(env, waypoints, seed, options):
    """Walk for one episode."""
    walker = Walker(waypoints)
    observation, info = env.reset(seed=seed, options=options)
    truncated = False
    while not truncated:
        observation, _, _, truncated, info = env.step(walker.act(observation))
    return info["episode_metrics"]


@pytest.mark.parametrize("task", ROUTES)
def test_every_evaluation_target_is_reached(task):
    env = make(task)
    for point in env.task.evaluation_points:
        for seed in range(4):
            metrics = episode_metrics(env, ROUTES[task][point.name], seed, point.options)
            assert metrics["success"] == 1, (point.name, seed)
            assert metrics["violations"] == 0, (point.name, seed)


@pytest.mark.parametrize("seed", range(3))
def test_no_short_cut_through_the_wall(seed):
    metrics = episode_metrics(make("ant_maze"), [(0, 16)], seed, {"target": (0, 16)})
    assert metrics["entered"] == metrics["violations"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("task", ROUTES)
def test_every_evaluation_target_is_reached_from_40_starts(task):
    """What the docs say: 240 of 240 episodes, and some 20 s to the far end of the maze."""
    env = make(task)
    for point in env.task.evaluation_points:
        metrics = [episode_metrics(env, ROUTES[task][point.name], seed, point.options) for seed in range(40)]
        assert all(metric["success"] == 1 for metric in metrics), point.name


@pytest.mark.slow
def test_time_to_the_far_end_of_the_maze():
    env, times = make("ant_maze"), []
    for seed in range(10):
        walker = Walker(ROUTES["ant_maze"]["target_0_16"])
        observation, _ = env.reset(seed=seed, options={"target": (0, 16)})
        while env.distance >= 5:
            observation = env.step(walker.act(observation))[0]
        times.append(env.elapsed_steps / 10)
    assert 19 < np.median(times) < 22  # s, of 50
