"""Probes are the same whenever and whoever is probed, and say how far the worker came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from toys import ABSOLUTE, CPU, RELATIVE, PointMass, Rollout, make

from algorithms.config import load_preset, resolve
from algorithms.evaluate import Interrupted
from algorithms.levels import Levels
from algorithms.probes import NUMBER, STEPS, probe, probe_goal
from algorithms.records import Row
from algorithms.trainer import Trainer
from envs.base import EvaluationPoint, Observation, StepResult, TaskEnv, TaskSpec
from envs.tasks import VectorTask

FIXED = ("seed", "probe", "reset_seed", "goal_0", "goal_1", "error_start")


class Conveyor(TaskEnv):
    """Entry 3 moves by 0.1 in each step, whatever one does; the episode ends after a number of steps."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.task, self.length = RELATIVE, length
        self.observation_space, self.action_space = PointMass().observation_space, PointMass().action_space

    def reset_episode(self, options: Any) -> tuple[Observation, dict[str, Any]]:
        assert dict(options) == {"side": "left"}
        self.time, self.start = 0, float(self.np_random.random())
        return self._observe(), {}

    def step_episode(self, action: Any) -> StepResult:
        self.time += 1
        return self._observe(), 0.0, self.time == self.length, False, {}

    def _observe(self) -> Observation:
        observation = np.zeros(7, np.float32)
        observation[3] = self.start + 0.1 * self.time
        return observation


def levels_of(seeds: Sequence[int], task: TaskSpec = RELATIVE, steps: int = 0) -> Levels:
    rollout = Rollout(make("hrl", seeds, task=task), seeds, task).run(warmup=200, steps=steps)
    levels: Levels = rollout.algorithm.policy.levels
    return levels


def point_masses(number: int, task: TaskSpec = RELATIVE) -> VectorTask:
    return SyncVectorEnv([lambda: PointMass(task)] * number, autoreset_mode=AutoresetMode.DISABLED)


def run(seeds: Sequence[int], step: int = 100, task: TaskSpec = RELATIVE, **options: Any) -> list[Row]:
    return probe(levels_of(seeds, task), point_masses(len(seeds), task), task, seeds, step=step, **options)


def part(rows: list[Row], names: Sequence[str]) -> list[list[Any]]:
    return [[row[name] for name in names] for row in rows]


@pytest.mark.parametrize("task", [RELATIVE, ABSOLUTE], ids=["relative", "absolute"])
def test_rows(task: TaskSpec) -> None:
    rows = run((4, 2), task=task)
    assert [(row["seed"], row["probe"]) for row in rows] == [(seed, n) for seed in (4, 2) for n in range(NUMBER)]
    assert list(rows[0]) == ["seed", "step", "probe", "reset_seed", "goal_0", "goal_1", "error_start", "error_end"]
    assert {row["step"] for row in rows} == {100}
    assert np.isfinite(part(rows, ["error_start", "error_end"])).all()
    assert len({row["reset_seed"] for row in rows}) == 2 * NUMBER


def test_only_the_worker_makes_a_difference() -> None:
    """Neither the training step nor what was simulated before does; a worker that has learnt does."""
    envs = point_masses(2)
    early, late = levels_of((0, 1)), levels_of((0, 1), steps=100)
    first = probe(early, envs, RELATIVE, (0, 1), step=100)
    envs.reset(seed=77)
    envs.step(np.ones((2, 2), np.float32))
    again = probe(early, envs, RELATIVE, (0, 1), step=200)
    assert [row | {"step": 100} for row in again] == first
    later = probe(late, envs, RELATIVE, (0, 1), step=200)
    assert part(later, FIXED) == part(first, FIXED)
    assert part(later, ["error_end"]) != part(first, ["error_end"])


def test_seed_in_a_group_meets_the_probes_it_meets_alone() -> None:
    alone = [row for seed in (0, 1, 2) for row in run((seed,))]
    assert part(run((0, 1, 2)), FIXED) == part(alone, FIXED)


def test_goals_fill_the_box() -> None:
    goals = np.stack([probe_goal(RELATIVE, seed, number) for seed in range(100) for number in range(NUMBER)])
    assert goals.dtype == np.float32
    assert (goals >= RELATIVE.goal_low).all()
    assert (goals <= RELATIVE.goal_high).all()
    assert goals.mean(0) == pytest.approx((RELATIVE.goal_low + RELATIVE.goal_high) / 2, abs=0.15)
    assert goals.std(0) == pytest.approx((RELATIVE.goal_high - RELATIVE.goal_low) / 12**0.5, rel=0.1)


@pytest.mark.parametrize("lengths", [(1000, 1000), (20, 1000), (7, 30)])
def test_error_is_that_after_the_last_step_of_the_episode(lengths: tuple[int, ...]) -> None:
    """Also where the other environment's episode goes on; the goal is carried by the goal transition."""
    task = replace(
        RELATIVE, evaluation_points=(EvaluationPoint("left", {"side": "left"}), EvaluationPoint("right"))
    )
    members = [lambda length=length: Conveyor(length) for length in lengths]
    envs = SyncVectorEnv(members, autoreset_mode=AutoresetMode.DISABLED)
    rows = probe(levels_of((0, 1)), envs, task, (0, 1), step=1)
    assert len(rows) == 2 * NUMBER
    for row in rows:
        way = 0.1 * min(lengths[row["seed"]], STEPS)
        assert row["error_start"] == pytest.approx(np.hypot(row["goal_0"], row["goal_1"]), rel=1e-5)
        assert row["error_end"] == pytest.approx(np.hypot(row["goal_0"] - way, row["goal_1"]), rel=1e-4)


def test_interruption_leaves_no_rows() -> None:
    polls = iter([False] * 60 + [True])
    with pytest.raises(Interrupted):
        run((0,), stop=lambda: next(polls))


def test_interrupted_probes_are_repeated_with_their_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"steps": 200, "warmup_steps": 320, "evaluate_every": 200}
    config = resolve(load_preset("smoke"), "ant_gather", "hrl", seeds=[0], overrides={"run": settings})
    trainer = Trainer(config, CPU)

    def interrupted(*arguments: Any, **options: Any) -> list[Row]:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr("algorithms.trainer.probe", interrupted)
        assert not trainer.run(lambda: False, lambda: None)
    assert trainer.evaluations == trainer.probes == []
    assert trainer.run(lambda: False, lambda: None)
    trainer.close()
    assert len(trainer.evaluations) == 1
    assert len(trainer.probes) == NUMBER
