"""Scripted drivers as a policy and as a command: their actions, files and refusals."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from finished import finished_run

from algorithms import drive, drivers, evaluate
from algorithms.config import load_preset
from algorithms.drive import DriverPolicy
from algorithms.evaluate import Interrupted
from algorithms.registry import DRIVERS
from algorithms.seeding import evaluation_start
from envs.base import EvaluationPoint
from envs.tasks import describe, make

SMALL = {"run": {"steps": 200}, "environment": {"warmup_steps": 5, "horizon": 12, "lengths": (230, 231)}}
SETTINGS = [
    *("--set", "run.steps=200", "--set", "environment.warmup_steps=5", "--set", "environment.horizon=12"),
    *("--set", "environment.lengths=[230, 231]"),
]
EVERYWHERE = np.array([True, True])


def job(driver, seeds=(0, 1), **overrides):
    return drivers.resolve(load_preset("smoke"), "ring_road", driver, seeds=seeds, overrides=SMALL | overrides)


def policy_of(driver, seeds=(0, 1)):
    config = job(driver, seeds)
    return DriverPolicy(config, *describe(config.task, config.environment))


def command(out, driver="random", *extra):
    arguments = ["--preset", "smoke", "--task", "ring_road", "--driver", driver, "--out", str(out)]
    return [*arguments, *SETTINGS, *extra]


def observations(seeds, *frame):
    """Five equal frames of the automated vehicle: speed, leader's speed, gap, follower's speed and gap."""
    return np.tile(np.array(frame, np.float32), (seeds, 5))


def test_each_seed_drives_under_its_own_condition():
    policy = policy_of("follower_stopper")
    policy.reset(EVERYWHERE, EvaluationPoint("slow", ideal_goal=(2.0,)))
    policy.reset(np.array([False, True]), EvaluationPoint("fast", ideal_goal=(8.0,)))
    actions = policy.act(observations(2, 3, 9, 40, 3, 10))
    assert actions.dtype == np.float32
    assert actions.tolist() == [[-1], [1]]


def test_a_driver_asks_for_the_condition():
    with pytest.raises(ValueError, match="needs the condition under which an episode starts"):
        policy_of("human").reset(EVERYWHERE)


def test_only_tasks_with_vehicles_can_be_driven():
    with pytest.raises(ValueError, match="'ant_gather' has no vehicles to drive"):
        DriverPolicy(job("human"), *describe("ant_gather"))


def test_the_newest_frame_counts_and_every_place_is_driven():
    """A task with three places, 25 numbers each, of which the last is empty."""
    config = job("follower_stopper")
    task, _ = describe(config.task, config.environment)
    policy = DriverPolicy(config, task, type("Actions", (), {"shape": (3,)})())
    policy.reset(EVERYWHERE, EvaluationPoint("somewhere", {"end_speed": 5}))
    slots = np.zeros((2, 3, 5, 5), np.float32)
    slots[:, 0, 0], slots[:, 0, 1:] = (5, 9, 40, 5, 9), 1
    slots[:, 1, 0], slots[:, 1, 1:] = (4.95, 9, 40, 5, 9), 1
    actions = policy.act(slots.reshape(2, -1))
    assert actions.shape == (2, 3)
    np.testing.assert_allclose(actions[:, :2], [[0, 0.5]] * 2, atol=1e-5)
    assert np.isfinite(actions).all()


def test_random_actions_are_uniform_and_each_seeds_own():
    policy, alone = policy_of("random", (3, 5)), policy_of("random", (5,))
    still = observations(2, 3, 3, 10, 3, 10)
    policy.reset(EVERYWHERE, EvaluationPoint("x"))
    alone.reset(np.array([True]), EvaluationPoint("x"))
    actions = np.array([policy.act(still) for _ in range(2_000)])
    assert (actions[:, 1] == np.array([alone.act(still[:1])[0] for _ in range(2_000)])).all()
    assert abs(np.corrcoef(actions[:, 0, 0], actions[:, 1, 0])[0, 1]) < 0.1
    assert -1 <= actions.min() < -0.99
    assert 0.99 < actions.max() <= 1
    np.testing.assert_allclose(np.histogram(actions, 4, (-1, 1))[0] / actions.size, 0.25, atol=0.02)


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_seed_in_a_group_gives_what_it_gives_alone(driver):
    together = drive.drive(job(driver, (0, 4)))
    assert together == [row for seed in (0, 4) for row in drive.drive(job(driver, (seed,)))]
    assert [(row["seed"], row["target"]) for row in together] == [
        (seed, target) for seed in (0, 4) for target in ("length_230", "length_231")
    ]


def test_episodes_begin_where_those_of_the_final_evaluation_of_a_training_do():
    """A driver that keeps its speed, beside actions of 0 from the same start."""
    config = job("constant", (7,))
    rows = drive.drive(config)
    env = make(config.task, config.environment)
    for point, row in enumerate(rows):
        env.reset(seed=evaluation_start(7, 200, point, 0), options=env.task.evaluation_points[point].options)
        rewards = [env.step(np.zeros(1, np.float32))[1] for _ in range(12)]
        assert row["return"] == pytest.approx(sum(rewards), rel=1e-12)
        assert (row["step"], row["episodes"], row["episode_length"]) == (200, 1, 12)
    env.close()


def test_a_recorded_driver_meets_the_traffic_that_a_training_of_the_preset_ends_in(tmp_path):
    """Both recordings begin with the same vehicles at the same places, at every evaluation point."""
    run, paths = tmp_path / "run", [tmp_path / "td3.csv", tmp_path / "constant.csv"]
    run.mkdir()
    environment = dict(SMALL["environment"])
    finished_run(run, "ring_road", "td3", {"environment": environment}, seeds=(7,))
    evaluation = ["--run", str(run), "--episodes", "1", "--recording", str(paths[0])]
    assert evaluate.main(evaluation) == 0
    settings = ["--set", "environment.warmup_steps=5", "--set", "environment.horizon=12", *SETTINGS[-2:]]
    driver = ["--preset", "paper", "--task", "ring_road", "--driver", "constant", "--seeds", "7", *settings]
    assert drive.main([*driver, "--out", str(tmp_path), "--recording", str(paths[1])]) == 0
    learner, constant = (list(csv.DictReader(path.open())) for path in paths)
    begin = [[row for row in rows if row["time"] == "0.0"] for rows in (learner, constant)]
    assert len(begin[0]) == 2 * 22
    assert begin[0] == begin[1]
    assert learner != constant


def test_humans_drive_whatever_the_actions():
    config = job("human", (7,))
    assert config.environment["human_only"]
    env = make(config.task, config.environment)
    env.reset(seed=evaluation_start(7, 200, 0, 0), options=env.task.evaluation_points[0].options)
    rewards = [env.step(np.ones(1, np.float32))[1] for _ in range(12)]
    env.close()
    assert drive.drive(config)[0]["return"] == pytest.approx(sum(rewards), rel=1e-12)
    assert drive.drive(job("constant", (7,)))[0]["return"] != pytest.approx(sum(rewards), rel=1e-6)


def test_recorders_see_every_step_and_interruption_leaves_no_rows():
    class Counter:
        steps = 0

        def record(self, episodes, lengths, step):
            self.steps += 1

    counter = Counter()
    drive.drive(job("random", (0,)), recorders=[counter])
    assert counter.steps == 2 * 12
    with pytest.raises(Interrupted):
        drive.drive(job("random", (0,)), stop=lambda: True)


def test_files_and_a_second_call(tmp_path, caplog):
    folder = tmp_path / "drivers/ring_road/random"
    assert drive.main(command(tmp_path)) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["evaluations.csv", "run.json"]
    with (folder / "evaluations.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:7] == [
        "seed",
        "step",
        "target",
        "episodes",
        "return",
        "episode_length",
        "return_fraction",
    ]
    assert [(row["seed"], row["target"]) for row in rows][:2] == [("0", "length_230"), ("0", "length_231")]
    description = json.loads((folder / "run.json").read_text())
    expected = job("random")
    assert description["config"] == json.loads(json.dumps(expected.record))
    assert (description["hash"], description["seeds"]) == (expected.hash, [0, 1])
    assert {"versions", "git_commit", "hardware"} <= description.keys()

    before = {path: path.read_bytes() for path in folder.iterdir()}
    with caplog.at_level("INFO"):
        assert drive.main(command(tmp_path)) == 0
    assert f"{folder} is complete" in caplog.text
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert drive.main(command(tmp_path / "again")) == 0
    again = tmp_path / "again/drivers/ring_road/random/evaluations.csv"
    assert again.read_bytes() == before[folder / "evaluations.csv"], "the same bytes each time"

    (folder / "run.json").unlink()  # as if killed in between
    assert drive.main(command(tmp_path)) == 0
    assert (folder / "evaluations.csv").read_bytes() == before[folder / "evaluations.csv"]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("--set", "environment.noise=0.1"), "environment.noise is 0.2 there, 0.1 here"),
        (("--seeds", "0"), "seeds is [0, 1] there, [0] here"),
    ],
)
def test_results_of_another_configuration_are_not_overwritten(tmp_path, capsys, change, key):
    expected = job("human")
    folder = tmp_path / "drivers/ring_road/human"
    drive.write_files(folder, expected, [{"seed": 0}])
    before = (folder / "run.json").read_bytes()
    assert drive.main(command(tmp_path, "human", *change)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert (
        line
        == f"error: {folder} holds results of another configuration ({key}); move it away or choose another --out"
    )
    assert (folder / "run.json").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--driver", "robot"), "driver 'robot' is not known; allowed: human, follower_stopper, random, constant"),
        (("--task", "ant_gather"), "task 'ant_gather' has no traffic; allowed: ring_road, highway"),
        (("--seeds", "x"), "seeds 'x' are not allowed; "),
        (("--recording", "traffic.txt"), "--recording 'traffic.txt' must end in .parquet or .csv"),
        (("--recording", "/dev/null/a.csv"), "--recording '/dev/null/a.csv' cannot be written: File exists"),
        (("--set", "hiro.candidates=3"), "setting 'hiro' does not belong to random; allowed: run, environment"),
        (("--out", "/dev/null"), "/dev/null/drivers/ring_road/random cannot be written: Not a directory"),
    ],
)
def test_wrong_arguments_are_refused_in_one_line(tmp_path, capsys, arguments, message):
    assert drive.main(command(tmp_path, "random", *arguments)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {message}")
    assert not (tmp_path / "drivers").exists()


def test_a_recording_is_of_the_first_seeds_first_episodes(tmp_path):
    recording = tmp_path / "traffic.csv"
    arguments = command(tmp_path, "constant", "--seeds", "0,1", "--recording", str(recording))
    assert drive.main(arguments) == 0
    written = recording.read_bytes()
    rows = list(csv.DictReader(recording.open()))
    assert {row["seed"] for row in rows} == {"0"}
    assert {row["target"] for row in rows} == {"length_230", "length_231"}
    folder = tmp_path / "drivers/ring_road/constant"
    assert len(list(csv.DictReader((folder / "evaluations.csv").open()))) == 4
    before = (folder / "run.json").read_bytes()
    recording.unlink()
    assert drive.main(arguments) == 0, "the folder is complete, the recording is made again"
    assert recording.read_bytes() == written
    assert (folder / "run.json").read_bytes() == before


def test_a_signal_ends_it_and_leaves_nothing(tmp_path):
    arguments = command(tmp_path, "human", "--set", "environment.horizon=1000000")
    call = [sys.executable, "-m", "algorithms.drive", *arguments]
    process = subprocess.Popen(call, stderr=subprocess.PIPE, text=True, start_new_session=True)
    folder = tmp_path / "drivers/ring_road/human"
    deadline = time.monotonic() + 60
    while not folder.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(timeout=60) == 143
    assert "stopped, nothing is kept" in process.stderr.read()
    assert list(folder.iterdir()) == []
