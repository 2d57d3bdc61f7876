"""Training as a command: its files, its refusals, and exact resume after any kind of end."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from algorithms import train
from algorithms.registry import ALGORITHMS
from envs.names import TASKS

pytestmark = pytest.mark.usefixtures("warmed_up")

# Checkpoints fall in mid-episode and in mid-period.
SMALL = ["--preset", "smoke", "--set", "run.checkpoint_every=93", "--set", "run.evaluate_every=400"]
SMALL += ["--set", "run.final_evaluation_episodes=2"]


def command(task, algorithm, out, *extra, seeds="0"):
    run = ["--task", task, "--algorithm", algorithm, "--seeds", seeds, "--out", str(out)]
    if algorithm == "cher" and "--worker-return" not in extra:
        run += ["--set", "cher.delta=-5"]
    return [sys.executable, "-m", "algorithms.train", *SMALL, *run, *extra]


def finish(*arguments, **options):
    return subprocess.run(command(*arguments, **options), capture_output=True, text=True, check=False)


def checkpoint_of(*arguments, **options):
    """Where a training keeps its newest checkpoint."""
    config, _, results = train.read(train.parser().parse_args(command(*arguments, **options)[3:]))
    return results / "checkpoints" / config.key / config.hash / "checkpoint.pt"


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def kill_after_checkpoint(arguments, checkpoint, number, delay):
    """Start a training and send it a signal some time after it has written a new checkpoint."""
    before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
    process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    while not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before:
        assert process.poll() is None, "the training ended before it wrote a checkpoint"
        assert time.monotonic() < deadline, "no checkpoint within a minute"
        time.sleep(0.005)
    time.sleep(delay)
    process.send_signal(number)
    return process.wait(timeout=60), process.pid


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Run folders of trainings that nobody disturbed, by task and algorithm."""
    folders = {}

    def run(task, algorithm):
        if (task, algorithm) not in folders:
            out = tmp_path_factory.mktemp("uninterrupted")
            result = finish(task, algorithm, out)
            assert result.returncode == 0, result.stderr
            folders[task, algorithm] = out / "runs" / task / algorithm / "seeds_0"
        return folders[task, algorithm]

    return run


@pytest.mark.parametrize("task", TASKS)
def test_killed_three_times_and_resumed_is_byte_identical(task, uninterrupted, tmp_path):
    checkpoint = checkpoint_of(task, "hrl", tmp_path)
    delays = np.random.default_rng().uniform(0, 0.06, 3)  # seconds; unseeded on purpose
    print("delays", delays)
    for delay in delays:
        status, group = kill_after_checkpoint(command(task, "hrl", tmp_path), checkpoint, signal.SIGKILL, delay)
        assert status == -signal.SIGKILL
        wait_for_end_of_group(group)
    result = finish(task, "hrl", tmp_path)
    assert result.returncode == 0, result.stderr
    assert "continuing at step" in result.stderr
    folder, expected = tmp_path / "runs" / task / "hrl" / "seeds_0", uninterrupted(task, "hrl")
    for name in ("progress.csv", "evaluations.csv", "probes.csv", "proposals.csv"):
        assert (folder / name).read_bytes() == (expected / name).read_bytes()
    timing = read(folder / "timing.csv")
    assert timing[-1]["restarts"] == "3"
    for name in ("wall_time", "cpu_time", "memory_mb"):
        values = [float(row[name]) for row in timing]
        assert 0 < values[0] <= values[-1]
        assert values == sorted(values)
    assert json.loads((folder / "run.json").read_text())["resumed"] == 3


def wait_for_end_of_group(group):
    """Simulations of a killed training must not live on."""
    for _ in range(1000):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    raise AssertionError("processes of a killed training are still alive")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_saves_and_says_so(number, uninterrupted, tmp_path):
    checkpoint = checkpoint_of("ant_gather", "td3", tmp_path)
    status, _ = kill_after_checkpoint(command("ant_gather", "td3", tmp_path), checkpoint, number, 0.1)
    assert status == train.INTERRUPTED
    assert finish("ant_gather", "td3", tmp_path).returncode == 0
    folder, expected = tmp_path / "runs/ant_gather/td3/seeds_0", uninterrupted("ant_gather", "td3")
    assert (folder / "progress.csv").read_bytes() == (expected / "progress.csv").read_bytes()
    assert [path.name for path in checkpoint.parent.iterdir()] == ["finished"]


@pytest.mark.parametrize(("task", "algorithm"), [("ant_gather", "cher"), ("ring_road", "hrl")])
def test_a_finished_training_is_continued_by_one_of_more_steps(task, algorithm, uninterrupted, tmp_path):
    """As if it had never ended, also twice; its own files are not lost."""
    seen = []
    for steps in (400, 600):
        shorter = finish(task, algorithm, tmp_path, "--steps", str(steps), "--keep-checkpoint")
        assert shorter.returncode == 0, shorter.stderr
        seen.append((tmp_path / "runs" / task / algorithm / "seeds_0/progress.csv").read_bytes())
    longer = finish(task, algorithm, tmp_path)
    assert longer.returncode == 0, longer.stderr
    assert "continuing at step 600" in longer.stderr
    folder, expected = tmp_path / "runs" / task / algorithm / "seeds_0", uninterrupted(task, algorithm)
    for name in ("progress.csv", "evaluations.csv", "probes.csv", "proposals.csv", "policy.pt"):
        assert (folder / name).read_bytes() == (expected / name).read_bytes()
    assert read(folder / "timing.csv")[-1]["restarts"] == "2"
    seen.append((folder / "progress.csv").read_bytes())
    kept = (tmp_path / "checkpoints" / task / algorithm / "seeds_0").glob("*/finished/progress.csv")
    assert {path.read_bytes() for path in kept} == set(seen)


def test_a_half_finished_training_of_other_settings_is_no_hindrance(tmp_path):
    """One that was killed while it wrote its files has a checkpoint, but not all of them."""
    assert finish("ant_gather", "td3", tmp_path, "--steps", "400", "--keep-checkpoint").returncode == 0
    shutil.rmtree(tmp_path / "runs")
    (half,) = tmp_path.glob("checkpoints/ant_gather/td3/seeds_0/*/finished")
    (half / "run.json").unlink()
    other = finish("ant_gather", "td3", tmp_path, "--steps", "600")
    assert other.returncode == 0, other.stderr
    assert "continuing" not in other.stderr


def test_a_checkpoint_of_another_version_is_passed_over_where_fewer_steps_ended(tmp_path):
    assert finish("ant_gather", "td3", tmp_path, "--steps", "400", "--keep-checkpoint").returncode == 0
    (checkpoint,) = tmp_path.rglob("checkpoint.pt")
    checkpoint.write_bytes(b"damaged")
    longer = finish("ant_gather", "td3", tmp_path, "--steps", "600")
    assert longer.returncode == 0, longer.stderr
    assert "starting anew, not where fewer steps had ended" in longer.stderr
    assert list(tmp_path.glob("checkpoints/ant_gather/td3/seeds_0/*/finished/run.json"))


@pytest.mark.parametrize("change", [("--set", "learner.tau=0.01"), ("--seeds", "1"), ("--steps", "200")])
def test_a_training_of_other_settings_is_not_continued(change, tmp_path):
    assert finish("ant_gather", "td3", tmp_path, "--steps", "400", "--keep-checkpoint").returncode == 0
    shutil.rmtree(tmp_path / "runs")
    other = finish("ant_gather", "td3", tmp_path, "--steps", "600", *change)
    assert other.returncode == 0, other.stderr
    assert "continuing" not in other.stderr


def test_without_being_asked_no_checkpoint_of_a_finished_training_is_kept(tmp_path):
    assert finish("ant_gather", "td3", tmp_path, "--steps", "400").returncode == 0
    assert not list((tmp_path / "checkpoints").rglob("*.pt.previous")) + list(tmp_path.rglob("checkpoint*.pt"))
    refused = finish("ant_gather", "td3", tmp_path, "--steps", "600")
    assert refused.returncode == 2
    assert "holds a finished run of another configuration (run.steps is 400 there, 600 here)" in refused.stderr


@pytest.mark.parametrize(
    ("task", "algorithm"),
    dict.fromkeys([*((task, "hrl") for task in TASKS), *(("ant_gather", name) for name in ALGORITHMS)]),
)
def test_run_folder(task, algorithm, uninterrupted):
    folder = uninterrupted(task, algorithm)
    assert sorted(path.name for path in folder.iterdir()) == sorted(train.FILES)
    rows = read(folder / "progress.csv")
    assert [int(row["step"]) for row in rows] == list(range(200, 1201, 200))
    assert list(rows[0])[:5] == ["seed", "step", "episodes", "return_mean100", "episode_length_mean100"]
    assert all(np.isfinite(float(value)) for value in rows[-1].values())
    episodes = {row["step"]: row["episodes"] for row in read(folder / "evaluations.csv")}
    assert episodes == {"400": "1", "800": "1", "1200": "2"}
    description = json.loads((folder / "run.json").read_text())
    assert description["config"]["task"] == task
    assert description["steps"] == 1200
    assert description["worker_return"] is None
    assert description["source"] is None
    networks = torch.load(folder / "policy.pt", weights_only=True)["networks"]
    assert {name.split(".")[1] for name in networks} == {"actor", "critics", "target_actor", "target_critics"}


def test_delta_from_a_worker_return_is_part_of_the_run_and_its_source_recorded(tmp_path):
    file = tmp_path / "file.json"
    content = {"task": "ant_gather", "label": "hrl", "worker_return": -80.0, "runs": [{"hash": "a"}]}
    file.write_text(json.dumps(content))
    arguments = ("ant_gather", "cher", tmp_path, "--steps", "200", "--worker-return", str(file))
    result = finish(*arguments)
    assert result.returncode == 0, result.stderr
    folder = tmp_path / "runs/ant_gather/cher/seeds_0"
    description = json.loads((folder / "run.json").read_text())
    assert description["config"]["cher"]["delta"] == -20  # a quarter, E.1
    assert description["worker_return"] == content
    assert {row["delta"] for row in read(folder / "progress.csv")} == {"-20.0"}
    assert [
        path.name for path in (tmp_path / "checkpoints/ant_gather/cher/seeds_0").iterdir() if path.is_dir()
    ] == [description["hash"]]
    file.write_text(json.dumps(content | {"worker_return": -40.0}))
    result = finish(*arguments)
    assert result.returncode == 2
    assert "another configuration (cher.delta is -20.0 there, -10.0 here)" in result.stderr


def test_evaluations_leave_the_training_untouched(uninterrupted, tmp_path):
    assert finish("ant_gather", "hrl", tmp_path, "--set", "run.evaluate_every=1200").returncode == 0
    folder, expected = tmp_path / "runs/ant_gather/hrl/seeds_0", uninterrupted("ant_gather", "hrl")
    for name in ("progress.csv", "proposals.csv"):
        assert (folder / name).read_bytes() == (expected / name).read_bytes()
    for name, number in (("evaluations.csv", 1), ("probes.csv", 10)):
        assert len(read(folder / name)) == number
        assert read(folder / name) == read(expected / name)[-number:]


@pytest.mark.parametrize("task", TASKS)
def test_evaluation_command_repeats_the_last_evaluation(task, uninterrupted, tmp_path):
    folder = uninterrupted(task, "hrl")
    table = tmp_path / "evaluations.csv"
    arguments = ["-m", "algorithms.evaluate", "--run", str(folder), "--episodes", "2", "--out", str(table)]
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    assert read(table) == [row for row in read(folder / "evaluations.csv") if row["step"] == "1200"]


@pytest.mark.parametrize("task", TASKS)
def test_seed_in_a_group_starts_like_the_seed_alone(task, uninterrupted, tmp_path):
    """The first log point; later the order of summation in larger products shows."""
    assert finish(task, "hrl", tmp_path, seeds="0-2").returncode == 0
    rows = read(tmp_path / "runs" / task / "hrl/seeds_0-2/progress.csv")
    assert [row["seed"] for row in rows[:3]] == ["0", "1", "2"]
    alone = read(uninterrupted(task, "hrl") / "progress.csv")[0]
    for name, value in alone.items():
        if value:
            assert float(rows[0][name]) == pytest.approx(float(value), rel=1e-3, abs=1e-5), name
    assert rows[1]["worker_q_batch"] != rows[2]["worker_q_batch"]


def test_threads_change_no_result(tmp_path, monkeypatch):
    """Also where a training goes on in more threads than it began with."""
    one, several = (("ant_gather", "td3", tmp_path / name, "--steps", "400") for name in ("one", "several"))
    assert finish(*one, seeds="0-2").returncode == 0
    checkpoint = checkpoint_of(*several, seeds="0-2")
    begin = command(*several, seeds="0-2")
    assert kill_after_checkpoint(begin, checkpoint, signal.SIGTERM, 0)[0] == train.INTERRUPTED
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # as Snakemake does for a rule of two threads
    result = finish(*several, "--threads", "2", seeds="0-2")
    assert result.returncode == 0, result.stderr
    assert "continuing at step" in result.stderr
    for name in ("progress.csv", "evaluations.csv"):
        path = f"runs/ant_gather/td3/seeds_0-2/{name}"
        assert (tmp_path / "several" / path).read_bytes() == (tmp_path / "one" / path).read_bytes()


def test_finished_run_is_not_repeated_or_overwritten(uninterrupted, capsys):
    folder = uninterrupted("ant_gather", "td3")
    out = str(folder.parents[3])
    arguments = [*SMALL, "--task", "ant_gather", "--algorithm", "td3", "--seeds", "0", "--out", out]
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert train.main(arguments) == 0
    assert train.main([*arguments, "--set", "learner.tau=0.01"]) == 2
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert "holds a finished run of another configuration (learner.tau is 0.005 there, 0.01 here)" in message
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_deleted_run_folder_is_put_back_without_training(uninterrupted):
    """Snakemake deletes outputs of a job that it did not see end, or whose settings have changed."""
    folder = uninterrupted("ant_gather", "td3")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    shutil.rmtree(folder)
    result = finish("ant_gather", "td3", folder.parents[3])
    assert result.returncode == 0, result.stderr
    assert "was trained before, its files are back" in result.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_altered_finished_files_are_not_put_back(tmp_path):
    """They may be links to files that somebody has edited in place."""
    assert finish("ant_gather", "td3", tmp_path, "--steps", "200").returncode == 0
    folder = tmp_path / "runs/ant_gather/td3/seeds_0"
    description = json.loads((folder / "run.json").read_text())
    description["config"]["learner"]["tau"] = 0.5
    (folder / "run.json").write_text(json.dumps(description | {"hash": "another"}))
    shutil.rmtree(folder)
    result = finish("ant_gather", "td3", tmp_path, "--steps", "200")
    assert result.returncode == 2
    assert "holds a finished run of another configuration (learner.tau is 0.5 there, 0.005 here)" in result.stderr
    assert not folder.exists()


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--task", "ant_maze_9"], "task 'ant_maze_9' is not known; allowed: ant_gather, ant_maze,"),
        (["--algorithm", "ppo"], "algorithm 'ppo' is not known; allowed: td3, hrl"),
        (
            ["--preset", "fast"],
            "preset 'fast' not found; allowed: first_archive, highway_2020, paper, quick, smoke",
        ),
        (["--seeds", "x"], "seeds 'x' are not allowed"),
        (["--steps", "-5"], "run.steps = -5 is not allowed; it must be greater than or equal to 1"),
        (["--steps", "many"], "run.steps = 'many' is not allowed"),
        (["--steps", "250"], "steps (250) must be a multiple of log_every (200)"),
        (["--set", "learner.gama=1"], "key 'learner.gama' is not known; allowed: hidden"),
        (["--set", "lerner.tau=1"], "setting 'lerner' is not known; allowed: run, environment, learner"),
        (["--set", "learner.tau=fast"], "learner.tau = 'fast' is not allowed; it must be a valid number"),
        (["--set", "hierarchy.meta_period=0"], "setting 'hierarchy' does not belong to td3; allowed: run,"),
        (["--set", "environment.wind=1"], "environment: key 'wind' is not known; allowed: contact"),
        (["--set", "environment.contact=hard"], "environment: contact = 'hard' is not allowed"),
        (["--set", "learner.tau=[1"], "the value is not valid yaml"),
        (["--variant", "../x"], "variant '../x' is not known; allowed: ratio_25, ratio_50, "),
        (["--variant", "../x", "--set", "learner.tau=0.1"], "variant = '../x' is not allowed"),
        (["--override", "{"], "--override is not JSON"),
        (["--override", "[1]"], "--override is [1]; it must be a JSON object"),
        (["--override", '{"run": 3}'], "run = 3 is not allowed"),
        (["--device", "tpu"], "device 'tpu' is not known; allowed: cpu, cuda"),
        (["--device", "cuda"], "device 'cuda' is not available on this machine; allowed: cpu"),
        (
            ["--algorithm", "cher"],
            "cher.delta is not set for cher on ant_gather; give --worker-return FILE, made by",
        ),
        (["--algorithm", "cher", "--worker-return", "no.json"], "worker return no.json not found"),
        (
            ["--worker-return", "no.json"],
            "--worker-return is not allowed for td3 on ant_gather: it has no cher.delta",
        ),
        (["--threads", "0"], "--threads '0' is not allowed; it must be a whole number, at least 1"),
        (["--threads", "two"], "--threads 'two' is not allowed; it must be a whole number, at least 1"),
    ],
)
def test_wrong_arguments_are_refused_in_one_line(extra, message, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    base = ["--preset", "smoke", "--task", "ant_gather", "--algorithm", "td3", "--seeds", "0"]
    base += ["--out", str(tmp_path)]
    assert train.main([*base, *extra]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert message in lines[0]
    assert list(tmp_path.iterdir()) == []
