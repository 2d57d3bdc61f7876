"""Where delta comes from: the runs it depends on, and the file that sets it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithms.config import ConfigError, load_preset, resolve
from algorithms.delta import complete, is_return, read

PAPER = load_preset("paper")
CHER = resolve(PAPER, "ant_gather", "cher", seeds=[0])


def write(path: Path, **content: Any) -> Path:
    path.write_text(json.dumps({"task": "ant_gather", "label": "hrl", "worker_return": -600.0} | content))
    return path


def test_delta_is_the_papers_share(tmp_path: Path):
    """E.1 and section 5.4: a quarter of -600 on Ant Gather."""
    run, content = complete(CHER, write(tmp_path / "a.json", runs=[]))
    assert run.cher is not None
    assert run.cher.delta == -150
    assert not run.needs_worker_return
    assert content == {"task": "ant_gather", "label": "hrl", "worker_return": -600.0, "runs": []}
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
        ('{"task": "ant_gather", "worker_return": -1}', "is that of None runs; it must be of hrl"),
        (
            '{"task": "ant_gather", "label": "hrl-transfer", "worker_return": -1}',
            "is that of hrl-transfer runs; it must be of hrl",
        ),
        ('{"task": "ant_gather", "label": "hrl"}', "has worker_return = None; it must be finite and negative"),
        ('{"task": "ant_gather", "label": "hrl", "worker_return": 0.0}', "has worker_return = 0.0; it must be"),
        ('{"task": "ant_gather", "label": "hrl", "worker_return": 12}', "has worker_return = 12; it must be"),
        ('{"task": "ant_gather", "label": "hrl", "worker_return": NaN}', "has worker_return = nan; it must be"),
        (
            '{"task": "ant_gather", "label": "hrl", "worker_return": -Infinity}',
            "has worker_return = -inf; it must be",
        ),
        ('{"task": "ant_gather", "label": "hrl", "worker_return": "-3"}', "has worker_return = '-3'; it must be"),
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


def test_the_command_names_the_variant(tmp_path: Path):
    command = "python -m analysis.worker_return --task ant_maze --variant worker_hrl"
    with pytest.raises(ConfigError, match=f"not found; `{re.escape(command)}` makes it$"):
        read(tmp_path / "a.json", "ant_maze", "hrl-worker_hrl")


def test_a_run_takes_the_file_of_its_label_alone(tmp_path: Path):
    """Workers that see other observations reach other returns."""
    run = resolve(PAPER, "ant_gather", "cher", seeds=[0], variant="transfer")
    of_variant = write(tmp_path / "a.json", label="hrl-transfer", worker_return=-80.0)
    completed, _ = complete(run, of_variant, "hrl-transfer")
    assert completed.cher is not None
    assert completed.cher.delta == -20
    with pytest.raises(ConfigError, match=r"is that of hrl runs; it must be of hrl-transfer$"):
        complete(run, write(tmp_path / "b.json"), "hrl-transfer")
    with pytest.raises(ConfigError, match=r"is that of hrl-transfer runs; it must be of hrl$"):
        complete(CHER, of_variant)


def test_truth_values_are_no_numbers():
    assert is_return(-1)
    assert not is_return(True)
    assert not is_return(False)


def test_no_return_at_all_can_be_asked_for_and_no_positive_one():
    """A delta of 0 is a cooperation ratio of 1 (Figure 7i)."""
    run = resolve(PAPER, "ant_gather", "cher", seeds=[0], overrides={"cher": {"delta": 0}})
    assert run.cher is not None
    assert run.cher.delta == 0
    assert not run.needs_worker_return
    with pytest.raises(ConfigError, match=r"cher.delta = 0.5 is not allowed; it must be less than or equal to 0$"):
        resolve(PAPER, "ant_gather", "cher", seeds=[0], overrides={"cher": {"delta": 0.5}})


def test_no_share_is_no_delta():
    with pytest.raises(ConfigError, match=r"cher.delta_share = 0 is not allowed; it must be greater than 0"):
        resolve(PAPER, "ant_gather", "cher", seeds=[0], overrides={"cher": {"delta_share": 0}})
