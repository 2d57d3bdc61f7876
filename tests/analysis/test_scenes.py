"""What surrounds the paths of the Ant, and which episodes are shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from recorded_episodes import STEPS, on_foot

from analysis.arenas import objects_at_the_start
from analysis.scenes import common_episodes, open_floor, surroundings


@pytest.mark.parametrize(
    ("task", "low", "high"), [("ant_gather", -10.5, 10.5), ("ant_maze", -4, 20), ("ant_four_rooms", -1, 21)]
)
def test_open_floor_ends_at_the_walls(task: str, low: float, high: float) -> None:
    found = open_floor(surroundings(task).arena, np.array([(-13, -13), (30, 30)]))
    np.testing.assert_allclose(found, [(low, low), (high, high)], atol=0.1001)


def test_one_episode_per_evaluation_point_then_the_next_ones() -> None:
    table = on_foot("ant_maze", episodes=2)
    shown = common_episodes({"hrl": table}, 4)["hrl"]
    found = [(rows["target"].unique().tolist(), rows["episode"].unique().tolist()) for rows in shown]
    first, second, third = (point for point in table["target"].unique())
    assert found == [([first], [0]), ([second], [0]), ([third], [0]), ([first], [1])]
    assert all(rows["step"].tolist() == list(range(len(rows))) for rows in shown)


def test_labels_share_their_episodes_and_seed() -> None:
    hrl = pd.concat([on_foot("ant_gather", seed=seed) for seed in (0, 1)])
    cher = hrl[(hrl["seed"] == 1) & (hrl["episode"] > 1)]
    for rows in zip(*common_episodes({"hrl": hrl, "cher": cher}, 3).values(), strict=True):
        pd.testing.assert_frame_equal(*rows)
        assert rows[0]["seed"].unique().tolist() == [1]


@pytest.mark.parametrize("task", ["ring_road", "unknown"])
def test_tasks_without_an_arena_are_refused(task: str) -> None:
    with pytest.raises(ValueError, match=f"task '{task}' has no paths to be drawn; allowed: ant_gather, "):
        surroundings(task)


def test_objects_of_another_start_are_not_given() -> None:
    table = on_foot("ant_gather", episodes=1)
    found = objects_at_the_start(table, STEPS)
    assert found is not None
    assert len(found[0]) == len(found[1]) == 16
    assert objects_at_the_start(table, STEPS + 1) is None
    assert objects_at_the_start(table.assign(seed=1), STEPS) is None
