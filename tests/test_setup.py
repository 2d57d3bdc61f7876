"""The set-up: one set of versions, and the system libraries that SUMO needs."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from envs.traffic import system_libraries

ROOT = Path(__file__).parents[1]
LOCK = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")]


def normalised(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_lock_file_and_conda_environment_agree():
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert dependencies[:2] == ["python=3.11", "pip"]
    assert dependencies[2]["pip"] == LOCK


def test_lock_file_pins_every_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["development"]
    pinned = {normalised(line.partition("==")[0]) for line in LOCK}
    assert {normalised(re.split("[<>=]", name)[0]) for name in wanted} <= pinned
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in LOCK)


def test_installed_versions_are_the_pinned_ones():
    command = [sys.executable, "-m", "pip", "list", "--format=freeze"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    installed = {normalised(name): version for name, _, version in (line.partition("==") for line in listed)}
    for line in LOCK:
        name, _, version = line.partition("==")
        assert installed[normalised(name)].removesuffix("+cpu") == version


def test_readme_is_filled_in():
    assert not re.findall(r"@[A-Z]+@|TODO", (ROOT / "README.md").read_text())


def test_system_libraries_are_there():
    assert system_libraries.missing() == []


@pytest.fixture
def without_libatomic(monkeypatch):
    def load(name):
        if name == "libatomic.so.1":
            raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(system_libraries.ctypes, "CDLL", load)


def test_missing_library_is_named_with_the_command_to_get_it(without_libatomic, monkeypatch, capsys):
    monkeypatch.setattr(system_libraries.os, "geteuid", lambda: 1000)
    assert system_libraries.main() == 1
    assert capsys.readouterr().err.strip() == (
        "error: SUMO needs system libraries that are missing; install them with: "
        "apt-get update && apt-get install -y libatomic1"
    )


def test_root_installs_missing_libraries(without_libatomic, monkeypatch):
    installed = []
    monkeypatch.setattr(system_libraries.os, "geteuid", lambda: 0)
    monkeypatch.setattr(system_libraries.shutil, "which", lambda name: f"/usr/bin/{name}")

    def install(packages):
        installed.extend(packages)
        monkeypatch.setattr(system_libraries.ctypes, "CDLL", lambda name: None)

    monkeypatch.setattr(system_libraries, "install", install)
    assert system_libraries.main() == 0
    assert installed == ["libatomic1"]
