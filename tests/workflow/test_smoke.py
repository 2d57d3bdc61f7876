"""The whole workflow on the smoke preset, from nothing to the report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from runner import snakemake_in

from algorithms import drive, drivers
from algorithms.config import cells, load_preset
from algorithms.drivers import traffic_tasks
from algorithms.train import FILES

pytestmark = pytest.mark.workflow

SMOKE = ("--configfile", "config/smoke.yaml", "--config", "results=out")
NOTHING = "Nothing to be done"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory in which the smoke preset has run once."""
    folder = tmp_path_factory.mktemp("smoke")
    run = snakemake_in(folder)(*SMOKE)
    assert run.returncode == 0, run.stderr
    return folder


def test_every_output_is_there(folder: Path):
    out = folder / "out"
    for run in cells(load_preset("smoke")):
        files = {path.name for path in (out / "runs" / run.key).iterdir()}
        assert files == set(FILES)
    for name in ("figures/figure_05.svg", "figures/figure_05.pdf", "figures/figure_05.png"):
        assert (out / name).stat().st_size > 5_000
    for ending in ("csv", "md", "tex"):
        assert "hrl" in (out / f"tables/final_performance.{ending}").read_text().lower()
    for job in drivers.planned(load_preset("smoke")):
        assert {path.name for path in (out / "drivers" / job.key).iterdir()} == set(drive.FILES)
    for task in load_preset("smoke")["tasks"]:
        delta = json.loads((out / f"tables/worker_return/{task}.json").read_text())["deltas"][0]["delta"]
        run = json.loads((out / f"runs/{task}/cher/seeds_1/run.json").read_text())
        assert run["config"]["cher"]["delta"] == delta < 0
    assert len(list((out / "benchmarks").rglob("*.tsv"))) == len(cells(load_preset("smoke")))


def test_numbers_in_the_table_are_those_of_the_runs(folder: Path):
    preset = load_preset("smoke")
    table = pd.read_csv(folder / "out/tables/final_performance.csv").set_index(["task", "label", "metric"])
    for task in preset["tasks"]:
        files = (folder / "out/runs" / task / "td3").rglob("progress.csv")
        ends = [pd.read_csv(path)["return_mean100"].iloc[-1] for path in files]
        assert table.loc[(task, "td3", "return_mean100"), "mean"] == pytest.approx(sum(ends) / len(ends), rel=1e-5)
    for job in drivers.planned(preset):
        driven = pd.read_csv(folder / "out/drivers" / job.key / "evaluations.csv")
        assert table.loc[(job.task, job.driver, "return"), "mean"] == pytest.approx(
            driven["return"].mean(), rel=1e-5
        )
    learners = table[table["steps_paper"] > 0]
    assert (learners["steps_run"] < learners["steps_paper"]).all()
    assert table["reduced_why"].notna().all()


def test_a_second_call_does_nothing(folder: Path):
    run = snakemake_in(folder)(*SMOKE)
    assert run.returncode == 0
    assert NOTHING in run.stdout + run.stderr


def plan_after(folder: Path, change: str) -> str:
    """What is planned after a change of the preset."""
    (folder / "change.yaml").write_text(change)
    run = snakemake_in(folder)("--dry-run", SMOKE[0], SMOKE[1], str(folder / "change.yaml"), *SMOKE[2:])
    assert run.returncode == 0, run.stderr
    return run.stdout


def planned_trainings(folder: Path, change: str) -> list[str]:
    """The wildcards of every training that is planned after a change of the preset."""
    return re.findall("wildcards: (task=.*, label=.*)", plan_after(folder, change))


@pytest.mark.parametrize(
    ("change", "tasks"),
    [
        ("environment: {tasks: {ring_road: {horizon: 149}}}", {"ring_road"}),
        ("environment: {tasks: {highway: {horizon: 149}}}", {"highway"}),
        ("seeds: [0, 1, 5]", set(traffic_tasks(load_preset("smoke")["tasks"]))),
        ("learner: {default: {tau: 0.1}}", set()),
        ("environment: {tasks: {ant_gather: {contact: stiff}}}", set()),
    ],
)
def test_a_changed_setting_repeats_the_drivers_that_read_it_alone(folder: Path, change: str, tasks: set[str]):
    expected = [f"task={job.task}, driver={job.driver}" for job in drivers.planned(load_preset("smoke"))]
    found = re.findall("wildcards: (task=.*, driver=.*)", plan_after(folder, change))
    assert sorted(found) == sorted(text for text in expected if text.split(",")[0][5:] in tasks)


@pytest.mark.parametrize("task", ["ring_road", "highway"])
def test_a_changed_setting_retrains_the_task_that_reads_it_alone(folder: Path, task: str):
    preset = load_preset("smoke")
    plan = plan_after(folder, f"environment: {{tasks: {{{task}: {{horizon: 149}}}}}}")
    trainings = re.findall("wildcards: (task=.*, label=.*)", plan)
    assert len(trainings) == len(preset["algorithms"]) * len(preset["seeds"])
    assert all(f"task={task}" in wildcards for wildcards in trainings)
    assert "rule warm_up" not in plan, "saved states are those they were"


def test_other_saved_states_are_made_where_they_are_asked_for(folder: Path):
    plan = plan_after(folder, "environment: {tasks: {highway: {warmup_steps: 301}}}")
    assert plan.count("rule warm_up:") == 1
    assert "task=highway" in plan
    assert "task=ring_road, label" not in plan


def test_another_seed_trains_that_seed_alone_and_what_depends_on_all_seeds(folder: Path):
    preset = load_preset("smoke")
    trainings = planned_trainings(folder, "seeds: [0, 1, 5]")
    new = [wildcards for wildcards in trainings if "seeds=5" in wildcards]
    assert len(new) == len(preset["algorithms"]) * len(preset["tasks"])
    others = set(trainings) - set(new)
    assert others == {f"task={task}, label=cher, seeds={seed}" for task in preset["tasks"] for seed in (0, 1)}


def test_a_delta_of_the_preset_trains_cher_alone(folder: Path):
    preset = load_preset("smoke")
    trainings = planned_trainings(folder, "cher: {default: {delta: -5.0}}")
    assert len(trainings) == len(preset["tasks"]) * len(preset["seeds"])
    assert all("label=cher," in wildcards for wildcards in trainings)


def test_an_algorithm_less_retrains_nothing(folder: Path):
    assert planned_trainings(folder, "algorithms: [hrl]") == []
    assert planned_trainings(folder, "algorithms: [cher]") == []


def test_copied_results_with_other_settings_are_refused(folder: Path):
    run_json = folder / "out/runs/ant_gather/td3/seeds_0/run.json"
    original = run_json.read_text()
    description = json.loads(original)
    description["config"]["learner"]["gamma"] = 0.5
    try:
        run_json.write_text(json.dumps(description | {"hash": "another"}))
        run = snakemake_in(folder)(*SMOKE, "--forcerun", "collect")
    finally:
        run_json.write_text(original)
    assert run.returncode != 0
    message = "ant_gather/td3/seeds_0: made with other settings: learner.gamma is 0.5, the preset asks for 0.99"
    assert f"collect: {message}" in run.stderr
    assert run.stderr.count("Error in rule collect") == 1  # not tried again


def test_report_is_written(folder: Path):
    run = snakemake_in(folder)(*SMOKE, "--report", "report.html")
    assert run.returncode == 0, run.stderr
    report = (folder / "report.html").read_text()
    assert "figure_05.svg" in report
    assert "final_performance.csv" in report
