"""Evaluation meets the same starts whoever is evaluated, and reports each condition by itself."""

from dataclasses import replace

import numpy as np
import pytest
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from toys import RELATIVE

from algorithms import evaluate as evaluation
from algorithms.evaluate import Interrupted, evaluate
from algorithms.seeding import integer
from envs.base import EvaluationPoint, TaskEnv

POINTS = (EvaluationPoint("near", {"distance": 1}), EvaluationPoint("far", {"distance": 2}))
TASK = replace(RELATIVE, evaluation_points=POINTS, episode_metrics=("start",))


class Countdown(TaskEnv):
    """Episodes last as long as a draw says; every step is rewarded with the distance asked for."""

    def __init__(self):
        super().__init__()
        self.task = TASK
        self.observation_space = Box(-np.inf, np.inf, (7,), np.float32)
        self.action_space = Box(-1, 1, (1,), np.float32)

    def reset_episode(self, options):
        self.distance = options["distance"]
        self.start = self.left = int(self.np_random.integers(1, 30))
        return np.full(7, self.left, np.float32), {}

    def step_episode(self, action):
        self.left -= 1
        info = {} if self.left else {"episode_metrics": {"start": float(self.start)}}
        return np.full(7, self.left, np.float32), self.distance, False, not self.left, info


class Recorder:
    """A policy that notes when it is told to forget, and under which condition each place is at every step."""

    def __init__(self, number):
        self.number, self.resets = number, np.zeros(number, dtype=int)
        self.points, self.seen = [None] * number, [[] for _ in range(number)]

    def reset(self, starts, point=None):
        self.resets += starts
        for index in np.flatnonzero(starts):
            self.points[index] = point

    def act(self, observations):
        assert (observations > 0).all(), "asked to act after an episode's end"
        for point, seen in zip(self.points, self.seen, strict=True):
            seen.append(point.name)
        return np.zeros((self.number, 1), np.float32)


def run(seeds, step=100, episodes=3, **options):
    envs = SyncVectorEnv([Countdown] * len(seeds), autoreset_mode=AutoresetMode.DISABLED)
    policy = Recorder(len(seeds))
    return evaluate(policy, envs, TASK, seeds, step=step, episodes=episodes, **options), policy


def test_rows():
    rows, policy = run([4])
    assert [(row["seed"], row["step"], row["target"], row["episodes"]) for row in rows] == [
        (4, 100, "near", 3),
        (4, 100, "far", 3),
    ]
    for row, distance in zip(rows, (1, 2), strict=True):
        assert row["episode_length"] == row["start"]
        assert row["return"] == pytest.approx(distance * row["episode_length"])
    assert policy.resets[0] >= 6


def test_a_policy_knows_the_condition_of_every_episode():
    """Episodes differ in length, so seeds are at different evaluation points at the same time."""
    rows, policy = run([0, 1, 2])
    for index, seed in enumerate((0, 1, 2)):
        near, far = (row["episodes"] * row["episode_length"] for row in rows if row["seed"] == seed)
        assert policy.seen[index][: round(near + far)] == ["near"] * round(near) + ["far"] * round(far)
        assert set(policy.seen[index][round(near + far) :]) <= {"far"}, "the last episode again"
    assert len({tuple(seen) for seen in policy.seen}) == 3


def test_seed_in_a_group_gives_what_it_gives_alone():
    together, _ = run([0, 1, 2])
    alone = [row for seed in (0, 1, 2) for row in run([seed])[0]]
    assert together == alone
    assert len({row["return"] for row in together}) > 3


def test_starts_depend_on_the_step_and_nothing_else():
    assert run([0])[0] == run([0])[0]
    assert run([0])[0] != run([0], step=200)[0]


def test_more_episodes_begin_with_the_same_ones():
    env, starts = Countdown(), []
    for episode in range(5):
        env.reset(seed=integer(0, "evaluation", 100, 0, episode), options={"distance": 1})
        starts.append(env.start)
    assert len(set(starts)) > 2
    for episodes in (1, 2, 5):
        assert run([0], episodes=episodes)[0][0]["start"] == pytest.approx(np.mean(starts[:episodes]))


def test_interruption_leaves_no_rows():
    polls = iter([False] * 5 + [True])
    with pytest.raises(Interrupted):
        run([0], stop=lambda: next(polls))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--run", "nowhere"], "holds no finished run"),
        (["--run", ".", "--episodes", "0"], "--episodes is 0; it must be at least 1"),
        (["--run", ".", "--threads", "0"], "--threads is 0; it must be at least 1"),
        (["--run", ".", "--trajectories", "a.txt"], "--trajectories 'a.txt' must end in .parquet or .csv"),
        (["--run", ".", "--recording", "a.mp4"], "--recording 'a.mp4' must end in .parquet or .csv"),
        (["--run", ".", "--video", "a.gif"], "--video 'a.gif' must end in .mp4"),
        (
            ["--run", ".", "--recording", "a.csv", "--trajectories", "a.csv"],
            "'a.csv' is named by another option, too; each needs a file of its own",
        ),
    ],
)
def test_wrong_arguments_are_refused(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        evaluation.main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
