"""What a training is in, from made-up results folders."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from progress_trees import (
    DELTA,
    describe,
    finish,
    finish_run,
    report,
    runs_of,
    seen,
    state_of,
    transfer_preset,
    tree_preset,
)
from synthetic import write_worker_return

from algorithms.settings import RunConfig
from algorithms.status import SILENCE
from algorithms.studies import lineage
from analysis.progress.training import State

PRESET = tree_preset()
HRL = runs_of(PRESET, "ant_gather", "hrl")
CHER = runs_of(PRESET, "ant_gather", "cher")
OTHER = tree_preset(learner={"default": {"tau": 0.25}})


def returns(results: Path) -> Path:
    return results / "tables/worker_return"


def log(results: Path, run: RunConfig, text: str) -> Path:
    path = results / f"logs/train/{run.key}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# ---- done, missing, waiting -----------------------------------------------------------------------------------


def test_nothing_is_there(tmp_path: Path) -> None:
    found = seen(PRESET, tmp_path / "not there")
    assert [found[run.key].state for run in HRL] == [State.MISSING] * 2
    assert [found[run.key].state for run in CHER] == [State.WAITING] * 2
    assert found[CHER[0].key].why == "for J_HRL (hrl 0/2)"
    assert not (tmp_path / "not there").exists()


def test_everything_is_done(tmp_path: Path) -> None:
    finish(PRESET, tmp_path)
    assert {training.state for training in seen(PRESET, tmp_path).values()} == {State.DONE}


def test_nothing_is_written(tmp_path: Path) -> None:
    finish(PRESET, tmp_path)
    report(tmp_path, HRL[0])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    seen(PRESET, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_worker_return_has_still_to_be_measured(tmp_path: Path) -> None:
    for run in HRL:
        finish_run(run, tmp_path)
    assert state_of(PRESET, tmp_path, CHER[0]) == (State.WAITING, "for J_HRL (to be measured)")
    write_worker_return(returns(tmp_path), "ant_gather", DELTA)
    assert state_of(PRESET, tmp_path, CHER[0]) == (State.MISSING, "")


def test_training_waits_although_a_worker_return_is_left_from_runs_that_are_gone(tmp_path: Path) -> None:
    finish_run(HRL[0], tmp_path)
    write_worker_return(returns(tmp_path), "ant_gather", DELTA)
    assert state_of(PRESET, tmp_path, CHER[1]) == (State.WAITING, "for J_HRL (hrl 1/2)")


def test_failure_of_what_it_waits_for_is_said(tmp_path: Path) -> None:
    report(tmp_path, HRL[0], state="failed", reason="it broke")
    assert state_of(PRESET, tmp_path, CHER[0]) == (State.WAITING, "for J_HRL (hrl 0/2, 1 failed)")


def test_dependant_waits_for_the_worker_of_its_source(tmp_path: Path) -> None:
    preset = transfer_preset()
    (run,), (source,) = (
        runs_of(preset, "ant_maze", "hrl-worker_hrl"),
        runs_of(preset, "ant_gather", "hrl-transfer"),
    )
    assert state_of(preset, tmp_path, run) == (State.WAITING, "for worker of ant_gather/hrl-transfer (missing)")
    finish_run(source, tmp_path)
    assert state_of(preset, tmp_path, run) == (State.MISSING, "")


def test_run_folder_without_all_of_its_files_is_not_done(tmp_path: Path) -> None:
    folder = finish_run(HRL[0], tmp_path)
    (folder / "policy.pt").unlink()
    assert state_of(PRESET, tmp_path, HRL[0]) == (State.MISSING, "policy.pt is gone")


def test_files_that_are_kept_come_back(tmp_path: Path) -> None:
    folder = finish_run(HRL[0], tmp_path)
    kept = tmp_path / "checkpoints" / HRL[0].key / HRL[0].hash / "finished"
    kept.parent.mkdir(parents=True)
    folder.rename(kept)
    assert state_of(PRESET, tmp_path, HRL[0]) == (State.DONE, "its files come back without training")
    (kept / "probes.csv").unlink()
    assert state_of(PRESET, tmp_path, HRL[0])[0] is State.MISSING


# ---- stale ----------------------------------------------------------------------------------------------------


def test_run_of_other_settings_is_stale(tmp_path: Path) -> None:
    finish(PRESET, tmp_path)
    found = seen(OTHER, tmp_path)
    wanted = "learner.tau is 0.005, the preset asks for 0.25"
    assert (found[HRL[0].key].state, found[HRL[0].key].why) == (State.STALE, wanted)
    assert (found[CHER[0].key].state, found[CHER[0].key].why) == (State.STALE, wanted)


def test_what_a_training_says_goes_before_a_run_folder_of_other_settings(tmp_path: Path) -> None:
    """A longer training where a shorter one has finished."""
    finish(PRESET, tmp_path)
    (longer,) = runs_of(OTHER, "ant_gather", "hrl")[:1]
    report(tmp_path, longer, state="failed", reason="out of luck")
    assert state_of(OTHER, tmp_path, longer) == (State.FAILED, "out of luck")


def test_settings_that_decide_no_number_make_nothing_stale(tmp_path: Path) -> None:
    finish(PRESET, tmp_path)
    often = tree_preset(run={"default": {"checkpoint_every": 7}})
    assert {training.state for training in seen(often, tmp_path).values()} == {State.DONE}


def test_delta_that_no_longer_agrees_is_stale(tmp_path: Path) -> None:
    finish(PRESET, tmp_path)
    write_worker_return(returns(tmp_path), "ant_gather", 2 * DELTA)
    assert CHER[0].cher
    share = CHER[0].cher.delta_share
    why = f"delta is {share * DELTA:.5g}, by J_HRL it is {2 * share * DELTA:.5g} now"
    assert state_of(PRESET, tmp_path, CHER[0]) == (State.STALE, why)
    assert state_of(PRESET, tmp_path, HRL[0])[0] is State.DONE


def test_finished_run_stays_done_while_j_hrl_is_measured_again(tmp_path: Path) -> None:
    finish(PRESET, tmp_path)
    describe(tmp_path / "runs" / CHER[0].key, lineage=lineage(PRESET, CHER[0]))
    (returns(tmp_path) / "ant_gather/hrl.json").unlink()
    assert state_of(PRESET, tmp_path, CHER[0])[0] is State.DONE
    describe(tmp_path / "runs" / CHER[0].key, lineage="another")
    why = "delta of hrl with other settings"
    assert state_of(PRESET, tmp_path, CHER[0]) == (State.STALE, why)
    describe(tmp_path / "runs" / CHER[0].key, worker_return={"runs": [{"key": HRL[0].key}]})
    assert state_of(PRESET, tmp_path, CHER[0]) == (State.STALE, "delta of other hrl runs")


def test_j_hrl_of_other_runs_counts_as_none(tmp_path: Path) -> None:
    for run in HRL:
        finish_run(run, tmp_path)
    path = returns(tmp_path) / "ant_gather/hrl.json"
    write_worker_return(returns(tmp_path), "ant_gather", DELTA)
    content = json.loads(path.read_text())
    for hashes, state in (([run.hash for run in HRL], State.MISSING), (["another"] * 2, State.WAITING)):
        used = [{"key": run.key, "hash": name} for run, name in zip(HRL, hashes, strict=True)]
        path.write_text(json.dumps(content | {"runs": used}))
        assert state_of(PRESET, tmp_path, CHER[0])[0] is state


def transferred(results: Path, **source_says: Any) -> tuple[dict[str, Any], RunConfig, Path, Path]:
    """A preset, its run that took over a worker, the folder of that run and of its source."""
    preset = transfer_preset()
    (run,) = runs_of(preset, "ant_maze", "hrl-worker_hrl")
    (source,) = runs_of(preset, "ant_gather", "hrl-transfer")
    taken_from = finish_run(source, results, **source_says)
    taken = {"hash": source.hash, "policy": "first"}
    folder = finish_run(run.with_policy("first"), results, source=taken, lineage=lineage(preset, run))
    assert state_of(preset, results, run) == (State.DONE, "")
    return preset, run, folder, taken_from


ANOTHER_WORKER = (State.STALE, "the worker of ant_gather/hrl-transfer/seeds_0 is another one now")


def test_worker_with_other_numbers_makes_its_dependants_stale(tmp_path: Path) -> None:
    preset, run, _, source = transferred(tmp_path, policy="first")
    describe(source, policy="second")
    assert state_of(preset, tmp_path, run) == ANOTHER_WORKER


def test_worker_whose_run_does_not_say_which_networks_it_has(tmp_path: Path) -> None:
    preset, run, folder, _ = transferred(tmp_path)
    describe(folder, source={"hash": "another", "policy": "first"})
    assert state_of(preset, tmp_path, run) == ANOTHER_WORKER


def test_source_has_other_settings(tmp_path: Path) -> None:
    preset, run, folder, source = transferred(tmp_path)
    describe(folder, lineage="another")
    (source / "run.json").unlink()
    assert state_of(preset, tmp_path, run) == (
        State.STALE,
        "worker of hrl-transfer with other settings",
    )


# ---- running, interrupted, failed -----------------------------------------------------------------------------


def test_running_beats_what_its_run_folder_holds(tmp_path: Path) -> None:
    finish(OTHER, tmp_path)
    report(tmp_path, HRL[0])
    training = seen(PRESET, tmp_path)[HRL[0].key]
    assert (training.state, training.step) == (State.RUNNING, 600)
    assert seen(PRESET, tmp_path)[HRL[1].key].state is State.STALE


def test_running_on_j_hrl_that_is_measured_again(tmp_path: Path) -> None:
    report(tmp_path, CHER[0], identity="with_its_delta", lineage=lineage(PRESET, CHER[0]))
    assert state_of(PRESET, tmp_path, CHER[0])[0] is State.RUNNING


def test_training_of_other_settings_is_not_this_one(tmp_path: Path) -> None:
    report(tmp_path, HRL[0], identity="another")
    assert state_of(PRESET, tmp_path, HRL[0]) == (State.MISSING, "it is being trained with other settings")


def test_process_that_is_another_one_by_now(tmp_path: Path) -> None:
    report(tmp_path, HRL[0], process_began=1.0)
    training = seen(PRESET, tmp_path)[HRL[0].key]
    assert (training.state, training.why, training.step) == (State.INTERRUPTED, "killed", 400)
    report(tmp_path, HRL[0], process_began=1.0, saved=None)
    assert state_of(PRESET, tmp_path, HRL[0]) == (State.INTERRUPTED, "killed before its first checkpoint")


@pytest.mark.parametrize("elsewhere", [{"host": "node7"}, {"processes": "an earlier one"}])
def test_other_machines_are_known_by_their_silence(tmp_path: Path, elsewhere: dict[str, Any]) -> None:
    report(tmp_path, HRL[0], ago=SILENCE - 60, pid=1, **elsewhere)
    assert state_of(PRESET, tmp_path, HRL[0])[0] is State.RUNNING
    report(tmp_path, HRL[0], ago=7200, pid=1, **{"host": "node7"} | elsewhere)
    state, why = state_of(PRESET, tmp_path, HRL[0])
    assert (state, why) == (State.INTERRUPTED, "silent on node7 for 2.0 h")


def test_checkpoint_of_an_earlier_version_that_wrote_no_status(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints" / HRL[0].key / HRL[0].hash
    folder.mkdir(parents=True)
    (folder / "checkpoint.pt").write_bytes(b"")
    assert state_of(PRESET, tmp_path, HRL[0]) == (State.INTERRUPTED, "has a checkpoint")


def test_failure_says_its_reason(tmp_path: Path) -> None:
    report(tmp_path, HRL[0], state="failed", reason=f"{HRL[0].key}, after step 276: the simulation broke down")
    assert state_of(PRESET, tmp_path, HRL[0]) == (State.FAILED, "after step 276: the simulation broke down")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("error: device 'cuda' is not available\n\n", "device 'cuda' is not available"),
        ("Traceback (most recent call last):\n  File ...\nModuleNotFoundError: No module named 'x'\n", None),
        ("ant_gather/hrl/seeds_0: step 400 of 1,200, 9 steps/s, 00:02:00 left, return 0\n", ""),
        ("", ""),
    ],
)
def test_failure_before_the_first_report_is_in_the_log(tmp_path: Path, text: str, why: str | None) -> None:
    log(tmp_path, HRL[0], text)
    wanted = "ModuleNotFoundError: No module named 'x'" if why is None else why
    assert state_of(PRESET, tmp_path, HRL[0]) == (State.FAILED if wanted else State.MISSING, wanted)


def test_failure_with_other_settings_is_not_this_one(tmp_path: Path) -> None:
    log(tmp_path, HRL[0], "error: it broke\n")
    path = report(tmp_path, HRL[0], identity="another", state="failed", reason="it broke")
    os.utime(path, (1, 1))
    assert state_of(PRESET, tmp_path, HRL[0])[0] is State.MISSING


def test_resumed_after_a_failure(tmp_path: Path) -> None:
    log(tmp_path, HRL[0], "error: no space left\n")
    path = report(tmp_path, HRL[0], state="interrupted")
    assert state_of(PRESET, tmp_path, HRL[0]) == (State.INTERRUPTED, "stopped by a signal")
    os.utime(path, (1, 1))
    assert state_of(PRESET, tmp_path, HRL[0]) == (State.FAILED, "no space left")


# ---- files that are being written -----------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["", '{"hash": "3', "[]", "null", "\x00\xff"])
def test_half_a_file_is_no_file(tmp_path: Path, content: str) -> None:
    folder, path = finish_run(HRL[0], tmp_path), report(tmp_path, HRL[1])
    (folder / "run.json").write_text(content)
    path.write_text(content)
    (returns(tmp_path) / "ant_gather").mkdir(parents=True)
    (returns(tmp_path) / "ant_gather/hrl.json").write_text(content)
    found = seen(PRESET, tmp_path)
    assert [found[run.key].state for run in HRL] == [State.MISSING] * 2
    assert found[CHER[0].key].state is State.WAITING


@pytest.mark.parametrize("content", ["", "seed,step\n", "seed,step,wall_time\n0,1200,3.0,", "wall_time\nmany\n"])
def test_timing_that_cannot_be_read_is_not_known(tmp_path: Path, content: str) -> None:
    folder = finish_run(HRL[0], tmp_path)
    (folder / "timing.csv").write_text(content)
    training = seen(PRESET, tmp_path)[HRL[0].key]
    assert (training.state, training.usage) == (State.DONE, {})


# ---- groups ---------------------------------------------------------------------------------------------------


def test_groups_are_trainings_of_several_seeds(tmp_path: Path) -> None:
    grouped = tree_preset(seeds=[0, 1, 2], seeds_per_job=2)
    finish_run(runs_of(grouped, "ant_gather", "hrl")[0], tmp_path)
    found = seen(grouped, tmp_path)
    assert found["ant_gather/hrl/seeds_0-1"].state is State.DONE
    assert found["ant_gather/hrl/seeds_2"].state is State.MISSING
    assert found["ant_gather/cher/seeds_0-1"].why == "for J_HRL (hrl 2/3)"
