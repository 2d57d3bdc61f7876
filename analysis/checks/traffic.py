"""Human traffic beside recordings of the authors' code and other simulations of the same model: minutes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from algorithms import drivers
from algorithms.config import load_preset
from algorithms.drive import drive
from algorithms.recording import Recording
from analysis import recordings, waves
from analysis.checks.check import Check
from analysis.checks.tasks import environment
from analysis.checks.theory import uniform_speed
from envs.tasks import make
from envs.traffic import pool
from envs.traffic.highway_network import in_range

END_SPEEDS = (5, 6, 7)
#: What the authors' saved states of the ring were made with: everybody the same model, and fully grown waves.
AS_STORED = {"av_warmup": "idm", "warmup_steps": 3_000}
SEEDS = 4  # episodes per ring
REWARD_FACTOR = 0.1


def checks() -> Iterator[Check]:
    """The ring with every vehicle a human, in two settings, and the saved states of the highway."""
    # With Flow's default driver, 12 % slower, waves travel 15 % more slowly, and the return is 22 % less.
    stored = {"A01": "mean speed", "A02": "s.d. of speeds", "A03": "share of uniform speed", "A04": "return"}
    for row, column in stored.items():
        measure = partial(mean_of_grown, column)
        yield Check(row, f"ring_road, grown waves: {column}", measure, band=0.05, limit=0.1, level="soft")
    yield Check("D11", "ring_road: speed of waves", wave_speed, band=0.04, limit=0.1, level="soft")
    yield Check("S01", "ring_road: return of humans", human_return, band=0.1, limit=0.2, level="soft")
    for speed in END_SPEEDS:
        mean, spread = (partial(saved_traffic, speed, statistic) for statistic in ("mean", "std"))
        where = f"highway, end speed {speed} m/s"
        yield Check(f"S02_{speed}", f"{where}: mean speed", mean, band=0.1, limit=0.25, level="soft")
        yield Check(f"S03_{speed}", f"{where}: s.d. of speeds", spread, band=0.15, limit=0.4, level="soft")


def mean_of_grown(column: str) -> float:
    """Mean of a column of :func:`grown_waves`."""
    return float(grown_waves()[column].mean())


@cache
def grown_waves() -> pd.DataFrame:
    """Traffic at the end of a long warm-up on the rings of the evaluations, one row per ring and seed.

    The return is the one that the present mean speed would bring if it lasted, as for the authors' states.
    """
    env: Any = environment("ring_road", **AS_STORED)
    rows = []
    for point in env.task.evaluation_points:
        for seed in range(SEEDS):
            env.reset(seed=seed, options=point.options)
            speeds = env.snapshot().speeds
            mean = float(speeds.mean())
            share = mean / uniform_speed(point.options["length"])
            rows.append((mean, float(speeds.std()), share, env.task.horizon * REWARD_FACTOR * mean**2))
    return pd.DataFrame(rows, columns=["mean speed", "s.d. of speeds", "share of uniform speed", "return"])


def human_return() -> float:
    """Return of human drivers with the paper's options, mean over the rings of the evaluations."""
    job = drivers.resolve(load_preset("paper"), "ring_road", "human", seeds=[0, 1])
    return float(np.mean([row["return"] for row in drive(job)]))


def wave_speed() -> float:
    """Velocity of waves, mean over the rings of the evaluations, m/s."""
    preset = load_preset("paper")
    job = drivers.resolve(preset, "ring_road", "human", seeds=[0], overrides={"environment": AS_STORED})
    recorder = Recording(make(job.task, job.environment), 0, job.step)
    drive(job, recorders=[recorder])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "recording.parquet"
        recorder.write(path)
        measured = [waves.measure(episode).wave_speed for _, episode in recordings.episodes(recordings.read(path))]
    return float(np.mean(measured))


def saved_traffic(end_speed: float, statistic: str) -> float:
    """Mean or standard deviation of the speeds on the controlled part, m/s, mean over the saved states."""
    return float(np.mean([state[statistic] for state in saved_states(float(end_speed))]))


@cache
def saved_states(end_speed: float) -> list[dict[str, float]]:
    """Both statistics of every saved state of an end speed; the states are made if they are not there."""
    env: Any = environment("highway")
    pool.build(env.options)
    states = []
    for number in range(env.options.states):
        env.reset(seed=0, options={"end_speed": end_speed, "state": number})
        snapshot = env.snapshot()
        speeds = snapshot.speeds[in_range(snapshot.positions)]
        states.append({"mean": float(speeds.mean()), "std": float(speeds.std())})
    return states
