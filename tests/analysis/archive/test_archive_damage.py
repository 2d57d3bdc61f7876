"""Archives that were changed, that lack something, or whose change was interrupted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from archives import KEY, add, edit, files, finished, of_length, refusal, run

from analysis.archive import store
from analysis.archive.manifest import ArchiveError, load


@pytest.mark.parametrize("replace", [False, True])
def test_an_interrupted_addition_leaves_the_archive_as_it_was(
    archive: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
):
    add(archive, folder)
    changes = of_length(2_400) if replace else {"task": "ring_road"}
    other = finished(tmp_path / "other", **changes)
    with monkeypatch.context() as patch:
        patch.setattr(store, "to_text", lambda manifest: (_ for _ in ()).throw(KeyboardInterrupt))
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
