"""Recordings of made-up traffic, in the form of ``algorithms.recording``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
RING_LENGTH = 245.4
STEP = 0.2


def drive(
    field: Callable[[Array, float], Array], length: float = RING_LENGTH, moments: int = 501, vehicles: int = 22
) -> tuple[Array, Array]:
    """Positions and speeds, [T, n] each, of vehicles that drive at the speed of their place and moment.

    As in SUMO, vehicles move with the mean of their old and new speed.
    """
    positions, speeds = np.empty((2, moments, vehicles))
    positions[0] = np.arange(vehicles) * length / vehicles
    speeds[0] = field(positions[0], 0.0)
    for moment in range(1, moments):
        last, speed = positions[moment - 1], speeds[moment - 1]
        speeds[moment] = field(last + STEP * speed, moment * STEP)
        positions[moment] = last + STEP * (speed + speeds[moment]) / 2
    return positions % length, speeds


def wave(velocity: float, length: float = RING_LENGTH, waves: int = 1) -> Callable[[Array, float], Array]:
    """Speeds of 4 m/s on average, with waves that travel at a velocity."""
    return lambda places, time: 4 + 1.5 * np.cos(2 * np.pi * waves * (places - velocity * time) / length)


def recording(
    positions: Array, speeds: Array, target: str = "length_245", automated: int | None = None, seed: int = 0
) -> pd.DataFrame:
    """The table of an episode on the ring, [T, n] each; optionally with an automated vehicle."""
    moments, vehicles = positions.shape
    table = pd.DataFrame(
        {
            "seed": seed,
            "target": target,
            "episode": 0,
            "time": np.repeat(np.round(np.arange(moments) * STEP, 6), vehicles),
            "vehicle": np.tile([f"vehicle_{index}" for index in range(vehicles)], moments),
            "position": positions.ravel().astype(np.float32),
            "speed": speeds.ravel().astype(np.float32),
            "automated": np.tile(np.arange(vehicles) == automated, moments),
        }
    )
    return table.astype({"target": "category", "vehicle": "category"})


def highway(moments: int = 301) -> pd.DataFrame:
    """The table of a highway: a vehicle enters every two seconds, drives at 20 m/s, and leaves after 2800 m.

    Every tenth vehicle is automated from 500 to 2300 m.
    """
    times = np.round(np.arange(moments) * STEP, 6)
    entries = np.arange(-150, times[-1], 2.0)
    time, entry = np.meshgrid(times, entries, indexing="ij")
    position = 20 * (time - entry)
    there = (position >= 0) & (position < 2800)
    number = np.broadcast_to(np.arange(len(entries)), there.shape)[there]
    position = position[there]
    controlled = (number % 10 == 0) & (position >= 500) & (position <= 2300)
    table = pd.DataFrame(
        {
            "seed": 0,
            "target": "end_speed_6",
            "episode": 0,
            "time": time[there],
            "vehicle": [f"vehicle_{index}" for index in number],
            "position": position.astype(np.float32),
            "speed": np.float32(20),
            "automated": controlled,
        }
    )
    return table.astype({"target": "category", "vehicle": "category"})
