from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from archives import KEY, add, describe, edit, files, finished, of_length, run
from synthetic import small_preset, write_drivers

from analysis.archive import store
from analysis.archive.manifest import ArchiveError, load


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished run of HRL, seed 0, 1,200 steps."""
    return finished(tmp_path / "first")


def refusal(archive: Path, *folders: Path, replace: bool = False) -> str:
    before = files(archive)
    with pytest.raises(ArchiveError) as caught:
        add(archive, *folders, replace=replace)
    assert {name: content for name, content in files(archive).items() if name != ".lock"} == {
        name: content for name, content in before.items() if name != ".lock"
    }
    return str(caught.value)


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


def test_other_numbers_of_the_same_settings_are_refused(archive: Path, folder: Path):
    add(archive, folder)
    edit(folder / "progress.csv", lambda table: table.assign(critic_q=table["critic_q"] + 1e-9))
    for replace in (False, True):
        message = refusal(archive, folder, replace=replace)
        assert message == f"{KEY}: archived with the same settings and other numbers; it stays as it is"


def test_a_seed_is_archived_once(archive: Path, folder: Path, tmp_path: Path):
    both = finished(tmp_path / "both", seeds=(0, 1))
    add(archive, folder)
    assert "--replace takes the new one" in refusal(archive, both)
    add(archive, both, replace=True)
    assert [entry.key for entry in load(archive).runs] == ["ant_gather/hrl/seeds_0-1"]
    assert "seed 1 of it would be lost, add all of its seeds" in refusal(archive, folder, replace=True)


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


def test_processes_that_add_at_the_same_time_wait_for_each_other(archive: Path, tmp_path: Path):
    folders = [finished(tmp_path, algorithm) for algorithm in ("td3", "hrl", "hiro")]
    command = [sys.executable, "-m", "analysis.archive", "add", "--archive", str(archive), "--by", "me"]
    started = [subprocess.Popen([*command, str(folder)], stdout=subprocess.PIPE) for folder in folders]
    assert [process.wait(120) for process in started] == [0, 0, 0]
    for process in started:
        process.communicate()
    assert sorted(entry.key.split("/")[1] for entry in load(archive).runs) == ["hiro", "hrl", "td3"]
    assert not store.read(archive).problems


@pytest.mark.parametrize("replace", [False, True])
def test_an_interrupted_addition_leaves_the_archive_as_it_was(
    archive: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
):
    add(archive, folder)
    changes = of_length(2_400) if replace else {"task": "ring_road"}
    other = finished(tmp_path / "other", **changes)
    with monkeypatch.context() as patch:
        patch.setattr(store, "_in_one_move", lambda path, text: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            add(archive, other, replace=replace)
    found = store.read_checked(archive)
    assert [entry.key for entry in found.manifest.runs] == [KEY]
    assert found.left > 0
    add(archive, other, replace=replace)
    assert store.read_checked(archive).left == 0


def planted(archive: Path, name: str = "runs.parquet", column: str = "critic_q") -> None:
    """Change one number of the second run."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[table.index[-1], column] += 1e-6
        return table

    edit(archive / name, change)


def test_a_changed_number_is_refused_by_name(
    archive: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    add(archive, folder, finished(tmp_path, "td3"))
    assert run(archive, "verify") == 0
    assert "2 runs, 0 drivers, 0 files of episodes, " in capsys.readouterr().out
    planted(archive)
    assert run(archive, "verify") == 1
    name = "runs.parquet: the rows of ant_gather/td3/seeds_0 have been changed: their checksum is another one"
    assert capsys.readouterr().out == f"{name}\n"
    assert run(archive, "add", finished(tmp_path, "hiro")) == 2
    assert run(archive, "tables", "--preset", "smoke", "--out", tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert said.count(f"archive: archive {archive}: {name}; restore it, for example from git\n") == 2
    assert not (tmp_path / "out").exists()


def test_lost_rows_and_a_changed_description_are_refused_by_name(archive: Path, folder: Path):
    add(archive, folder)
    kept = tuple(files(archive).items())
    edit(archive / "timing.parquet", lambda table: table.iloc[:-1])
    with pytest.raises(ArchiveError, match=r"timing.parquet: ant_gather/hrl/seeds_0 has 5 rows instead of 6"):
        store.read_checked(archive)
    (archive / "timing.parquet").write_bytes(dict(kept)["timing.parquet"])
    edit(archive / "timing.parquet", lambda table: table.drop(columns="wall_time"))
    with pytest.raises(ArchiveError, match=r"timing.parquet: ant_gather/hrl/seeds_0: column .*wall_time"):
        store.read_checked(archive)
    (archive / "timing.parquet").unlink()
    with pytest.raises(ArchiveError, match=r"timing.parquet is missing"):
        store.read_checked(archive)
    text = (archive / "manifest.json").read_text()
    (archive / "manifest.json").write_text(text.replace('"wall_time": 12.5', '"wall_time": 1.5'))
    with pytest.raises(
        ArchiveError, match=r"manifest.json: the description of ant_gather/hrl/seeds_0 has been changed"
    ):
        load(archive)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"format": 2, "columns": {}, "runs": [], "drivers": [], "episodes": []}']
)
def test_a_damaged_manifest_is_refused_in_one_line(archive: Path, text: str, capsys: pytest.CaptureFixture[str]):
    archive.mkdir()
    (archive / "manifest.json").write_text(text)
    assert run(archive, "list") == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_rows_without_a_manifest_are_not_overwritten(archive: Path, folder: Path):
    add(archive, folder)
    (archive / "manifest.json").unlink()
    assert "it is no archive; choose another folder" in refusal(archive, folder)
    shutil.rmtree(archive)
    assert len(add(archive, folder)) == 1


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
