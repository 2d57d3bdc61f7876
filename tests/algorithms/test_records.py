"""Rolling means of episodes, tables, and the clock."""

import csv
import math
import time

import numpy as np
import pytest

from algorithms.clock import Clock
from algorithms.records import WINDOW, EpisodeLog, write_table


def play(log, lengths, *, warm=False, reward=1.0, apples=2.0, falls=False):
    """Episodes of one seed, each step with the same reward; they end by termination or by time."""
    for length in lengths:
        for step in range(1, length + 1):
            ends = np.array([step == length])
            infos = {"episode_metrics": {"apples": np.array([apples])}} if ends[0] else {}
            log.record(np.array([reward]), ends & falls, ends & (not falls), infos, warm=warm)


@pytest.fixture
def log():
    return EpisodeLog(1, ["apples"])


def test_nothing_is_known_before_an_episode_ends(log):
    log.start_counting()
    assert log.row(0) == {
        "episodes": 0,
        "return_mean100": None,
        "episode_length_mean100": None,
        "terminated_mean100": None,
        "apples_mean100": None,
    }


def test_means_over_episodes(log):
    log.start_counting()
    play(log, [3, 5])
    play(log, [1], reward=-2, apples=5, falls=True)
    assert log.row(0) == {
        "episodes": 3,
        "return_mean100": (3 + 5 - 2) / 3,
        "episode_length_mean100": 3,
        "terminated_mean100": 1 / 3,
        "apples_mean100": 3,
    }


def test_episodes_that_began_in_the_warm_up_are_left_out(log):
    play(log, [4, 4], warm=True)
    half = np.array([False])
    log.record(np.array([100.0]), half, half, {}, warm=True)
    log.start_counting()
    play(log, [2])
    assert log.row(0)["episodes"] == 0
    play(log, [7])
    assert log.row(0) == {
        "episodes": 1,
        "return_mean100": 7,
        "episode_length_mean100": 7,
        "terminated_mean100": 0,
        "apples_mean100": 2,
    }


def test_episode_that_begins_with_the_training_counts(log):
    play(log, [4], warm=True)
    log.start_counting()
    play(log, [3])
    assert log.row(0)["return_mean100"] == 3


def test_window_forgets(log):
    log.start_counting()
    play(log, [1], reward=1e6)
    play(log, [1] * WINDOW)
    assert log.row(0)["return_mean100"] == 1
    assert log.row(0)["episodes"] == WINDOW + 1


def test_log_continues_from_its_state(log):
    log.start_counting()
    play(log, [3])
    log.record(np.array([5.0]), np.array([False]), np.array([False]), {}, warm=False)
    other = EpisodeLog(1, ["apples"])
    other.load_state_dict(log.state_dict())
    for each in (log, other):
        play(each, [2])
    assert log.row(0) == other.row(0)
    assert other.row(0)["return_mean100"] == (3 + 5 + 2) / 2


def test_table_keeps_all_digits_and_leaves_missing_values_empty(tmp_path):
    values = [0.1, 1 / 3, 1e-300, -5, None, math.nan]
    write_table(tmp_path / "table.csv", [{"first": value} for value in values] + [{"second": 7}])
    rows = list(csv.reader((tmp_path / "table.csv").open()))
    assert rows[0] == ["first", "second"]
    assert [row[0] for row in rows[5:]] == ["", "", ""]
    assert [float(row[0]) for row in rows[1:5]] == values[:4]
    assert rows[-1] == ["", "7"]


def test_table_without_rows_has_its_head(tmp_path):
    write_table(tmp_path / "table.csv", [], ("seed", "step"))
    assert (tmp_path / "table.csv").read_text() == "seed,step\n"


def test_clock_accumulates_over_resumes():
    first = Clock(2)
    with first.measure("simulator"):
        time.sleep(0.02)
    first.mark(10)
    second = Clock(2)
    second.load_state_dict(first.state_dict())
    time.sleep(0.01)
    second.mark(20)
    third = Clock(2)
    third.load_state_dict(second.state_dict())
    third.mark(30)
    rows = third.table([0, 1])
    assert [row["step"] for row in rows] == [10, 10, 20, 20, 30, 30]
    assert [row["restarts"] for row in rows] == [0, 0, 1, 1, 2, 2]
    assert [row["seed"] for row in rows] == [0, 1] * 3
    times = [row["wall_time"] for row in rows[::2]]
    assert times == sorted(times)
    assert times[0] >= 0.02
    assert times[1] >= 0.03
    assert all(row["simulator_seconds"] >= 0.02 for row in rows)


def test_clock_counts_restarts_of_simulators_by_seed_and_interval():
    """Between log points and over resumes; counts of a new process begin at 0."""
    first = Clock(2)
    first.count_restarts([1, 0])
    first.mark(10)
    first.count_restarts([1, 2])
    first.count_restarts([2, 2])
    second = Clock(2)
    second.count_restarts([0, 1])
    second.load_state_dict(first.state_dict())
    second.count_restarts([3, 1])
    second.mark(20)
    second.mark(30)
    second.count_restarts([4, 1])
    second.mark(40)
    second.count_restarts([4, 6])
    assert [row["simulator_restarts"] for row in second.table([7, 9])] == [1, 0, 4, 3, 0, 0, 1, 5]
