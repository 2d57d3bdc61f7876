"""What a cluster needs to be told: the profile for SLURM, which rules are submitted, the image and the pod."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from runner import ROOT, snakemake_in
from snakemake.cli import get_argument_parser

pytestmark = pytest.mark.workflow

SLURM = yaml.safe_load((ROOT / "profiles/slurm/profile.yaml").read_text())
DEFAULT = yaml.safe_load((ROOT / "profiles/default/profile.yaml").read_text())
#: Rules whose jobs take minutes to hours, or simulate; all others run where the workflow does.
SUBMITTED = {"train", "warm_up", "drive", "trajectories", "recording", "record_driver"}

#: Options of the plugin, which need not be installed: https://snakemake.github.io/snakemake-plugin-catalog.
PLUGIN = {"slurm-status-command"}


def options() -> set[str]:
    """Every option of Snakemake's command line, without its dashes."""
    actions = get_argument_parser()._actions
    return {option.removeprefix("--") for action in actions for option in action.option_strings}


@pytest.mark.parametrize("profile", [DEFAULT, SLURM], ids=["default", "slurm"])
def test_every_key_of_a_profile_is_an_option_of_snakemake(profile: dict[str, Any]):
    assert set(profile) - PLUGIN <= options()


def test_the_profile_for_slurm_has_the_policy_of_the_default_one():
    """It replaces that one, and repeats it but for what a cluster needs otherwise."""
    assert {key: SLURM[key] for key in DEFAULT if SLURM[key] != DEFAULT[key]} == {
        "retries": SLURM["retries"],
        "default-resources": SLURM["default-resources"],
    }
    assert [f"{name}={value}" for name, value in SLURM["default-resources"].items()] == DEFAULT[
        "default-resources"
    ]


def core_hours() -> list[float]:
    """Measured hours on one core of every training of the paper, one seed each."""
    table = (ROOT / "results/benchmarks/cost.md").read_text()
    rows = re.findall(r"^\| \w+ \| [\w.-]+ \| [\d,]+ \| \d+ \| ([\d.]+) \|", table, re.MULTILINE)
    return [float(hours) for hours in rows]


def test_the_time_limits_of_all_tries_hold_the_longest_training_of_the_paper():
    """On cores half as fast as those that were measured; one limit holds a seed, all of them a group of ten."""
    hours = max(core_hours())
    assert len(core_hours()) > 60
    limit = SLURM["set-resources"]["train"]["runtime"] / 60
    assert limit > 2 * hours
    assert (1 + SLURM["retries"]) * limit > 10 * hours


def test_the_profile_says_how_long_a_training_takes():
    shortest, longest = (round(end(core_hours())) for end in (min, max))
    text = (ROOT / "profiles/slurm/profile.yaml").read_text()
    assert f"A training takes {shortest} to {longest} hours on one core" in text


def test_what_simulates_is_submitted_and_nothing_else():
    text = "".join(path.read_text() for path in (ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")))
    rules = set(re.findall(r"^rule (\w+):", text, re.MULTILINE))
    local = {
        name
        for block in re.findall(r"^localrules:\n((?:    \w+,\n)+)", text, re.MULTILINE)
        for name in re.findall(r"\w+", block)
    }
    assert local <= rules
    assert rules - local == SUBMITTED


def test_optional_dependencies_name_the_executor_of_the_profile():
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert groups["slurm"][0].startswith(f"snakemake-executor-plugin-{SLURM['executor']}>=")


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, each with its arguments in one line."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line]  # type: ignore[misc]


def test_the_image_has_the_python_and_the_packages_of_the_repository(steps: list[tuple[str, str]]):
    (base,) = (arguments for name, arguments in steps if name == "FROM")
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert base == f"python:{requires.removeprefix('>=')}-slim"
    runs = " ".join(" ".join(arguments.split()) for name, arguments in steps if name == "RUN")
    make = (ROOT / "Makefile").read_text()
    for command in ("--requirement requirements.lock", "--no-deps --editable .", "envs/system_libraries.py"):
        assert command in runs
        assert command in make


def test_what_the_image_copies_is_there(steps: list[tuple[str, str]]):
    copied = [arguments.split() for name, arguments in steps if name == "COPY"]
    sources = [word for words in copied for word in words[:-1] if not word.startswith("--")]
    assert len(sources) == 3
    assert all((ROOT / source).exists() for source in sources)


def test_the_image_runs_the_workflow_as_an_ordinary_user(steps: list[tuple[str, str]]):
    (entry,) = (json.loads(arguments) for name, arguments in steps if name == "ENTRYPOINT")
    assert entry[-3:] == ["snakemake", "--directory", "/data"]
    assert ("VOLUME", "/data") in steps
    assert [arguments for name, arguments in steps if name == "USER"][-1] == "cher"


def test_the_image_holds_the_commit_as_it_is():
    """Of what git tracks nothing is left out; git judges the patterns, to which these mean the same."""
    command = ["git", "ls-files", "--cached", "--ignored", f"--exclude-from={ROOT / '.dockerignore'}"]
    assert subprocess.check_output(command, cwd=ROOT, text=True) == ""


@pytest.fixture(scope="module")
def pod() -> dict[str, Any]:
    """What the job on Kubernetes says about its pod."""
    _, job = yaml.safe_load_all((ROOT / "profiles/kubernetes/job.yaml").read_text())
    return job["spec"]["template"]["spec"]


def test_the_pod_runs_the_image_of_the_snakefile_on_its_volume(pod: dict[str, Any]):
    claim, _ = yaml.safe_load_all((ROOT / "profiles/kubernetes/job.yaml").read_text())
    (image,) = re.findall(r'^container: "docker://(.*)"$', (ROOT / "Snakefile").read_text(), re.MULTILINE)
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["image"] == image
        assert container["volumeMounts"] == [{"name": "data", "mountPath": "/data"}]
    (volume,) = pod["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert f"--uid {pod['securityContext']['runAsUser']} " in (ROOT / "Dockerfile").read_text()


def test_the_pod_calls_the_workflow_with_arguments_that_it_understands(pod: dict[str, Any], tmp_path: Path):
    (container,) = pod["containers"]
    values = {"CORES": "4", "MEMORY": "8000"}
    assert {variable["name"] for variable in container["env"]} == set(values)
    arguments = [re.sub(r"\$\((\w+)\)", lambda name: values[name[1]], text) for text in container["args"]]
    run = snakemake_in(tmp_path)(*arguments, "--dry-run", "--configfile", "config/smoke.yaml")
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("user", "message"),
    [
        (1000, "needs root, since SLURM's daemons do"),
        (0, "slurmd is missing; install it with: apt-get update && apt-get install -y slurm-wlm munge"),
    ],
)
def test_the_node_for_tests_says_in_one_line_what_it_lacks(tmp_path: Path, user: int, message: str):
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "mkdir", "realpath"):
        (tools / name).symlink_to(shutil.which(name) or "")
    (tools / "id").write_text(f"#!/bin/sh\necho {user}\n")
    (tools / "id").chmod(0o755)
    command = [ROOT / "tests/workflow/slurm_node.sh", "start", tmp_path / "node"]
    run = subprocess.run(command, env={"PATH": str(tools)}, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr == f"slurm_node: {message}\n"
