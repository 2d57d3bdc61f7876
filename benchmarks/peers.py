"""TD3 of other libraries, measured where the optional dependencies ``peers`` are installed."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from algorithms.sections import LearnerSettings

#: Rows of the table: package that must be installed, and module that holds a ``TD3`` with Stable-Baselines3's API.
PEERS = {
    "Stable-Baselines3": ("stable-baselines3", "stable_baselines3"),
    "sbx (JAX)": ("sbx-rl", "sbx"),
}

NOT_INSTALLED = "not installed"

Array = NDArray[np.float32]


class Idle(gymnasium.Env[Array, Array]):
    """An environment that only has spaces."""

    def __init__(self, observation: int, actions: Box) -> None:
        self.observation_space = Box(-np.inf, np.inf, (observation,), np.float32)
        self.action_space = Box(actions.low, actions.high, dtype=np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Array, dict[str, Any]]:
        """Zeros."""
        super().reset(seed=seed)
        return np.zeros(self.observation_space.shape or (), np.float32), {}

    def step(self, action: Array) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Zeros."""
        return self.reset()[0], 0.0, False, False, {}


def installed(package: str) -> str | None:
    """Version of a package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def update_of(module: str, observation: int, actions: Box, settings: LearnerSettings) -> Callable[[], object]:
    """One update of a library's TD3 with a full replay.

    Args:
        module: what to import ``TD3`` from.
        observation: numbers that it sees.
        actions: the action box.
        settings: the sizes and hyper-parameters that they have in common.
    """
    # One thread, as all others; JAX reads this when it starts.
    os.environ.setdefault(
        "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false --xla_force_host_platform_device_count=1"
    )
    model = import_module(module).TD3(
        "MlpPolicy",
        Idle(observation, actions),
        learning_rate=settings.learning_rate,
        buffer_size=settings.buffer_steps,
        batch_size=settings.batch_size,
        policy_delay=settings.actor_delay,
        policy_kwargs={"net_arch": list(settings.hidden)},
        device="cpu",
    )
    logger = import_module("stable_baselines3.common.logger")
    model.set_logger(logger.Logger(folder=None, output_formats=[]))
    _fill(model.replay_buffer, observation, actions)
    return lambda: model.train(gradient_steps=1, batch_size=settings.batch_size)


def _fill(buffer: Any, observation: int, actions: Box) -> None:
    random = np.random.default_rng(0)
    states = random.standard_normal((512, 1, observation), dtype=np.float32)
    reward, done = np.ones(1, np.float32), np.zeros(1, np.float32)
    for step in range(buffer.buffer_size):
        action = random.uniform(actions.low, actions.high).astype(np.float32)[None]
        buffer.add(states[step % 512], states[(step + 1) % 512], action, reward, done, [{}])
