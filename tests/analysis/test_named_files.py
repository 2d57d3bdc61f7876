"""Files on a command line that are named by task and label."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis import named_files


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "b=c.parquet"):
        (tmp_path / name).touch()


def test_files_keep_their_order() -> None:
    files = named_files.parse(["ring_road/hrl=b=c.parquet", "ant_maze/cher-transfer=a"])
    assert list(files.items()) == [
        (("ring_road", "hrl"), Path("b=c.parquet")),
        (("ant_maze", "cher-transfer"), Path("a")),
    ]
    assert named_files.parse([]) == {}


@pytest.mark.parametrize("argument", ["a.csv", "hrl=a.csv", "ring_road/=a.csv", "/hrl=a.csv", "ring_road/hrl="])
def test_other_forms_are_refused(argument: str) -> None:
    with pytest.raises(ValueError, match=f"^'{argument}' names no file of a run; allowed: TASK/LABEL=FILE$"):
        named_files.parse([argument])


def test_other_tasks_and_second_files_are_refused() -> None:
    with pytest.raises(ValueError, match="'highway/hrl=a' is of another task; allowed: ring_road"):
        named_files.parse(["highway/hrl=a"], tasks=["ring_road"])
    with pytest.raises(ValueError, match="'ring_road/hrl=b' is a second file of ring_road/hrl; each run has one"):
        named_files.parse(["ring_road/hrl=a", "ring_road/hrl=b"])


def test_files_that_are_not_there_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^'ring_road/hrl=c' names a file that is not there$"):
        named_files.parse(["ring_road/hrl=c"])
