"""Recordings of traffic as tables: one row per moment and vehicle of some episodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.named_files import Cell, parse
from envs.traffic.highway_network import CONTROLLED_PART, SLOW_PART

Array = NDArray[np.float64]

COLUMNS = ("seed", "target", "episode", "time", "vehicle", "position", "speed", "automated")
GOAL_COLUMNS = ("seed", "target", "episode", "step", "state_0", "goal_0")
ENDINGS = (".parquet", ".csv")


class RecordingError(ValueError):
    """A file that is not what it should be, or a recording without what is asked for.  The message is one line."""


def read(path: Path) -> pd.DataFrame:
    """Read a recording, a file that ``algorithms.evaluate --recording`` has written.

    Raises:
        RecordingError: the file is missing, is no table, or lacks columns or rows.
    """
    return _read(path, "a recording", COLUMNS).astype({"target": "category", "vehicle": "category"})


def read_goals(path: Path) -> pd.DataFrame:
    """Read the steps of a hierarchical policy, a file that ``algorithms.evaluate --trajectories`` has written.

    Raises:
        RecordingError: the file is missing, is no table, or lacks columns or rows.
    """
    return _read(path, "a file of trajectories with goals", GOAL_COLUMNS)


def _read(path: Path, kind: str, columns: Sequence[str]) -> pd.DataFrame:
    if path.suffix not in ENDINGS:
        raise RecordingError(f"'{path}' is not {kind}; allowed endings: {', '.join(ENDINGS)}")
    try:
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise RecordingError(f"'{path}' cannot be read: {str(error).splitlines()[0]}") from error
    if missing := [name for name in columns if name not in table]:
        raise RecordingError(f"'{path}' is not {kind}: there is no column {missing[0]}")
    if table.empty:
        raise RecordingError(f"'{path}' holds no episode")
    return table


def episodes(recording: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The episodes of a recording in its order, each with the name of its target."""
    for (_, target, _), episode in recording.groupby(["seed", "target", "episode"], sort=False, observed=True):
        yield str(target), episode


def read_named(arguments: Sequence[str], tasks: Sequence[str]) -> dict[Cell, pd.DataFrame]:
    """The recordings of a command line by task and label, see :func:`analysis.named_files.parse`.

    Raises:
        ValueError: an argument has another form, or its file is not a recording.
    """
    return {cell: read(path) for cell, path in parse(arguments, tasks=tasks).items()}


def first_episode(recording: pd.DataFrame, target: str | None = None, seed: int | None = None) -> pd.DataFrame:
    """The first episode of a target and a seed, by default of the recording's first.

    Raises:
        RecordingError: there is none.
    """
    if seed is not None:
        seeds = recording["seed"].unique().tolist()
        if seed not in seeds:
            raise RecordingError(f"there is no seed {seed}; there are {', '.join(map(str, seeds))}")
        recording = recording[recording["seed"] == seed]
    first: dict[str, pd.DataFrame] = {}
    for name, episode in episodes(recording):
        first.setdefault(name, episode)
    if target is not None and target not in first:
        raise RecordingError(f"there is no target {target}; there are {', '.join(first)}")
    return first[target or next(iter(first))]


def matching_episodes(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """An episode per name, all of the first table's first seed and its middle target, so that they start alike.

    Targets are spread over a task's conditions, so that the one in the middle is an ordinary one.

    Raises:
        RecordingError: another table lacks this seed or target; names the table.
    """
    first = next(iter(tables.values()))
    targets, seed = first["target"].unique().tolist(), int(first["seed"].iloc[0])
    target = str(targets[(len(targets) - 1) // 2])
    found = {}
    for name, table in tables.items():
        try:
            found[name] = first_episode(table, target, seed)
        except RecordingError as error:
            raise RecordingError(f"{next(iter(tables))} and {name} are of different episodes: {error}") from error
    return found


def is_ring(episode: pd.DataFrame) -> bool:
    """Whether a recorded episode is of the ring: all vehicles are there at every moment.

    On the highway they come and go, and some are further than any ring is long.
    """
    everywhere = episode["time"].nunique() * episode["vehicle"].nunique()
    return len(episode) == everywhere and episode["position"].max() <= SLOW_PART


def time_step(episode: pd.DataFrame) -> float:
    """Seconds between the moments of an episode."""
    moments = np.unique(episode["time"])
    if len(moments) < 2:
        raise RecordingError("an episode of a single moment shows no movement")
    return float(np.diff(moments).min())


def ring_arrays(episode: pd.DataFrame) -> tuple[Array, Array]:
    """Positions and speeds of a ring's T moments and n vehicles, [T, n] each.

    Raises:
        RecordingError: the episode is not of a ring.
    """
    if not is_ring(episode):
        raise RecordingError("this is a recording of the highway; it must be one of the ring road")
    tables = (episode.pivot(index="time", columns="vehicle", values=name) for name in ("position", "speed"))
    positions, speeds = (table.to_numpy(np.float64) for table in tables)
    return positions, speeds


def circumference(positions: Array, speeds: Array, step: float) -> float:
    """A ring's circumference in metres, from what vehicles that pass its origin have driven; NaN if none does.

    SUMO moves vehicles with the mean of their old and new speed, so that this is exact.

    Args:
        positions: along the ring, [T, n].
        speeds: m/s, [T, n].
        step: seconds between moments.
    """
    driven = step * (speeds[1:] + speeds[:-1]) / 2
    change = np.diff(positions, axis=0)
    rounds = (driven - change)[change < 0]
    return float(np.median(rounds)) if len(rounds) else float("nan")


def mean_speeds(episode: pd.DataFrame) -> pd.Series:
    """Mean speed in m/s at every moment, of all vehicles of a ring or those in a highway's controlled part."""
    counted = episode if is_ring(episode) else episode[episode["position"].between(*CONTROLLED_PART)]
    return counted.groupby("time")["speed"].mean()
