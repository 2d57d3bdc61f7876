"""No reduced run decides anything, by whatever way it comes into a comparison."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_up import results, studies

from analysis.claims.catalogue.every import claim
from analysis.claims.judge import judge
from analysis.claims.results import Results

Made = dict[str, dict[str, pd.DataFrame]]
TASKS = tuple(results(True).tasks)


def reduced(made: Made, task: str, name: str, why: str = "5 of 10 seeds") -> Results:
    """One cell, or scripted driver, reduced in all studies."""
    for study in made.values():
        for table, column in (("final", "label"), ("driver_statistics", "driver")):
            rows = study[table]
            here = (rows["task"] == task) & (rows[column] == name)
            study[table] = rows.assign(reduced_why=np.where(here, why, rows["reduced_why"]))
    return Results(made, TASKS)


def verdicts(made: Made, task: str, name: str, of: str) -> pd.DataFrame:
    rows = judge(reduced(made, task, name), [claim(of)])
    assert not ((rows["verdict"] != "inconclusive") & rows["reduced"]).any()
    return rows


@pytest.mark.parametrize("name", ["C3", "C7", "C8", "C9", "C10"])
def test_drivers_of_guards_count(name: str):
    driver = "follower_stopper" if name == "C9" else "human"
    task = "highway" if name == "C10" else "ring_road"
    rows = verdicts(studies(True), task, driver, name)
    here = rows[(rows["task"] == task) & (rows["comparison"] != "HRL's goal against 9 m/s")]
    assert set(here["verdict"]) == {"inconclusive"}
    assert set(here["lacks"]) == {"reduced run: 5 of 10 seeds"}


@pytest.mark.parametrize(("task", "label"), [("highway", "td3"), ("ant_gather", "hac"), ("ant_maze", "td3")])
def test_baselines_from_which_the_best_is_chosen_count(task: str, label: str):
    assert verdicts(studies(True), task, label, "C2")["lacks"][0] == "reduced run: 5 of 10 seeds"


def test_baselines_that_make_the_level_count():
    rows = verdicts(studies(True), "ant_four_rooms", "hac", "C4")
    assert list(rows["reduced"]) == [False] * 3 + [True] * 5


@pytest.mark.parametrize("name", ["C12", "C15", "C18"])
def test_hrl_on_whose_worker_return_delta_rests_counts(name: str):
    rows = verdicts(studies(True), "ant_gather", "hrl", name)
    assert rows.loc[rows["task"] == "ant_gather", "reduced"].all()


@pytest.mark.parametrize("label", ["cher", "td3"])
def test_a_cell_of_which_nothing_is_known_counts_as_reduced(label: str):
    made = studies(True)
    for study in made.values():
        study["final"] = study["final"][study["final"]["label"] != label]
    found = judge(Results(made, TASKS), [claim("C5")]).iloc[0]
    assert (found["verdict"], found["reduced"]) == ("inconclusive", True)
    assert found["lacks"] == "reduced run: an unknown number of steps"


def test_a_driver_of_which_nothing_is_known_counts_as_reduced():
    made = studies(True)
    made["main"]["driver_statistics"] = made["main"]["driver_statistics"].iloc[:0]
    rows = judge(Results(made, TASKS), [claim("C23")])
    assert set(rows["verdict"]) == {"inconclusive"}
    assert rows["reduced"].all()


def test_what_is_not_there_is_missing_and_not_reduced():
    made = {"main": studies(True)["main"]}
    assert Results(made, TASKS).reduced("ant_gather", "cher-ratio_25") == []
    assert Results(made, ("ring_road",)).reduced("ant_gather", "cher") == []
    assert Results(made, TASKS).reduced("ring_road", "nobody") == []
