from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from synthetic import small_preset, write_run

from algorithms.config import load_preset, preset_arguments
from algorithms.delta import complete, read
from algorithms.settings import RunConfig
from algorithms.studies import Cell, cells, in_groups, trainings
from analysis import worker_return
from analysis.runs import CollectError
from analysis.worker_return import WorkerReturnError, describe

TASK = "ring_road"


def hrl_runs(preset: dict[str, Any], task: str, variant: str | None = None) -> list[RunConfig]:
    return in_groups(preset, Cell(task, "hrl", variant))


@pytest.fixture
def preset() -> dict[str, Any]:
    return small_preset(algorithms=["cher", "hrl"], cher={"tasks": {TASK: {"delta_share": 0.75}}})


@pytest.fixture
def runs(preset: dict[str, Any], tmp_path: Path) -> Path:
    """HRL runs whose last tenth is 100 times the seed below -400."""
    for run in hrl_runs(preset, TASK):
        set_returns(write_run(run, tmp_path / "runs"), {seed: -400.0 - 100 * seed for seed in run.seeds})
    return tmp_path / "runs"


def set_returns(folder: Path, values: dict[int, float]) -> None:
    """Make up the worker's return in the last tenth; everything before it is far off."""
    table = pd.read_csv(folder / "progress.csv")
    last = table["step"] > 0.9 * table["step"].max()
    table["worker_q_current"] = np.where(last, table["seed"].map(values), 1e6)
    table.to_csv(folder / "progress.csv", index=False)


def command(preset: dict[str, Any], runs: Path, out: Path) -> list[str]:
    return [*shlex.split(preset_arguments(preset)), *shlex.split(f"--task {TASK} --runs {runs} --out {out}")]


def test_it_is_the_mean_over_seeds_of_their_last_tenth(preset: dict[str, Any], runs: Path):
    content = describe(preset, TASK, runs)
    assert content["worker_return"] == -450
    assert content["by_seed"] == {"0": -400, "1": -500}
    assert (content["task"], content["label"]) == (TASK, "hrl")
    assert (content["quantity"], content["window"]) == ("worker_q_current", 0.1)


def test_it_names_the_runs_it_comes_from_and_how_they_are_reduced(preset: dict[str, Any], runs: Path):
    content = describe(preset, TASK, runs)
    expected = [{"key": r.key, "hash": r.hash, "steps": 1_200, "seeds": r.seeds} for r in hrl_runs(preset, TASK)]
    assert content["runs"] == expected
    assert content["reduced"].startswith("1,200 of 1,500,000 steps; 2 of 10 seeds; ")


def test_full_runs_are_not_reduced(tmp_path: Path):
    paper = load_preset("paper")
    for run in hrl_runs(paper, TASK):
        set_returns(write_run(run, tmp_path), dict.fromkeys(run.seeds, -1.0))
    content = describe(paper, TASK, tmp_path)
    assert content["reduced"] == ""
    assert len(content["by_seed"]) == 10


def test_runs_take_their_share_of_it(preset: dict[str, Any], runs: Path, tmp_path: Path):
    worker_return.main(command(preset, runs, tmp_path / "file.json"))
    open_runs = [run for run in cells(preset) if run.task == TASK and run.needs_worker_return]
    assert len(open_runs) == len(preset["seeds"])
    assert {complete(run, tmp_path / "file.json")[0].cher.delta for run in open_runs} == {-337.5}


def test_it_is_that_of_a_variant_where_one_is_named(tmp_path: Path):
    """Delta of the workers for transfer is a share of what HRL's workers of the same kind reach."""
    preset = small_preset(studies=["transfer"], algorithms=["cher"], tasks=["ant_gather"])
    used = [run for run in trainings(preset) if run.algorithm == "hrl"]
    assert used == hrl_runs(preset, "ant_gather", "transfer")
    for run in used:
        set_returns(write_run(run, tmp_path / "runs"), dict.fromkeys(run.seeds, -80.0))
    arguments = ["--task", "ant_gather", "--variant", "transfer", "--runs", str(tmp_path / "runs")]
    path = tmp_path / "hrl-transfer.json"
    worker_return.main([*shlex.split(preset_arguments(preset)), *arguments, "--out", str(path)])
    content = read(path, "ant_gather", "hrl-transfer")
    assert (content["label"], content["worker_return"]) == ("hrl-transfer", -80)
    assert [run["key"] for run in content["runs"]] == [f"ant_gather/hrl-transfer/seeds_{seed}" for seed in (0, 1)]


def test_an_unknown_variant_is_refused_in_one_line(preset: dict[str, Any], runs: Path, tmp_path: Path):
    with pytest.raises(
        SystemExit, match=r"^worker_return: variant 'nobody' is not known; allowed: ratio_25, [^\n]*$"
    ):
        worker_return.main([*command(preset, runs, tmp_path / "file.json"), "--variant", "nobody"])


def test_seeds_side_by_side_give_the_same_number(preset: dict[str, Any], runs: Path, tmp_path: Path):
    grouped = preset | {"seeds_per_job": 2}
    (run,) = hrl_runs(grouped, TASK)
    set_returns(write_run(run, tmp_path / "grouped"), {0: -400, 1: -500})
    together, alone = describe(grouped, TASK, tmp_path / "grouped"), describe(preset, TASK, runs)
    assert together["worker_return"] == alone["worker_return"]
    assert together["by_seed"] == alone["by_seed"]


def test_the_presets_seeds_count_and_no_others(preset: dict[str, Any], runs: Path):
    assert describe(preset | {"seeds": [1]}, TASK, runs)["worker_return"] == -500


def test_the_same_runs_give_the_same_bytes(preset: dict[str, Any], runs: Path, tmp_path: Path):
    for folder in ("a", "b"):
        worker_return.main(command(preset, runs, tmp_path / folder / "file.json"))
    assert (tmp_path / "a/file.json").read_bytes() == (tmp_path / "b/file.json").read_bytes()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["file.json"]
    assert read(tmp_path / "a/file.json", TASK) == describe(preset, TASK, runs)
    assert (tmp_path / "a/file.json").read_text().startswith('{\n  "task": "ring_road",\n')


@pytest.mark.parametrize(("value", "shown"), [(0.0, "0.0"), (3.5, "3.5"), (np.nan, "nan"), (-np.inf, "-inf")])
def test_a_number_that_is_no_return_is_refused_in_one_line(
    preset: dict[str, Any], runs: Path, tmp_path: Path, value: float, shown: str
):
    for run in hrl_runs(preset, TASK):
        set_returns(runs / run.key, dict.fromkeys(run.seeds, value))
    with pytest.raises(WorkerReturnError):
        describe(preset, TASK, runs)
    with pytest.raises(SystemExit) as stop:
        worker_return.main(command(preset, runs, tmp_path / "file.json"))
    message = f"the worker return of the hrl runs is {shown}; it must be finite and negative"
    assert stop.value.code == f"worker_return: {TASK}: {message}"
    assert not (tmp_path / "file.json").exists()


def test_one_seed_without_a_value_is_refused(preset: dict[str, Any], runs: Path):
    set_returns(runs / f"{TASK}/hrl/seeds_1", {1: np.nan})
    with pytest.raises(WorkerReturnError, match="is nan"):
        describe(preset, TASK, runs)


def test_runs_are_checked_as_collect_does(preset: dict[str, Any], runs: Path, tmp_path: Path):
    changed = small_preset(learner={"default": {"gamma": 0.5}})
    with pytest.raises(
        CollectError, match=r"made with other settings: learner.gamma is 0.99, the preset asks for 0.5"
    ):
        describe(changed, TASK, runs)
    with pytest.raises(CollectError, match=r"ring_road/hrl/seeds_0: there is no finished run"):
        describe(preset, TASK, tmp_path / "nowhere")


def test_a_missing_column_is_named(preset: dict[str, Any], runs: Path):
    path = runs / f"{TASK}/hrl/seeds_1/progress.csv"
    pd.read_csv(path).drop(columns="worker_q_current").to_csv(path, index=False)
    with pytest.raises(
        CollectError, match=r"seeds_1: progress.csv is damaged: there is no column worker_q_current"
    ):
        describe(preset, TASK, runs)


def test_an_unknown_task_is_refused_in_one_line(tmp_path: Path):
    with pytest.raises(SystemExit, match=r"^worker_return: task 'ant_maze_9' is not known; allowed: ant_gather, "):
        worker_return.main(["--task", "ant_maze_9", "--out", str(tmp_path / "a.json")])
