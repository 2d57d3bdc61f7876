"""Untrained quantities agree with their references, and a wrong one would be noticed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from algorithms import config
from algorithms.nested import merge
from analysis import references, study_tables
from analysis.checks import __main__ as command
from analysis.checks import check as module
from analysis.checks.check import Check, judge, run
from envs.ant import four_rooms, gather, maze, navigation, robot
from envs.traffic import car_following, highway, ring, ring_traffic

REFERENCES = references.load(command.REFERENCES)
HARD, SOFT = list(command.checks("hard")), list(command.checks("soft"))

Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def outcomes() -> dict[str, module.Outcome]:
    return {outcome.check.name: outcome for outcome in run(HARD, REFERENCES)}


@pytest.mark.parametrize("name", [check.name for check in HARD])
def test_agrees_with_its_reference(outcomes: dict[str, module.Outcome], name: str):
    outcome = outcomes[name]
    assert outcome.verdict == "agrees", command.said(outcome)


@pytest.mark.slow
@pytest.mark.parametrize("check", SOFT, ids=lambda check: check.name)
def test_traffic_is_near_its_reference(check: Check):
    (outcome,) = run([check], REFERENCES)
    assert outcome.verdict in ("agrees", "deviates"), command.said(outcome)


def test_names_are_unique_and_every_row_that_needs_no_training_is_checked():
    names = [check.name for check in HARD + SOFT]
    assert len(set(names)) == len(names)
    hard = {row.id for row in REFERENCES.values() if row.check == "hard"}
    assert hard <= {check.reference for check in HARD}


# ---- planted errors -------------------------------------------------------------------------------------------


def setting(**changes: Any) -> Plant:
    """Another value in the paper's preset."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        wrong = merge(config.load_preset("paper"), changes)
        monkeypatch.setattr(config, "load_preset", lambda name: wrong)

    return plant


def constant(owner: Any, name: str, value: Any) -> Plant:
    """Another value of a constant."""
    return lambda monkeypatch: monkeypatch.setattr(owner, name, value)


def reward(task: type, factor: float) -> Plant:
    """Another reward in every step."""
    step = task.step_episode  # type: ignore[attr-defined]

    def wrong(self: Any, action: Any) -> Any:
        observation, value, *rest = step(self, action)
        return observation, factor * value, *rest

    return lambda monkeypatch: monkeypatch.setattr(task, "step_episode", wrong)


def ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cooperation ratio that is the share of delta instead of what is left of it."""
    settings = study_tables.settings

    def wrong(run: Any, planned: Any, worker_return: float | None) -> dict[str, Any]:
        row = settings(run, planned, worker_return)
        return row | {"cooperation_ratio": 1 - row["cooperation_ratio"]}

    monkeypatch.setattr(study_tables, "settings", wrong)


def uniform_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An equilibrium with one gap too few: the automated vehicle's is left out."""
    speed = car_following.equilibrium_speed
    monkeypatch.setattr(
        car_following, "equilibrium_speed", lambda length, number: speed(length * 22 / 21 - 5 / 21, number)
    )


PLANTED: dict[str, tuple[Plant, set[str]]] = {
    "reward of the ring": (reward(ring.RingRoad, 22), {"D03"}),
    "reward of the highway": (reward(highway.Highway, 0.5), {"D14"}),
    "reward of a maze": (reward(maze.AntMaze, 0.1), {"D17", "D18"}),
    "reward of an apple": (reward(gather.AntGather, 10), {"D15"}),
    "goal range of the Ant": (constant(robot, "GOAL_HALF_RANGE", robot.GOAL_HALF_RANGE * 0.8), {"D21"}),
    "discount": (setting(learner={"default": {"gamma": 0.999}}), {"PC16"}),
    "target networks": (setting(learner={"default": {"tau": 0.05}}), {"PC17"}),
    "replay of the highway": (setting(learner={"tasks": {"highway": {"buffer_steps": 20_000}}}), {"PC18"}),
    "networks": (setting(learner={"default": {"hidden": [256]}}), {"PC20"}),
    "meta-period": (setting(hierarchy={"default": {"meta_period": 5}}), {"AC_meta_67"}),
    "first lambda": (setting(cher={"default": {"initial_log_lambda": -4.6}}), {"AC_log-lambda_71"}),
    "fixed lambda in a maze": (setting(cher_fixed={"tasks": {"ant_maze": {"fixed_lambda": 0.01}}}), {"P08"}),
    "seeds": (setting(seeds=[0, 1, 2]), {"P01"}),
    "ring lengths": (
        setting(environment={"tasks": {"ring_road": {"lengths": [250, 270]}}}),
        {"PC07", "D02", "D03"},
    ),
    "cooperation ratio": (ratio, {"P03_450", "P03_50"}),
    "acceleration of humans": (constant(car_following, "MAX_ACCELERATION", 1.0), {"AC_ring_77"}),
    "braking of humans": (constant(car_following, "COMFORTABLE_DECELERATION", 1.5), {"AC_ring_77"}),
    "time headway": (constant(car_following, "TIME_HEADWAY", 1.5), {"D01_220", "D02", "D13"}),
    "gaps of the equilibrium": (uniform_speed, {"D01_245", "D02", "D03"}),
    "vehicles on the ring": (constant(ring_traffic, "VEHICLES", 21), {"D01_230", "D02"}),
    "number of bombs": (constant(gather, "BOMB_COUNT", 6), {"PC01"}),
    "corners of the rooms": (constant(four_rooms, "CORNERS", ((20.0, 0.0), (0.0, 20.0), (16.0, 17.0))), {"D19"}),
    "targets of training": (constant(maze, "TRAINING_RANGE", (0.0, 20.0)), {"D17"}),
    "horizon of the mazes": (constant(navigation, "HORIZON", 600), {"PC03", "D18", "D19"}),
    "substeps of the Ant": (constant(robot, "SUBSTEPS", 4), {"PC05"}),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_error_is_reported(monkeypatch: pytest.MonkeyPatch, name: str):
    plant, expected = PLANTED[name]
    plant(monkeypatch)
    wrong = [outcome for outcome in run(about(expected), REFERENCES) if outcome.verdict == "wrong"]
    assert {outcome.check.reference for outcome in wrong} == expected
    assert not [outcome.error for outcome in wrong if outcome.error], "measured, and wrong"


def about(rows: set[str]) -> list[Check]:
    """The checks about some rows."""
    return [check for check in HARD if check.reference in rows]


# ---- the judgement itself -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measured", "verdict"), [(100.0, "agrees"), (105.0, "agrees"), (94.0, "deviates"), (89.0, "wrong")]
)
def test_soft_checks_have_a_band_and_a_limit(measured: float, verdict: str):
    check = Check("X", "x", lambda: measured, band=0.05, limit=0.1, level="soft")
    assert judge(check, measured, 100.0) == verdict


def test_a_hard_check_knows_no_deviation():
    assert judge(Check("X", "x", float), 1.001, 1.0) == "wrong"
    assert judge(Check("X", "x", float), 1e-10, 0.0) == "agrees"
    assert judge(Check("X", "x", str), "1.3,2.0,0.2", "1.3,2.0,0.3") == "wrong"


def test_a_measurement_that_fails_is_wrong_and_stops_no_other():
    def broken() -> float:
        raise RuntimeError("no such\nthing")

    first, second = run([Check("P01", "broken", broken), Check("P01", "whole", lambda: 10)], REFERENCES)
    assert (first.verdict, first.error) == ("wrong", "RuntimeError: no such thing")
    assert second.verdict == "agrees"


# ---- the command line -----------------------------------------------------------------------------------------


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[Check]:
    """Three checks in the place of all."""
    checks = [
        Check("P01", "good", lambda: 10),
        Check("PC20", "words", lambda: "256x256"),
        Check("D03", "near", lambda: 2_600.0, band=0.001, limit=0.1),
    ]
    monkeypatch.setattr(command, "checks", lambda level: iter(checks))
    return checks


def test_the_command_says_what_deviates_and_writes_tables(few: list[Check], tmp_path: Path, capsys: Any):
    status = command.main(["--out", str(tmp_path / "checks.csv"), str(tmp_path / "checks.md")])
    assert status == 0
    assert capsys.readouterr().out == (
        "deviates: D03: near: 2600 instead of 2631.7\n2 agrees, 1 deviates, 0 wrong\n"
    )
    rows = pd.read_csv(tmp_path / "checks.csv", dtype={"expected": str})
    assert rows["verdict"].tolist() == ["agrees", "agrees", "deviates"]
    assert rows["expected"].tolist() == ["10", "256x256", "2631.7"]
    np.testing.assert_allclose(rows["deviation"], [0, np.nan, 2600 / 2631.7 - 1], rtol=1e-5)
    assert "| near" in (tmp_path / "checks.md").read_text()


def test_the_command_fails_where_something_is_wrong(few: list[Check], capsys: Any):
    few.append(Check("P01", "bad", lambda: 9))
    assert command.main([]) == 1
    assert "wrong: P01: bad: 9 instead of 10\n" in capsys.readouterr().out


def test_a_missing_file_of_references_is_said_in_a_line(tmp_path: Path):
    with pytest.raises(SystemExit, match=r"^checks: .*nowhere.csv"):
        command.main(["--references", str(tmp_path / "nowhere.csv")])
