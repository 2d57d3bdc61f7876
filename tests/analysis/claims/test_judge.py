"""Verdicts on made-up worlds, whatever is missing, reduced or at odds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_up import results, studies

from analysis.claims.catalogue.every import CLAIMS, claim
from analysis.claims.comparison import MINUS
from analysis.claims.judge import COLUMNS, judge
from analysis.claims.results import Results

NEVER = "velocity of human drivers' waves"


@pytest.fixture(scope="module")
def claimed() -> pd.DataFrame:
    return judge(results(True), CLAIMS)


@pytest.fixture(scope="module")
def opposed() -> pd.DataFrame:
    return judge(results(False), CLAIMS)


def test_there_are_26_claims_in_order():
    assert [found.id for found in CLAIMS] == [f"C{number}" for number in range(1, 27)]
    assert all(len(found.statement) <= 100 for found in CLAIMS)


def test_all_claims_are_supported_where_they_hold(claimed: pd.DataFrame):
    others = claimed[claimed["verdict"] != "supported"]
    assert list(others["comparison"]) == [NEVER]
    assert others["lacks"].str.startswith("needs recorded traffic").all()
    assert list(claimed.columns) == COLUMNS
    assert (claimed.loc[claimed["verdict"] == "supported", "standard"].dropna() > 0).all()
    assert not claimed["reduced"].any()


def test_all_claims_are_contradicted_where_they_do_not_hold(opposed: pd.DataFrame):
    others = opposed[opposed["verdict"] != "contradicted"]
    assert list(others["comparison"]) == [NEVER]
    assert (opposed.loc[opposed["verdict"] == "contradicted", "standard"].dropna() < 0).all()


def test_effects_are_what_was_put_in(claimed: pd.DataFrame):
    rows = claimed.set_index(["claim", "task", "comparison"])["effect"]
    assert rows["C1", "highway", f"CHER {MINUS} TD3"] == pytest.approx(2000, abs=120)
    assert rows["C11", "ant_gather", "HRL against -700 to -500"] == pytest.approx(-600, abs=10)
    assert rows["C13", "ant_gather", "δ = -50: growth of ln λ"] == pytest.approx(3e-4, rel=0.05)
    assert rows["C20", "ant_maze", "TD3 against 0.34"] == pytest.approx(0.1, abs=0.01)
    assert rows["C21", "visual_ant_maze", f"CHER {MINUS} HIRO, ln of wall time"] == pytest.approx(
        np.log(100 / 130), abs=0.02
    )
    assert rows["C7", "ring_road", f"CHER {MINUS} HRL, goal"] == pytest.approx(-0.58, abs=0.02)


def test_c1_tests_no_superiority_in_ant_maze_and_adjusts_for_20():
    found = claim("C1")
    better = [comparison for comparison in found.comparisons if comparison.part == "better"]
    assert {comparison.task for comparison in better} == {"highway", "ring_road", "ant_gather", "ant_four_rooms"}
    overall = [comparison for comparison in found.comparisons if comparison.part == "better overall"]
    assert all(cell.task != "ant_maze" for comparison in overall for cell in comparison.cells)
    assert (found.family("not worse"), found.family("better")) == (20, 20)
    assert sum(comparison.part == "not worse" for comparison in found.comparisons) == 20


def test_p_values_are_adjusted_within_the_family():
    """One comparison out of four with p = 0.02 by itself does not count; by itself it would."""
    found = claim("C5")
    made = studies(True, 0.3)
    rows = judge(Results(made, ("ant_gather",)), [found])
    alone = judge(Results(made, ("ant_gather",)), [replace(found, comparisons=found.comparisons[2:3])])
    assert rows["p_value"][2] >= alone["p_value"][0]
    assert rows["p_value"].max() <= 1


def test_the_same_results_give_the_same_verdicts(claimed: pd.DataFrame):
    chosen = [claim("C5"), claim("C14"), claim("C16")]
    before = claimed[claimed["claim"].isin(["C5", "C14", "C16"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(judge(results(True), chosen), before)


def test_a_study_that_is_missing_is_named():
    rows = judge(results(True, without=("transfer", "visual", "fixed_lambda", "e1_search", "cooperation")), CLAIMS)
    by_claim = rows.groupby("claim")["lacks"].agg(set)
    assert by_claim["C17"] == {
        f"runs missing: {name} (worker cher) on {task}"
        for name in ("CHER", "HRL")
        for task in ("Ant Maze", "Ant Four Rooms")
    }
    assert by_claim["C22"] == {"runs missing: study fixed_lambda"}
    assert by_claim["C12"] == {"runs missing: study cooperation"}
    assert by_claim["C21"] == {"runs missing: CHER on Visual Ant Maze"}
    assert set(rows.loc[rows["claim"] == "C5", "verdict"]) == {"supported"}
    missing = rows[rows["n_seeds"] == 0]
    assert missing["effect"].isna().all()
    assert (missing["verdict"] == "inconclusive").all()


def test_a_task_that_is_not_selected_is_missing():
    made = studies(True)
    rows = judge(Results(made, ("ring_road",)), [claim("C3")]).set_index("task")
    assert rows.loc["ring_road", "verdict"] == "supported"
    assert rows.loc["ant_maze", "lacks"] == "runs missing: CHER on Ant Maze"


def test_nothing_at_all_is_no_crash():
    rows = judge(Results({}, ("ring_road",)), CLAIMS)
    assert len(rows) == sum(len(found.comparisons) for found in CLAIMS)
    assert rows["lacks"].str.startswith(("runs missing", "needs")).all()


def test_reduced_runs_decide_nothing_but_show_their_effect(claimed: pd.DataFrame):
    made = studies(True)
    for study in made.values():
        study["final"]["reduced_why"] = "3,000 of 1,000,000 steps; 10 of 20 seeds"
        study["driver_statistics"]["reduced_why"] = "10 of 20 seeds"
    rows = judge(Results(made, tuple(results(True).tasks)), CLAIMS)
    assert (rows["verdict"] == "inconclusive").all()
    assert rows["reduced"].all()
    assert rows["lacks"].str.startswith("reduced run: ").all()
    both = rows["comparison"] != NEVER
    np.testing.assert_array_equal(rows.loc[both, "effect"], claimed.loc[both, "effect"])
    waves = rows[~both].iloc[0]
    assert waves["lacks"] == "reduced run: 10 of 20 seeds; needs recorded traffic, which tables do not hold: " + (
        "see python -m analysis.waves"
    )


def test_one_reduced_cell_reduces_what_it_is_compared_in_and_nothing_else():
    made = studies(True)
    final = made["main"]["final"]
    here = (final["task"] == "ant_gather") & (final["label"] == "hac")
    made["main"]["final"] = final.assign(reduced_why=np.where(here, "5 of 10 seeds", ""))
    rows = judge(Results(made, tuple(results(True).tasks)), [claim("C5")])
    assert list(rows["verdict"]) == ["supported", "supported", "supported", "inconclusive"]
    assert list(rows["reduced"]) == [False, False, False, True]


def changed(table: str, task: str, label: str, **columns: float) -> Results:
    """The world in which all claims hold, but for some columns of one cell."""
    made = studies(True)
    rows, column = made["main"][table], "driver" if table == "drivers" else "label"
    here = (rows["task"] == task) & (rows[column] == label)
    for name, factor in columns.items():
        rows.loc[here, name] *= factor
    return Results(made, tuple(results(True).tasks))


@pytest.mark.parametrize("metric", ["throughput", "departed"])
def test_on_the_highway_a_blocked_road_is_no_improvement(metric: str):
    rows = judge(changed("evaluations", "highway", "cher", **{metric: 0.6}), [claim("C10")])
    cher = rows.iloc[0]
    assert cher["effect"] > 1_000
    assert (cher["verdict"], cher["p_value"] < 0.05) == ("inconclusive", True)
    assert f"'{metric}'" in cher["lacks"]
    assert set(rows["verdict"][1:]) == {"supported"}
    td3 = changed("evaluations", "highway", "td3", **{"return": 1.5, metric: 0.6})
    found = judge(td3, [claim("C10")]).iloc[1]
    assert (found["verdict"], "blocking" in found["lacks"]) == ("inconclusive", True)
    free = changed("evaluations", "highway", "td3", **{"return": 1.5})
    assert judge(free, [claim("C10")]).iloc[1]["verdict"] == "contradicted"


def test_standing_cars_have_no_waves_but_that_does_not_count():
    rows = judge(changed("evaluations", "ring_road", "cher", **{"return": 0.02}), [claim("C8"), claim("C9")])
    assert set(rows["verdict"]) == {"inconclusive"}
    assert rows["lacks"].str.startswith("needs a return that is not below").all()


def test_overestimation_is_divided_by_what_the_bootstrap_hides():
    """Both overestimate alike within the episode; CHER's episodes hide half of it."""
    made = studies(False)
    rows = made["main"]["evaluations"]
    cher, ring = rows["label"] == "cher", rows["task"] == "ring_road"
    rows.loc[ring, "manager_q"] = 5 + np.arange(ring.sum()) / 100
    rows.loc[ring & cher, "manager_discount"] = 0.99
    found = judge(Results(made, ("ring_road",)), [claim("C24")]).iloc[0]
    assert found["verdict"] == "contradicted"


def test_equal_values_of_all_seeds_are_nothing_to_compare():
    made = studies(True)
    made["main"]["runs"].loc[:, "return_mean100"] = 0.0
    rows = judge(Results(made, ("ant_gather",)), [claim("C5")])
    assert set(rows["lacks"]) == {"all seeds of all have the same value: there is nothing to compare"}


def test_seeds_without_a_value_do_not_count_and_few_decide_nothing():
    made = studies(True)
    runs = made["main"]["runs"]
    runs.loc[(runs["label"] == "cher") & (runs["seed"] > 3), "return_mean100"] = np.nan
    found = judge(Results(made, ("ant_gather",)), [claim("C5")]).iloc[0]
    assert (found["n_seeds"], found["lacks"]) == (4, "6 of 10 seeds have no value")
    runs.loc[(runs["label"] == "cher") & (runs["seed"] > 0), "return_mean100"] = np.nan
    found = judge(Results(made, ("ant_gather",)), [claim("C5")]).iloc[0]
    assert (found["n_seeds"], found["lacks"]) == (1, "needs two seeds with a value; 9 of 10 seeds have no value")


def test_a_single_seed_without_a_value_decides_nothing():
    """Nine seeds that agree, and one that broke: which way it would have gone is not known."""
    made = studies(True)
    points = made["main"]["evaluations"]
    broken = (points["label"] == "cher") & (points["seed"] == 7)
    points.loc[broken & (points["task"] == "ring_road"), ["gap_max", "speed_std"]] = np.nan
    rows = judge(Results(made, ("ring_road",)), [claim("C8"), claim("C9")]).set_index("comparison")
    lacking = rows[rows["lacks"] == "1 of 10 seeds have no value"]
    assert len(lacking) == 4
    assert set(lacking["verdict"]) == {"inconclusive"}
    made["main"]["evaluations"] = points[~broken]
    rows = judge(Results(made, ("ring_road",)), [claim("C3"), claim("C8")])
    here = rows[(rows["task"] == "ring_road")]
    assert set(here["lacks"]) == {"1 of 10 seeds have no value"}


def test_a_seed_without_a_worker_return_does_not_miss_delta():
    made = studies(True)
    runs = made["cooperation"]["runs"]
    runs.loc[(runs["label"] == "cher-ratio_25") & (runs["seed"] == 7), "worker_q_current"] = np.nan
    found = judge(Results(made, ("ant_gather",)), [claim("C12")]).iloc[0]
    assert (found["n_seeds"], found["effect"]) == (9, 1)
    assert found["lacks"] == "1 of 10 seeds have no value"


def test_few_seeds_decide_nothing():
    made = studies(True)
    for study in made.values():
        for table in ("runs", "evaluations"):
            study[table] = study[table][study[table]["seed"] < 4]
    found = judge(Results(made, ("ant_gather",)), [claim("C5")]).iloc[0]
    assert (found["n_seeds"], found["lacks"]) == (4, "needs at least 5 seeds with a value, here 4")


def test_where_seeds_are_lacking_it_says_how_many():
    rows = judge(results(True, spread=0.6), [claim("C5"), claim("C11"), claim("C20")])
    lacking = rows.loc[rows["verdict"] == "inconclusive", "lacks"]
    assert len(lacking)
    assert lacking.str.fullmatch(
        r"seeds: (about \d+|more than 100) per cell would decide at this effect, here 10"
    ).all()


def test_the_ratios_are_put_in_their_order():
    made = studies(True)
    cells = made["cooperation"]["cells"]
    rows = judge(Results(made, ("ant_gather",)), [claim("C16")])
    made["cooperation"]["cells"] = cells.assign(cooperation_ratio=1 - cells["cooperation_ratio"])
    reverse = judge(Results(made, ("ant_gather",)), [claim("C16")])
    assert rows["effect"][0] == pytest.approx(-reverse["effect"][0])
    assert reverse["verdict"][0] == "contradicted"


def test_a_missing_column_is_named():
    made = studies(True)
    made["main"]["evaluations"] = made["main"]["evaluations"].drop(columns="goal_distance")
    found = judge(Results(made, ("ant_maze",)), [claim("C3")]).set_index("task").loc["ant_maze"]
    assert found["lacks"] == "needs 'goal_distance' in table 'evaluations' of CHER, which has none"


def test_an_unknown_claim_is_refused():
    with pytest.raises(ValueError, match="there is no claim 'C27'; allowed: C1, C2"):
        claim("C27")
