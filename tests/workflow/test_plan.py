"""What the workflow plans and refuses, without running anything."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from algorithms.config import load_preset
from analysis import products

pytestmark = pytest.mark.workflow


def planned(output: str) -> dict[str, int]:
    """Number of jobs per rule in the first job table of a dry run."""
    table = output.partition("Job stats:")[2].partition("\n\n")[0]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


#: Trainings of the paper by study, counted by hand: cells times ten seeds, and those that no study before has.
PAPER = {
    "main": (5 * 6 * 10, 300),
    "cooperation": (6 * 10, 40),  # hrl and cher at its own ratio are in main
    "transfer": (3 * 10 + 2 * 5 * 10, 130),
    "hiro_correction": (2 * 2 * 10, 0),
    "visual": (3 * 10, 30),
    "fixed_lambda": ((4 + 4 + 3 + 2) * 10, 90),
    "gradient_forms": (2 * 2 * 4 * 10, 120),
}


def test_a_bare_call_plans_the_whole_paper_in_seconds(snakemake: Any):
    began = time.monotonic()
    run = snakemake("--dry-run")
    assert run.returncode == 0, run.stderr
    assert time.monotonic() - began < 20
    drawn = dict.fromkeys(products.FIGURES, 1) | {name: 1 for name in ("final_performance", "cooperation")}
    drawn |= {"transfer": 1, "hiro_reproduction": 1, "sensitivity": 2, "cost": 1, "hyperparameters": 1}
    drawn |= {"claims": 1, "page": 1}
    runs = {
        "train": 710,
        "warm_up": 1,
        "drive": 2 * 4,
        "worker_return": 5 + 1 + 2 + 1,  # main, the source of the transfer and its two tasks, the visual maze
        "collect": len(PAPER),
        "statistics": len(PAPER),
        "trajectories": 4 * 2 + 4,  # Figure 6, and what Figure 7 has besides
        "recording": 2 + 1,
        "record_driver": 1,
        "all": 1,
    }
    assert planned(run.stdout) == {**runs, **drawn, "total": sum(runs.values()) + sum(drawn.values())}


def test_the_plan_says_how_many_trainings_each_study_asks_for(snakemake: Any):
    run = snakemake("--dry-run")
    printed = run.stdout + run.stderr
    rows = re.findall(r"^(\w+) +\d+ +(\d+) +(\d+) +[\d,]+", printed, re.MULTILINE)
    assert {name: (int(runs), int(new)) for name, runs, new in rows} == PAPER
    assert re.search(r"^in all +710$", printed, re.MULTILINE)


def test_the_profile_of_the_repository_is_used(snakemake: Any):
    run = snakemake("--dry-run")
    assert re.search("Using workflow specific profile .*profiles/default", run.stderr)


@pytest.mark.parametrize("preset", ["quick", "smoke"])
def test_other_presets_are_merged_onto_the_paper(snakemake: Any, preset: str):
    values = load_preset(preset)
    run = snakemake("--dry-run", "--configfile", f"config/{preset}.yaml")
    assert run.returncode == 0, run.stderr
    assert planned(run.stdout)["train"] == 71 * len(values["seeds"])
    assert (
        f"--preset {preset} --task"
        in snakemake("--dry-run", "--printshellcmds", "--configfile", f"config/{preset}.yaml").stdout
    )


@pytest.mark.parametrize("settings", [("drivers=[]",), ("tasks=[ant_gather]",)])
def test_no_driver_drives_where_none_is_asked_for(snakemake: Any, settings: tuple[str, ...]):
    run = snakemake("--dry-run", "--config", *settings)
    assert run.returncode == 0, run.stderr
    assert "drive" not in planned(run.stdout)
    assert "figure_05" in planned(run.stdout)


def test_a_driver_is_one_job_of_all_seeds(snakemake: Any):
    settings = ("studies=[main]", "tasks=[ring_road]", "algorithms=[td3]", "drivers=[human]", "seeds=[0,1,2]")
    run = snakemake("--dry-run", "--printshellcmds", "--config", *settings)
    (driving,) = jobs(run.stdout, "drive")
    assert "output: results/drivers/ring_road/human/evaluations.csv, results/drivers/ring_road/human/r" in driving
    assert '"seeds": [0, 1, 2]' in driving
    assert "--task ring_road --driver human " in driving
    (collecting,) = jobs(run.stdout, "collect")
    assert "drivers/ring_road/human/run.json" in collecting


def trainings(output: str) -> list[str]:
    """What a dry run with ``--printshellcmds`` says about each training."""
    return [job for job in output.partition("\n\n\n")[2].split("\n\n") if "rule train:" in job]


ONE_CURVE = ("studies=[main]", "tasks=['ant_gather']", "algorithms=['hrl']")


def jobs(output: str, name: str) -> list[str]:
    """What a dry run with ``--printshellcmds`` says about the jobs of some rule, that of a local one included."""
    return [job for job in output.split("\n\n") if re.search(f"^(local)?rule {name}:", job, re.MULTILINE)]


MAIN = ("--config", "studies=[main]")
DYNAMIC = ("--dry-run", "--printshellcmds", *MAIN, "tasks=[ring_road]", "algorithms=[cher]", "seeds=[0,1]")


@pytest.mark.parametrize(("size", "groups"), [(1, ["0", "1"]), (2, ["0-1"])])
def test_cher_waits_for_the_worker_return_of_hrl_runs_with_its_seeds(snakemake: Any, size: int, groups: list[str]):
    run = snakemake(*DYNAMIC, f"seeds_per_job={size}")
    assert run.returncode == 0, run.stderr
    assert planned(run.stdout)["train"] == 2 * len(groups)
    (measuring,) = jobs(run.stdout, "worker_return")
    folders = {f"results/runs/ring_road/hrl/seeds_{seeds}" for seeds in groups}
    inputs = re.search("input: (.*)", measuring)
    assert inputs
    assert {str(Path(path).parent) for path in inputs[1].split(", ")} == folders
    assert "--task ring_road --out results/tables/worker_return/ring_road/hrl.json " in measuring
    for job in jobs(run.stdout, "train"):
        needs = "--algorithm cher " in job
        assert ("--worker-return results/tables/worker_return/ring_road/hrl.json " in job) == needs
        assert ("input: results/tables/worker_return/ring_road/hrl.json\n" in job) == needs


def test_runs_that_others_depend_on_are_not_collected(snakemake: Any):
    (collecting,) = jobs(snakemake(*DYNAMIC).stdout, "collect")
    assert "runs/ring_road/cher/seeds_1/run.json" in collecting
    assert "tables/worker_return/ring_road/hrl.json" in collecting
    assert "runs/ring_road/hrl" not in collecting


def test_a_delta_of_the_preset_waits_for_nothing(snakemake: Any):
    run = snakemake(*DYNAMIC, "cher={default: {delta: -5.0}}")
    assert run.returncode == 0, run.stderr
    assert planned(run.stdout)["train"] == 2
    assert "worker_return" not in planned(run.stdout)
    assert "worker_return" not in run.stdout


def test_a_job_has_one_seed_and_one_core_unless_told_otherwise(snakemake: Any):
    run = snakemake("--dry-run", "--printshellcmds", "--cores", "32", "--config", *ONE_CURVE)
    jobs = trainings(run.stdout)
    assert len(jobs) == 10
    assert not [job for job in jobs if "threads:" in job or "gpu=" in job]
    assert all(re.search(r"--seeds \d --device cpu --threads 1 ", job) for job in jobs)


@pytest.mark.parametrize(("cores", "threads"), [(32, 5), (2, 2)])
def test_seeds_of_a_job_are_trained_side_by_side(snakemake: Any, cores: int, threads: int):
    arguments = ("--dry-run", "--printshellcmds", "--cores", str(cores))
    run = snakemake(*arguments, "--config", "seeds_per_job=5", "device=cuda", *ONE_CURVE)
    first, second = sorted(trainings(run.stdout))
    assert "runs/ant_gather/hrl/seeds_5-9/progress.csv" in run.stdout
    for job, seeds in ((first, "0-4"), (second, "5-9")):
        assert f"--seeds {seeds} --device cuda --threads {threads} " in job
        assert f"threads: {threads}\n" in job
        assert "gpu=1" in job


@pytest.mark.parametrize(("device", "threads"), [("cuda", 16), ("cpu", 1)])
def test_threads_of_a_job_are_limited(snakemake: Any, device: str, threads: int):
    settings = ("studies=[main]", "seeds_per_job=40", f"device={device}", f"seeds={list(range(40))}")
    run = snakemake("--dry-run", "--printshellcmds", "--cores", "64", "--config", *settings)
    assert f"--seeds 0-39 --device {device} --threads {threads} " in run.stdout


def test_a_preset_of_ones_own_reaches_the_trainings(snakemake: Any, tmp_path: Path):
    (tmp_path / "mine.yaml").write_text("preset: mine\nresults: mine\nlearner: {default: {batch_size: 64}}\n")
    run = snakemake("--dry-run", "--printshellcmds", "--configfile", str(tmp_path / "mine.yaml"))
    assert run.returncode == 0, run.stderr
    override = '{"preset": "mine", "results": "mine", "learner": {"default": {"batch_size": 64}}}'
    assert f"python -m algorithms.train --preset paper --override '{override}' --task ant_gather" in run.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("learner: {default: {batchsize: 64}}", "key 'learner.default.batchsize' is not known; allowed: hidden, "),
        (
            "learner: {default: {batch_size: many}}",
            "learner.default.batch_size = 'many' is not allowed; ",
        ),
        ("tasks: [ant_gathr]", "tasks 'ant_gathr' is not known; allowed: ant_gather, "),
        ("drivers: [robot]", "drivers 'robot' is not known; allowed: human, "),
        ("algorithms: [sac]", "algorithms 'sac' is not known; allowed: td3, "),
        ("device: tpu", "device = 'tpu' is not allowed; it must be 'cpu' or 'cuda'"),
        ("studies: [mian]", "studies 'mian' is not known; allowed: main"),
        ("run: {default: {steps: 1_001}, tasks: {ant_gather: {steps: 1_001}}}", "must be a multiple of log_every"),
    ],
)
def test_a_wrong_preset_is_refused_in_one_line(snakemake: Any, tmp_path: Path, text: str, message: str):
    (tmp_path / "wrong.yaml").write_text(text)
    run = snakemake("--configfile", str(tmp_path / "wrong.yaml"))
    assert run.returncode != 0
    lines = [line for line in run.stderr.splitlines() if line.startswith("Configuration error: ")]
    assert len(lines) == 1
    assert message in lines[0]
    assert run.stderr.splitlines()[-1] == lines[0]
    assert "Traceback" not in run.stderr
    assert "Job stats" not in run.stdout + run.stderr
    assert not (tmp_path / "results").exists()


def test_a_training_outside_the_preset_is_refused(snakemake: Any):
    run = snakemake("--dry-run", "results/runs/ant_gather/td3/seeds_77/progress.csv")
    assert run.returncode != 0
    assert "No rule to produce results/runs/ant_gather/td3/seeds_77/progress.csv" in run.stdout + run.stderr


def test_lint_has_nothing_to_say(snakemake: Any):
    run = snakemake("--lint")
    assert run.returncode == 0, run.stderr
    assert "Congratulations" in run.stdout + run.stderr


def test_part_of_a_preset_is_chosen_on_the_command_line(snakemake: Any):
    run = snakemake("--dry-run", "--config", "studies=[main]", "tasks=[ring_road]", "seeds=[0,1,7]")
    assert run.returncode == 0, run.stderr
    assert planned(run.stdout)["train"] == len(load_preset("paper")["algorithms"]) * 3
    assert "runs/ring_road/hrl/seeds_7/progress.csv" in run.stdout
    assert "ant_gather" not in run.stdout


@pytest.mark.parametrize(
    ("studies", "trainings", "drawn"),
    [
        ("transfer", 130, {"figure_08", "transfer"}),
        ("hiro_correction", 40, {"figure_09", "hiro_reproduction"}),
        ("e1_search", 300, {"sensitivity"}),  # 250, and the HRL runs that delta needs
    ],
)
def test_a_study_by_itself_is_chosen_on_the_command_line(
    snakemake: Any, studies: str, trainings: int, drawn: set[str]
):
    run = snakemake("--dry-run", "--config", f"studies=[{studies}]")
    assert run.returncode == 0, run.stderr
    found = planned(run.stdout)
    assert found["train"] == trainings
    always = {"train", "warm_up", "worker_return", "collect", "statistics", "cost", "hyperparameters"}
    always |= {"claims", "page", "all", "total"}
    assert found.keys() - always == drawn


def test_a_selection_that_trains_nothing_is_refused_in_one_line(snakemake: Any):
    run = snakemake("--dry-run", "--config", "studies=[visual]", "tasks=[ring_road]")
    assert run.returncode != 0
    assert "Configuration error: nothing to train: no cell of studies visual, tasks ring_road" in run.stderr
