"""The workflow on a real SLURM cluster of one node, which these tests start and stop; run by `make test-slurm`.

Needs root, Debian's packages slurm-wlm and munge, and the optional dependencies `slurm`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from runner import ROOT, command, copied_repository, snakemake_in

from algorithms.config import load_preset, merge
from algorithms.drivers import planned as planned_drivers
from algorithms.studies import trainings
from algorithms.train import FILES
from analysis import products

pytestmark = [pytest.mark.workflow, pytest.mark.slurm]

SCRIPT = Path(__file__).with_name("slurm_node.sh")
ONE_CELL = Path(__file__).with_name("one_cell.yaml")
SMOKE = ("--configfile", "config/smoke.yaml")
#: The profile, with less patience than the jobs of a paper ask for.
POLLING = ("--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2")
CLUSTER = ("--workflow-profile", "slurm", "--cores", "100", *POLLING)

#: One training with networks of the paper's size, which no machine finishes within a minute.
LONG = """
results: out
learner: {default: {hidden: [256, 256], batch_size: 128, buffer_steps: 100000}}
run:
  default:
    {steps: 39_000, warmup_steps: 1_500, log_every: 600, evaluate_every: 12_000, checkpoint_every: 1_000_000}
  tasks: {ant_gather: {steps: 39_000}}
"""
#: One that takes some ten seconds, and saves all the time.
SHORT = """
results: out
run: {default: {steps: 12_000, checkpoint_every: 200}, tasks: {ant_gather: {steps: 12_000}}}
"""
RUN = "ant_gather/td3/seeds_0"
TARGET = f"out/runs/{RUN}/progress.csv"
#: Rules whose jobs are worth a place in the queue: they simulate.
SUBMITTED = {"train", "warm_up", "drive", "trajectories", "recording", "record_driver"}


class Cluster:
    """A started node: what its controller says."""

    def __init__(self, folder: Path) -> None:
        self._ended = folder / "jobs.txt"

    def ended(self) -> dict[int, str]:
        """State of every job that has ended, by its number."""
        return {number: fields["JobState"] for number, fields in self.records().items()}

    def records(self) -> dict[int, dict[str, str]]:
        """What the controller has noted about every job that has ended."""
        lines = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in self._ended.read_text().splitlines()]
        return {int(fields["JobId"]): fields for fields in lines}

    def queue(self) -> list[str]:
        """Numbers of the jobs that wait, run, or are about to end."""
        return subprocess.check_output(["squeue", "--noheader", "--format=%i"], text=True).split()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A SLURM cluster of this machine alone, for as long as this module's tests run."""
    if find_spec("snakemake_executor_plugin_slurm") is None:
        pytest.fail(
            "the optional dependencies 'slurm' are missing; `make test-slurm` installs them", pytrace=False
        )
    folder = tmp_path_factory.mktemp("slurm")
    started = subprocess.run([SCRIPT, "start", folder], capture_output=True, text=True, check=False)
    if started.returncode:
        pytest.fail(started.stderr.strip(), pytrace=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        patch.setenv("PATH", str(folder / "bin"), prepend=":")
        try:
            yield Cluster(folder)
        finally:
            subprocess.run([SCRIPT, "stop", folder], check=True)


def submitted(printed: str) -> dict[int, str]:
    """The rule of every job that Snakemake has submitted, by the number that SLURM gave it."""
    rules = {
        job: rule for rule, job in re.findall(r"^rule (\w+):\n(?:    .*\n)*?    jobid: (\d+)\n", printed, re.M)
    }
    jobs = re.findall(r"^Job (\d+) has been submitted with SLURM jobid (\d+)", printed, re.M)
    return {int(number): rules[job] for job, number in jobs}


def logged(folder: Path, key: str = RUN) -> str:
    """What a training has printed in its last job; Snakemake deletes the log of the one before."""
    return (folder / f"out/logs/train/{key}.log").read_text()


def checkpointed(folder: Path) -> list[str]:
    """The trainings that have a checkpoint."""
    checkpoints = folder / "out/checkpoints"
    return [str(path.parents[1].relative_to(checkpoints)) for path in checkpoints.rglob("checkpoint.pt")]


def preset(folder: Path, text: str) -> tuple[str, ...]:
    """The smoke preset with changes, as arguments."""
    (folder / "changes.yaml").write_text(text)
    return (*SMOKE, str(folder / "changes.yaml"))


def test_every_job_of_the_smoke_preset_runs_under_slurm(cluster: Cluster, tmp_path: Path):
    root, folder = copied_repository(tmp_path / "repository"), tmp_path / "work"
    folder.mkdir()
    snakemake = snakemake_in(folder, root)
    before = set(cluster.ended())
    run = snakemake(*CLUSTER, *SMOKE, str(ONE_CELL))
    assert run.returncode == 0, run.stderr

    jobs, ended = submitted(run.stderr), cluster.ended()
    assert set(jobs) == set(ended) - before
    assert {ended[number] for number in jobs} == {"COMPLETED"}
    planned = merge(load_preset("smoke"), yaml.safe_load(ONE_CELL.read_text()))
    counts = Counter(jobs.values())
    assert set(counts) == SUBMITTED
    assert counts["train"] == len(trainings(planned))
    assert counts["drive"] == len(planned_drivers(planned))

    for training in trainings(planned):
        assert {path.name for path in (folder / "out/runs" / training.key).iterdir()} == set(FILES)
    drawn = {path.name for path in (folder / "out/figures").iterdir()}
    assert drawn == {f"{name}.{ending}" for name in products.FIGURES for ending in ("svg", "pdf", "png")}

    again = snakemake(*CLUSTER, *SMOKE, str(ONE_CELL))
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr
    assert set(cluster.ended()) == set(ended)


def test_a_training_longer_than_its_time_limit_is_cut_off_and_resumed(cluster: Cluster, tmp_path: Path):
    """Its ``checkpoint_every`` is never reached: what it resumes from, it has saved when told to stop."""
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    for folder in (cut, whole):
        folder.mkdir()
    arguments = (TARGET, *preset(tmp_path, LONG))
    undisturbed = subprocess.Popen(command(whole, *arguments), cwd=ROOT, stderr=subprocess.DEVNULL)
    before = set(cluster.ended())
    limited = ("--set-resources", "train:runtime=1", "--retries", "60", "--", *arguments[:1])
    run = snakemake_in(cut)(*CLUSTER, *arguments[1:], *limited)
    assert run.returncode == 0, run.stderr
    assert undisturbed.wait(timeout=600) == 0

    states = [state for number, state in sorted(cluster.ended().items()) if number not in before]
    assert states == ["TIMEOUT"] * (len(states) - 1) + ["COMPLETED"]
    # The last time it may have been done already, and Snakemake not yet with the job.
    resumed = json.loads((cut / TARGET).with_name("run.json").read_text())["resumed"]
    assert 1 <= resumed <= len(states) - 1 <= resumed + 1
    for name in ("progress.csv", "evaluations.csv"):
        assert (cut / TARGET).with_name(name).read_bytes() == (whole / TARGET).with_name(name).read_bytes()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, f"no {what} within two minutes"
        time.sleep(0.1)


def test_an_interrupt_cancels_the_queue_and_keeps_checkpoints(cluster: Cluster, tmp_path: Path):
    other = TARGET.replace("seeds_0", "seeds_1")
    arguments = (*CLUSTER, *preset(tmp_path, SHORT), "--", TARGET, other)
    before = set(cluster.ended())
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    # Whatever runs this test may ignore interrupts, and would pass that on.
    listening = ["env", "--default-signal=INT", *command(tmp_path, *arguments)]
    process = subprocess.Popen(listening, cwd=ROOT, start_new_session=True, **quiet)
    try:
        wait_for(lambda: bool(checkpointed(tmp_path)), "checkpoint")
    finally:
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=120) != 0
    wait_for(lambda: not cluster.queue(), "empty queue")
    states = {number: state for number, state in cluster.ended().items() if number not in before}
    assert list(states.values()) == ["CANCELLED"] * 2
    assert not list((tmp_path / "out/runs").rglob("*.csv"))
    begun = checkpointed(tmp_path)
    assert begun

    run = snakemake_in(tmp_path)(*arguments)
    assert run.returncode == 0, run.stderr
    assert all("continuing at step" in logged(tmp_path, key) for key in begun)


def test_a_training_with_a_gpu_asks_for_one_and_runs_once(cluster: Cluster, tmp_path: Path):
    """Of the cluster; there is none in truth, and nothing learns on it."""
    before = set(cluster.ended())
    gpu = ("--set-resources", "train:gpu=1", "--", TARGET)
    run = snakemake_in(tmp_path)(*CLUSTER, *SMOKE, "--config", "results=out", *gpu)
    assert run.returncode == 0, run.stderr
    (number,) = set(cluster.ended()) - before
    shown = subprocess.check_output(["scontrol", "show", "job", str(number)], text=True)
    assert re.search(r"TresPer(Job|Node)=gres[:/]gpu[:=]1", shown)
    assert " NumTasks=1 " in shown
    assert logged(tmp_path).count("step 1,200 of 1,200") == 1
