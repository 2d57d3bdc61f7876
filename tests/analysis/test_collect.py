from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from synthetic import small_preset, write_drivers, write_runs, write_study, write_worker_return

from algorithms.config import ConfigError, preset_arguments
from algorithms.studies import cells
from analysis import collect
from analysis.collect import Folders
from analysis.runs import CollectError
from analysis.study_tables import DRIVER_HEAD, HEAD, Tables
from envs.tasks import describe

KEY = "ant_gather/td3/seeds_0"
Edit = Callable[[pd.DataFrame], pd.DataFrame]


def edit(path: Path, change: Edit) -> None:
    change(pd.read_csv(path)).to_csv(path, index=False)


def collected(preset: dict[str, Any], results: Path, study: str = "main") -> Tables:
    return collect.collect(preset, study, Folders.below(results))


def refusal(preset: dict[str, Any], results: Path, study: str = "main") -> str:
    with pytest.raises((CollectError, ConfigError)) as caught:
        collected(preset, results, study)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_every_row_of_every_run_is_collected_once(preset: dict[str, Any], results: Path):
    tables = collected(preset, results)
    progress, evaluations = tables.runs, tables.evaluations
    files = [pd.read_csv(path) for path in (results / "runs").rglob("progress.csv")]
    assert len(files) == len(cells(preset)) == len(preset["tasks"]) * len(preset["algorithms"]) * 2
    assert len(progress) == sum(map(len, files))
    assert not progress.duplicated(["study", "task", "label", "seed", "step"]).any()
    assert list(progress.columns[:7]) == [*HEAD, "seed", "step"]
    targets = evaluations.groupby("task")["target"].unique()
    assert list(targets["ant_gather"]) == ["default"]
    assert list(targets["ring_road"]) == [point.name for point in describe("ring_road")[0].evaluation_points]
    assert progress["critic_q"].sum() == pytest.approx(sum(table["critic_q"].sum() for table in files))


@pytest.mark.parametrize("name", ["evaluations", "probes", "proposals", "timing"])
def test_every_row_of_the_other_files_is_collected_once(preset: dict[str, Any], results: Path, name: str):
    table = getattr(collected(preset, results), name)
    files = [pd.read_csv(path) for path in (results / "runs").rglob(f"{name}.csv")]
    assert len(table) == sum(map(len, files)) > 0
    assert list(table.columns[:7]) == [*HEAD, "seed", "step"]
    assert set(table.columns) == set(HEAD).union(*(file.columns for file in files))
    last = files[-1].columns[-1]
    assert table[last].sum() == pytest.approx(sum(file[last].sum() for file in files if last in file))


def test_only_what_has_a_manager_has_probes_and_proposals(preset: dict[str, Any], results: Path):
    tables = collected(preset, results)
    for rows in (tables.probes, tables.proposals):
        assert rows["label"].unique().tolist() == ["hrl"]
    alone = collected(preset | {"algorithms": ["td3"]}, results)
    for rows in (alone.probes, alone.proposals):
        assert list(rows) == [*HEAD, "seed", "step"]
        assert rows.empty


def test_order_is_that_of_the_preset(tmp_path: Path):
    preset = small_preset(tasks=["ant_gather", "ring_road"], algorithms=["hrl", "td3"])
    folders = Folders.below(tmp_path)
    write_runs(preset, folders.runs)
    write_drivers(preset, folders.drivers)
    tables = collected(preset, tmp_path)
    assert list(tables.runs["task"].unique()) == preset["tasks"]
    assert list(tables.runs["label"].unique()) == preset["algorithms"]
    identities = [(task, label) for task in preset["tasks"] for label in preset["algorithms"]]
    assert list(zip(tables.cells["task"], tables.cells["label"], strict=True)) == identities


def test_a_metric_that_a_task_does_not_have_stays_empty(preset: dict[str, Any], results: Path):
    progress = collected(preset, results).runs
    has_fraction = progress.groupby("task")["return_fraction_mean100"].count() > 0
    assert has_fraction.to_dict() == {"ring_road": True, "ant_gather": False}


def test_seeds_trained_side_by_side_give_the_same_rows(preset: dict[str, Any], results: Path, tmp_path: Path):
    grouped, elsewhere = preset | {"seeds_per_job": 2}, Folders.below(tmp_path / "grouped")
    write_runs(grouped, elsewhere.runs)
    write_drivers(grouped, elsewhere.drivers)
    order = ["task", "label", "seed", "step"]
    together, alone = collected(grouped, tmp_path / "grouped"), collected(preset, results)
    for name in ("runs", "evaluations", "probes", "proposals", "timing"):
        tables = [getattr(each, name) for each in (together, alone)]
        keys = [*order, *(key for key in ("target", "probe") if key in tables[0])]
        pd.testing.assert_frame_equal(*(table.sort_values(keys, ignore_index=True) for table in tables))
    pd.testing.assert_frame_equal(together.cells, alone.cells)


def test_a_run_that_is_not_there_or_not_as_asked_for_is_refused(preset: dict[str, Any], results: Path):
    path = results / "runs" / KEY
    edit(path / "timing.csv", lambda table: table.assign(seed=3))
    assert refusal(preset, results) == f"{KEY}: timing.csv: seed 3 does not belong to this run"
    edit(path / "progress.csv", lambda table: table.iloc[:-1])
    expected = f"{KEY}: progress.csv: seed 0: step 1,200 is missing from the grid of 6 points"
    assert refusal(preset, results) == expected
    (path / "run.json").unlink()
    assert refusal(preset, results) == f"{KEY}: there is no finished run in {path}"


@pytest.fixture
def dynamic(tmp_path: Path) -> tuple[dict[str, Any], Path]:
    """A preset whose only algorithm is CHER, and its results with J_HRL = -600."""
    preset = small_preset(algorithms=["cher"], tasks=["ant_gather"], results=str(tmp_path / "dynamic"))
    write_study(preset, "main", tmp_path / "dynamic")
    return preset, tmp_path / "dynamic"


def test_runs_with_delta_from_the_worker_return_are_collected(dynamic: tuple[dict[str, Any], Path]):
    progress = collected(*dynamic).runs
    assert progress["label"].unique().tolist() == ["cher"]
    assert sorted(progress["seed"].unique()) == dynamic[0]["seeds"]


def test_another_worker_return_says_which_delta_is_wanted(dynamic: tuple[dict[str, Any], Path]):
    preset, results = dynamic
    write_worker_return(Folders.below(results).worker_returns, "ant_gather", -500.0)
    expected = "made with other settings: cher.delta is -150.0, the preset asks for -125.0"
    stale = ", ".join(str(results / f"runs/ant_gather/cher/seeds_{seed}") for seed in preset["seeds"])
    hint = f"a run that it depends on has changed since: move away {stale}, then go on"
    assert refusal(preset, results) == f"ant_gather/cher/seeds_0: {expected}; {hint}"


def test_a_missing_worker_return_is_refused_in_one_line(dynamic: tuple[dict[str, Any], Path], tmp_path: Path):
    preset, results = dynamic
    path = Folders.below(results).worker_returns / "ant_gather/hrl.json"
    path.unlink()
    options = [*shlex.split(preset_arguments(preset)), "--results", str(results), "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match=f"^collect: worker return {re.escape(str(path))} not found; [^\n]*$"):
        collect.main(options)
    assert not (tmp_path / "out").exists()


def every_cell(results: Path, study: str, **changes: Any) -> Tables:
    """The tables of a study of the smoke preset with one seed, with J_HRL = -600 everywhere."""
    whole = {"studies": [study], "tasks": ["ring_road", "ant_gather", "ant_four_rooms", "ant_maze"], "seeds": [3]}
    preset = small_preset(**{"algorithms": ["td3", "hrl", "hiro", "hac", "cher_fixed", "cher"]}, **whole | changes)
    write_study(preset, study, results)
    return collected(preset, results, study)


def test_cells_of_cooperation_have_their_ratios(tmp_path: Path):
    """Section 5.4 and its footnote 2; -50 is printed there for Figure 7h."""
    cells = every_cell(tmp_path, "cooperation").cells.set_index("label")
    assert cells["cooperation_ratio"].to_dict() == pytest.approx(
        {
            "hrl": 0,
            "cher-ratio_25": 0.25,
            "cher-ratio_50": 0.5,
            "cher": 0.75,
            "cher-delta_50": 1 - 50 / 600,
            "cher-delta_0": 1,
        }
    )
    deltas = [-450, -300, -150, -50, 0]
    assert cells["delta"].tolist()[1:] == deltas
    assert math.isnan(cells.loc["hrl", "delta"])
    assert (cells["worker_return"].drop("hrl") == -600).all()
    assert set(cells["gradient"].drop("hrl")) == {"equation5"}
    assert cells.loc["hrl", "gradient"] == ""
    assert (cells[["source", "source_algorithm"]] == "").all(axis=None)
    assert set(cells["input_scale"]) == {"raw"}
    shares = [0.75, 0.5, 0.25, math.nan, math.nan]
    assert cells["delta_share"].tolist()[1:] == pytest.approx(shares, nan_ok=True), "where delta is one"


def test_cells_of_saturation_have_their_remedies(tmp_path: Path):
    cells = every_cell(tmp_path, "saturation").cells.set_index("label")
    assert cells["output_penalty"].dropna().to_dict() == dict.fromkeys(
        ["hrl-penalty", "cher-penalty", "cher-penalty_authors"], 0.01
    )
    assert cells["manager_actor_start"].dropna().to_dict() == dict.fromkeys(["hrl-late", "cher-late"], 20_000)


def test_cells_of_fixed_lambda_have_their_lambda(tmp_path: Path):
    cells = every_cell(tmp_path, "fixed_lambda").cells
    rows = cells[cells["algorithm"] == "cher_fixed"].set_index(["task", "label"])["fixed_lambda"]
    assert rows["ring_road"].tolist() == [0.001, 0.005, 0.01, 0.05]
    assert rows["ant_gather"].tolist() == [0.001, 0.005, 0.01, 0.05, 0.1, 1, 10]
    assert rows["ant_gather", "cher_fixed"] == rows["ring_road", "cher_fixed"] == 0.01
    dynamic = cells[cells["algorithm"] == "cher"]
    assert dynamic["fixed_lambda"].isna().all()
    assert dynamic["delta"].tolist() == [-450, -150]


def test_cells_of_transfer_say_whose_worker_they_have(tmp_path: Path):
    tables = every_cell(tmp_path, "transfer")
    rows = tables.cells.set_index(["task", "label"])
    assert len(rows) == 13
    for task in ("ant_four_rooms", "ant_maze"):
        sources = rows.loc[task][["source", "source_algorithm"]].T.to_dict("list")
        assert sources == {
            "hrl-worker_hrl": ["hrl-transfer", "hrl"],
            "hrl-worker_hiro": ["hiro-transfer", "hiro"],
            "hrl-worker_cher": ["cher-transfer", "cher"],
            "hiro-worker_hiro": ["hiro-transfer", "hiro"],
            "cher-worker_cher": ["cher-transfer", "cher"],
        }
        assert rows.loc[(task, "cher-worker_cher"), "delta"] == -450
    assert (rows.loc["ant_gather", "source"] == "").all()
    assert rows.loc[("ant_gather", "cher-transfer"), "cooperation_ratio"] == 0.75
    assert set(tables.runs["study"]) == {"transfer"}
    assert set(tables.runs["variant"]) == {"transfer", "worker_hrl", "worker_hiro", "worker_cher"}


def every_cell_again(results: Path) -> Tables:
    preset = small_preset(
        studies=["transfer"], tasks=["ant_gather", "ant_maze"], seeds=[3], algorithms=["hrl", "hiro", "cher"]
    )
    return collected(preset, results, "transfer")


def test_another_policy_of_the_source_is_refused_with_what_to_do(tmp_path: Path):
    every_cell(tmp_path, "transfer", tasks=["ant_gather", "ant_maze"])
    policy = tmp_path / "runs/ant_gather/hiro-transfer/seeds_3/policy.pt"
    torch.save({"networks": {"worker.made_up": torch.ones(1)}}, policy)  # trained again
    with pytest.raises(CollectError) as caught:
        every_cell_again(tmp_path)
    message = str(caught.value)
    assert message.startswith("ant_maze/hrl-worker_hiro/seeds_3: made with other settings: transfer.policy is ")
    folder = tmp_path / "runs/ant_maze/hrl-worker_hiro/seeds_3"
    assert f"a run that it depends on has changed since: move away {folder}, " in message


def test_a_source_that_is_not_there_is_refused_in_one_line(tmp_path: Path):
    every_cell(tmp_path, "transfer", tasks=["ant_gather", "ant_maze"])
    source = tmp_path / "runs/ant_gather/hrl-transfer/seeds_3"
    (source / "policy.pt").unlink()
    with pytest.raises(ConfigError, match=f"^--source {source} holds no finished run .no policy.pt.$"):
        every_cell_again(tmp_path)


def test_command_line_writes_all_tables(preset: dict[str, Any], results: Path, tmp_path: Path):
    out = tmp_path / "new/tables"
    arguments = [*shlex.split(preset_arguments(preset)), "--results", str(results), "--out", str(out)]
    collect.main([*arguments, "--study", "main"])
    expected = collected(preset, results)
    assert sorted(path.stem for path in out.iterdir()) == sorted(Tables._fields)
    for name, table in expected._asdict().items():
        pd.testing.assert_frame_equal(pd.read_parquet(out / f"{name}.parquet"), table)
    assert expected.runs["step"].dtype == "int64"


def test_tables_without_rows_can_be_written_and_read(preset: dict[str, Any], results: Path, tmp_path: Path):
    alone = preset | {"algorithms": ["td3"], "drivers": []}
    options = [*shlex.split(preset_arguments(alone)), "--results", str(results), "--out", str(tmp_path / "out")]
    collect.main(options)
    assert len(pd.read_parquet(tmp_path / "out/runs.parquet")) > 0
    for name in ("probes", "proposals", "drivers"):
        assert pd.read_parquet(tmp_path / f"out/{name}.parquet").empty


def test_every_row_of_every_driver_is_collected_once(preset: dict[str, Any], results: Path, driver_runs: Path):
    rows = collected(preset, results).drivers
    pd.testing.assert_frame_equal(rows, collect.collect_drivers(preset, driver_runs))
    assert list(rows.columns[:5]) == [*DRIVER_HEAD, "seed", "step", "target"]
    assert len(rows) == 2 * 2 * 10
    assert not rows.duplicated(["task", "driver", "seed", "target"]).any()
    assert list(rows["driver"].unique()) == preset["drivers"]
    assert set(rows["step"]) == {1_200}
    files = [pd.read_csv(path) for path in driver_runs.rglob("evaluations.csv")]
    assert rows["return"].sum() == pytest.approx(sum(table["return"].sum() for table in files))


def test_drivers_belong_to_one_study(tmp_path: Path):
    preset = small_preset(studies=["hiro_correction"], algorithms=["hrl"])
    write_runs(preset, tmp_path / "runs")
    assert collected(preset, tmp_path, "hiro_correction").drivers.empty
    assert refusal(preset, tmp_path).startswith("ring_road/hrl/seeds_0: there is no finished run")


def test_command_line_refuses_in_one_line(tmp_path: Path):
    options = ["--preset", "smoke", "--results", str(tmp_path), "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match=r"^collect: highway/td3/seeds_0: there is no finished run in .*$"):
        collect.main(options)
    with pytest.raises(SystemExit, match=r"^collect: study 'mian' is not known; allowed: main, [^\n]*$"):
        collect.main([*options, "--study", "mian"])
    assert not (tmp_path / "out").exists()
