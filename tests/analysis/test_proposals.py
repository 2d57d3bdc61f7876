from __future__ import annotations

import goals
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import proposals
from envs.tasks import describe

ANT = describe("ant_gather")[0]
RING = describe("ring_road")[0]
HIGHWAY = describe("highway")[0]


def planar_rows(points: list[tuple[float, float]]) -> pd.DataFrame:
    return pd.DataFrame(points, columns=["goal_0", "goal_1"], dtype=np.float64)


def test_unknown_tasks_are_named():
    with pytest.raises(ValueError, match=r"there is no task 'ant_push'; allowed: ant_gather, .*highway"):
        proposals.task_of("ant_push")


def test_rows_of_the_labels_that_exist_in_the_order_asked():
    table = goals.proposals(labels=("cher", "td3", "hrl"))
    found = proposals.select(table, ANT, ("hrl", "hiro", "cher"))
    assert list(found) == ["hrl", "cher"]
    assert {label: set(rows["label"]) for label, rows in found.items()} == {"hrl": {"hrl"}, "cher": {"cher"}}


def test_nothing_to_select_is_one_line():
    with pytest.raises(ValueError, match="there are no goal proposals of hrl or cher on ring_road"):
        proposals.select(goals.proposals(), RING, ("hrl", "cher"))


def test_which_goals_are_around_the_agent():
    assert proposals.around_agent(ANT)
    assert not proposals.around_agent(RING)
    assert not proposals.around_agent(HIGHWAY)


@given(st.lists(st.integers(0, 1_200), min_size=1, max_size=50), st.integers(1, 8))
def test_every_row_is_in_the_stage_of_its_step(steps, number):
    edges = np.linspace(0, 1_200, number + 1)
    parts = proposals.stages(pd.DataFrame({"step": steps}), edges)
    assert sorted(pd.concat(parts)["step"]) == sorted(steps)
    for start, end, part in zip(edges[:-1], edges[1:], parts, strict=True):
        inside = (part["step"] >= start) & ((part["step"] < end) | (part["step"] == 1_200))
        assert inside.all()


def test_no_more_intervals_than_goals_of_a_seed():
    rows = goals.proposals(seeds=3, steps=1_200)
    np.testing.assert_array_equal(proposals.step_edges(rows, 1_200, 40), [0, 400, 800, 1_200])
    np.testing.assert_array_equal(proposals.step_edges(rows, 1_200, 2), [0, 600, 1_200])


def test_planar_density_by_hand():
    """Cells of the Ant are 1 m wide; x comes first; borders and corners count."""
    points = [(0.5, 3.5), (0.6, 3.4), (10, -10), (-10.0000001, 10)]
    density = proposals.planar_density(planar_rows(points), ANT)
    assert density.goals == 4
    np.testing.assert_array_equal(density.edges[0], np.arange(-10, 11))
    expected = np.zeros((20, 20))
    expected[10, 13], expected[19, 0], expected[0, 19] = 50, 25, 25
    np.testing.assert_array_equal(density.values, expected)


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(-10, 10)), min_size=1, max_size=50))
def test_no_goal_of_the_box_is_lost(points):
    assert proposals.planar_density(planar_rows(points), ANT).values.sum() == pytest.approx(100)


def test_density_of_no_goals_is_zero():
    density = proposals.planar_density(planar_rows([]), ANT)
    assert density.goals == 0
    assert (density.values == 0).all()


def test_density_over_steps_by_hand():
    """Cells of the ring's speeds are 0.5 m/s wide; each interval is a distribution of its own, if it has goals."""
    rows = pd.DataFrame({"step": [0, 100, 250, 900], "goal_0": [0.2, 0.3, 9.9, 10.0]})
    density = proposals.density_over_steps(rows, RING, np.array([0.0, 300, 600, 900]))
    assert density.goals == 4
    assert np.isnan(density.values[1]).all()
    np.testing.assert_allclose(density.values[0, [0, -1]], [200 * 2 / 3, 200 / 3])
    np.testing.assert_allclose(np.nansum(density.values, axis=1) * 0.5, [100, 0, 100])


def test_all_vehicles_of_the_highway_count():
    rows = pd.DataFrame({"step": [0], **{f"goal_{index}": [index * 4.5] for index in range(5)}})
    density = proposals.density_over_steps(rows, HIGHWAY, np.array([0.0, 400]))
    assert (density.goals, np.count_nonzero(density.values)) == (1, 5)


def test_dimensions_of_other_tasks_do_not_count():
    table = pd.concat([goals.proposals("ring_road"), goals.proposals("highway"), goals.proposals("ant_gather")])
    numbers = {task: proposals.entries(rows).shape[1] for task, rows in table.groupby("task")}
    assert numbers == {"ring_road": 1, "highway": 5, "ant_gather": 15}


def test_quartiles_of_distances_and_of_speeds():
    rows = pd.DataFrame(
        {"step": [0, 10, 20, 950], "goal_0": [3, 6, 0, 8], "goal_1": [4, 8, 1, 6]}, dtype=np.float64
    )
    edges = np.array([0.0, 500, 800, 1_000])
    distances = proposals.quartiles(rows, ANT, edges)
    assert distances.columns.tolist() == ["step", "low", "median", "high"]
    np.testing.assert_allclose(distances, [(250, 3, 5, 7.5), (900, 10, 10, 10)])
    speeds = proposals.quartiles(rows[["step", "goal_0"]], RING, edges)
    np.testing.assert_allclose(speeds, [(250, 1.5, 3, 4.5), (900, 8, 8, 8)])
