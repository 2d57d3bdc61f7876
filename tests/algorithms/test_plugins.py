"""Algorithms of installed packages, and how those that cannot be used are refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packages import GOOD, install

from algorithms import config, plugins
from algorithms.algorithm import Algorithm
from algorithms.config import ConfigError, preset_of
from algorithms.entry import Entry
from algorithms.presets import PresetHead, VariantHead
from algorithms.registry import ALGORITHMS, SUITE
from algorithms.sections import LEARNER
from algorithms.settings import SECTIONS, SuiteConfig
from envs.strict import Strict, parse

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which packages are looked for; what is imported from it is forgotten."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def refusal(suite: dict[str, Entry] = SUITE) -> str:
    with pytest.raises(ConfigError) as caught:
        plugins.find(suite)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_installed_algorithm_is_found_with_its_package(folder: Path) -> None:
    install(folder, "my_pkg", GOOD, mine="MINE")
    entry, package, version = plugins.find(SUITE)["mine"]
    assert (package, version) == ("my_pkg", "1.2")
    assert entry.is_hierarchy
    assert entry.sees_images
    assert list(plugins.section_types([*SUITE.values(), entry])) == [
        *plugins.section_types(SUITE.values()),
        "mine",
    ]


def test_packages_come_in_the_order_of_names_wherever_they_lie(folder: Path) -> None:
    for name in ("zeta", "alpha", "mid"):
        install(folder, f"pkg_{name}", GOOD.replace("mine", f"{name}s"), **{name: "MINE"})
    found = [name for name in plugins.find(SUITE) if name in ("zeta", "alpha", "mid")]
    assert found == ["alpha", "mid", "zeta"]


def test_two_algorithms_of_a_package_may_share_a_section(folder: Path) -> None:
    text = GOOD + 'FIRST = Entry("algorithms.hrl:HRL", SECTIONS)\n'
    install(folder, "my_pkg", text, mine="MINE", a_first_one="FIRST")
    assert {"mine", "a_first_one"} <= set(plugins.find(SUITE))


def refused(folder: Path, text: str, point: str = "mine") -> str:
    """What is said of a package's module, after package and algorithm."""
    install(folder, "my_pkg", f"from pathlib import Path\n{text}", **{point: "MINE"})
    before, said = f"package 'my_pkg': algorithm '{point}': ", refusal()
    assert said.startswith(before)
    return said.removeprefix(before)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cher", "the name is taken by the suite"),
        ("My-Net", "the name must be small letters, digits and underscores, a letter first"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(folder: Path, name: str, message: str) -> None:
    assert refused(folder, GOOD, name) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_module", "cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"),
        ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("def f(:\n", "cannot be imported: SyntaxError: "),
        ("OTHER = 1", "cannot be imported: AttributeError: "),
        ("MINE = 'algorithms.hrl:HRL'", "is a str; it must be an Entry"),
    ],
)
def test_a_module_that_cannot_be_used_is_refused(folder: Path, text: str, message: str) -> None:
    assert refused(folder, text).startswith(f"entry point 'my_pkg:MINE' {message}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'a', SECTIONS, VALUES", "path = 'a' is not allowed; it must be 'package.module:Class'"),
        ("'a:B', SECTIONS, VALUES, colour='red'", "colour = 'red' is not allowed; it must be '#RRGGBB'"),
        ("'a:B', {'mine': MineSettings}", "sections must be a mapping of names to types, 'learner' among them"),
        ("'a:B', ('learner', 'hierarchy')", "sections must be a mapping of names to types, 'learner' among them"),
        ("'a:B', HIERARCHY | {'hiro': MineSettings}", "section 'hiro' exists already, of type HIROSettings; "),
        ("'a:B', HIERARCHY | {'seeds': MineSettings}", "'seeds' is no name for a section; choose another"),
        ("'a:B', HIERARCHY | {'json': MineSettings}", "'json' is no name for a section; choose another"),
        ("'a:B', HIERARCHY | {'mine': dict}", "section 'mine' is <class 'dict'>; it must be a subclass of "),
        ("'a:B', SECTIONS", "there are no values for its section 'mine'"),
        ("'a:B', HIERARCHY, {'hierarchy': {}}", "values has 'hierarchy', which is no section of its own"),
        ("'a:B', HIERARCHY, VALUES", "values has 'mine', which is no section of its own"),
        (
            "'a:B', SECTIONS, 'no.yaml'",
            "values = 'no.yaml' is not allowed; it must be the Path of a yaml file, or a",
        ),
        ("'a:B', SECTIONS, Path('/no.yaml')", "'/no.yaml' cannot be read: No such file or directory"),
    ],
)
def test_an_entry_that_cannot_be_used_is_refused(folder: Path, arguments: str, message: str) -> None:
    assert refused(folder, f"{GOOD}\nMINE = Entry({arguments})\n").startswith(message)


@pytest.mark.parametrize(("content", "message"), [("a: [1", "is not valid yaml: "), ("text", "is not a mapping")])
def test_values_that_are_no_mapping_are_refused(folder: Path, content: str, message: str) -> None:
    path = folder / "values.yaml"
    path.write_text(content)
    text = f"{GOOD}\nMINE = Entry('a:B', SECTIONS, Path('{path}'))\n"
    assert refused(folder, text).startswith(f"'{path}' {message}")


def test_two_packages_of_one_name_are_refused(folder: Path) -> None:
    install(folder, "pkg_a", GOOD, mine="MINE")
    install(folder, "pkg_b", GOOD, mine="MINE")
    assert "algorithm 'mine': the name is taken by pkg_" in refusal()


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (GOOD, "section 'mine' exists already, of type MineSettings; read that one, or choose another name"),
        ("from pkg_a import *\n", "values of section 'mine' are those of pkg_a already"),
    ],
)
def test_two_packages_with_one_section_are_refused(folder: Path, other: str, message: str) -> None:
    install(folder, "pkg_a", GOOD, mine="MINE")
    install(folder, "pkg_b", other, yours="MINE")
    assert refusal() == f"package 'pkg_b': algorithm 'yours': {message}"


def test_every_key_that_is_no_section_is_reserved() -> None:
    used = {*PresetHead.model_fields, *VariantHead.model_fields, *SuiteConfig.model_fields, *vars(SuiteConfig)}
    ours = {name for name in used if not name.startswith(("_", "model_")) and name not in SECTIONS}
    assert ours <= set(plugins.RESERVED)
    assert not set(plugins.RESERVED) & (SECTIONS.keys() - {"run"})


class Stranger:
    """What has the name of an algorithm, and nothing else of it."""


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (f"{__name__}:Stranger", "must be a subclass of algorithms.algorithm.Algorithm"),
        (f"{__name__}:ROOT", "must be a subclass of algorithms.algorithm.Algorithm"),
        (
            "algorithms.hrl:Hrl",
            "cannot be imported: AttributeError: module 'algorithms.hrl' has no",
        ),
        ("no.such:Class", "cannot be imported: ModuleNotFoundError: No module named 'no'"),
    ],
)
def test_a_class_that_is_no_algorithm_is_refused_when_it_is_needed(path: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        Entry(path, LEARNER).load()
    assert str(caught.value).startswith(f"'{path}' ")


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_entry_names_an_algorithm(name: str) -> None:
    assert issubclass(ALGORITHMS[name].load(), Algorithm)


class MineSettings(Strict):
    weight: float


def test_values_that_lack_a_key_are_refused_with_the_key() -> None:
    preset = preset_of({**SECTIONS, "mine": MineSettings})
    values = config.load_preset("smoke") | {"mine": {"default": {}, "tasks": {"ring_road": {"weights": 1.0}}}}
    with pytest.raises(ValueError, match=r"key 'mine\.default\.weight' is missing") as caught:
        parse(preset, values)
    assert "key 'mine.tasks.ring_road.weights' is not known; allowed: weight" in str(caught.value)


def test_a_refused_package_stops_whoever_reads_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "REFUSAL", ConfigError("package 'x': broken"))
    for read in (lambda: config.load_preset("smoke"), lambda: config.recorded({}), lambda: config.complete({})):
        with pytest.raises(ConfigError, match="package 'x': broken"):
            read()


def test_an_algorithm_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="algorithm 'mine' is not known; allowed: td3, "):
        config.recorded({"task": "ant_gather", "algorithm": "mine", "mine": {"weight": 1}})


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A process of its own that finds the packages of a folder."""
    path = os.pathsep.join([str(folder), str(ROOT)])
    variables = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


def test_commands_end_with_the_refusal_alone(tmp_path: Path) -> None:
    install(tmp_path, "my_pkg", "import no_such_module", mine="MINE")
    result = python(tmp_path, "-m", "algorithms.studies", "--preset", "smoke")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("studies: package 'my_pkg': algorithm 'mine': entry point 'my_pkg:MINE' ")
    assert len(result.stderr.splitlines()) == 1


PLANNING = """
import json, sys
from algorithms import config, settings, studies
preset = config.load_preset("paper")
run = config.resolve(preset, "ring_road", "mine", seeds=[0])
small = {"algorithms": ["hrl", "mine"], "studies": ["main"], "mine": {"default": {"weight": 3.0}}}
planned = studies.cells(config.merge(preset, small))
print(json.dumps({
    "weight": run.record["mine"]["weight"],
    "weights": sorted({cell.record["mine"]["weight"] for cell in planned if cell.algorithm == "mine"}),
    "by type": run.section(type(run.mine)).weight,
    "arguments": config.preset_arguments(preset),
    "schema": config.schema() == json.loads((config.CONFIG / "schema.json").read_text()),
    "hash": config.resolve(preset, "ant_gather", "hrl", seeds=[0]).hash,
    "valid": studies.validate(config.merge(preset, small)).algorithms,
    "torch": "torch" in sys.modules,
}))
"""


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What is planned where a package is installed."""
    folder = tmp_path_factory.mktemp("packages")
    install(folder, "my_pkg", GOOD, mine="MINE")
    result = python(folder, "-c", PLANNING)
    assert result.returncode == 0, result.stderr
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_values_of_a_package_lie_under_the_preset(planned: dict[str, object]) -> None:
    assert planned["weight"] == planned["by type"] == 2.0, "of the task"
    assert planned["weights"] == [2.0, 3.0], "a preset overrides those for all tasks"
    assert planned["valid"] == ["hrl", "mine"]
    assert planned["arguments"] == "--preset paper"


def test_a_package_changes_nothing_of_the_suite(planned: dict[str, object]) -> None:
    here = config.resolve(config.load_preset("paper"), "ant_gather", "hrl", seeds=[0]).hash
    assert planned["hash"] == here
    assert planned["schema"] is True
    assert planned["torch"] is False, "planning imports no learner"
