"""What continuous integration runs for users is there: files, modules, targets of make and of the workflow."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def commands(path: Path) -> list[str]:
    """Every command of a workflow file, one per line."""
    jobs: dict[str, Any] = yaml.safe_load(path.read_text())["jobs"]
    runs = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    return [line.strip() for run in runs for line in run.strip().splitlines()]


EVERY = [pytest.param(line, id=f"{path.stem}: {line[:40]}") for path in WORKFLOWS for line in commands(path)]


def test_there_is_one_for_every_push_and_one_for_every_night():
    triggers = {
        path.stem: yaml.safe_load(path.read_text())[True] for path in WORKFLOWS
    }  # yaml takes `on` for true
    assert triggers["ci"] == ["push", "pull_request"]
    assert "schedule" in triggers["nightly"]
    assert "bash .ci/run" in commands(ROOT / ".github/workflows/ci.yml")


@pytest.mark.parametrize("line", EVERY)
def test_what_a_command_names_is_there(line: str):
    known = False
    for module in re.findall(r"python[\d.]* -m ([\w.]+)", line):
        found = find_spec(module)
        assert found is not None, module
        assert (found.submodule_search_locations is None) or find_spec(f"{module}.__main__") is not None
        known = True
    for script in re.findall(r"(?:python[\d.]*\)\"|bash) ((?!-)[\w./]+)", line):
        assert (ROOT / script).is_file(), script
        known = True
    for target in re.findall(r"^make ([\w./-]+)", line):
        rule = target.replace(".venv", "$(VENV)")
        assert f"\n{rule}:" in (ROOT / "Makefile").read_text(), target
        known = True
    for targets in re.findall(r"snakemake .* -- ([\w ]+)$", line):
        rules = "\n".join(path.read_text() for path in [ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")])
        assert all(re.search(rf"^rule {target}:", rules, re.MULTILINE) for target in targets.split())
        known = True
    assert known, f"nothing in '{line}' is known here"
