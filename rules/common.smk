# What the rules share: where results go, which trainings there are, and what is drawn from each study.
import hashlib
import json
import shlex

from algorithms.config import cells, load_preset, preset_arguments
from algorithms.delta import dependent_tasks, hrl_runs, trainings
from algorithms.drivers import planned as planned_drivers
from algorithms.settings import format_seeds
from analysis.reduction import compare
from envs.names import TASKS
from envs.traffic import pool

RESULTS = config["results"]
PRESET = preset_arguments(config)
RUNS = {run.key: run for run in cells(config)}
TRAININGS = {run.key: run for run in trainings(config)}  # besides, what some of them depend on
DRIVERS = {job.key: job for job in planned_drivers(config)}
PAPER_PRESET = load_preset("paper")
PAPER = hashlib.sha256(json.dumps(PAPER_PRESET).encode()).hexdigest()[:16]
WORKER_RETURN = f"{RESULTS}/tables/worker_return/{{task}}.json"
WORKER_RETURNS = expand(WORKER_RETURN, task=dependent_tasks(config))
RUN_FOLDER = f"{RESULTS}/runs/{{task}}/{{label}}/seeds_{{seeds}}"
DRIVER_FOLDER = f"{RESULTS}/drivers/{{task}}/{{driver}}"

# Traffic that episodes on the highway begin with: each folder of states, and the options that ask for it.
HIGHWAYS = [
    TASKS["highway"].options(**job.environment)
    for job in (*TRAININGS.values(), *DRIVERS.values())
    if job.task == "highway"
]
WARMED_UP = {pool.folder(options).name: options for options in HIGHWAYS if options.pool}
WARMED_UP_STATES = f"{pool.cache_folder()}/highway/{{states}}/{pool.MANIFEST}"

# Of a job's simulations this many at most run at the same time, so that a large group leaves cores to others.
MAX_THREADS = 16

FIGURES = {"main": ["figure_04", "figure_05"]}
TABLES = {"main": ["final_performance"]}


# Only what the preset asks for can be trained or driven.
wildcard_constraints:
    task="|".join(sorted({run.task for run in TRAININGS.values()})),
    label="|".join(sorted({run.label for run in TRAININGS.values()})),
    seeds="|".join(sorted({format_seeds(run.seeds) for run in TRAININGS.values()})),
    driver="|".join(config["drivers"]) or "none",


def targets(studies):
    """Every file that is drawn from the given studies."""
    figures = [f"{RESULTS}/figures/{name}" for study in studies for name in FIGURES[study]]
    tables = [f"{RESULTS}/tables/{name}" for study in studies for name in TABLES[study]]
    return expand("{stem}.{format}", stem=figures, format=["svg", "pdf", "png"]) + expand(
        "{stem}.{format}", stem=tables, format=["csv", "md", "tex"]
    )


def planned(wildcards):
    """The planned training that a run folder's wildcards name."""
    return TRAININGS[f"{wildcards.task}/{wildcards.label}/seeds_{wildcards.seeds}"]


def algorithm_arguments(wildcards):
    """The command-line arguments that name a training's algorithm and variant."""
    run = planned(wildcards)
    return f"--algorithm {run.algorithm}" + (f" --variant {run.variant}" if run.variant else "")


def simulation_threads(wildcards):
    """Threads for the simulations of a group that learns on a GPU; on the CPU its learner would make them wait."""
    return min(len(planned(wildcards).seeds), MAX_THREADS) if config["device"] == "cuda" else 1


def memory(wildcards):
    """Megabytes that a training needs; images of the replay and of the checkpoint that is being written add to it."""
    per_seed = 1000 if TASKS[wildcards.task].has_image else 500
    return 500 + per_seed * len(planned(wildcards).seeds)


def run_files(keys):
    """What is read of each run's results."""
    return expand(
        f"{RESULTS}/runs/{{key}}/{{name}}", key=keys, name=["progress.csv", "evaluations.csv", "run.json"]
    )


def warmed_up_states(job):
    """The list of the saved states that the episodes of a training or driver begin with, if they do."""
    if job.task != "highway":
        return []
    options = TASKS["highway"].options(**job.environment)
    return expand(WARMED_UP_STATES, states=pool.folder(options).name) if options.pool else []


def highway_options(wildcards):
    """The options that shape a folder of states, and no others, as a command-line argument."""
    return shlex.quote(json.dumps(pool.shaping(WARMED_UP[wildcards.states])))


def driver_files(keys):
    """What is read of each driver's results."""
    return expand(f"{RESULTS}/drivers/{{key}}/{{name}}", key=keys, name=["evaluations.csv", "run.json"])


def worker_return_file(wildcards):
    """The file that a training takes delta from, if it needs one."""
    return expand(WORKER_RETURN, task=wildcards.task) if planned(wildcards).needs_worker_return else []


def worker_return_argument(wildcards, input):
    """The command-line argument that names this file."""
    return f"--worker-return {input.worker_return}" if input.worker_return else ""


def worker_return_extent(wildcards):
    """What a task's worker return file says besides what was measured: how it is reduced, and the shares of delta."""
    run = hrl_runs(config, wildcards.task)[0]
    reduction = compare(run, run.run.steps, len(config["seeds"]), PAPER_PRESET)
    shares = {
        run.label: run.cher.delta_share
        for run in RUNS.values()
        if run.task == wildcards.task and run.needs_worker_return
    }
    return [reduction.why, shares]
