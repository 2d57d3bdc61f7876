"""Verdicts that failure, standing cars, blocked roads or idle workers would win, were they not guarded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_up import SEEDS, results, studies

from analysis.claims.catalogue.every import claim
from analysis.claims.judge import judge
from analysis.claims.results import Results

BASELINES = ("td3", "hrl", "hiro", "hac")
MAZE, ROOMS, GATHER, RING, HIGHWAY = "ant_maze", "ant_four_rooms", "ant_gather", "ring_road", "highway"
TASKS = tuple(results(True).tasks)
EVERYBODY = (*BASELINES, "cher")
Made = dict[str, dict[str, pd.DataFrame]]


def setting(made: Made, table: str, task: str, label: str, study: str = "main", **columns: object) -> None:
    """Set columns of one cell, to one number or to one by seed."""
    rows = made[study][table]
    here = (rows["task"] == task) & (rows["label"] == label)
    for name, value in columns.items():
        new = rows.loc[here, "seed"].map(value) if isinstance(value, dict) else value
        rows.loc[here, name] = new


def judged(made: Made, name: str, *tasks: str) -> pd.DataFrame:
    """A claim, or its comparisons on some tasks, and the family that they are of."""
    found = claim(name)
    chosen = tuple(each for each in found.comparisons if not tasks or each.task in tasks)
    families = {each.part: found.family(each.part) for each in chosen}
    return judge(Results(made, TASKS), [replace(found, comparisons=chosen, families=families)])


def failing(task: str, metric: str = "success", study: str = "main") -> Made:
    """Nobody succeeds, but for one seed of CHER once in a hundred episodes."""
    made = studies(True)
    table = "runs" if metric.endswith("100") else "evaluations"
    for label in EVERYBODY:
        if (made[study][table]["label"] == label).any():
            once = {seed: 0.01 * (seed == 0 and label == "cher") for seed in range(SEEDS)}
            setting(made, table, task, label, study, **{metric: once})
    return made


def test_all_failing_alike_is_no_equivalence_and_no_non_inferiority():
    maze = failing(MAZE)
    found = judged(maze, "C25").iloc[0]
    assert (found["verdict"], found["p_value"] < 1e-9) == ("inconclusive", True)
    assert found["lacks"] == "needs a score above 0.1 on Ant Maze: of those that all fail none is the worse"
    for task, made in ((MAZE, maze), (ROOMS, failing(ROOMS, "success_mean100")), (GATHER, gathering_nothing())):
        rows = judged(made, "C1", task)
        rows = rows[rows["part"] == "not worse"]
        assert set(rows["verdict"]) == {"inconclusive"}, task
        assert rows["lacks"].str.startswith("needs a score above").all(), task
    visual = judged(failing("visual_ant_maze", "entered", "visual"), "C21").iloc[0]
    assert (visual["verdict"], "fail" in visual["lacks"]) == ("inconclusive", True)


def gathering_nothing() -> Made:
    made = studies(True)
    for label in EVERYBODY:
        setting(made, "runs", GATHER, label, return_mean100=0.0)
    return made


def test_succeeding_always_is_the_same_optimum():
    made = studies(True)
    for label in EVERYBODY:
        setting(made, "evaluations", MAZE, label, success=1.0)
    assert judged(made, "C25")["verdict"].iloc[0] == "supported"
    assert set(judged(made, "C1", MAZE)["verdict"]) == {"supported"}


def test_a_baseline_that_fails_is_one_that_cher_is_not_worse_than():
    made = studies(True)
    setting(made, "evaluations", MAZE, "td3", success=0.0)
    verdicts = judged(made, "C1", MAZE).set_index("comparison")["verdict"]
    assert verdicts["CHER \N{MINUS SIGN} TD3"] == "supported"


def test_where_nobody_succeeds_there_is_no_lead_to_compare():
    made = failing(MAZE)
    for label in EVERYBODY:
        setting(made, "runs", ROOMS, label, success_mean100=0.0)
    found = judged(made, "C2").iloc[0]
    assert (found["verdict"], found["p_value"] < 0.05) == ("inconclusive", True)
    assert found["lacks"].startswith("needs a score above 0.1")


def blocking(label: str, metric: str = "throughput") -> Made:
    """Half the vehicles get through, or in, those at a return that nobody else has."""
    made = studies(True)
    setting(made, "evaluations", HIGHWAY, label, **{metric: {"throughput": 900.0, "departed": 200.0}[metric]})
    made["main"]["evaluations"].loc[_at(made, HIGHWAY, label), "return"] *= 2.0
    return made


def _at(made: Made, task: str, label: str) -> pd.Series:
    rows = made["main"]["evaluations"]
    return (rows["task"] == task) & (rows["label"] == label)


@pytest.mark.parametrize("metric", ["throughput", "departed"])
def test_goals_near_the_speed_of_a_blocked_highway_decide_nothing(metric: str):
    verdicts = [judged(made, "C3", HIGHWAY).iloc[0] for made in (studies(True), blocking("cher", metric))]
    assert [row["verdict"] for row in verdicts] == ["supported", "inconclusive"]
    assert f"'{metric}'" in verdicts[1]["lacks"]


@pytest.mark.parametrize("metric", ["throughput", "departed"])
@pytest.mark.parametrize(("label", "otherwise"), [("cher", "supported"), ("td3", "contradicted")])
def test_a_blocked_highway_decides_nothing(label: str, otherwise: str, metric: str):
    rows = judged(blocking(label, metric), "C1", HIGHWAY, "all")
    here = rows[rows["comparison"].str.contains("TD3")]
    assert len(here) == 4
    blocked = here[here["lacks"].str.contains("blocking")]
    assert set(blocked["task"]) == ({HIGHWAY, "all"} if label == "cher" else {HIGHWAY})
    assert otherwise not in set(here[here["task"] == HIGHWAY]["verdict"])


def test_a_lead_by_blocking_is_none():
    found = judged(blocking("cher"), "C2").iloc[0]
    assert (found["verdict"], "blocking" in found["lacks"]) == ("inconclusive", True)
    assert judged(blocking("hiro"), "C2")["verdict"].iloc[0] != "contradicted"


def test_an_open_highway_is_judged():
    assert set(judged(studies(True), "C1", HIGHWAY)["verdict"]) == {"supported"}


def test_a_car_that_stands_asks_for_nothing_near_free_flow():
    made = studies(True)
    setting(made, "evaluations", RING, "cher", **{"return": 0.0, "goal_level": 0.0, "goal_error": 3.5})
    rows = judged(made, "C7")
    cher = rows[rows["comparison"] != "HRL's goal against 9 m/s"]
    assert "supported" not in set(cher["verdict"])
    assert cher["lacks"].str.startswith("needs a return that is not below the human drivers'").any()
    goals = judged(made, "C3").set_index("task")
    assert goals.loc[RING, "lacks"].startswith("needs a return that is not below the human drivers'")
    assert goals.loc[HIGHWAY, "verdict"] == "supported"


def test_a_goal_near_free_flow_is_within_1_metre_per_second():
    """Nearer than HRL's is not yet near."""
    made = studies(True)
    setting(made, "evaluations", RING, "cher", goal_error=dict(enumerate(np.linspace(2, 3, SEEDS))))
    verdicts = judged(made, "C7").set_index("comparison")["verdict"]
    assert verdicts["CHER's goal within 1 m/s of free flow"] == "contradicted"
    assert verdicts["CHER \N{MINUS SIGN} HRL, distance of the goal from free flow"] == "supported"


def test_one_limit_holds_for_all_on_the_highway():
    """CHER and a baseline that are alike, and better than humans by less than the margin."""
    made = studies(True)
    few = dict(enumerate(np.linspace(7_550, 7_600, SEEDS)))
    for label in EVERYBODY:
        setting(made, "evaluations", HIGHWAY, label, **{"return": few})
    rows = judged(made, "C10")
    assert list(rows["verdict"]) == ["contradicted"] + ["supported"] * 4


def test_workers_that_never_move_do_not_change_but_that_does_not_count():
    made = studies(True)
    rows = made["main"]["probes"]
    here = rows["label"] == "cher"
    rows.loc[here, "error_end"] = 2 + 1e-3 * rows.loc[here, "seed"] * (rows.loc[here, "step"] == 2)
    found = judged(made, "C26")
    assert (found["p_value"] < 0.05).all()
    assert set(found["verdict"]) == {"inconclusive"}
    assert found["lacks"].str.startswith("needs errors at the probes that fall").all()


def test_a_path_that_is_a_little_shorter_is_no_stop():
    made = studies(True)
    for place, (label, _) in enumerate((found, 0) for found in ("cher_fixed", "cher_fixed-lambda_10")):
        lengths = dict(enumerate(np.linspace(50, 51, SEEDS) * (1 - 0.08 * place)))
        setting(made, "evaluations", GATHER, label, "fixed_lambda", path_length=lengths)
    rows = judged(made, "C22").set_index("part")
    assert rows.loc["", "verdict"] == "contradicted"
    assert claim("C22").besides == ("trend",)


def test_a_level_that_is_hardly_any_success_is_not_worth_reaching():
    made = studies(True)
    for label in BASELINES:
        setting(made, "runs", ROOMS, label, success_mean100=0.05)
    rows = judged(made, "C4").iloc[4:]
    assert set(rows["lacks"]) == {"needs a baseline with a score of 0.1: there is no level that is worth reaching"}


@pytest.mark.parametrize(("ratio", "verdict"), [(0.667, "inconclusive"), (0.9, "supported")])
def test_nearly_full_cooperation_is_measured(ratio: float, verdict: str):
    made = studies(True)
    cells = made["cooperation"]["cells"]
    cells.loc[cells["label"] == "cher-delta_50", "cooperation_ratio"] = ratio
    rows = judged(made, "C15").set_index("comparison")
    found = rows.loc["75 % above δ = -50, return"]
    assert found["verdict"] == verdict
    assert found["lacks"] == ("" if ratio > 0.875 else "needs a cooperation ratio above 87.5%, here 66.7%")
    assert rows.loc["75 % above 100 %, return", "verdict"] == "supported"


def test_workers_are_compared_below_one_manager():
    """CHER's manager alone is better: below HRL's, all workers are alike."""
    made = studies(True)
    for task in (MAZE, ROOMS):
        for other in ("cher", "hiro", "hrl"):
            values = dict(enumerate(np.linspace(0.3, 0.5, SEEDS)))
            setting(made, "evaluations", task, f"hrl-worker_{other}", "transfer", success=values)
    rows = judged(made, "C17")
    assert set(rows.loc[rows["part"] == "", "verdict"]) == {"inconclusive"}
    assert claim("C17").besides == ("own managers",)


def test_the_tasks_means_decide_nothing_since_they_leave_tasks_out():
    assert set(claim("C1").besides) == {"better", "not worse overall", "better overall"}


def test_overestimation_counts_in_all_of_training():
    made = studies(True)
    rows = made["main"]["evaluations"]
    early = rows["step"] < rows["step"].max()
    rows.loc[early & (rows["label"] == "cher"), "manager_q"] += 1_000.0
    assert set(judged(made, "C24")["verdict"]) == {"contradicted"}


def test_seeds_that_share_a_process_have_no_times_of_their_own():
    made = studies(True)
    setting(made, "timing", "visual_ant_maze", "cher", "visual", wall_time=100.0)
    assert judged(made, "C21")["lacks"].iloc[1].startswith("needs one process per seed")


@pytest.mark.parametrize("column", ["device", "hardware"])
def test_times_of_different_machines_are_not_compared(column: str):
    made = studies(True)
    rows = made["visual"]["inventory"]
    rows.loc[rows["label"] == "hiro", column] = "another"
    found = judged(made, "C21").iloc[1]
    assert found["lacks"] == "needs trainings on one kind of machine, all with the same device"
