from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from synthetic import small_preset, write_run, write_runs

from algorithms.config import cells, preset_arguments
from analysis import collect
from analysis.collect import DRIVER_HEAD, HEAD, CollectError, grid
from envs.tasks import describe

KEY, RING = "ant_gather/td3/seeds_0", "ring_road/td3/seeds_0"
Edit = Callable[[pd.DataFrame], pd.DataFrame]


def edit(path: Path, change: Edit) -> None:
    change(pd.read_csv(path)).to_csv(path, index=False)


def refusal(preset: dict[str, Any], runs: Path) -> str:
    with pytest.raises(CollectError) as caught:
        collect.collect(preset, runs)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_every_row_of_every_run_is_collected_once(preset: dict[str, Any], runs: Path):
    progress, evaluations = collect.collect(preset, runs)
    files = [pd.read_csv(path) for path in runs.rglob("progress.csv")]
    assert len(files) == len(cells(preset)) == len(preset["tasks"]) * len(preset["algorithms"]) * 2
    assert len(progress) == sum(map(len, files))
    assert not progress.duplicated(["study", "task", "label", "seed", "step"]).any()
    assert list(progress.columns[:7]) == [*HEAD, "seed", "step"]
    targets = evaluations.groupby("task")["target"].unique()
    assert list(targets["ant_gather"]) == ["default"]
    assert list(targets["ring_road"]) == [point.name for point in describe("ring_road")[0].evaluation_points]
    assert progress["critic_q"].sum() == pytest.approx(sum(table["critic_q"].sum() for table in files))


def test_order_is_that_of_the_preset(tmp_path: Path):
    preset = small_preset(tasks=["ant_gather", "ring_road"], algorithms=["hrl", "td3"])
    write_runs(preset, tmp_path)
    progress = collect.collect(preset, tmp_path).progress
    assert list(progress["task"].unique()) == preset["tasks"]
    assert list(progress["label"].unique()) == preset["algorithms"]


def test_a_metric_that_a_task_does_not_have_stays_empty(preset: dict[str, Any], runs: Path):
    progress = collect.collect(preset, runs).progress
    has_fraction = progress.groupby("task")["return_fraction_mean100"].count() > 0
    assert has_fraction.to_dict() == {"ring_road": True, "ant_gather": False}


def test_seeds_trained_side_by_side_give_the_same_rows(preset: dict[str, Any], runs: Path, tmp_path: Path):
    grouped = preset | {"seeds_per_job": 2}
    write_runs(grouped, tmp_path / "grouped")
    order = ["task", "label", "seed", "step"]
    together = collect.collect(grouped, tmp_path / "grouped").progress.sort_values(order, ignore_index=True)
    alone = collect.collect(preset, runs).progress.sort_values(order, ignore_index=True)
    pd.testing.assert_frame_equal(together, alone)


def test_a_missing_run_is_refused(preset: dict[str, Any], runs: Path):
    (runs / KEY / "run.json").unlink()
    assert refusal(preset, runs) == f"{KEY}: there is no finished run in {runs / KEY}"


def test_a_damaged_description_is_refused(preset: dict[str, Any], runs: Path):
    (runs / KEY / "run.json").write_text("{")
    assert refusal(preset, runs).startswith(f"{KEY}: run.json is damaged: ")


def test_a_run_with_other_settings_is_refused_and_the_first_one_named(runs: Path):
    preset = small_preset(learner={"default": {"gamma": 0.5, "tau": 0.5}})
    expected = "made with other settings: learner.gamma is 0.99, the preset asks for 0.5"
    assert refusal(preset, runs) == f"ring_road/td3/seeds_0: {expected}"


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
    assert len(collect.collect(preset, runs).progress) > 0


def change_seed(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(seed=7)


@pytest.fixture
def dynamic(tmp_path: Path) -> tuple[dict[str, Any], Path]:
    """A preset whose only algorithm is CHER, and its results with J_HRL = -600."""
    preset = small_preset(algorithms=["cher"], tasks=["ant_gather"], results=str(tmp_path / "dynamic"))
    write_worker_return(tmp_path / "dynamic/tables/worker_return", -600.0)
    for run in cells(preset):
        write_run(run.with_worker_return(-600.0), tmp_path / "dynamic/runs")
    return preset, tmp_path / "dynamic/runs"


def write_worker_return(folder: Path, value: float) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ant_gather.json").write_text(json.dumps({"task": "ant_gather", "worker_return": value}))
    return folder


def test_runs_with_delta_from_the_worker_return_are_collected(dynamic: tuple[dict[str, Any], Path]):
    preset, runs = dynamic
    progress = collect.collect(preset, runs).progress
    assert progress["label"].unique().tolist() == ["cher"]
    assert sorted(progress["seed"].unique()) == preset["seeds"]


def test_another_worker_return_says_which_delta_is_wanted(dynamic: tuple[dict[str, Any], Path], tmp_path: Path):
    preset, runs = dynamic
    elsewhere = write_worker_return(tmp_path / "elsewhere", -500.0)
    with pytest.raises(CollectError) as caught:
        collect.collect(preset, runs, elsewhere)
    expected = "made with other settings: cher.delta is -150.0, the preset asks for -125.0"
    assert str(caught.value) == f"ant_gather/cher/seeds_0: {expected}"


def test_a_missing_worker_return_is_refused_in_one_line(dynamic: tuple[dict[str, Any], Path], tmp_path: Path):
    preset, runs = dynamic
    options = [*shlex.split(preset_arguments(preset)), "--runs", str(runs), "--worker-returns", str(tmp_path)]
    message = f"collect: worker return {tmp_path / 'ant_gather.json'} not found; "
    with pytest.raises(SystemExit, match=f"^{re.escape(message)}[^\n]*$"):
        collect.main([*options, "--out", "a", "--evaluations", "b", "--drivers", "c"])


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
    assert refusal(preset, runs) == f"{RING}: {expected}"


def test_an_evaluation_point_that_is_missing_everywhere_is_refused(preset: dict[str, Any], runs: Path):
    edit(runs / RING / "evaluations.csv", lambda table: table[table["target"] != "length_226"])
    assert refusal(preset, runs) == f"{RING}: evaluations.csv: target length_226 is missing"


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


def test_grid_ends_with_the_last_step():
    assert grid(10, 4) == [4, 8, 10]
    assert grid(8, 4) == [4, 8]
    assert grid(3, 4) == [3]


def test_command_line_writes_all_tables(preset: dict[str, Any], runs: Path, driver_runs: Path, tmp_path: Path):
    names = ("out", "evaluations", "drivers")
    paths = {name: tmp_path / "new" / f"{name}.parquet" for name in names}
    inputs = ["--runs", str(runs), "--driver-runs", str(driver_runs)]
    outputs = [text for name in names for text in (f"--{name}", str(paths[name]))]
    collect.main([*shlex.split(preset_arguments(preset)), *inputs, *outputs])
    assert pd.read_parquet(paths["out"])["step"].dtype == "int64"
    assert len(pd.read_parquet(paths["evaluations"])) > 0
    drivers = pd.read_parquet(paths["drivers"])
    pd.testing.assert_frame_equal(drivers, collect.collect_drivers(preset, driver_runs))


def driver_refusal(preset: dict[str, Any], folder: Path) -> str:
    with pytest.raises(CollectError) as caught:
        collect.collect_drivers(preset, folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


HUMAN = "ring_road/human"


def test_every_row_of_every_driver_is_collected_once(preset: dict[str, Any], driver_runs: Path):
    rows = collect.collect_drivers(preset, driver_runs)
    assert list(rows.columns[:5]) == [*DRIVER_HEAD, "seed", "step", "target"]
    assert len(rows) == 2 * 2 * 10
    assert not rows.duplicated(["task", "driver", "seed", "target"]).any()
    assert list(rows["driver"].unique()) == preset["drivers"]
    assert set(rows["step"]) == {1_200}
    files = [pd.read_csv(path) for path in driver_runs.rglob("evaluations.csv")]
    assert rows["return"].sum() == pytest.approx(sum(table["return"].sum() for table in files))


@pytest.mark.parametrize("changes", [{"drivers": []}, {"tasks": ["ant_gather"]}])
def test_without_drivers_the_table_has_columns_and_no_rows(changes: dict[str, Any], tmp_path: Path):
    rows = collect.collect_drivers(small_preset(**changes), tmp_path)
    assert list(rows.columns[:2]) == DRIVER_HEAD
    assert rows.empty


def test_a_missing_driver_is_refused(preset: dict[str, Any], driver_runs: Path):
    (driver_runs / HUMAN / "run.json").unlink()
    assert driver_refusal(preset, driver_runs) == f"{HUMAN}: there is no finished run in {driver_runs / HUMAN}"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"seeds": [0, 1, 2]}, "seeds is [0, 1], the preset asks for [0, 1, 2]"),
        ({"run": {"tasks": {"ring_road": {"steps": 2_400}}}}, "step is 1200, the preset asks for 2400"),
        (
            {"environment": {"tasks": {"ring_road": {"noise": 0.5}}}},
            "environment.noise is 0.2, the preset asks for 0.5",
        ),
    ],
)
def test_drivers_of_another_configuration_are_refused(driver_runs: Path, changes: dict[str, Any], reason: str):
    message = driver_refusal(small_preset(**changes), driver_runs)
    assert message == f"{HUMAN}: made with other settings: {reason}"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda table: table[table["seed"] != 1], "evaluations.csv, target length_220: seed 1 is missing"),
        (lambda table: table.iloc[:-1], "evaluations.csv, target length_270: seed 1 is missing"),
        (lambda table: table[table["target"] != "length_226"], "evaluations.csv: target length_226 is missing"),
        (
            lambda table: table.assign(step=600),
            "evaluations.csv, target length_220: seed 0: step 600 is not on the grid of 1 points",
        ),
    ],
)
def test_wrong_rows_of_drivers_are_refused(preset: dict[str, Any], driver_runs: Path, change: Edit, reason: str):
    edit(driver_runs / HUMAN / "evaluations.csv", change)
    assert driver_refusal(preset, driver_runs) == f"{HUMAN}: {reason}"


def test_command_line_refuses_in_one_line(tmp_path: Path):
    options = ["--preset", "smoke", "--runs", str(tmp_path), "--out", "a", "--evaluations", "b", "--drivers", "c"]
    with pytest.raises(SystemExit, match=r"^collect: highway/td3/seeds_0: there is no finished run in .*$"):
        collect.main(options)
