from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cooperative import cooperation_cells, trajectories
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import same_color
from matplotlib.figure import Figure

from analysis.paths import draw_path, first_episodes, proposed_goals, reach, read_trajectories

HRL = cooperation_cells()[0]
EPISODE = pd.DataFrame(
    {
        "period_start": [True, False, True, False],
        "x": [0.0, 1.0, 2.0, 3.0],
        "y": [0.0, 0.5, 1.0, 1.5],
        "goal_0": [5.0, 4.0, -9.0, np.nan],
        "goal_1": [1.0, 0.5, 0.0, np.nan],
    }
)


def test_goals_lie_where_the_agent_was_when_they_were_set_plus_the_goal():
    positions, goals = proposed_goals(EPISODE)
    np.testing.assert_array_equal(positions, [[0, 0], [2, 1]])
    np.testing.assert_array_equal(goals, [[5, 1], [-7, 1]])


def test_a_drawn_path_has_its_goals_links_and_start():
    axes = Figure().subplots()
    draw_path(axes, EPISODE, colour="#123456", goal_colour="red")
    goals, path, start = axes.lines
    np.testing.assert_array_equal(path.get_xydata(), EPISODE[["x", "y"]])
    assert same_color(path.get_color(), "#123456")
    np.testing.assert_array_equal(goals.get_xydata(), [[5, 1], [-7, 1]])
    assert same_color(goals.get_color(), "red")
    np.testing.assert_array_equal(start.get_xydata(), [[0, 0]])
    links = axes.collections[0].get_segments()
    np.testing.assert_array_equal(links, [[[0, 0], [5, 1]], [[2, 1], [-7, 1]]])


def test_a_policy_without_goals_has_a_path_alone():
    axes = Figure().subplots()
    episode = EPISODE.drop(columns=["goal_0", "goal_1"])
    draw_path(axes, episode, colour="black")
    assert not len(axes.lines[0].get_xdata())
    assert len(axes.lines[1].get_xdata()) == 4
    assert reach([episode]) == 3


def test_reach_covers_paths_and_goals():
    assert reach([EPISODE]) == 7
    assert reach([]) == 0


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5))
def test_the_first_seeds_first_episodes_are_taken(seeds: int, episodes: int, number: int):
    table = trajectories(HRL, seeds=seeds, episodes=episodes, steps=10)
    shuffled = table.sample(frac=1, random_state=0).assign(seed=table["seed"] + 5)
    found = list(first_episodes(shuffled, number))
    assert [episode["episode"].iloc[0] for episode in found] == list(range(min(number, episodes)))
    assert all((episode["seed"] == 5).all() and list(episode["step"]) == list(range(11)) for episode in found)


def test_files_are_read_by_task_and_label(tmp_path: Path):
    table = trajectories(HRL, seeds=1, episodes=1, steps=10)
    table.to_parquet(tmp_path / "a=b.parquet")
    table.to_csv(tmp_path / "c.csv", index=False)
    read = read_trajectories([f"ant_gather/hrl={tmp_path}/a=b.parquet", f"ant_maze/cher-p_1={tmp_path}/c.csv"])
    assert list(read) == [("ant_gather", "hrl"), ("ant_maze", "cher-p_1")]
    for each in read.values():
        pd.testing.assert_frame_equal(each, table)


@pytest.mark.parametrize("text", ["hrl=file.parquet", "ant_gather/hrl", "/hrl=file.parquet", "ant_gather/=f", ""])
def test_other_arguments_are_refused(text: str):
    with pytest.raises(ValueError, match="names no file of a run; allowed: TASK/LABEL=FILE"):
        read_trajectories([text])


def test_other_files_are_refused(tmp_path: Path):
    pd.DataFrame({"seed": [0]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"a.parquet' is not a file of trajectories: there is no column target"):
        read_trajectories([f"ant_gather/hrl={tmp_path}/a.parquet"])
