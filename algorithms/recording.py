"""A recording of traffic: where every vehicle of evaluation episodes is at every moment."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from algorithms.repetition import Repetition
from algorithms.trajectories import write_frame
from envs.base import TaskEnv
from envs.traffic.snapshot import Snapshot


@runtime_checkable
class Road(Protocol):
    """An environment with vehicles."""

    def snapshot(self) -> Snapshot:
        """Where the vehicles are now."""


class Recording(Repetition):
    """A table with one row per evaluation point, simulation step and vehicle: one seed's first episodes.

    An episode's first rows hold the state in which it starts.  Vehicles may come and go.

    Args:
        env: repeats the episodes.
        seed: the first of the evaluated seeds.
        step: training step, part of the evaluation's random streams.

    Raises:
        ValueError: the task has no vehicles.
    """

    def __init__(self, env: TaskEnv, seed: int, step: int) -> None:
        if not isinstance(env, Road):
            raise ValueError(f"{env.task.name} has no vehicles, so there is no traffic to record")
        super().__init__(env, seed, step)
        self._road = env

    def table(self) -> pd.DataFrame:
        """Repeat the episodes; all rows, ordered by evaluation point and time."""
        targets, snapshots = zip(
            *((moment.target, self._road.snapshot()) for moment in self._moments()), strict=True
        )
        numbers = [len(snapshot.names) for snapshot in snapshots]
        times = [round(snapshot.time, 6) for snapshot in snapshots]  # 0.6 and not 0.6000000000000001
        columns = {
            "seed": self._seed,
            "target": pd.Categorical(np.repeat(targets, numbers)),
            "episode": 0,
            "time": np.repeat(times, numbers),
            "vehicle": pd.Categorical([name for snapshot in snapshots for name in snapshot.names]),
            "position": np.concatenate([snapshot.positions for snapshot in snapshots], dtype=np.float32),
            "speed": np.concatenate([snapshot.speeds for snapshot in snapshots], dtype=np.float32),
            "automated": np.concatenate([snapshot.automated for snapshot in snapshots]),
        }
        return pd.DataFrame(columns)

    def _write(self, path: Path, ending: str) -> None:
        write_frame(path, ending, self.table())
