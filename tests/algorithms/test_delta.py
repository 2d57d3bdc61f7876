"""Where delta comes from: the runs it depends on, and the file that sets it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithms.config import ConfigError, cells, load_preset, merge, resolve
from algorithms.delta import complete, dependent_tasks, hrl_runs, is_return, read, trainings

PAPER = load_preset("paper")
CHER = resolve(PAPER, "ant_gather", "cher", seeds=[0])


def preset(**changes: Any) -> dict[str, Any]:
    return merge(PAPER, changes)


def write(path: Path, **content: Any) -> Path:
    path.write_text(json.dumps({"task": "ant_gather", "worker_return": -600.0} | content))
    return path


def test_paper_trains_nothing_twice():
    assert trainings(PAPER) == cells(PAPER)
    assert dependent_tasks(PAPER) == PAPER["tasks"]


def test_cher_alone_brings_the_hrl_runs_of_its_tasks_and_seeds():
    alone = preset(algorithms=["cher"], tasks=["ring_road"], seeds=[0, 1, 5], seeds_per_job=2)
    planned = Counter((run.label, run.task, tuple(run.seeds)) for run in trainings(alone))
    assert planned == Counter((label, "ring_road", seeds) for label in ("cher", "hrl") for seeds in ((0, 1), (5,)))
    assert [run.key for run in hrl_runs(alone, "ring_road")] == [
        "ring_road/hrl/seeds_0-1",
        "ring_road/hrl/seeds_5",
    ]


@pytest.mark.parametrize(
    "changes",
    [{"algorithms": ["td3", "cher_fixed"]}, {"algorithms": ["cher"], "cher": {"default": {"delta": -150.0}}}],
)
def test_nothing_is_added_where_no_delta_is_open(changes: dict[str, Any]):
    values = preset(**changes)
    assert trainings(values) == cells(values)
    assert dependent_tasks(values) == []


def test_delta_of_one_task_alone_can_be_given():
    values = preset(algorithms=["cher"], cher={"tasks": {"ring_road": {"delta": -5.0}}})
    assert dependent_tasks(values) == [task for task in PAPER["tasks"] if task != "ring_road"]


def test_delta_is_the_papers_share(tmp_path: Path):
    """E.1 and section 5.4: a quarter of -600 on Ant Gather."""
    run, content = complete(CHER, write(tmp_path / "a.json", runs=[]))
    assert run.cher is not None
    assert run.cher.delta == -150
    assert not run.needs_worker_return
    assert content == {"task": "ant_gather", "worker_return": -600.0, "runs": []}
    ring = resolve(PAPER, "ring_road", "cher", seeds=[0])
    completed, _ = complete(ring, write(tmp_path / "b.json", task="ring_road"))
    assert completed.cher is not None
    assert completed.cher.delta == -450


@given(st.floats(max_value=-1e-3, min_value=-1e6), st.floats(max_value=-1e-3, min_value=-1e6))
def test_runs_of_different_worker_returns_never_share_a_hash(one: float, other: float):
    runs = [CHER.with_worker_return(value) for value in (one, other)]
    assert (runs[0].hash == runs[1].hash) == (0.25 * one == 0.25 * other)
    assert CHER.hash not in {run.hash for run in runs}


def test_a_run_that_needs_the_file_names_both_ways_out():
    expected = (
        "cher.delta is not set for cher on ant_gather; give --worker-return FILE, made by "
        "`python -m analysis.worker_return`, or --set cher.delta=VALUE"
    )
    with pytest.raises(ConfigError) as caught:
        complete(CHER, None)
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("algorithm", "changes", "reason"),
    [
        ("hrl", {}, "for hrl on ant_gather: it has no cher.delta"),
        ("cher_fixed", {}, "for cher_fixed on ant_gather: it has no cher.delta"),
        ("cher", {"cher": {"delta": -3.0}}, r"for cher on ant_gather: its cher.delta is -3\.0"),
    ],
)
def test_a_run_that_does_not_need_the_file_refuses_it(
    tmp_path: Path, algorithm: str, changes: dict[str, Any], reason: str
):
    run = resolve(PAPER, "ant_gather", algorithm, seeds=[0], overrides=changes)
    assert complete(run, None) == (run, None)
    with pytest.raises(ConfigError, match=f"^--worker-return is not allowed {reason}$"):
        complete(run, write(tmp_path / "a.json"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read: "),
        ("", "cannot be read: "),
        ("[1]", "is not a JSON object"),
        ("{}", "is that of task 'None'; it must be 'ant_gather'"),
        ('{"task": "ring_road", "worker_return": -1}', "is that of task 'ring_road'; it must be 'ant_gather'"),
        ('{"task": "ant_gather"}', "has worker_return = None; it must be finite and negative"),
        ('{"task": "ant_gather", "worker_return": 0.0}', "has worker_return = 0.0; it must be"),
        ('{"task": "ant_gather", "worker_return": 12}', "has worker_return = 12; it must be"),
        ('{"task": "ant_gather", "worker_return": NaN}', "has worker_return = nan; it must be"),
        ('{"task": "ant_gather", "worker_return": -Infinity}', "has worker_return = -inf; it must be"),
        ('{"task": "ant_gather", "worker_return": "-3"}', "has worker_return = '-3'; it must be"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path: Path, text: str, message: str):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ConfigError) as caught:
        read(tmp_path / "a.json", "ant_gather")
    assert str(caught.value).startswith(f"worker return {tmp_path / 'a.json'} {message}")
    assert "\n" not in str(caught.value)


def test_a_missing_file_names_the_command_that_makes_it(tmp_path: Path):
    with pytest.raises(
        ConfigError, match=r"not found; `python -m analysis\.worker_return --task ant_gather` makes"
    ):
        read(tmp_path / "a.json", "ant_gather")
    with pytest.raises(ConfigError, match=r"cannot be read: .*directory"):
        read(tmp_path, "ant_gather")


def test_truth_values_are_no_numbers():
    assert is_return(-1)
    assert not is_return(True)
    assert not is_return(False)


def test_no_share_is_no_delta():
    with pytest.raises(ConfigError, match=r"cher.delta_share = 0 is not allowed; it must be greater than 0"):
        resolve(PAPER, "ant_gather", "cher", seeds=[0], overrides={"cher": {"delta_share": 0}})
