"""The table of evaluation steps: what is in it, and in which files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from toys import ABSOLUTE, RELATIVE, PointMass, make

from algorithms.evaluate import evaluate
from algorithms.trajectories import Trajectories
from envs.base import EvaluationPoint, TaskSpec

HEAD = ["seed", "target", "episode", "step", "reward", "period_start"]
STATE, GOAL, ACTION = (["state_0", "state_1"], ["goal_0", "goal_1"], ["action_0", "action_1"])
SEEDS = (9, 3)


def recorded(name: str, task: TaskSpec) -> Trajectories:
    points = (EvaluationPoint("one"), EvaluationPoint("another"))
    task = replace(task, evaluation_points=points)
    policy = make(name, SEEDS, task=task).policy
    envs = SyncVectorEnv([lambda: PointMass(task)] * 2, autoreset_mode=AutoresetMode.DISABLED)
    trajectories = Trajectories(policy, task, SEEDS)
    evaluate(policy, envs, task, SEEDS, step=5, episodes=2, recorders=[trajectories])
    return trajectories


@pytest.mark.parametrize(
    ("name", "task", "columns"),
    [
        ("hrl", RELATIVE, [*HEAD, "x", "y", *STATE, *GOAL, *ACTION]),
        ("hrl", ABSOLUTE, [*HEAD, *STATE, *GOAL, *ACTION]),
        ("td3", RELATIVE, [*HEAD, "x", "y", *STATE, *ACTION]),
    ],
)
def test_table(name: str, task: TaskSpec, columns: list[str]) -> None:
    table = recorded(name, task).table()
    assert list(table) == columns
    order = [(seed, target) for seed in sorted(SEEDS) for target in ("one", "another")]
    assert list(table[["seed", "target"]].drop_duplicates().itertuples(index=False, name=None)) == order
    assert table.groupby(["seed", "target"])["episode"].unique().map(list).tolist() == [[0, 1]] * 4
    for _, episode in table.groupby(["seed", "target", "episode"]):
        last = len(episode) - 1
        assert episode["step"].tolist() == list(range(last + 1))
        assert 0 < last <= task.horizon
        starts = [step % 10 == 0 and step < last and name == "hrl" for step in range(last + 1)]
        assert episode["period_start"].tolist() == starts
        taken = episode[[column for column in columns if column.startswith(("reward", "goal", "action"))]]
        assert taken[:-1].notna().all(axis=None)
        assert taken[-1:].isna().all(axis=None)
        assert episode[STATE].notna().all(axis=None)
    if "x" in columns:  # goals refer to y and x
        assert table["x"].equals(table["state_1"].rename("x"))


@pytest.mark.parametrize(("ending", "read"), [("csv", pd.read_csv), ("parquet", pd.read_parquet)])
def test_files(ending: str, read: object, tmp_path: Path) -> None:
    trajectories = recorded("hrl", RELATIVE)
    path = tmp_path / "new" / f"paths.{ending}"
    trajectories.write(path)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    table, loaded = trajectories.table(), read(path)
    assert list(loaded) == list(table)
    for name in table:
        if table[name].dtype.kind == "f":
            assert np.array_equal(loaded[name].astype(table[name].dtype), table[name], equal_nan=True), name
        else:
            assert loaded[name].tolist() == table[name].tolist(), name
