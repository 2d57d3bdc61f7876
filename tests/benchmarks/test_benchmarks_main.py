from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks import goals


def fake(name: str, log: list[str]) -> Any:
    """A section that measures how often it has been measured."""

    def measure() -> dict[str, Any]:
        log.append(name)
        return {"times": log.count(name)}

    return SimpleNamespace(
        TITLE=name.title(),
        measure=measure,
        report=lambda result: f"{name} was measured {result['times']} x",
        goals_of=lambda result: [goals.judge(f"{name} is measured once", result["times"], 1)],
    )


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    log: list[str] = []
    monkeypatch.setattr(command, "SECTIONS", {name: fake(name, log) for name in ("first", "second")})
    return log


def test_everything_is_measured_and_reported(log: list[str], tmp_path: Path):
    assert command.main(["--out", str(tmp_path / "new")]) == 0
    assert log == ["first", "second"]
    found = json.loads((tmp_path / "new/benchmarks.json").read_text())
    assert list(found["sections"]) == ["first", "second"]
    assert found["sections"]["first"]["machine"]["versions"]["torch"]
    assert "second was measured 1 x" in (tmp_path / "new/benchmarks.md").read_text()


def test_a_part_is_renewed_and_the_rest_kept(log: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    command.main(["--out", str(tmp_path)])
    assert command.main(["--out", str(tmp_path), "--only", "first"]) == 0  # although a goal is missed
    assert log == ["first", "second", "first"]
    text = (tmp_path / "benchmarks.md").read_text()
    assert "first was measured 2 x" in text
    assert "second was measured 1 x" in text
    assert "| first is measured once | 2.000 x | <= 1.000 x | **missed** |" in text
    assert "| second is measured once | 1.000 x | <= 1.000 x | met |" in text
    assert text in capsys.readouterr().out


def test_a_section_that_no_longer_exists_is_dropped(log: list[str], tmp_path: Path):
    (tmp_path / "benchmarks.json").write_text('{"sections": {"old": {}}}')
    command.main(["--out", str(tmp_path), "--only", "second"])
    assert list(json.loads((tmp_path / "benchmarks.json").read_text())["sections"]) == ["second"]


def test_an_unknown_section_is_refused(log: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stop:
        command.main(["--only", "first,third"])
    assert stop.value.code == 2
    assert "section 'third' is not known; allowed: first, second" in capsys.readouterr().err
    assert log == []


def test_the_sections_themselves():
    assert list(command.SECTIONS) == ["update", "relabelling", "steps", "environments", "workflow", "memory"]
    for section in command.SECTIONS.values():
        assert all(hasattr(section, name) for name in ("TITLE", "measure", "report", "goals_of"))
