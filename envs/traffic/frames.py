"""The recent past of an automated vehicle, as its policy sees it."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from envs.traffic.car_following import Array

FRAMES = 5
FRAME_SIZE = 5
HISTORY_SIZE = FRAMES * FRAME_SIZE


class FrameOptions(Protocol):
    """The options of a task that say which frames are shown."""

    history_bug: bool
    frame_skip: int


class FrameHistory:
    """Frames of one automated vehicle: own speed, leader's speed, gap, follower's speed, follower's gap.

    Args:
        options: of the task; see :class:`~envs.options.TrafficOptions`.
    """

    def __init__(self, options: FrameOptions) -> None:
        self._skip = options.frame_skip
        self._most = (FRAMES - 1) * self._skip + 1
        self._kept = 1 if options.history_bug else self._most
        self._frames: list[Array] = []

    def add(self, frame: Array) -> None:
        """Take in the newest frame, shape [5], in m/s and m."""
        self._frames.insert(0, frame)
        if len(self._frames) > self._most:
            del self._frames[self._kept :]

    def values(self) -> Array:
        """The frames that are shown, newest first, zeros where there was none yet; shape [25]."""
        values = np.zeros(HISTORY_SIZE)
        shown = self._frames[:: self._skip]
        if shown:
            values[: len(shown) * FRAME_SIZE] = np.concatenate(shown)
        return values
