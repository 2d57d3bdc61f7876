"""The whole workflow on the smoke preset, from nothing to the report: `main`, and a cell of every other study."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
import yaml
from runner import copied_repository, snakemake_in

from algorithms import drive, drivers
from algorithms.config import load_preset, merge
from algorithms.drivers import traffic_tasks
from algorithms.studies import cells, source, trainings
from algorithms.train import FILES
from analysis import products

pytestmark = pytest.mark.workflow

ONE_CELL = Path(__file__).with_name("one_cell.yaml")
SMOKE = ("--configfile", "config/smoke.yaml", str(ONE_CELL))
NOTHING = "Nothing to be done"
PRESET = merge(load_preset("smoke"), yaml.safe_load(ONE_CELL.read_text()))
MAIN = cells(PRESET, "main")
#: Tasks and algorithms of the main study.
TASKS, ALGORITHMS = (list(dict.fromkeys(getattr(run, key) for run in MAIN)) for key in ("task", "algorithm"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the workflow, whose modules a test may change."""
    return copied_repository(tmp_path_factory.mktemp("repository"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """A working directory in which the smoke preset has run once."""
    folder = tmp_path_factory.mktemp("smoke")
    run = snakemake_in(folder, root)(*SMOKE)
    assert run.returncode == 0, run.stderr
    return folder


def test_every_output_is_there(folder: Path):
    out = folder / "out"
    every = trainings(PRESET)
    for run in every:
        assert {path.name for path in (out / "runs" / run.key).iterdir()} == set(FILES)
    names = products.due(PRESET, products.FIGURES)
    assert names == list(products.FIGURES), "each study has something to draw"
    for name in names:
        for ending in ("svg", "pdf", "png"):
            assert (out / f"figures/{name}.{ending}").stat().st_size > 5_000
    for name in (*products.due(PRESET, products.TABLES), *products.OVERALL):
        for ending in ("csv", "md", "tex"):
            assert len((out / f"tables/{name}.{ending}").read_text().splitlines()) > 1
    page = (out / "report/index.html").read_text()
    assert page.count("<img ") == len(names) + 1, "those and the claims"
    assert not re.findall("No data for (?!the )", page), "no figure and no table is missing"
    for job in drivers.planned(PRESET):
        assert {path.name for path in (out / "drivers" / job.key).iterdir()} == set(drive.FILES)
    assert len(list((out / "benchmarks").rglob("*.tsv"))) == len(every)


def test_delta_is_a_share_of_the_worker_return(folder: Path):
    for task in TASKS:
        measured = json.loads((folder / f"out/tables/worker_return/{task}/hrl.json").read_text())["worker_return"]
        run = json.loads((folder / f"out/runs/{task}/cher/seeds_0/run.json").read_text())
        assert run["config"]["cher"]["delta"] == run["config"]["cher"]["delta_share"] * measured < 0


def test_a_transferred_worker_is_that_of_its_source(folder: Path):
    """Bit by bit, after the whole training of the new manager."""
    for run in trainings(PRESET):
        if taken := source(PRESET, run):
            here, there = (
                torch.load(folder / "out/runs" / key / "policy.pt", weights_only=True)["networks"]
                for key in (run.key, taken.key)
            )
            workers = [name for name in here if name.startswith("worker.")]
            assert len(workers) > 10
            assert all(here[name].equal(there[name]) for name in workers)
            return
    pytest.fail("no worker was transferred")


def test_numbers_in_the_table_are_those_of_the_runs(folder: Path):
    table = pd.read_csv(folder / "out/tables/final_performance.csv").set_index(["task", "label", "metric"])
    for task in TASKS:
        files = (folder / "out/runs" / task / "td3").rglob("progress.csv")
        ends = [pd.read_csv(path)["return_mean100"].iloc[-1] for path in files]
        assert table.loc[(task, "td3", "return_mean100"), "mean"] == pytest.approx(sum(ends) / len(ends), rel=1e-5)
    for job in drivers.planned(PRESET):
        driven = pd.read_csv(folder / "out/drivers" / job.key / "evaluations.csv")
        assert table.loc[(job.task, job.driver, "return"), "mean"] == pytest.approx(
            driven["return"].mean(), rel=1e-5
        )
    learners = table[table["steps_paper"] > 0]
    assert (learners["steps_run"] < learners["steps_paper"]).all()
    assert table["reduced_why"].notna().all()


def test_a_second_call_does_nothing_in_seconds(folder: Path, root: Path):
    began = time.monotonic()
    run = snakemake_in(folder, root)(*SMOKE)
    assert run.returncode == 0
    assert NOTHING in run.stdout + run.stderr
    assert time.monotonic() - began < 20


@pytest.fixture
def plan(folder: Path, root: Path) -> Any:
    """A function that says what is planned after a change of the preset."""

    def after(change: str = "{}", *arguments: str) -> str:
        (folder / "change.yaml").write_text(change)
        run = snakemake_in(folder, root)("--dry-run", *SMOKE, str(folder / "change.yaml"), *arguments)
        assert run.returncode == 0, run.stderr
        return run.stdout

    return after


def planned_trainings(plan: str) -> set[str]:
    """Task and label with seeds of every training in a plan."""
    jobs = re.findall(r"rule train:\n(?:    .*\n)*?    wildcards: task=(.*), label=(.*), seeds=(.*)\n", plan)
    return {f"{task}/{label}/{seeds}" for task, label, seeds in jobs}


def planned_rules(plan: str) -> set[str]:
    """Names of the rules in a plan."""
    return set(re.findall(r"^(?:local)?rule (\w+):", plan, re.MULTILINE)) - {"all"}


def keys(runs: Any) -> set[str]:
    """Runs as :func:`planned_trainings` writes them."""
    return {run.key.replace("seeds_", "") for run in runs}


@pytest.mark.parametrize(
    ("change", "tasks"),
    [
        ("environment: {tasks: {ring_road: {horizon: 149}}}", {"ring_road"}),
        ("environment: {tasks: {highway: {horizon: 149}}}", {"highway"}),
        ("seeds: [0, 5]", set(traffic_tasks(TASKS))),
        ("learner: {default: {tau: 0.1}}", set()),
        ("environment: {tasks: {ant_gather: {contact: stiff}}}", set()),
    ],
)
def test_a_changed_setting_repeats_the_drivers_that_read_it_alone(plan: Any, change: str, tasks: set[str]):
    expected = [f"task={job.task}, driver={job.driver}" for job in drivers.planned(PRESET)]
    jobs = re.findall(r"rule drive:\n(?:    .*\n)*?    wildcards: (task=.*, driver=.*)\n", plan(change))
    assert sorted(jobs) == sorted(text for text in expected if text.split(",")[0][5:] in tasks)


@pytest.mark.parametrize("task", ["ring_road", "highway"])
def test_a_changed_setting_retrains_the_task_that_reads_it_alone(plan: Any, task: str):
    after = plan(f"environment: {{tasks: {{{task}: {{horizon: 149}}}}}}")
    assert planned_trainings(after) == keys(run for run in trainings(PRESET) if run.task == task)
    assert "rule warm_up" not in after, "saved states are those they were"


def test_other_saved_states_are_made_where_they_are_asked_for(plan: Any):
    after = plan("environment: {tasks: {highway: {warmup_steps: 301}}}")
    assert after.count("rule warm_up:") == 1
    assert planned_trainings(after) == keys(run for run in trainings(PRESET) if run.task == "highway")


def test_a_setting_of_one_algorithm_retrains_its_cells_and_nothing_else(plan: Any):
    after = plan("hac: {default: {subgoal_testing_rate: 0.5}}")
    assert planned_trainings(after) == keys(run for run in MAIN if run.algorithm == "hac")
    assert "worker_return" not in planned_rules(after)
    assert set(re.findall("wildcards: study=(.*)", after)) == {"main"}
    assert "figure_07" not in planned_rules(after)


def test_a_setting_of_the_workers_that_set_delta_retrains_what_derives_from_them(plan: Any):
    """All that is measured on HRL, or takes over its worker, and no other algorithm."""
    changes = {"learner": {"tasks": {"ant_gather": {"tau": 0.01}}}}
    after = plan(json.dumps(changes))
    expected = keys(run for run in trainings(PRESET) if run.task == "ant_gather")
    expected |= keys(run for run in trainings(PRESET) if run.transfer)
    assert planned_trainings(after) == expected


def test_another_seed_trains_that_seed_alone_and_what_depends_on_all_seeds(plan: Any):
    trained = planned_trainings(plan("seeds: [0, 5]"))
    new = {key for key in trained if key.endswith("/5")}
    assert new == {key for key in keys(trainings({**PRESET, "seeds": [5]}))}
    assert trained - new == keys(run for run in trainings(PRESET) if run.algorithm == "cher")


def test_a_delta_of_the_preset_trains_cher_alone(plan: Any):
    trained = planned_trainings(plan("cher: {default: {delta: -5.0}}"))
    assert trained == keys(run for run in cells(PRESET) if run.algorithm == "cher")


@pytest.mark.parametrize("change", ["algorithms: [hrl]", "algorithms: [cher]", "studies: [transfer, visual]"])
def test_less_of_a_preset_retrains_nothing_and_leaves_no_broken_figure(plan: Any, change: str):
    after = plan(change)
    assert planned_trainings(after) == set()
    chosen = merge(PRESET, yaml.safe_load(change))
    if "studies" in change:
        assert planned_rules(after) <= {"cost", "claims", "page"}, (
            "other studies' tables and figures are untouched"
        )
        assert products.due(chosen, products.FIGURES) == ["figure_08", "figure_11", "figure_12"]


def test_a_run_that_is_gone_is_trained_again_with_what_depends_on_it_alone(plan: Any, folder: Path):
    gone = folder / "out/runs/visual_ant_maze/hiro/seeds_0"
    shutil.move(gone, folder / "aside")
    try:
        after = plan()
    finally:
        shutil.move(folder / "aside", gone)
    assert planned_trainings(after) == {"visual_ant_maze/hiro/0"}
    drawn = {"figure_11", "figure_12", "cost", "claims", "page"}
    assert planned_rules(after) == {"train", "collect", "statistics", *drawn}
    assert set(re.findall("wildcards: study=(.*)", after)) == {"visual"}


def test_cher_is_not_trained_again_for_an_hrl_run_that_comes_back_the_same(plan: Any, folder: Path):
    gone = folder / "out/runs/ring_road/hrl/seeds_0"
    shutil.move(gone, folder / "aside")
    try:
        after = plan()
    finally:
        shutil.move(folder / "aside", gone)
    assert planned_trainings(after) == {"ring_road/hrl/0"}
    assert "worker_return" in planned_rules(after)


@pytest.mark.parametrize(
    ("module", "rule"),
    [
        ("figures/figure_05", "figure_05"),
        ("figures/figure_12", "figure_12"),
        ("tables/final_performance", "final_performance"),
        ("report/titles", "page"),
    ],
)
def test_an_edited_module_redraws_its_own_figure_alone(plan: Any, root: Path, module: str, rule: str):
    path = root / "analysis" / f"{module}.py"
    original, times = path.read_text(), path.stat()
    assert planned_rules(plan()) == set()
    try:
        path.write_text(original + "\n# edited\n")
        assert planned_rules(plan()) == {rule, "page"}
    finally:
        path.write_text(original)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_copied_results_with_other_settings_are_refused(folder: Path, root: Path):
    """A run folder of another experiment in the place of one's own."""
    ours, theirs = (folder / f"out/runs/ant_gather/{label}/seeds_0" for label in ("td3", "cher_fixed-lambda_10"))
    shutil.move(ours, folder / "aside")
    try:
        shutil.copytree(theirs, ours)
        run = snakemake_in(folder, root)(*SMOKE, "--forcerun", "collect", "--", "out/tables/main/runs.parquet")
    finally:
        shutil.rmtree(ours)
        shutil.move(folder / "aside", ours)
    assert run.returncode != 0
    message = "ant_gather/td3/seeds_0: made with other settings: algorithm is cher_fixed, the preset asks for td3"
    assert f"collect: {message}" in run.stderr
    assert run.stderr.count("Error in rule collect") == 1  # not tried again


def test_another_delta_than_the_one_a_run_was_trained_with_is_refused_with_the_way_out(folder: Path, root: Path):
    path = folder / "out/tables/worker_return/ring_road/hrl.json"
    original = path.read_text()
    content = json.loads(original)
    try:
        path.write_text(json.dumps(content | {"worker_return": 2 * content["worker_return"]}))
        run = snakemake_in(folder, root)(*SMOKE, "--forcerun", "collect", "--", "out/tables/main/runs.parquet")
    finally:
        path.write_text(original)
    assert "collect: ring_road/cher/seeds_0: made with other settings: cher.delta is " in run.stderr
    assert (
        "a run that it depends on has changed since: move away out/runs/ring_road/cher/seeds_0, then" in run.stderr
    )


def test_report_is_written(folder: Path, root: Path):
    """Snakemake's own; of two results with the same labels it would show one."""
    run = snakemake_in(folder, root)(*SMOKE, "--report", "report.html")
    assert run.returncode == 0, run.stderr
    found = re.search(r'<script id="results">\s*var results = (.*);\n', (folder / "report.html").read_text())
    assert found
    results = json.loads(found[1])
    tables = (*products.due(PRESET, products.TABLES), *products.OVERALL)
    expected = [f"out/figures/{name}.svg" for name in products.FIGURES] + [
        f"out/tables/{name}.csv" for name in tables
    ]
    assert set(expected) <= set(results)
    assert all(len(entry["caption"]) > 100 for entry in results.values())
    assert len({tuple(entry["labels"].values()) for entry in results.values()}) == len(results)
