from __future__ import annotations

from typing import Any

import pytest

from algorithms.registry import ALGORITHMS
from benchmarks import steps
from envs.tasks import describe


@pytest.mark.parametrize(
    ("task", "algorithms"),
    [
        ("ant_gather", tuple(ALGORITHMS)),
        ("ring_road", ("td3",)),  # simulated in other processes
        ("visual_ant_maze", ("hrl",)),
    ],
)
def test_every_algorithm_is_measured(task: str, algorithms: tuple[str, ...]):
    result = steps.measure(rounds=1, calls=2, episodes=1, warmup_steps=1_280, tasks=[task], algorithms=algorithms)
    measured = result["tasks"][task]
    assert tuple(measured["algorithms"]) == algorithms
    for row in measured["algorithms"].values():
        parts = [row["parts"][part]["median"] for part in steps.PARTS]
        assert all(part > 0 for part in parts)
        assert sum(parts) == pytest.approx(row["ms"]["median"])
        assert row["warmup_ms"] > 0
    assert measured["algorithms"][algorithms[0]]["relative"]["median"] == 1
    assert f"| {task} | {algorithms[0]} |" in steps.report(result)


def made_up() -> dict[str, Any]:
    """Two algorithms, two blocks, in round numbers."""
    spec, _ = describe("ant_gather")
    block = {"simulator": 1.0, "learner": 2.0, "overhead": 0.5}
    slower = {"simulator": 1.0, "learner": 5.0, "overhead": 0.5}
    evaluations = {"td3": {"reset": [250.0], "step": [2.0]}, "hrl": {"reset": [250.0], "step": [3.0]}}
    run = steps.configure("ant_gather", "td3", 2_000).run
    run = run.model_copy(update={"evaluation_episodes": 4, "evaluate_every": 5_000})
    return steps.assemble(
        spec, run, {"td3": block, "hrl": block}, {"td3": [block] * 2, "hrl": [slower] * 2}, evaluations
    )


def test_costs_add_up():
    measured = made_up()
    assert measured["horizon"] == 500
    flat, hrl = measured["algorithms"]["td3"], measured["algorithms"]["hrl"]
    assert flat["parts"]["resets"]["median"] == 0.5  # 250 ms in every 500 steps
    assert flat["ms"]["median"] == 4
    assert flat["overhead_share"]["median"] == 0.125
    assert hrl["relative"]["median"] == 7 / 4
    assert flat["warmup_ms"] == 3.5
    assert flat["evaluation_seconds"] == pytest.approx(4 * (250 + 500 * 2) / 1000)
    assert flat["evaluation_share"] == pytest.approx(5 / (5 + 5 * 4))  # 5,000 steps of 4 ms


def test_goals_are_judged_for_each_algorithm():
    goals = {goal["what"]: goal for goal in steps.goals_of({"tasks": {"ant_gather": made_up()}})}
    assert not goals["hrl on ant_gather: step / TD3's step"]["met"]
    assert not goals["td3 on ant_gather: trainer's own share"]["met"]
    assert "td3 on ant_gather: step / TD3's step" not in goals
    assert goals["td3 on ant_gather: share of evaluations"]["measured"] == pytest.approx(0.2)


def test_a_task_that_td3_does_not_learn_has_no_goal_relative_to_it():
    only_hrl = made_up()
    del only_hrl["algorithms"]["td3"]
    judged = [goal["what"] for goal in steps.goals_of({"tasks": {"visual_ant_maze": only_hrl}})]
    assert judged == [
        "hrl on visual_ant_maze: trainer's own share",
        "hrl on visual_ant_maze: share of evaluations",
    ]
