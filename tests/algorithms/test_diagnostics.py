"""Numbers about goals and values, against cases done by hand and against the recorded trajectories."""

from __future__ import annotations

from dataclasses import replace
from math import atanh, sqrt
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from learners import constant
from toys import ABSOLUTE, CONSECUTIVE, CPU, RELATIVE, PointMass, Rollout, equal, make

from algorithms.algorithm import Array, Mask
from algorithms.diagnostics import EpisodeDiagnostics, ProposalLog, Step
from algorithms.evaluate import evaluate
from algorithms.goals import Goals
from algorithms.levels import HierarchicalPolicy, Levels
from algorithms.trajectories import Trajectories
from envs.base import EvaluationPoint, TaskSpec

GAMMA, VALUE = 0.9, 7.0

#: The third entry of a goal is no position.
SPATIAL = replace(
    RELATIVE,
    goal_indices=(3, 1, 0),
    goal_low=np.array([-2, -1, -1], np.float32),
    goal_high=np.array([2, 3, 5], np.float32),
)
IDEAL = replace(
    ABSOLUTE,
    evaluation_points=(EvaluationPoint("known", ideal_goal=(4, 1)), EvaluationPoint("unknown")),
)


def policy_of(task: TaskSpec, seeds: int = 1, tanh: float = 0) -> HierarchicalPolicy:
    """A manager that always sets the same goal, at this place of the goal box, and expects the same value."""
    algorithm = make("hrl", range(seeds), task=task, learner={"gamma": GAMMA})
    constant(algorithm.manager.actor, *[atanh(tanh)] * seeds)
    constant(algorithm.manager.critics, *[VALUE, -100.0] * seeds)
    policy: HierarchicalPolicy = algorithm.policy
    return policy


def play(
    diagnostics: EpisodeDiagnostics, policy: HierarchicalPolicy, path: Array, end: str, seeds: int = 1
) -> Step:
    """One episode along a path [T + 1, n], the same in all environments; step t is rewarded with t.

    Returns:
        The last step.
    """
    policy.reset(np.ones(seeds, bool))
    for time in range(1, len(path)):
        before, after = (np.repeat(path[None, index], seeds, axis=0) for index in (time - 1, time))
        over = {
            kind: np.full(seeds, time == len(path) - 1 and end == kind) for kind in ("terminated", "truncated")
        }
        actions = policy.act(before)
        step = Step(before, actions, np.full(seeds, float(time)), after, **over)
        diagnostics.record(step)
    return step


def path(steps: int, entry: int, speed: float) -> Array:
    """One entry of the observation moves, all others rest at zero."""
    observations = np.zeros((steps + 1, 7), np.float32)
    observations[:, entry] = speed * np.arange(steps + 1)
    return observations


def outcome(
    task: TaskSpec, observations: Array, end: str, *, ideal: Any = None, tanh: float = 0
) -> dict[str, float]:
    policy = policy_of(task, tanh=tanh)
    diagnostics = EpisodeDiagnostics(policy, task)
    diagnostics.start(np.array([True]), observations[:1], ideal)
    last = play(diagnostics, policy, observations, end)
    return diagnostics.outcome(0, last)


def test_distances_to_a_relative_goal() -> None:
    """The goal is (0, 1, 2); x approaches it by 0.1 a step, and a fresh goal comes after ten steps."""
    columns = outcome(SPATIAL, path(12, 1, 0.1), "truncated")
    planar = [1 - 0.1 * step for step in [*range(1, 11), 1, 2]]
    assert columns["goal_distance_xy"] == pytest.approx(np.mean(planar), rel=1e-5)
    assert columns["goal_distance"] == pytest.approx(np.mean([sqrt(d * d + 4) for d in planar]), rel=1e-5)
    assert not {"goal_level", "goal_error"} & set(columns)


def test_level_and_error_of_an_absolute_goal() -> None:
    """The goal is (7.5, 2.5) in the box from (0, -5) to (10, 5)."""
    columns = outcome(IDEAL, path(3, 4, 0.5), "truncated", ideal=(4, 1), tanh=0.5)
    assert columns["goal_level"] == pytest.approx(0.75)
    assert columns["goal_error"] == pytest.approx((3.5 + 1.5) / 2)
    expected = np.mean([sqrt((7.5 - 0.5 * step) ** 2 + 2.5**2) for step in (1, 2, 3)])
    assert columns["goal_distance"] == pytest.approx(expected, rel=1e-5)
    assert "goal_distance_xy" not in columns
    assert np.isnan(outcome(IDEAL, path(3, 4, 0.5), "truncated")["goal_error"])


@pytest.mark.parametrize(("steps", "periods"), [(7, 1), (10, 1), (12, 2), (20, 2), (25, 3)])
@pytest.mark.parametrize("end", ["terminated", "truncated"])
def test_return_of_the_manager(steps: int, periods: int, end: str) -> None:
    columns = outcome(RELATIVE, path(steps, 1, 0.01), end)
    sums = [sum(range(first, min(first + 10, steps + 1))) for first in range(1, steps + 1, 10)]
    expected = 0.1 * sum(GAMMA**index * total for index, total in enumerate(sums))
    assert columns["manager_q"] == pytest.approx(VALUE)
    assert columns["manager_return"] == pytest.approx(expected)
    discount = GAMMA**periods if end == "truncated" else 0
    assert columns["manager_discount"] == pytest.approx(discount)
    assert columns["manager_return_bootstrapped"] == pytest.approx(expected + discount * VALUE)


def test_episodes_of_other_environments_do_not_mix() -> None:
    task, observations = SPATIAL, path(12, 1, 0.1)
    policy = policy_of(task, 2)
    diagnostics = EpisodeDiagnostics(policy, task)
    other = path(17, 3, 5)
    diagnostics.start(np.ones(2, bool), other[[0, 0]], None)
    last = play(diagnostics, policy, other, "truncated", seeds=2)
    before = diagnostics.outcome(0, last)
    diagnostics.start(np.array([False, True]), observations[[0, 0]], None)
    last = play(diagnostics, policy, observations, "truncated", seeds=2)
    assert diagnostics.outcome(1, last) == pytest.approx(outcome(task, observations, "truncated"))
    assert diagnostics.outcome(0, last) != before, "its episode went on"


def vector(task: TaskSpec, number: int) -> SyncVectorEnv:
    return SyncVectorEnv([lambda: PointMass(task)] * number, autoreset_mode=AutoresetMode.DISABLED)


@pytest.mark.parametrize("task", [SPATIAL, CONSECUTIVE, IDEAL], ids=["spatial", "consecutive", "absolute"])
def test_rows_are_those_of_the_recorded_trajectories(task: TaskSpec) -> None:
    seeds = (3, 5)
    algorithm = Rollout(make("hrl", seeds, task=task), seeds, task).run(warmup=200, steps=20).algorithm
    trajectories = Trajectories(algorithm.policy, task, seeds)
    rows = evaluate(algorithm.policy, vector(task, 2), task, seeds, step=1, episodes=3, recorders=[trajectories])
    table = trajectories.table()
    size = len(task.goal_indices)
    goals, states = ([f"{name}_{index}" for index in range(size)] for name in ("goal", "state"))
    assert len(rows) == 2 * len(task.evaluation_points)
    for row in rows:
        distances, returns = [], []
        here = table.query(f"seed == {row['seed']} and target == '{row['target']}'")
        for _, episode in here.groupby("episode"):
            now, after = episode[states].to_numpy()[:-1], episode[states].to_numpy()[1:]
            residual = episode[goals].to_numpy()[:-1] - after + (now if task.relative_goals else 0)
            distances.append(np.linalg.norm(residual, axis=1).mean())
            periods = episode["period_start"].cumsum()[:-1] - 1
            returns.append((0.1 * 0.99**periods * episode["reward"][:-1]).sum())
        assert row["goal_distance"] == pytest.approx(np.mean(distances), rel=1e-4)
        assert row["manager_return"] == pytest.approx(np.mean(returns), rel=1e-4)
        assert np.isfinite([row["manager_q"], row["manager_return_bootstrapped"]]).all()
        assert np.isfinite(row.get("goal_error", 0)) == (row["target"] != "unknown")


def test_a_flat_policy_has_no_such_columns() -> None:
    policy = make("td3", (0, 1)).policy
    rows = evaluate(policy, vector(RELATIVE, 2), RELATIVE, (0, 1), step=1, episodes=2)
    assert set(rows[0]) == {"seed", "step", "target", "episodes", "return", "episode_length", "distance"}


# ---- proposals ------------------------------------------------------------------------------------------------


def test_every_40th_proposal_of_each_seed() -> None:
    log = ProposalLog((4, 7), Goals(RELATIVE, CPU))
    for step in range(100):
        observations = np.full((2, 7), step, np.float32)
        goals = np.array([[step, -step], [0.5, step]], np.float32)
        log.record(step, np.array([True, step % 2 == 0]), observations, goals)
    rows = log.rows()
    assert [(row["seed"], row["step"]) for row in rows] == [(4, 0), (7, 0), (4, 40), (4, 80), (7, 80)]
    assert rows[2] == {"seed": 4, "step": 40, "state_0": 40, "state_1": 40, "goal_0": 40, "goal_1": -40}


def test_proposals_are_the_goals_carried_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those after the warm-up, exploration included."""
    rollout = Rollout(make("hrl", (0, 1)), (0, 1)).run(warmup=195)
    algorithm, made, propose = rollout.algorithm, [], Levels.propose

    def spy(levels: Levels, observations: Array, starts: Mask, *, explore: bool) -> Array:
        goals = propose(levels, observations, starts, explore=explore)
        made.extend((seed, algorithm.updates, observations[seed], goals[seed]) for seed in np.flatnonzero(starts))
        return goals

    monkeypatch.setattr(Levels, "propose", spy)
    assert algorithm.proposals() == []
    rollout.run(steps=450)
    expected = [call for seed in (0, 1) for call in [call for call in made if call[0] == seed][::40]]
    rows = sorted(algorithm.proposals(), key=lambda row: row["seed"])
    assert len(rows) == len(expected) == 4
    for row, (seed, step, observation, goal) in zip(rows, expected, strict=True):
        assert list(row.values()) == [seed, step, observation[3], observation[1], *goal]


def test_log_continues_from_its_state() -> None:
    whole, half, resumed = (ProposalLog((4, 7), Goals(RELATIVE, CPU)) for _ in range(3))
    resumed.load_state_dict(whole.state_dict())
    random = np.random.default_rng(0)
    for step in range(200):
        values = random.normal(size=(2, 9)).astype(np.float32)
        for log in (whole, half if step < 111 else resumed):
            log.record(step, values[:, 0] > 0, values[:, :7], values[:, 7:])
        if step == 110:
            resumed.load_state_dict(half.state_dict())
    assert len(whole.rows()) > 3
    assert whole.rows() == resumed.rows()
    assert equal(whole.state_dict(), resumed.state_dict())
