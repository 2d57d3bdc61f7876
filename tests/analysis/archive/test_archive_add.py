from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from archives import KEY, add, describe, edit, files, finished, of_length, refusal, run
from synthetic import small_preset, write_drivers

from algorithms.settings import RunConfig
from analysis.archive import store
from analysis.archive.manifest import load
from envs.strict import parse


def test_a_run_is_added_with_all_that_it_says(archive: Path, folder: Path):
    assert add(archive, folder) == [f"{KEY} (1,200 steps, seeds 0, hash {load(archive).runs[0].hash}): added"]
    (entry,) = load(archive).runs
    assert entry.description == json.loads((folder / "run.json").read_text())
    assert (entry.key, entry.by) == (KEY, "me")
    content = store.read_checked(archive).content(entry)
    for table, file in {"runs": "progress", "evaluations": "evaluations", "timing": "timing"}.items():
        expected = pd.read_csv(folder / f"{file}.csv")
        pd.testing.assert_frame_equal(content[table], expected, check_dtype=False, check_exact=True)
    readable = pd.read_parquet(archive / "runs.parquet")
    assert (readable["task"].unique(), readable["label"].unique()) == (["ant_gather"], ["hrl"])


def test_the_same_run_again_changes_nothing(archive: Path, folder: Path):
    add(archive, folder)
    before = files(archive)
    assert add(archive, folder) == [f"{KEY}: archived already, nothing to do"]
    edit(folder / "timing.csv", lambda table: table.assign(wall_time=table["wall_time"] * 2))
    describe(folder, finished="2027-01-01T00:00:00Z")
    assert add(archive, folder, replace=True) == [f"{KEY}: archived already, nothing to do"]
    assert files(archive) == before


def test_the_same_run_from_two_folders_is_added_once(archive: Path, folder: Path, tmp_path: Path):
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    edit(copy / "timing.csv", lambda table: table.assign(wall_time=table["wall_time"] * 2))
    first, second = add(archive, folder, copy)
    assert (first.rpartition(": ")[2], second) == ("added", f"{KEY}: archived already, nothing to do")
    found = store.read_checked(archive)
    kept = found.content(found.manifest.runs[0])["timing"]["wall_time"]
    assert list(kept) == list(pd.read_csv(folder / "timing.csv")["wall_time"])


def test_a_folder_stands_for_all_runs_and_drivers_below_it(archive: Path, tmp_path: Path):
    for seeds in ((0,), (1,)):
        finished(tmp_path / "results", seeds=seeds)
    write_drivers(small_preset(), tmp_path / "results/drivers")
    assert len(add(archive, tmp_path / "results")) == 2 + 2
    manifest = load(archive)
    assert [entry.key for entry in manifest.runs] == ["ant_gather/hrl/seeds_0", "ant_gather/hrl/seeds_1"]
    assert [entry.key for entry in manifest.drivers] == ["ring_road/human", "ring_road/random"]
    assert set(pd.read_parquet(archive / "drivers.parquet")["driver"]) == {"human", "random"}
    assert len(add(archive, tmp_path / "results")) == 4


def test_copies_of_finished_runs_among_checkpoints_are_passed_over(archive: Path, folder: Path, tmp_path: Path):
    copy = tmp_path / "first/checkpoints" / KEY / "0123/finished"
    shutil.copytree(folder, copy)
    assert len(add(archive, tmp_path / "first")) == 1
    assert refusal(archive, tmp_path / "first/checkpoints").endswith("no finished run or driver (no run.json)")
    assert add(archive, copy) == [f"{KEY}: archived already, nothing to do"]


def test_a_folder_with_several_results_folders_is_refused(archive: Path, tmp_path: Path):
    """As ``results/``, which has those of the other presets below its own."""
    results = tmp_path / "results"
    finished(results)
    finished(results / "quick", "td3")
    assert refusal(archive, results) == (
        f"{results}: there are several results folders in it, {results} and {results / 'quick'}; "
        "name the folders runs and drivers of one"
    )
    assert len(add(archive, results / "runs", results / "quick/runs")) == 2


def test_several_are_added_together_or_not_at_all(archive: Path, folder: Path, tmp_path: Path):
    add(archive, folder)
    good, conflict = finished(tmp_path, "td3"), finished(tmp_path / "x", **of_length(2_400))
    broken = finished(tmp_path, "hiro")
    (broken / "probes.csv").unlink()
    lines = refusal(archive, good, broken, conflict).splitlines()
    assert lines[0] == f"{broken}: ant_gather/hiro/seeds_0: probes.csv is missing in {broken}"
    assert lines[1].startswith(f"{KEY}: {KEY} is archived")
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("file", "change", "reason"),
    [
        ("progress", lambda table: table.iloc[:-1], "step 1,200 is missing from the grid of 6 points"),
        ("timing", lambda table: table.iloc[1:], "step 200 is missing from the grid of 6 points"),
        ("evaluations", lambda table: table.assign(seed=3), "seed 0 is missing"),
        ("proposals", lambda table: table.assign(seed=3), "seed 3 does not belong to this run"),
    ],
)
def test_rows_that_its_settings_do_not_ask_for_are_refused(
    archive: Path, folder: Path, file: str, change: Callable[[pd.DataFrame], pd.DataFrame], reason: str
):
    edit(folder / f"{file}.csv", change)
    message = refusal(archive, folder)
    assert message.startswith(f"{folder}: {KEY}: {file}.csv")
    assert message.endswith(reason)


def test_a_hash_that_is_not_that_of_the_settings_is_refused(archive: Path, folder: Path):
    describe(folder, hash="0123")
    assert "hash 0123 is not that of its config" in refusal(archive, folder)
    (folder / "run.json").write_text("{")
    assert refusal(archive, folder).startswith(f"{folder}: run.json cannot be read")
    (folder / "run.json").unlink()
    assert refusal(archive, folder) == f"{folder}: there is no finished run or driver (no run.json)"


def test_settings_that_the_code_of_today_does_not_know_are_refused_in_one_line(archive: Path, folder: Path):
    config = json.loads((folder / "run.json").read_text())["config"]
    config["environment"] = {"gravity": "none"}
    describe(folder, config=config, hash=parse(RunConfig, config).hash)
    message = refusal(archive, folder)
    assert message.startswith(f"{folder}: ")
    assert "gravity" in message
    assert "\n" not in message


def test_processes_that_add_at_the_same_time_wait_for_each_other(archive: Path, tmp_path: Path):
    folders = [finished(tmp_path, algorithm) for algorithm in ("td3", "hrl")]
    command = [sys.executable, "-m", "analysis.archive", "add", "--archive", str(archive), "--by", "me"]
    started = [subprocess.Popen([*command, str(folder)], stdout=subprocess.PIPE) for folder in folders]
    assert [process.wait(120) for process in started] == [0, 0]
    for process in started:
        process.communicate()
    assert sorted(entry.key.split("/")[1] for entry in load(archive).runs) == ["hrl", "td3"]
    assert not store.read(archive).problems


def test_the_list_names_every_entry(
    archive: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert run(archive, "list") == 2
    assert capsys.readouterr().err == f"archive: there is no archive in {archive}: no manifest.json\n"
    write_drivers(small_preset(drivers=["human"]), tmp_path / "drivers")
    add(archive, folder, tmp_path / "drivers")
    assert run(archive, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    hashed = [load(archive).runs[0].hash, load(archive).drivers[0].hash]
    assert lines[2].split() == [
        "ant_gather",
        "hrl",
        "0",
        "1,200",
        hashed[0],
        "0123456",
        "2026-01-02T03:04:05Z",
        "cpu",
        "me",
    ]
    assert lines[3].split() == ["ring_road", "human", "0-1", "driver", hashed[1], "me"]
    assert lines[4].startswith("1 runs, 1 drivers, ")
