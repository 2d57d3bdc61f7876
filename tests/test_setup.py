"""The set-up: one set of versions, and the system libraries that SUMO and pictures need."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from envs import system_libraries

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
    assert system_libraries.missing(system_libraries.SUMO) == []


@pytest.fixture
def take_away(monkeypatch):
    """Makes one library unloadable."""

    def without(library):
        def load(name):
            if name == library:
                raise OSError(f"{name}: cannot open shared object file")

        monkeypatch.setattr(system_libraries.ctypes, "CDLL", load)

    return without


@pytest.mark.parametrize(
    ("library", "status", "message"),
    [
        ("libatomic.so.1", 1, "error: system libraries for SUMO are missing; {} libatomic1"),
        ("libEGL.so.1", 0, "note: system libraries for pictures and videos of the Ant are missing; {} libegl1"),
    ],
)
def test_missing_library_is_named_with_the_command_to_get_it(
    library, status, message, take_away, monkeypatch, capsys
):
    """Without SUMO's libraries nothing works; pictures are optional."""
    take_away(library)
    monkeypatch.setattr(system_libraries.os, "geteuid", lambda: 1000)
    assert system_libraries.main() == status
    command = "install them with: apt-get update && apt-get install -y"
    assert capsys.readouterr().err.strip() == message.format(command)


@pytest.fixture
def root(monkeypatch):
    monkeypatch.setattr(system_libraries.os, "geteuid", lambda: 0)
    monkeypatch.setattr(system_libraries.shutil, "which", lambda name: f"/usr/bin/{name}")


@pytest.mark.parametrize(("library", "package"), [("libatomic.so.1", "libatomic1"), ("libEGL.so.1", "libegl1")])
def test_root_installs_missing_libraries(library, package, take_away, root, monkeypatch):
    installed = []
    take_away(library)

    def install(packages):
        installed.extend(packages)
        take_away(None)

    monkeypatch.setattr(system_libraries, "install", install)
    assert system_libraries.main() == 0
    assert installed == [package]


@pytest.mark.parametrize(("library", "status"), [("libatomic.so.1", 1), ("libEGL.so.1", 0)])
def test_failed_installation_ends_the_setup_where_it_cannot_do_without(
    library, status, take_away, root, monkeypatch, capsys
):
    take_away(library)

    def run(command, check):
        raise subprocess.CalledProcessError(100, command)

    monkeypatch.setattr(system_libraries.subprocess, "run", run)
    assert system_libraries.main() == status
    assert "apt-get update --quiet failed" in capsys.readouterr().err
