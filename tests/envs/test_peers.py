"""Learners of other libraries train on the tasks as they are: ordinary gymnasium environments."""

from pathlib import Path

import gymnasium
import numpy as np
import pytest

import envs
from envs.options import HighwayOptions
from envs.traffic import pool

FLAT = [entry.gymnasium_id for entry in envs.TASKS.values() if not entry.has_image]


@pytest.fixture(scope="module")
def saved_states(cache: Path) -> None:
    """What episodes on the highway begin with."""
    pool.build(HighwayOptions())


@pytest.mark.peers
@pytest.mark.usefixtures("saved_states")
@pytest.mark.parametrize("identifier", FLAT)
def test_td3_of_stable_baselines3_trains(identifier):
    from stable_baselines3 import TD3

    env = gymnasium.make(identifier)
    learner = TD3("MlpPolicy", env, learning_starts=1_000, seed=0, device="cpu")
    before = learner.policy.state_dict()["actor.mu.0.weight"].clone()
    learner.learn(2_000)
    assert learner.num_timesteps == 2_000
    after = learner.policy.state_dict()
    assert not (after["actor.mu.0.weight"] == before).all()
    assert all(np.isfinite(values.numpy()).all() for values in after.values())
    if "success" in env.unwrapped.task.episode_metrics:
        assert list(learner.ep_success_buffer) == [0.0] * 4
    env.close()
