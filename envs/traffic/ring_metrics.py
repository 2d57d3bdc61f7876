"""What an episode on the ring is measured by: its flow, its waves and the automated vehicle's gaps."""

from __future__ import annotations

from collections import deque

import numpy as np

from envs.traffic.car_following import Array, equilibrium_speed
from envs.traffic.ring_traffic import AUTOMATED_VEHICLE, TIME_STEP, VEHICLES

#: Episode metrics of the ring road, in the order of :meth:`RingRecord.metrics`.
RING_METRICS = (
    "return_fraction",
    "mean_speed",
    "ring_length",
    "collisions",
    "speed_fraction",
    "speed_std",
    "gap_max",
    "gap_p95",
)
WAVE_STEPS = round(50 / TIME_STEP)  # the 50 s at the end of an episode over which ``speed_std`` is averaged


class RingRecord:
    """The steps of one episode, as far as its metrics need them.

    Args:
        length: nominal length of the ring, metres.
        horizon: number of steps of a full episode.

    Attributes:
        uniform_speed: speed of evenly spaced humans on this ring, m/s.
    """

    def __init__(self, length: float, horizon: int) -> None:
        self._length, self._horizon = length, horizon
        self.uniform_speed = equilibrium_speed(length, VEHICLES)
        self._return = self._sum_of_speeds = 0.0
        self._last_speeds: deque[Array] = deque(maxlen=WAVE_STEPS)
        self._gaps: list[float] = []

    @property
    def steps(self) -> int:
        """Number of steps so far."""
        return len(self._gaps)

    @property
    def mean_speed(self) -> float:
        """Mean over vehicles and steps, m/s."""
        return self._sum_of_speeds / self.steps

    def add(self, reward: float, mean_speed: float, speeds: Array, gaps: Array) -> None:
        """Take in the state after a step; a step with a collision repeats the state before it.

        Args:
            reward: the step's reward.
            mean_speed: mean over all vehicles, m/s.
            speeds: of all vehicles, m/s, shape [22]; kept as it is, not copied.
            gaps: of all vehicles to those ahead, metres, shape [22].
        """
        self._return += reward
        self._sum_of_speeds += mean_speed
        self._last_speeds.append(speeds)
        self._gaps.append(float(gaps[AUTOMATED_VEHICLE]))

    def metrics(self, collision: bool) -> dict[str, float]:
        """Metrics of the episode.

        ``return_fraction`` is the return over that of ``horizon`` steps of uniform human traffic, ``mean_speed``
        the mean over vehicles and steps in m/s, ``speed_fraction`` that over the speed of uniform traffic.
        ``speed_std``, in m/s, is the standard deviation over vehicles, averaged over the last 50 s: the size of
        the waves that are left.  ``gap_max`` and ``gap_p95`` are the maximum and the 95th percentile over steps of
        the automated vehicle's gap to its leader, in metres.
        """
        return {
            "return_fraction": self._return / (0.1 * self._horizon * self.uniform_speed**2),
            "mean_speed": self.mean_speed,
            "ring_length": float(self._length),
            "collisions": float(collision),
            "speed_fraction": self.mean_speed / self.uniform_speed,
            "speed_std": float(np.std(self._last_speeds, axis=1).mean()),
            "gap_max": max(self._gaps),
            "gap_p95": float(np.percentile(self._gaps, 95)),
        }
