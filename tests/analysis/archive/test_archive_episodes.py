from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from archives import add, files, finished, of_length, run
from synthetic import small_preset, write_drivers, write_runs

from analysis.archive import episodes, plan, store
from analysis.archive.manifest import ArchiveError, load
from analysis.archive.missing import missing


def episode(seed: int, target: str, number: int, **columns: Any) -> pd.DataFrame:
    rows = {"seed": seed, "target": target, "episode": number, "step": range(5), "x": 0.1, "y": 0.2}
    return pd.DataFrame(rows | columns)


def trajectories(results: Path, task: str = "ant_gather", label: str = "hrl", seed: int = 0) -> Path:
    """Five episodes at each of three evaluation points."""
    path = results / f"trajectories/{task}/{label}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = [episode(seed, target, number) for target in "abc" for number in range(5)]
    pd.concat(parts).to_parquet(path, index=False)
    return path


def recording(results: Path, label: str) -> Path:
    path = results / f"recordings/highway/{label}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {"time": 0.2, "vehicle": "v", "position": 1.5, "speed": 2.0, "automated": True}
    table = pd.concat([episode(0, target, 0, **columns) for target in "abc"])
    table.astype({"vehicle": "category", "target": "category"}).to_parquet(path, index=False)
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of one run."""
    add(tmp_path / "archive", finished(tmp_path / "results"))
    return tmp_path / "archive"


def add_episodes(archive: Path, *paths: Path, replace: bool = False) -> list[str]:
    return episodes.add(archive, paths, "me", replace=replace)


def refusal(archive: Path, path: Path) -> str:
    with pytest.raises(ArchiveError) as caught:
        add_episodes(archive, path)
    return str(caught.value)


def test_what_figures_show_is_kept_as_it_is(archive: Path, tmp_path: Path):
    path = trajectories(tmp_path / "results")
    (line,) = add_episodes(archive, path)
    assert line == "trajectories/ant_gather/hrl.parquet: added, 0.00 MB"
    kept, every = pd.read_parquet(archive / load(archive).episodes[0].kept), pd.read_parquet(path)
    assert kept[["target", "episode"]].drop_duplicates().to_numpy().tolist() == [["a", 0], ["b", 0], ["c", 0]]
    pd.testing.assert_frame_equal(kept, every[every["episode"] == 0].reset_index(drop=True))
    assert not store.read(archive).problems
    before = files(archive)
    assert add_episodes(archive, path) == ["trajectories/ant_gather/hrl.parquet: archived already, nothing to do"]
    assert files(archive) == before


def test_others_of_the_same_run_replace_them_on_demand(archive: Path, tmp_path: Path):
    path = trajectories(tmp_path / "results")
    add_episodes(archive, path)
    pd.read_parquet(path).assign(x=5.0).to_parquet(path, index=False)
    assert "--replace takes these" in refusal(archive, path)
    assert ": replaced, " in add_episodes(archive, path, replace=True)[0]
    assert len(load(archive).episodes) == 1
    assert not store.read(archive).problems


@pytest.mark.parametrize("replace", [False, True])
def test_an_interrupted_addition_of_episodes_leaves_the_archive_as_it_was(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
):
    path = trajectories(tmp_path / "results")
    if replace:
        add_episodes(archive, path)
        pd.read_parquet(path).assign(x=5.0).to_parquet(path, index=False)
    before = load(archive)
    with monkeypatch.context() as patch:
        patch.setattr(store, "change", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            add_episodes(archive, path, replace=replace)
    assert store.read_checked(archive).manifest == before
    pd.read_parquet(path).assign(x=6.0).to_parquet(path, index=False)
    add_episodes(archive, path, replace=replace)
    (kept,) = (archive / "trajectories").rglob("*.parquet")
    assert kept == archive / load(archive).episodes[0].kept


def test_they_go_with_the_run_that_they_are_of(archive: Path, tmp_path: Path):
    add_episodes(archive, trajectories(tmp_path / "results"))
    longer = finished(tmp_path / "longer", **of_length(2_400))
    add(archive, longer, replace=True)
    assert load(archive).episodes == []
    assert not [*(archive / "trajectories").rglob("*.parquet")]
    message = refusal(archive, trajectories(tmp_path / "results"))
    assert "ant_gather/hrl/seeds_0 with hash " in message
    assert message.endswith(" is not in the archive; add it first")


def test_files_of_nothing_that_is_known_are_refused(archive: Path, tmp_path: Path):
    message = refusal(archive, trajectories(tmp_path / "results", label="td3"))
    assert message.endswith(f"{tmp_path / 'results'} holds no run or driver that it is of, with seed 0")
    assert "with seed 7" in refusal(archive, trajectories(tmp_path / "results", seed=7))
    (tmp_path / "steps.parquet").write_text("")
    assert "allowed are <results>/{trajectories,recordings}" in refusal(archive, tmp_path / "steps.parquet")
    path = trajectories(tmp_path / "results")
    path.write_text("nothing")
    assert f"{path} cannot be read: " in refusal(archive, path)


def test_a_changed_file_is_refused_by_name(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    add_episodes(archive, trajectories(tmp_path / "results"))
    name = load(archive).episodes[0].kept
    path = archive / name
    path.write_bytes(path.read_bytes() + b" ")
    assert run(archive, "verify") == 1
    assert capsys.readouterr().out == f"{name} has been changed: its checksum is another one\n"
    path.unlink()
    run(archive, "verify")
    assert capsys.readouterr().out == f"{name} is missing\n"


@pytest.mark.parametrize("steps", [1_200, 2_400])
def test_recordings_are_shown_together_where_they_begin_alike(archive: Path, tmp_path: Path, steps: int):
    """The start of an episode depends on the training step: drivers are recorded at the preset's last one."""
    results, highway = tmp_path / "results", {"tasks": ["highway"], "drivers": ["human"]}
    length = {"run": {"tasks": {"highway": {"steps": steps}}}}
    cher = small_preset(**highway, algorithms=["cher"], cher={"default": {"delta": -5.0}}, seeds=[0], **length)
    write_runs(cher, results / "runs")
    write_drivers(small_preset(**highway, run={"tasks": {"highway": {"steps": 1_200}}}), results / "drivers")
    add(archive, results / "runs/highway", results / "drivers")
    add_episodes(archive, recording(results, "cher"), recording(results, "driver_human"))
    first = load(archive).episodes[0]
    assert (first.path, first.key) == ("recordings/highway/cher.parquet", "highway/cher/seeds_0")
    assert set(pd.read_parquet(archive / first.kept)["target"]) == {"b"}, "the middle one"
    found = plan.make(cher, load(archive))
    shown = [file.path for file in plan.shown_episodes(found, "figure_10")]
    both = ["recordings/highway/cher.parquet", "recordings/highway/driver_human.parquet"]
    assert shown == (both if steps == 1_200 else both[:1])
    lacking = "incomplete: figure_10; without the episodes recordings/highway/driver_human.parquet"
    assert (lacking in missing(found)) == (steps != 1_200)
