"""How long trainings take: arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from progress_trees import runs_of, tree_preset

from algorithms.settings import RunConfig
from algorithms.status import Status
from analysis.progress.estimate import Estimate, Work, of_cell, seconds_left, total
from analysis.progress.training import State, Training

RUNS = runs_of(tree_preset(seeds=[0, 1, 2, 3]), "ant_gather", "hrl")
STEPS = RUNS[0].run.steps  # 1,200
GROUP = runs_of(tree_preset(seeds=[0, 1, 2, 3, 4, 5], seeds_per_job=4), "ant_gather", "hrl")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def done(run: RunConfig, wall: float, cpu: float) -> Training:
    return Training(run, State.DONE, usage={"wall_time": wall, "cpu_time": cpu})


def running(run: RunConfig, step: int | None, speed: float | None, wall: float = 0.0) -> Training:
    whose = {"host": "", "processes": "", "pid": 1, "process_began": 1.0, "time": NOW}
    said = Status.model_validate(
        {"state": "running", "step": step, "steps": STEPS, "steps_per_second": speed} | whose
    )
    return Training(run, State.RUNNING, step=step, status=said, usage={"wall_time": wall, "cpu_time": 2 * wall})


def test_finished_seeds_tell_what_is_left() -> None:
    estimate = of_cell([done(RUNS[0], 100, 110), done(RUNS[1], 200, 250), Training(RUNS[2], State.MISSING)])
    assert estimate == Estimate(spent=Work(300, 360), left=Work(150, 180))
    assert not estimate.is_finished


def test_interrupted_trainings_go_on_from_their_checkpoint() -> None:
    interrupted = Training(RUNS[1], State.INTERRUPTED, step=STEPS // 4, usage={"wall_time": 30, "cpu_time": 40})
    estimate = of_cell([done(RUNS[0], 100, 200), interrupted])
    assert estimate == Estimate(spent=Work(130, 240), left=Work(75, 150))


def test_time_of_stale_trainings_is_lost() -> None:
    stale = Training(RUNS[1], State.STALE, usage={"wall_time": 30, "cpu_time": 40})
    assert of_cell([done(RUNS[0], 100, 100), stale]) == Estimate(spent=Work(100, 100), left=Work(100, 100))


def test_warm_up_is_no_progress() -> None:
    warm = Training(RUNS[1], State.INTERRUPTED, step=-400)
    assert of_cell([done(RUNS[0], 100, 100), warm]).left == Work(100, 100)


def test_running_seeds_tell_what_is_left_where_none_has_finished() -> None:
    one = running(RUNS[0], step=600, speed=3.0, wall=100)  # 200 s left
    assert seconds_left(one) == 200
    estimate = of_cell([one, Training(RUNS[1], State.WAITING)])
    assert estimate.spent == Work(100, 200)
    assert estimate.left == Work(200 + 300, 400 + 600)
    assert (estimate.running, estimate.longest, estimate.unknown) == (1, 200, 0)


def test_training_without_a_speed_yet() -> None:
    alone = of_cell([running(RUNS[0], step=None, speed=None), Training(RUNS[1], State.MISSING)])
    assert (alone.unknown, alone.left, alone.running) == (2, Work(0, 0), 1)
    assert alone.end(NOW) is None
    with_another = of_cell([running(RUNS[0], step=-20, speed=None), done(RUNS[1], 50, 60)])
    assert (with_another.unknown, with_another.left, with_another.longest) == (0, Work(50, 60), 50)


def test_nothing_is_known() -> None:
    estimate = of_cell([Training(run, State.MISSING) for run in RUNS])
    assert (estimate.unknown, estimate.left) == (4, Work(0, 0))
    assert not estimate.is_finished
    assert estimate.end(NOW) is None


def test_finished_seeds_without_timing_tell_nothing() -> None:
    assert of_cell([Training(RUNS[0], State.DONE), Training(RUNS[1], State.MISSING)]).unknown == 1


def test_groups_take_as_long_as_they_have_seeds() -> None:
    assert [len(run.seeds) for run in GROUP] == [4, 2]
    assert of_cell([done(GROUP[0], 400, 480), Training(GROUP[1], State.MISSING)]).left == Work(200, 240)


def test_expected_end() -> None:
    two = Estimate(left=Work(3600, 0), running=2, longest=100)
    assert two.end(NOW) == NOW + timedelta(minutes=30)
    assert two._replace(longest=7200).end(NOW) == NOW + timedelta(hours=2)
    assert two._replace(running=0).end(NOW) is None
    assert Estimate(spent=Work(9, 9)).is_finished


seconds = st.floats(0, 1e7)
estimates = st.builds(
    Estimate,
    spent=st.builds(Work, seconds, seconds),
    left=st.builds(Work, seconds, seconds),
    unknown=st.integers(0, 9),
    running=st.integers(0, 9),
    longest=seconds,
)


@given(st.lists(estimates, max_size=5))
def test_total_is_the_sum(several: list[Estimate]) -> None:
    whole = total(several)
    assert whole.left.wall == pytest.approx(sum(one.left.wall for one in several))
    assert whole.spent.cpu == pytest.approx(sum(one.spent.cpu for one in several))
    assert (whole.unknown, whole.running) == (
        sum(one.unknown for one in several),
        sum(one.running for one in several),
    )
    if (end := whole.end(NOW)) is not None:
        assert all((end - NOW).total_seconds() >= one.longest - 1 for one in several)
