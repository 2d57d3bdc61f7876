from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from synthetic import small_preset

from algorithms.settings import RunConfig
from algorithms.studies import cells
from analysis.runs import CollectError, grid, read_extras, read_run

KEY, RING, HIERARCHY = "ant_gather/td3/seeds_0", "ring_road/td3/seeds_0", "ant_gather/hrl/seeds_1"
Edit = Callable[[pd.DataFrame], pd.DataFrame]


def edit(path: Path, change: Edit) -> None:
    change(pd.read_csv(path)).to_csv(path, index=False)


def planned(preset: dict[str, Any], key: str) -> RunConfig:
    (run,) = (run for run in cells(preset) if run.key == key)
    return run


def refusal(preset: dict[str, Any], runs: Path, key: str = KEY, *, read: Callable[..., Any] = read_run) -> str:
    with pytest.raises(CollectError) as caught:
        read(planned(preset, key), runs)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("key", [KEY, RING, HIERARCHY])
def test_tables_are_those_of_the_files(preset: dict[str, Any], runs: Path, key: str):
    run = planned(preset, key)
    tables = read_run(run, runs)._asdict() | read_extras(run, runs)._asdict()
    assert list(tables) == ["progress", "evaluations", "probes", "proposals", "timing"]
    for name, table in tables.items():
        expected = pd.read_csv(runs / key / f"{name}.csv")
        pd.testing.assert_frame_equal(table, expected, check_dtype=False)
        assert (table.dtypes[["seed", "step"]] == "int64").all()
        assert (table.dtypes.drop(["seed", "step", "target"], errors="ignore") == "float64").all()


def test_without_a_manager_there_are_no_probes_and_proposals(preset: dict[str, Any], runs: Path):
    assert [len(table) for table in read_extras(planned(preset, KEY), runs)] == [0, 0, 6]
    assert [len(table) for table in read_extras(planned(preset, HIERARCHY), runs)] == [20, 12, 6]


def test_a_missing_run_is_refused(preset: dict[str, Any], runs: Path):
    (runs / KEY / "run.json").unlink()
    assert refusal(preset, runs) == f"{KEY}: there is no finished run in {runs / KEY}"


def test_a_damaged_description_is_refused(preset: dict[str, Any], runs: Path):
    (runs / KEY / "run.json").write_text("{")
    assert refusal(preset, runs).startswith(f"{KEY}: run.json is damaged: ")


def test_a_run_with_other_settings_is_refused_and_the_first_one_named(runs: Path):
    preset = small_preset(learner={"default": {"gamma": 0.5, "tau": 0.5}})
    expected = "made with other settings: learner.gamma is 0.99, the preset asks for 0.5"
    assert refusal(preset, runs, RING) == f"{RING}: {expected}"


def test_a_run_with_a_setting_too_many_is_refused(preset: dict[str, Any], runs: Path):
    path = runs / KEY / "run.json"
    description = json.loads(path.read_text()) | {"hash": "0000"}
    description["config"]["environment"]["colour"] = "red"
    path.write_text(json.dumps(description))
    expected = "made with other settings: environment.colour is red, the preset asks for None"
    assert refusal(preset, runs) == f"{KEY}: {expected}"


def test_a_run_whose_hash_alone_differs_is_refused(preset: dict[str, Any], runs: Path):
    path = runs / KEY / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"hash": "0000"}))
    assert refusal(preset, runs).startswith(f"{KEY}: made with other settings: hash is 0000, the preset asks for ")


def test_how_seeds_were_recorded_does_not_count_as_a_setting(preset: dict[str, Any], runs: Path):
    path = runs / KEY / "run.json"
    description = json.loads(path.read_text())
    description["config"] |= {"seeds": [0]}
    path.write_text(json.dumps(description))
    assert len(read_run(planned(preset, KEY), runs).progress) > 0


def change_seed(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(seed=7)


def drop_second_step(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["step"] != sorted(table["step"].unique())[1]]


def shift_first_step(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(step=table["step"].replace(table["step"].min(), 7))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (change_seed, "seed 0 is missing"),
        (lambda table: pd.concat([table, table.assign(seed=7)]), "seed 7 does not belong to this run"),
        (lambda table: pd.concat([table, table.tail(1)]), "seed 0 has step {last} more than once"),
        (drop_second_step, "seed 0: step {second:,} is missing from the grid of {points} points"),
        (shift_first_step, "seed 0: step 7 is not on the grid of {points} points"),
    ],
)
def test_wrong_rows_of_progress_are_refused(preset: dict[str, Any], runs: Path, change: Edit, reason: str):
    path = runs / KEY / "progress.csv"
    steps = pd.read_csv(path)["step"]
    edit(path, change)
    reason = reason.format(last=steps.max(), second=steps[1], points=len(steps))
    assert refusal(preset, runs) == f"{KEY}: progress.csv: {reason}"


def test_a_target_that_was_not_evaluated_every_time_is_refused(preset: dict[str, Any], runs: Path):
    edit(runs / RING / "evaluations.csv", lambda table: table.iloc[:-1])
    expected = "evaluations.csv, target length_270: seed 0: step 1,200 is missing from the grid of 2 points"
    assert refusal(preset, runs, RING) == f"{RING}: {expected}"


def test_an_evaluation_point_that_is_missing_everywhere_is_refused(preset: dict[str, Any], runs: Path):
    edit(runs / RING / "evaluations.csv", lambda table: table[table["target"] != "length_226"])
    assert refusal(preset, runs, RING) == f"{RING}: evaluations.csv: target length_226 is missing"


def test_an_evaluation_point_that_the_task_does_not_have_is_refused(preset: dict[str, Any], runs: Path):
    edit(runs / KEY / "evaluations.csv", lambda table: pd.concat([table, table.assign(target="moon")]))
    assert refusal(preset, runs) == f"{KEY}: evaluations.csv: target moon is not one of default"


def test_a_run_without_evaluations_is_refused(preset: dict[str, Any], runs: Path):
    edit(runs / KEY / "evaluations.csv", lambda table: table.iloc[:0])
    assert refusal(preset, runs) == f"{KEY}: evaluations.csv has no rows"


def test_a_missing_file_is_refused(preset: dict[str, Any], runs: Path):
    (runs / KEY / "progress.csv").unlink()
    assert refusal(preset, runs) == f"{KEY}: progress.csv is missing in {runs / KEY}"


@pytest.mark.parametrize("text", ["", "step,return_mean100\n1,2\n", "seed,step,return_mean100\n0,,1\n"])
def test_a_damaged_file_is_refused(preset: dict[str, Any], runs: Path, text: str):
    (runs / KEY / "progress.csv").write_text(text)
    assert refusal(preset, runs).startswith(f"{KEY}: progress.csv is damaged: ")


def test_text_in_place_of_a_number_is_refused(preset: dict[str, Any], runs: Path):
    edit(runs / KEY / "progress.csv", lambda table: table.assign(critic_q="high"))
    assert refusal(preset, runs).startswith(f"{KEY}: progress.csv is damaged: ")


@pytest.mark.parametrize("name", ["probes", "proposals", "timing"])
def test_the_other_files_are_needed_and_of_this_runs_seeds(preset: dict[str, Any], runs: Path, name: str):
    path = runs / HIERARCHY / f"{name}.csv"
    edit(path, lambda table: pd.concat([table, table.tail(1).assign(seed=7)]))
    expected = f"{HIERARCHY}: {name}.csv: seed 7 does not belong to this run"
    assert refusal(preset, runs, HIERARCHY, read=read_extras) == expected
    path.write_text("")
    damaged = refusal(preset, runs, HIERARCHY, read=read_extras)
    assert damaged.startswith(f"{HIERARCHY}: {name}.csv is damaged: ")
    path.unlink()
    missing = refusal(preset, runs, HIERARCHY, read=read_extras)
    assert missing == f"{HIERARCHY}: {name}.csv is missing in {runs / HIERARCHY}"


def test_grid_ends_with_the_last_step():
    assert grid(10, 4) == [4, 8, 10]
    assert grid(8, 4) == [4, 8]
    assert grid(3, 4) == [3]
