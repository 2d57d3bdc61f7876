"""From run folders through an archive to the tables of studies: what was measured, cell by cell."""

from __future__ import annotations

import math
import shlex
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from archives import add, describe, edit, finished, of_length, run, training
from synthetic import small_preset, write_drivers, write_run, write_study

from algorithms.config import merge, preset_arguments
from algorithms.studies import cells
from analysis.archive import plan, store
from analysis.archive.draw import tables
from analysis.archive.manifest import ArchiveError, load
from analysis.archive.missing import missing
from analysis.collect import Folders, collect
from analysis.extents import UNKNOWN_WORKER
from analysis.study_tables import Tables

STUDIES = ["main", "cooperation", "transfer"]


def preset_of(*studies: str, **changes: Any) -> dict[str, Any]:
    selected = {"studies": list(studies), "tasks": ["ring_road", "ant_gather", "ant_maze"]}
    return small_preset(**merge(selected | {"algorithms": ["td3", "hrl", "hiro", "cher"]}, changes))


def measured(results: Path, value: float = -600.0) -> None:
    """Give HRL runs the worker return that delta is a share of."""
    for path in results.glob("runs/*/hrl*/*/progress.csv"):
        edit(path, lambda table: table.assign(worker_q_current=value))


def measured_cher(results: Path, seed: int) -> Path:
    """A run of CHER whose delta is from a worker return of -600."""
    run = training("cher", (seed,)).with_worker_return(-600.0)
    found = {"task": "ant_gather", "label": "hrl", "worker_return": -600.0}
    return write_run(run, results / "runs", measured=found)


def drawn(archive: Path, preset: dict[str, Any], study: str = "main") -> Tables:
    read = store.read_checked(archive)
    return tables(read, plan.make(preset, read.manifest), study)


def said(archive: Path, preset: dict[str, Any]) -> list[str]:
    return missing(plan.make(preset, load(archive)))


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path, Path]:
    """A preset, results of all its cells, and an archive of these."""
    preset, results = preset_of(*STUDIES), tmp_path_factory.mktemp("complete")
    for number, study in enumerate(STUDIES):
        write_study(preset, study, results / str(number))
        measured(results / str(number))
        shutil.copytree(results / str(number), results / "all", dirs_exist_ok=True)
    write_drivers(preset, results / "all/drivers")
    add(results / "archive", results / "all/runs", results / "all/drivers")
    return preset, results / "all", results / "archive"


@pytest.mark.parametrize("study", STUDIES)
def test_tables_are_those_that_are_collected_from_the_run_folders(complete: Any, study: str):
    preset, results, archive = complete
    expected, found = collect(preset, study, Folders.below(results)), drawn(archive, preset, study)
    for name in Tables._fields:
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name), check_exact=True)
    assert len(found.inventory) == len(cells(preset, study))
    assert said(archive, preset)[:3] == [
        "main: data of 12 of 12 cells",
        "cooperation: data of 6 of 6 cells",
        "transfer: data of 8 of 8 cells",
    ]
    assert not [line for line in said(archive, preset) if "without" in line and "episodes" not in line]


def test_the_inventory_says_where_numbers_come_from(complete: Any):
    preset, _, archive = complete
    inventory = drawn(archive, preset).inventory.set_index(["task", "label", "seeds"])
    row = inventory.loc[("ant_gather", "hrl", "1")]
    assert (row["steps"], row["commit"], row["resumed"], row["wall_time"]) == (1_200, "0123456789abcdef", 1, 12.5)
    assert (row["device"], row["hardware"]) == ("cpu", "Abacus, 2 cores, Linux")
    assert (row["versions"], row["finished"]) == ("python 3.11.7, torch 2.13.0", "2026-01-02T03:04:05Z")


def test_command_line_writes_them(complete: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    preset, _, archive = complete
    arguments = shlex.split(preset_arguments(preset | {"studies": ["main"]}))
    assert run(archive, "tables", *arguments, "--out", tmp_path) == 0
    assert capsys.readouterr().out.startswith("main: data of 12 of 12 cells\n")
    assert {path.stem for path in (tmp_path / "tables/main").iterdir()} == set(Tables._fields)
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "tables/main/runs.parquet"), drawn(archive, preset).runs, check_exact=True
    )


def test_a_part_of_the_cells_with_fewer_steps_and_seeds(tmp_path: Path):
    preset = preset_of("main", "cooperation")
    add(
        tmp_path / "archive",
        finished(tmp_path, "td3", (0, 1), **of_length(2_400)),
        finished(tmp_path, "hrl", (5,)),
        finished(tmp_path, "hrl", (0,), task="ring_road"),
    )
    found = drawn(tmp_path / "archive", preset)
    extents = found.extents.set_index(["task", "label"])
    assert list(extents.index) == [("ring_road", "hrl"), ("ant_gather", "td3"), ("ant_gather", "hrl")]
    assert list(extents["steps_run"]) == [1_200, 2_400, 1_200]
    assert list(extents["seeds_run"]) == [1, 2, 1]
    assert extents.loc[("ant_gather", "td3"), "reduced_why"].startswith(
        "2,400 of 1,000,000 steps; 2 of 10 seeds; "
    )
    assert set(found.runs["seed"]) == {0, 1, 5}
    assert found.drivers.empty
    lines = said(tmp_path / "archive", preset)
    assert lines[0].startswith("main: data of 3 of 12 cells; missing: ring_road/td3, ")
    assert lines[1].startswith("cooperation: data of 1 of 6 cells; missing: ant_gather/cher-ratio_25")
    assert "scripted drivers without data: ring_road/human, ring_road/random" in lines
    assert "not drawn: figure_06; there are no episodes to show" in lines
    assert "incomplete: figure_01; without ant_gather/cher" in lines
    narrowed = plan.narrowed(plan.make(preset, load(tmp_path / "archive")))
    assert [(each.task, each.label) for each in cells(narrowed, "main")[::2]] == list(extents.index)


def test_of_runs_that_do_not_go_together_the_longest_then_the_most_are_shown(tmp_path: Path):
    archive, preset = tmp_path / "archive", preset_of("main", seeds=[0, 1, 2, 3])
    add(archive, *(finished(tmp_path, seeds=(seed,)) for seed in (0, 1)))
    add(archive, finished(tmp_path, seeds=(2,), run={"default": {"evaluation_episodes": 1}, "tasks": {}}))
    assert set(drawn(archive, preset).runs["seed"]) == {0, 1, 2}, "the same settings go together"
    add(archive, finished(tmp_path, seeds=(3,), **of_length(2_400)))
    assert set(drawn(archive, preset).runs["seed"]) == {3}
    why = "does not go together with ant_gather/hrl/seeds_3, which is shown: run.steps is 1200, not 2400"
    assert f"not used: ant_gather/hrl/seeds_0, ant_gather/hrl/seeds_1, ant_gather/hrl/seeds_2; {why}" in said(
        archive, preset
    )


def test_more_seeds_win_among_runs_of_the_same_length(tmp_path: Path):
    archive, preset = tmp_path / "archive", preset_of("main")
    later = {"run": {"tasks": {"ant_gather": {"warmup_steps": 600}}}}
    add(archive, finished(tmp_path, seeds=(0,)), *(finished(tmp_path, seeds=(seed,), **later) for seed in (2, 1)))
    assert drawn(archive, preset).runs["seed"].unique().tolist() == [1, 2], "in the order of seeds"
    (line,) = [line for line in said(archive, preset) if line.startswith("not used: ant_gather/hrl/seeds_0; ")]
    assert line.endswith("is shown: run.warmup_steps is 500, not 600")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"learner": {"default": {"gamma": 0.5}}}, "learner.gamma is 0.5, the preset asks for 0.99"),
        (
            {"environment": {"tasks": {"ant_gather": {"contact": "stiff"}}}},
            "environment.contact is stiff, the preset asks for soft",
        ),
    ],
)
def test_other_settings_are_no_data_of_a_cell_and_are_named(tmp_path: Path, changes: dict[str, Any], why: str):
    archive = tmp_path / "archive"
    add(archive, finished(tmp_path, **changes))
    line = f"ant_gather/hrl/seeds_0: made with other settings: {why}"
    with pytest.raises(ArchiveError, match=f"^none of the 1 archived runs is of a selected cell; {line}$"):
        said(archive, preset_of("main"))
    add(archive, finished(tmp_path, "td3"))
    assert f"not used: {line.replace(': made', '; made')}" in said(archive, preset_of("main"))


@pytest.mark.parametrize("hrl", [True, False])
def test_cooperation_ratios_refer_to_archived_hrl_runs_or_to_what_a_run_has_recorded(tmp_path: Path, hrl: bool):
    preset, archive = preset_of("cooperation", seeds=[0]), tmp_path / "archive"
    add(archive, measured_cher(tmp_path, 0))
    if hrl:
        finished(tmp_path)
        measured(tmp_path, -300.0)
        add(archive, tmp_path / "runs/ant_gather/hrl")
    found = drawn(archive, preset, "cooperation").cells.set_index("label").loc["cher"]
    assert found["delta"] == -150
    assert found["worker_return"] == (-300 if hrl else -600)
    assert found["cooperation_ratio"] == (0.5 if hrl else 0.75)


def test_without_either_a_ratio_is_not_known(tmp_path: Path):
    preset = preset_of("cooperation", seeds=[0])
    (chosen,) = (run for run in cells(preset) if run.label == "cher-delta_50")
    add(tmp_path / "archive", write_run(chosen, tmp_path / "runs"))
    found = drawn(tmp_path / "archive", preset, "cooperation").cells
    assert found["delta"].tolist() == [-50]
    assert found[["cooperation_ratio", "delta_share"]].isna().all(axis=None)


def test_a_delta_that_was_chosen_is_no_data_of_a_cell_whose_delta_is_measured(tmp_path: Path):
    """However long the run is."""
    archive, preset = tmp_path / "archive", preset_of("cooperation", seeds=[0, 1])
    add(archive, measured_cher(tmp_path, 0))
    longer = training("cher", (1,), cher={"default": {"delta": -200.0}}, **of_length(2_400))
    add(archive, write_run(longer, tmp_path / "runs"))
    found = drawn(archive, preset, "cooperation")
    assert found.runs["seed"].unique().tolist() == [0]
    assert found.cells["delta"].tolist() == [-150]
    why = "cher.delta is -200.0, the preset asks for 0.25 of the worker return of HRL"
    assert f"not used: ant_gather/cher/seeds_1; made with other settings: {why}" in said(archive, preset)


def test_a_worker_of_a_training_that_is_not_archived_makes_a_run_reduced(complete: Any, tmp_path: Path):
    preset, results, archive = complete
    everything = drawn(archive, preset, "transfer").extents.set_index(["task", "label"])["reduced_why"]
    assert "worker: 1,200 of 1,000,000 steps" in everything["ant_maze", "hiro-worker_hiro"]
    add(tmp_path / "archive", results / "runs/ant_maze/hiro-worker_hiro")
    alone = drawn(tmp_path / "archive", preset, "transfer").extents["reduced_why"]
    assert alone.iloc[0].endswith(f"; {UNKNOWN_WORKER}")


@pytest.mark.parametrize("chosen", [False, True])
def test_a_delta_that_a_worker_was_trained_with_is_left_open_if_it_was_measured(
    complete: Any, tmp_path: Path, chosen: bool
):
    preset, results, _ = complete
    for folder in ("ant_gather/cher-transfer", "ant_maze/cher-worker_cher"):
        shutil.copytree(results / "runs" / folder, tmp_path / "runs" / folder)
    if chosen:
        for path in (tmp_path / "runs/ant_gather/cher-transfer").iterdir():
            describe(path, worker_return=None)
    add(tmp_path / "archive", tmp_path / "runs")
    made = plan.make(preset, load(tmp_path / "archive"))
    for archived in made.contents.runs["ant_maze", "cher-worker_cher"]:
        taken = plan.source(made, archived)
        assert taken is not None
        assert taken.cher is not None
        assert taken.cher.delta == (-150 if chosen else None)


def test_workers_that_were_trained_differently_do_not_go_together(complete: Any, tmp_path: Path):
    preset, results, _ = complete
    runs = shutil.copytree(results / "runs/ant_maze/hiro-worker_hiro", tmp_path / "runs/ant_maze/hiro-worker_hiro")
    for seed, source in enumerate([{"hash": "0123", "seeds": [0]}, None]):
        describe(runs / f"seeds_{seed}", source=source)
    archive = tmp_path / "archive"
    add(archive, runs)
    assert drawn(archive, preset, "transfer").runs["seed"].unique().tolist() == [0]
    key = "ant_maze/hiro-worker_hiro/seeds"
    why = f"does not go together with {key}_0, which is shown: source.hash is unknown, not 0123"
    assert f"not used: {key}_1; {why}" in said(archive, preset)


def test_tables_of_selected_studies_without_data_do_not_outlive_a_change(
    complete: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    preset, results, archive = complete
    out, arguments = tmp_path / "out", shlex.split(preset_arguments(preset))
    (out / "tables/gradient_forms").mkdir(parents=True)
    assert run(archive, "tables", *arguments, "--out", out) == 0
    assert {path.name for path in (out / "tables").iterdir()} == {*STUDIES, "gradient_forms"}
    less = tmp_path / "archive"
    add(less, results / "runs/ant_gather/td3")
    assert run(less, "tables", *arguments, "--out", out) == 0
    assert {path.name for path in (out / "tables").iterdir()} == {"main", "gradient_forms"}, "it is not selected"


@pytest.mark.parametrize("value", [3.0, math.nan])
def test_a_mean_that_is_no_worker_return_is_none(tmp_path: Path, value: float):
    preset, archive = preset_of("cooperation", seeds=[0]), tmp_path / "archive"
    measured_cher(tmp_path, 0)
    finished(tmp_path)
    measured(tmp_path, value)
    add(archive, tmp_path / "runs")
    found = drawn(archive, preset, "cooperation").cells.set_index("label").loc["cher"]
    assert found["worker_return"] == -600


def test_an_empty_archive_says_what_to_do_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "manifest.json").write_text(
        '{"format": 1, "columns": {}, "runs": [], "drivers": [], "episodes": []}'
    )
    assert run(tmp_path, "missing", "--preset", "paper") == 2
    line = "archive: the archive holds no runs; `python -m analysis.archive add RUN_FOLDER` adds some\n"
    assert capsys.readouterr().err == line


def test_entries_that_cannot_be_read_any_more_are_named_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    archive = tmp_path / "archive"
    add(archive, finished(tmp_path), finished(tmp_path, "td3"))
    manifest = load(archive)
    config = manifest.runs[0].description["config"]
    config["learner"] |= {"momentum": 0.9}  # a setting that is gone today
    lines = missing(plan.make(preset_of("main"), manifest))
    (line,) = [line for line in lines if line.startswith("not used: ant_gather/hrl/seeds_0; ")]
    assert "its settings cannot be read: key 'learner.momentum' is not known" in line
