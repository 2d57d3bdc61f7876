"""What an episode on the highway is measured by.

The reward counts the vehicles of the controlled part alone, where mean speed is flow over density.  A policy can
raise it by keeping vehicles out of that part, so flow, backlog and the rest of the road are reported beside it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from envs.traffic.car_following import Array
from envs.traffic.highway_network import HIGHWAY_LENGTH
from envs.traffic.highway_traffic import HighwayTraffic

STANDSTILL = 0.1  # m/s; a vehicle that is slower counts as stopped

#: Episode metrics of the highway, in the order of :meth:`HighwayRecord.metrics`.
HIGHWAY_METRICS = (
    "mean_speed",
    "mean_speed_all",
    "return_all",
    "end_speed",
    "collisions",
    "speed_std",
    "gap_max",
    "gap_p95",
    "throughput",
    "departed",
    "backlog",
    "vehicles",
    "controlled",
    "stopped",
)
_WAVE_SECONDS = 50  # at the end of an episode, over which ``speed_std`` is averaged


class HighwayRecord:
    """The steps of one episode, as far as its metrics need them.

    Args:
        end_speed: speed limit of the slow part, m/s.
        step_seconds: length of an environment step.
    """

    def __init__(self, end_speed: float, step_seconds: float) -> None:
        self._end_speed, self._step_seconds = end_speed, step_seconds
        self._rows: list[tuple[float, ...]] = []
        self._sum_of_speeds = 0.0
        self._deviations: deque[float] = deque(maxlen=round(_WAVE_SECONDS / step_seconds))
        self._gaps: list[float] = []
        self.departed = self.arrived = 0

    @property
    def steps(self) -> int:
        """Number of steps so far."""
        return len(self._rows)

    @property
    def mean_speed(self) -> float:
        """Mean over steps of the controlled part's mean speed, m/s."""
        return self._sum_of_speeds / self.steps

    def count(self, traffic: HighwayTraffic) -> None:
        """Count who entered and left in a simulation step."""
        self.departed += len(traffic.departed)
        self.arrived += traffic.arrived

    def add(self, traffic: HighwayTraffic, speeds: Array, controlled: Sequence[int]) -> None:
        """Take in the state after an environment step; a step with a collision repeats the state before it.

        Args:
            traffic: all vehicles.
            speeds: of those on the controlled part, m/s.
            controlled: indices of the vehicles that a policy controls.
        """
        everywhere = float(traffic.speeds.mean()) if len(traffic.speeds) else 0.0
        inside, deviation = (float(speeds.mean()), float(speeds.std())) if len(speeds) else (0.0, 0.0)
        stopped = int((traffic.speeds < STANDSTILL).sum())
        self._sum_of_speeds += inside
        self._rows.append((everywhere, len(traffic.speeds), len(controlled), stopped))
        self._deviations.append(deviation)
        self._gaps += np.minimum(traffic.gaps[list(controlled)], HIGHWAY_LENGTH).tolist()

    def metrics(self, collision: bool, backlog: int) -> dict[str, float]:
        """Metrics of the episode, in SI units unless named otherwise.

        ``mean_speed`` is the mean over steps of the controlled part's mean speed, ``mean_speed_all`` that of the
        whole road's; ``return_all`` is the return if the reward counted the whole road.  ``speed_std`` is the
        standard deviation over the vehicles of the controlled part, averaged over the last 50 s.  ``gap_max`` and
        ``gap_p95`` are the maximum and the 95th percentile of the controlled vehicles' gaps (not a number if there
        never was one).  ``throughput`` are the vehicles that left at the end of the road, per hour; ``departed``
        those that entered; ``backlog`` those that wait outside in the end.  ``vehicles``, ``controlled`` and
        ``stopped`` (below 0.1 m/s) are mean numbers of vehicles on the road.
        """
        rows = np.array(self._rows)
        everywhere, vehicles, controlled, stopped = rows.mean(axis=0).tolist()
        rewarded = rows[: len(rows) - collision, 0]  # as in the reward, a collision costs its step
        return {
            "mean_speed": self.mean_speed,
            "mean_speed_all": everywhere,
            "return_all": float(0.1 * (rewarded**2).sum()),
            "end_speed": self._end_speed,
            "collisions": float(collision),
            "speed_std": float(np.mean(self._deviations)),
            "gap_max": max(self._gaps, default=float("nan")),
            "gap_p95": float(np.percentile(self._gaps, 95)) if self._gaps else float("nan"),
            "throughput": self.arrived / (self.steps * self._step_seconds) * 3600,
            "departed": float(self.departed),
            "backlog": float(backlog),
            "vehicles": vehicles,
            "controlled": controlled,
            "stopped": stopped,
        }
