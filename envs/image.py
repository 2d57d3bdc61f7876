"""A task with an image, as users of its gymnasium id see it."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from envs.base import Observation, TaskEnv

Parts = dict[str, Any]


class ImageAndState(gymnasium.ObservationWrapper[Parts, NDArray[np.float32], Observation], RecordConstructorArgs):
    """Splits the flat observation of a task that ends with an image.

    The observation becomes a dictionary: ``image``, uint8 in the order height, width, channel, and ``state``, the
    float32 entries before it.  The unwrapped environment keeps the flat one, which the suite's learners take.
    """

    def __init__(self, env: gymnasium.Env[Observation, NDArray[np.float32]]) -> None:
        RecordConstructorArgs.__init__(self)
        gymnasium.ObservationWrapper.__init__(self, env)
        task, flat = env.unwrapped, env.observation_space
        assert isinstance(task, TaskEnv)
        assert isinstance(flat, Box)
        assert task.task.image is not None
        self._states, self._shape = task.task.states, task.task.image.shape
        parts: dict[str, gymnasium.Space[Any]] = {
            "image": Box(0, 255, self._shape, np.uint8),
            "state": Box(flat.low[: self._states], flat.high[: self._states], dtype=np.float32),
        }
        self.observation_space = Dict(parts)

    def observation(self, observation: Observation) -> Parts:
        """The two parts of a flat observation."""
        image = observation[self._states :].astype(np.uint8).reshape(self._shape)
        return {"image": image, "state": observation[: self._states]}
