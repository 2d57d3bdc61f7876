from __future__ import annotations

import pandas as pd
import pytest
from transfer_and_hiro import transfer_cells, transfer_statistics

from analysis.frozen_workers import evaluation_points, final_evaluations, make_task, transferred, worker_name
from analysis.headline import MEAN


@pytest.fixture(scope="module")
def statistics() -> pd.DataFrame:
    return transfer_statistics(seeds=2)


def test_points_are_those_of_the_study_nearest_first():
    maze = evaluation_points(make_task("ant_maze"))
    assert [(point.x, point.y) for point in maze] == [(0, 0), (8, 0), (16, 0), (16, 8), (16, 16), (8, 16), (0, 16)]
    assert [point.number for point in maze] == list(range(1, 8))
    rooms = evaluation_points(make_task("ant_four_rooms"))
    assert {(point.x, point.y) for point in rooms} == {
        *((20, 0), (0, 20), (20, 20)),
        *((4, 4), (16, 5), (4, 16), (16, 17)),
    }
    assert [point.walk for point in rooms] == sorted(point.walk for point in rooms)


def test_only_the_mazes_first_point_is_reached_by_staying():
    assert [point.name for point in evaluation_points(make_task("ant_maze")) if point.is_at_start] == [
        "target_0_0"
    ]
    assert not any(point.is_at_start for point in evaluation_points(make_task("ant_four_rooms")))


def test_workers_in_the_order_of_the_cells_with_their_own_algorithm_first():
    found = transferred(transfer_cells().iloc[::-1])
    assert list(found["task"].unique()) == ["ant_four_rooms", "ant_maze"]
    maze = found[found["task"] == "ant_maze"]
    assert list(zip(maze["source"], maze["algorithm"], maze["own"], strict=True)) == [
        ("cher-transfer", "cher", True),
        ("cher-transfer", "hrl", False),
        ("hiro-transfer", "hiro", True),
        ("hiro-transfer", "hrl", False),
        ("hrl-transfer", "hrl", True),
    ]
    assert list(maze["worker"].unique()) == ["cher", "hiro", "hrl"]


def test_sources_of_one_algorithm_are_told_apart():
    cells = transfer_cells()
    other = cells[cells["source"] == "cher-transfer"].assign(source="cher-other", label="cher-worker_other")
    found = transferred(pd.concat([cells, other]))
    assert set(found["worker"]) == {"hrl", "hiro", "cher-transfer", "cher-other"}
    assert [worker_name(worker) for worker in ("cher", "cher-other")] == ["CHER worker", "CHER (other) worker"]


def test_the_last_evaluation_counts(statistics: pd.DataFrame):
    rows = final_evaluations(statistics, transfer_cells(), ["success", "entered"])
    assert len(rows) == 2 * 5 * 8 * 2
    assert set(rows["metric"]) == {"success", "entered"}
    first = rows.iloc[0]
    expected = statistics[
        (statistics["label"] == first["label"])
        & (statistics["task"] == first["task"])
        & (statistics["target"] == first["target"])
        & (statistics["metric"] == first["metric"])
        & (statistics["step"] == 1_000_000)
    ]
    assert [first["mean"]] == list(expected["mean"])
    assert MEAN in set(rows["target"])


def test_what_is_missing_is_named(statistics: pd.DataFrame):
    cells = transfer_cells()
    with pytest.raises(ValueError, match="no cell of the study 'transfer' has taken over a worker"):
        transferred(cells[cells["task"] == "ant_gather"])
    with pytest.raises(ValueError, match="there is no evaluation of a manager on a transferred worker"):
        final_evaluations(statistics[statistics["task"] == "ant_gather"], cells, ["success", "return"])
    with pytest.raises(ValueError, match="'highway', which has no evaluation points in a maze"):
        make_task("highway")
    with pytest.raises(ValueError, match="'ant_gather', which has no evaluation points in a maze"):
        make_task("ant_gather")
