"""What may take the place of what is archived, and what never does."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from archives import KEY, add, edit, finished, of_length, refusal, training
from synthetic import small_preset, write_drivers, write_run

from algorithms.studies import cells
from analysis.archive import store
from analysis.archive.manifest import load


def test_what_is_added_together_does_not_replace_each_other(archive: Path, folder: Path, tmp_path: Path):
    longer = finished(tmp_path / "longer", **of_length(2_400))
    message = f"{KEY}: {KEY} is given as well, where run.steps is 1200 instead of 2400; add one of them"
    assert refusal(archive, folder, longer, replace=True) == message
    add(archive, folder)
    assert refusal(archive, folder, longer, replace=True) == message


def test_other_settings_are_refused_and_replaced_on_demand(archive: Path, folder: Path, tmp_path: Path):
    add(archive, folder)
    other = finished(tmp_path / "other", learner={"default": {"gamma": 0.5}})
    message = f"{KEY}: {KEY} is archived, where learner.gamma is 0.99 instead of 0.5; --replace takes the new one"
    assert refusal(archive, other) == message
    (line,) = add(archive, other, replace=True)
    assert f": replaced {KEY} (1,200 steps, seeds 0, hash " in line
    (entry,) = load(archive).runs
    assert entry.description["config"]["learner"]["gamma"] == 0.5
    assert set(pd.read_parquet(archive / "runs.parquet")["hash"]) == {entry.hash}, "the other rows are gone"
    assert not store.read(archive).problems


def test_a_longer_run_replaces_a_shorter_one_on_demand_and_never_the_other_way_round(
    archive: Path, folder: Path, tmp_path: Path
):
    longer = finished(tmp_path / "longer", **of_length(2_400))
    add(archive, folder)
    assert refusal(archive, longer) == (
        f"{KEY}: {KEY} is archived, where run.steps is 1200 instead of 2400; --replace takes the new one"
    )
    add(archive, longer, replace=True)
    assert load(archive).runs[0].description["steps"] == 2_400
    assert "--replace takes" in refusal(archive, folder)
    message = f"{KEY}: {KEY} is archived, where run.steps is 2400 instead of 1200; the new one is shorter"
    assert refusal(archive, folder, replace=True) == message


def cher(folder: Path, worker_return: float, **changes: Any) -> Path:
    """A run folder of CHER whose delta comes from HRL runs."""
    found = {"task": "ant_gather", "label": "hrl", "worker_return": worker_return}
    path = write_run(
        training("cher", **changes).with_worker_return(worker_return), folder / "runs", measured=found
    )
    return path


def transferred(folder: Path, policy: str, steps: int) -> Path:
    """A run folder with the worker of another run."""
    preset = small_preset(studies=["transfer"], tasks=["ant_maze"], algorithms=["hiro"], seeds=[0])
    run = next(run for run in cells(preset) if run.transfer).with_policy(policy)
    run = run.model_copy(update={"run": run.run.model_copy(update={"steps": steps})})
    return write_run(run, folder / "runs", {"hash": "0123", "seeds": [0], "policy": policy})


@pytest.mark.parametrize("kind", ["delta", "worker"])
def test_what_comes_from_other_runs_does_not_let_a_shorter_run_replace_a_longer_one(
    archive: Path, tmp_path: Path, kind: str
):
    first, second = tmp_path / "longer", tmp_path / "shorter"
    if kind == "delta":
        longer, shorter = cher(first, -600.0, **of_length(2_400)), cher(second, -500.0)
    else:
        longer, shorter = transferred(first, "a", 2_400), transferred(second, "b", 1_200)
    add(archive, longer)
    assert refusal(archive, shorter, replace=True).endswith(
        "is archived, where run.steps is 2400 instead of 1200; the new one is shorter"
    )
    shutil.rmtree(archive)
    add(archive, shorter)
    assert "replaced" in add(archive, longer, replace=True)[0]


def test_another_delta_is_another_setting_where_it_is_set(archive: Path, tmp_path: Path):
    fixed = write_run(training("cher", cher={"default": {"delta": -5.0}}), tmp_path / "runs")
    add(archive, cher(tmp_path / "longer", -600.0, **of_length(2_400)))
    assert "replaced" in add(archive, fixed, replace=True)[0]


def test_other_numbers_of_the_same_settings_are_refused(archive: Path, folder: Path):
    add(archive, folder)
    edit(folder / "progress.csv", lambda table: table.assign(critic_q=table["critic_q"] + 1e-9))
    for replace in (False, True):
        message = refusal(archive, folder, replace=replace)
        assert message == f"{KEY}: {KEY} is archived with the same settings and other numbers; it stays as it is"


def test_a_seed_is_archived_once(archive: Path, folder: Path, tmp_path: Path):
    both = finished(tmp_path / "both", seeds=(0, 1))
    longer = finished(tmp_path / "longer", seeds=(0, 1), **of_length(2_400))
    add(archive, folder)
    message = f"ant_gather/hrl/seeds_0-1: {KEY} is archived with the same settings and other numbers"
    for replace in (False, True):  # a group learns other numbers than each of its seeds alone
        assert refusal(archive, both, replace=replace) == f"{message}; it stays as it is"
    assert "--replace takes the new one" in refusal(archive, longer)
    add(archive, longer, replace=True)
    assert [entry.key for entry in load(archive).runs] == ["ant_gather/hrl/seeds_0-1"]
    assert "seed 1 of it would be lost, add all of its seeds" in refusal(archive, folder, replace=True)


def test_a_driver_with_other_settings_is_refused_and_with_more_seeds_taken_on_demand(
    archive: Path, tmp_path: Path
):
    preset = small_preset(drivers=["human"])
    for number, changes in enumerate(
        [{}, {"seeds": [0, 1, 2]}, {"environment": {"tasks": {"ring_road": {"noise": 0.5}}}}]
    ):
        write_drivers(preset | small_preset(drivers=["human"], **changes), tmp_path / str(number))
    first, more, other = (tmp_path / str(number) for number in range(3))
    add(archive, first)
    assert "environment.noise is 0.2 instead of 0.5" in refusal(archive, other)
    assert "seeds is [0, 1] instead of [0, 1, 2]" in refusal(archive, more)
    add(archive, more, replace=True)
    assert "the new one is shorter" not in refusal(archive, other)
    assert load(archive).drivers[0].description["config"]["seeds"] == [0, 1, 2]
