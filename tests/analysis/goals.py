"""Made-up proposals of goals, and the statistics of the runs that they come from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from envs.tasks import describe

EVERY = 400  # steps from one recorded goal to the next


def proposals(
    task: str = "ant_gather",
    labels: Sequence[str] = ("hrl", "cher"),
    seeds: int = 2,
    steps: int = 1_200,
) -> pd.DataFrame:
    """Goals that are anywhere in the box for all algorithms but CHER, whose goals come nearer to its middle."""
    spec = describe(task)[0]
    low, high = spec.goal_low.astype(np.float64), spec.goal_high.astype(np.float64)
    tables = []
    for label in labels:
        for seed in range(seeds):
            random = np.random.default_rng([seed, *label.encode()])
            when = np.arange(seed, steps, EVERY)
            spread = np.exp(-2 * when / steps)[:, None] if label == "cher" else 1.0
            unit = np.clip(spread * random.normal(0, 1, (len(when), len(low))), -1, 1)
            goals = (low + high) / 2 + unit * (high - low) / 2
            head = {"study": "main", "task": task, "algorithm": label, "variant": "", "label": label}
            table = pd.DataFrame(head | {"seed": seed, "step": when})
            for index, column in enumerate(goals.astype(np.float32).T):
                table[f"state_{index}"] = np.float32(0)
                table[f"goal_{index}"] = column
            tables.append(table)
    return pd.concat(tables, ignore_index=True)


def statistics(
    task: str = "ant_gather",
    labels: Sequence[str] = ("hrl", "cher"),
    seeds: int = 2,
    steps: int = 1_200,
    why: str = "1,200 of 1,000,000 steps; 2 of 10 seeds",
) -> pd.DataFrame:
    """What says how far runs went, with a single metric."""
    rows = [
        {
            "study": "main",
            "task": task,
            "algorithm": label,
            "variant": "",
            "label": label,
            "metric": "return_mean100",
            "step": steps,
            "mean": 0.0,
            "std": 0.0,
            "steps_run": steps,
            "steps_paper": 1_000_000,
            "seeds_run": seeds,
            "seeds_paper": 10,
            "reduced": bool(why),
            "reduced_why": why,
        }
        for label in labels
    ]
    return pd.DataFrame(rows)
