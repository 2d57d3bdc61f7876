"""Made-up evaluation episodes with goals, in the form of ``algorithms.trajectories``, and how long runs were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from traffic import drive, recording, wave

from algorithms.seeding import evaluation_start
from envs.ant.gather import AntGather
from envs.tasks import describe

STEPS = 1_200
META_PERIOD = 10
LENGTH = 25  # steps of an episode


def extents(cells: Iterable[tuple[str, str]], reduced: bool = True) -> pd.DataFrame:
    """Rows of statistics, by task and label, as far as figures of single episodes read them."""
    why = "1,200 of 1,000,000 steps; 2 of 10 seeds; horizon 150" if reduced else ""
    table = pd.DataFrame(list(cells), columns=["task", "label"])
    extent = {"steps_run": STEPS, "steps_paper": 1_000_000, "seeds_run": 2, "seeds_paper": 10}
    return table.assign(study="main", metric="return_mean100", **extent, reduced=reduced, reduced_why=why)


def on_the_ring(targets: Sequence[str], seed: int = 0, moments: int = 101) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A recording and the steps of the same episodes; the automated vehicle is the last one."""
    recorded, steps = [], []
    for number, target in enumerate(targets):
        positions, speeds = drive(wave(-5), length=230 + 10 * number, moments=moments)
        recorded.append(recording(positions, speeds, target, automated=21, seed=seed))
        fresh = np.arange(moments) % META_PERIOD == 0
        goals = np.repeat(np.arange(moments)[fresh] / 20 + number, META_PERIOD)[:moments]
        goals[-1] = np.nan
        columns = {"state_0": speeds[:, 21], "goal_0": goals, "period_start": fresh}
        head = {"seed": seed, "target": target, "episode": 0}
        steps.append(pd.DataFrame({**head, "step": range(moments), **columns}))
    return pd.concat(recorded).astype({"target": "category", "vehicle": "category"}), pd.concat(steps)


def on_foot(task: str, episodes: int = 4, seed: int = 0, length: int = LENGTH) -> pd.DataFrame:
    """Steps on an Ant task that begin as evaluations do, with goals up to 10 m away at every tenth step."""
    points = describe(task)[0].evaluation_points
    tables = []
    for place, point in enumerate(points):
        for episode in range(episodes):
            random = np.random.default_rng([seed, place, episode, len(task)])
            states = np.zeros((length + 1, 15))
            states[0] = start_of_gather(seed, episode) if task == "ant_gather" else 0
            states[1:, :2] = states[0, :2] + random.normal(0.05, 0.1, (length, 2)).cumsum(axis=0)
            table = pd.DataFrame(states, columns=[f"state_{index}" for index in range(15)])
            goals = random.uniform(-10, 10, (length + 1, 2))
            goals[-1] = np.nan
            table[["x", "y"]], table[["goal_0", "goal_1"]] = states[:, :2], goals
            fresh = (np.arange(length + 1) % META_PERIOD == 0) & (np.arange(length + 1) < length)
            head = {"seed": seed, "target": point.name, "episode": episode, "step": range(length + 1)}
            tables.append(table.assign(**head, period_start=fresh))
    return pd.concat(tables, ignore_index=True)


def start_of_gather(seed: int, episode: int) -> np.ndarray:
    """The robot's pose at the start of an evaluation episode, [15]."""
    env = AntGather()
    env.reset(seed=evaluation_start(seed, STEPS, 0, episode))
    return env.data.qpos.astype(np.float32)
