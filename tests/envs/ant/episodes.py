"""Short cuts through episodes of the Ant tasks."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

STILL = np.zeros(8)


def random_actions(seed, number):
    return np.random.default_rng(seed).uniform(-30, 30, (number, 8))


def freeze(monkeypatch):
    """Let time pass without motion, so that a robot stays where it is put."""
    monkeypatch.setattr(mujoco, "mj_step", lambda model, data, nstep=1: None)


def last_step(env, action=STILL):
    """Take the step that ends the episode, and give all that it returns."""
    env.elapsed_steps = env.task.horizon - 1
    return env.step(action)


def metrics_at_the_end(env):
    return last_step(env)[-1]["episode_metrics"]


def run(env, actions):
    """Results of some steps as columns; the episode must not end before the last of them."""
    results = [env.step(action) for action in actions]
    assert not any(terminated or truncated for _, _, terminated, truncated, _ in results[:-1])
    return list(zip(*results, strict=True))


def trace(env, generator, steps):
    """Bytes of everything an environment gives, and of the simulator's state, over several episodes."""
    pieces = []
    for _ in range(steps):
        observation, *rest = env.step(generator.uniform(-30, 30, 8))
        pieces.append(observation.tobytes() + repr(rest).encode())
        pieces.append(env.data.qpos.tobytes() + env.data.qvel.tobytes() + env.target.tobytes())
        if rest[1] or rest[2]:
            pieces.append(env.reset()[0].tobytes())
    return b"".join(pieces)


def check_distance_reward(env, target):
    """The reward is minus the distance after the step, and not before it."""
    env.reset(seed=0, options={"target": target})
    for action in random_actions(1, 10):
        before = np.hypot(*(env.position - target))
        reward = env.step(action)[1]
        after = np.hypot(*(env.position - target))
        assert isinstance(reward, float)
        assert reward == pytest.approx(-after, abs=2e-5)
        assert reward != pytest.approx(-before, abs=2e-5)


def ends_at(env, distance, direction):
    """Info of the last step of an episode whose robot ends at some distance from its target."""
    env.reset(seed=5, options={"target": (0.0, 0.0)})
    last_step(env)
    offset = distance * np.array([np.cos(direction), np.sin(direction)])
    target = tuple((env.position + offset).tolist())
    env.reset(seed=5, options={"target": target})
    return last_step(env)[-1]


def check_success_threshold(env, direction):
    """Success is a distance below 5 m at the end."""
    for distance, success in ((0.0, 1), (4.999, 1), (5.001, 0), (12.0, 0)):
        info = ends_at(env, distance, direction)
        assert info["is_success"] is bool(success)
        metrics = info["episode_metrics"]
        assert metrics["success"] == metrics["entered"] == success
        assert metrics["final_distance"] == pytest.approx(distance, abs=2e-5)


def check_entering_is_not_success(env, near, far, target):
    """A robot that was at the target and left has entered, without success."""
    env.reset(seed=0, options={"target": target})
    env.data.qpos[:2] = near
    info = env.step(STILL)[-1]
    assert "episode_metrics" not in info
    env.data.qpos[:2] = far
    info = last_step(env)[-1]
    assert info["is_success"] is False
    assert (info["episode_metrics"]["entered"], info["episode_metrics"]["success"]) == (1, 0)
    env.reset(seed=1, options={"target": target})
    env.data.qpos[:2] = far
    assert metrics_at_the_end(env)["entered"] == 0


def check_only_the_horizon_ends(env):
    """A robot on its back wastes its episode to the end, which is a truncation."""
    env.reset(seed=0)
    env.data.qpos[2:7] = 0.4, 0, 1, 0, 0
    _, _, terminated, truncated, info = run(env, random_actions(0, 500))
    assert not any(terminated)
    assert [step for step, end in enumerate(truncated, 1) if end] == [500]
    assert [step for step, last in enumerate(info, 1) if "episode_metrics" in last or "is_success" in last] == [
        500
    ]


def check_gym_reset(env):
    """The model's own pose with uniform noise; the quaternion keeps its length."""
    env.reset(seed=0)
    states = np.array([env.reset()[0][:29] for _ in range(300)], dtype=np.float64)
    noise = states - [0, 0, 0.75, 1, *([0] * 25)]
    assert np.abs(noise[:, :15]).max() <= 0.1 + 1e-6
    np.testing.assert_allclose(noise[:, :15].std(axis=0), 0.1 / np.sqrt(3), rtol=0.2)
    np.testing.assert_allclose(noise[:, 15:].std(axis=0), 0.1, rtol=0.2)
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.025)
    lengths = np.linalg.norm(states[:, 3:7], axis=1)
    assert 0.88 < lengths.min() < 0.95
    assert 1.05 < lengths.max() < 1.15


def check_settles(env):
    """Two seconds without torque bring the torso to rest at 0.615 m."""
    for seed in range(3):
        env.reset(seed=seed)
        run(env, [STILL] * 20)
        assert abs(env.data.qpos[2] - 0.615) < 0.02


def resumes(make_env, disturb):
    """Whether an episode goes on exactly, in another environment, from the state in its middle."""
    first = make_env()
    first.reset(seed=3)
    disturb(first)
    first.step(STILL)
    state = first.episode_state
    second = make_env()
    second.reset(seed=8)
    second.episode_state = state
    np.testing.assert_array_equal(second.target, first.target)
    remaining = first.task.horizon - first.elapsed_steps + 5
    return trace(first, np.random.default_rng(2), remaining) == trace(second, np.random.default_rng(2), remaining)
