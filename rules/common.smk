# What the rules share: where results go, which trainings there are, and what is drawn from each study.
import json
import re
import shlex
from pathlib import Path

from algorithms import studies
from algorithms.config import load_preset, preset_arguments, value_files
from algorithms.drivers import planned as planned_drivers
from algorithms.settings import SECTIONS, format_seeds
from analysis import products
from analysis.reduction import compare
from envs.names import TASKS
from envs.strict import digest
from envs.traffic import pool

RESULTS = str(products.results_folder(config))
# The part of the preset that there are, or will be, data of.
DRAWN = archive.narrowed(PLAN) if PLAN else config
PRESET = preset_arguments(config)
STUDIES = [study for study in DRAWN["studies"] if studies.cells(DRAWN, study)]
TRAININGS = {run.key: run for run in studies.trainings(DRAWN)}
DRIVERS = {job.key: job for job in planned_drivers(config)} if products.DRIVEN in STUDIES else {}
FIRST = products.first_trainings(DRAWN, STUDIES)
REFERENCES = studies.worker_returns(config, list(TRAININGS.values()))
PAPER_PRESET = load_preset("paper")
ROOT = Path(workflow.basedir)

WORKER_RETURN = f"{RESULTS}/tables/worker_return/{{task}}/{{label}}.json"
RUN_FOLDER = f"{RESULTS}/runs/{{task}}/{{label}}/seeds_{{seeds}}"
DRIVER_FOLDER = f"{RESULTS}/drivers/{{task}}/{{driver}}"
TRAJECTORIES = f"{RESULTS}/trajectories/{{task}}/{{label}}.parquet"
RECORDING = f"{RESULTS}/recordings/{{task}}/{{label}}.parquet"
DRIVER_RECORDING = f"{RESULTS}/recordings/{{task}}/{products.DRIVER}{{driver}}.parquet"
STUDY_TABLE = f"{RESULTS}/tables/{{study}}/{{table}}.parquet"
REFERENCE_NUMBERS = str(ROOT / "results/references/references.csv")
PAGE = f"{RESULTS}/report/index.html"

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


# Only what the preset asks for can be trained, driven or drawn.
wildcard_constraints:
    task="|".join(sorted({run.task for run in TRAININGS.values()})),
    label="|".join(sorted({re.escape(run.label) for run in TRAININGS.values()})),
    seeds="|".join(sorted({format_seeds(run.seeds) for run in TRAININGS.values()})),
    driver="|".join(config["drivers"]) or "none",
    study="|".join(STUDIES),


# ---- what is drawn ------------------------------------------------------------------------------------------------


def due(kinds):
    """Names of the figures or tables that there are, or will be, data for."""
    return archive.due(PLAN, kinds) if PLAN else products.due(config, kinds)


def targets():
    """Every file that is drawn, and every run, unless all is drawn from the archive.

    Snakemake would not miss a run that is gone if it were a mere intermediate.
    """
    return drawn() + ([] if PLAN else run_files(TRAININGS.values(), "run.json"))


def drawn():
    """Every file that is drawn from the selected studies, and their statistics."""
    figures = [f"{RESULTS}/figures/{name}" for name in due(products.FIGURES)]
    tables = [*due(products.TABLES), *products.OVERALL]
    return (
        expand("{stem}.{format}", stem=figures, format=["svg", "pdf", "png"])
        + expand(f"{RESULTS}/tables/{{name}}.{{format}}", name=tables, format=["csv", "md", "tex"])
        + expand(STUDY_TABLE, study=STUDIES, table=products.STATISTICS)
    )


def figure_files(name, number, shows):
    """The files of a figure; the first of them enters the report."""
    stem, caption = f"{RESULTS}/figures/{name}", f"../analysis/captions/{name}.rst"
    labels = {"figure": number, "shows": shows}
    first = report(f"{stem}.svg", caption=caption, category="Figures", labels=labels)
    return [first, f"{stem}.pdf", f"{stem}.png"]


def table_files(name, shows, caption=None):
    """The files of a table; the first of them enters the report."""
    stem, caption = f"{RESULTS}/tables/{name}", f"../analysis/captions/{caption or name}.rst"
    labels = {"table": shows, "format": "csv"}
    first = report(f"{stem}.csv", caption=caption, category="Tables", labels=labels)
    return [first, f"{stem}.md", f"{stem}.tex"]


def module(path):
    """A module as an input: after a change of its own, what it draws is drawn again."""
    return str(ROOT / "analysis" / f"{path}.py")


def study_tables(study, *names):
    """Tables of a study, each under its name as a named input."""
    return {name: STUDY_TABLE.format(study=study, table=name) for name in names}


def reduction(run):
    """How a training falls short of the paper's."""
    taken = studies.source(config, run)
    return compare(run, run.run.steps, len(config["seeds"]), PAPER_PRESET, taken)


def reductions_digest(wildcards):
    """How the runs of a study compare with those of the paper, which its tables say."""
    runs = studies.cells(config, wildcards.study)
    compared = {(run.task, run.label): reduction(run) for run in runs}
    return digest([[*key, *reduction] for key, reduction in compared.items()])


def study_digest(wildcards):
    """Which runs and drivers a study has, their settings, and the HRL runs that each delta is seen against."""
    runs = [
        [run.key, studies.lineage(config, run), studies.reference(config, run)[0].key if run.cher else None]
        for run in studies.cells(config, wildcards.study)
    ]
    drivers = [[job.key, job.hash] for job in DRIVERS.values()] if wildcards.study == products.DRIVEN else []
    return digest([runs, drivers])


def settings_digest(wildcards):
    """All settings of the preset, whatever is selected."""
    named = ("environment", "variants", *SECTIONS)
    return digest([[values[name] for name in named] for values in (config, PAPER_PRESET)])


# ---- trainings ----------------------------------------------------------------------------------------------------


def planned(wildcards):
    """The planned training that a run folder's wildcards name."""
    key = f"{wildcards.task}/{wildcards.label}/seeds_{wildcards.seeds}"
    if key not in TRAININGS:
        raise ValueError(f"the preset plans no training {key}")
    return TRAININGS[key]


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


def run_files(runs, *names):
    """Files of some runs' folders."""
    return expand(f"{RESULTS}/runs/{{key}}/{{name}}", key=[run.key for run in runs], name=names)


def policy_files(runs):
    """What is read of the runs whose workers some runs take over."""
    sources = [taken for run in runs if (taken := studies.source(config, run))]
    return run_files(sources, "policy.pt", "run.json")


def collected_files(wildcards):
    """Everything that the tables of a study are made from."""
    runs = studies.cells(config, wildcards.study)
    names = ["progress.csv", "evaluations.csv", "probes.csv", "proposals.csv", "timing.csv", "run.json"]
    returns = [
        WORKER_RETURN.format(task=task, label=label) for task, label in studies.worker_returns(config, runs)
    ]
    driven = driver_files(DRIVERS) if wildcards.study == products.DRIVEN else []
    return run_files(runs, *names) + policy_files(runs) + returns + driven


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


def taken_from(run, files):
    """What a training takes from finished ones, as its inputs.

    To a run that was trained under the present settings of all of them they are `ancient`: should they be made again,
    the same numbers retrain nothing, and with others the run is refused when it is collected.  Snakemake looks for no
    other reason to run a job while it makes an `ancient` input again, so that they are plain inputs to all others.
    """
    try:
        recorded = json.loads(Path(f"{RESULTS}/runs/{run.key}/run.json").read_text()).get("lineage")
    except (FileNotFoundError, json.JSONDecodeError):
        return files
    return ancient(files) if files and recorded == studies.lineage(config, run) else files


def worker_return_file(wildcards):
    """The file that a training takes delta from, if it needs one."""
    run = planned(wildcards)
    if not run.needs_worker_return:
        return []
    label = studies.reference(config, run)[0].label
    return taken_from(run, [WORKER_RETURN.format(task=run.task, label=label)])


def worker_return_argument(wildcards, input):
    """The command-line argument that names this file."""
    return f"--worker-return {input.worker_return}" if input.worker_return else ""


def worker_return_runs(wildcards):
    """The HRL runs that a worker return is measured on."""
    used = REFERENCES[wildcards.task, wildcards.label]
    return run_files(used, "progress.csv", "evaluations.csv", "run.json") + policy_files(used)


def worker_return_variant(wildcards, output):
    """The command-line argument that names the variant of these runs."""
    variant = REFERENCES[wildcards.task, wildcards.label][0].variant
    return f"--variant {variant}" if variant else ""


def worker_return_extent(wildcards):
    """What a worker return file says besides what was measured: how it is reduced."""
    return reduction(REFERENCES[wildcards.task, wildcards.label][0]).why


def source_files(wildcards):
    """The files of the run whose worker a training takes over, if it does."""
    return taken_from(planned(wildcards), policy_files([planned(wildcards)]))


def source_argument(wildcards, input):
    """The command-line argument that names this run's folder."""
    return f"--source {Path(input.source[0]).parent}" if input.source else ""


# ---- episodes that figures show -----------------------------------------------------------------------------------


def first_run(wildcards):
    """The first training of a cell."""
    if (wildcards.task, wildcards.label) not in FIRST:
        raise ValueError(f"no selected study has {wildcards.label} on {wildcards.task}")
    return FIRST[wildcards.task, wildcards.label]


def first_run_folder(wildcards, output):
    """Its run folder."""
    return f"{RESULTS}/runs/{first_run(wildcards).key}"


def path_episodes(wildcards):
    """Episodes per evaluation point that a figure of paths shows; one of traffic is long enough."""
    return 1 if TASKS[wildcards.task].is_traffic else products.PATHS


def trajectory_files(figure):
    """The steps of the policies that a figure shows."""
    return episode_files(figure, "trajectories")


def recording_files(figure):
    """The recorded traffic that a figure shows."""
    return episode_files(figure, "recordings")


def episode_files(figure, kind):
    """Files of one kind that a figure shows."""
    if figure not in due(products.FIGURES):
        return []
    shown = archive.shown_episodes(PLAN, figure) if PLAN else products.episode_files(config, figure)
    paths = [file.path for file in shown] if PLAN else shown
    return [f"{RESULTS}/{path}" for path in paths if path.startswith(kind)]


def named_files(option, files):
    """A command-line argument of files under the names TASK/LABEL, or nothing where there are none."""
    names = [f"{Path(file).parent.name}/{Path(file).stem.removeprefix(products.DRIVER)}={file}" for file in files]
    return " ".join([f"--{option}", *names]) if names else ""


# ---- the archive --------------------------------------------------------------------------------------------------


def archive_files():
    """Every file of the archive."""
    return sorted(str(path) for ending in ("json", "parquet") for path in ARCHIVE.rglob(f"[!.]*.{ending}"))


def archived_episodes():
    """What is taken out of the archive besides rows."""
    return sorted(
        {
            file
            for name in products.EPISODES
            for kind in products.EPISODES[name]
            for file in episode_files(name, kind)
        }
    )


# ---- the report ---------------------------------------------------------------------------------------------------


def page_files(wildcards):
    """Everything that the page shows: of figures and tables what is drawn, and what else it says of the runs.

    The verdicts on the paper's claims go along where a rule makes them.
    """
    drawn = [file for file in targets() if Path(file).suffix in (".svg", ".csv", ".md")]
    known = (*products.COLLECTED, *products.STATISTICS)
    tables = [name for name in ("inventory", "timing", "final") if name in known]
    judged = [*rules.claims.output] if workflow.is_rule("claims") else []
    return drawn + expand(STUDY_TABLE, study=STUDIES, table=tables) + judged


def page_modules():
    """What makes the page, captions included: after a change of its own, it is written again."""
    files = [*(ROOT / "analysis/report").glob("*.*"), *(ROOT / "analysis/captions").glob("*.rst")]
    return sorted(map(str, files))


# ---- claims -------------------------------------------------------------------------------------------------------


def claim_tables():
    """What claims are judged from: tables of every selected study."""
    return [STUDY_TABLE.format(study=study, table=table) for study in STUDIES for table in products.JUDGED]


def claim_modules():
    """Everything that claims are judged and shown with, whose changes judge them again."""
    folder = ROOT / "analysis/claims"
    return sorted(str(path) for path in folder.rglob("*") if path.suffix in (".py", ".j2"))


def claim_files():
    """The verdicts, published numbers beside ours, and the figure; what enters the report comes first of each."""
    caption, stem = "../analysis/captions/claims.rst", f"{RESULTS}/tables/claims"
    labels = {"shows": "verdicts", "format": "html"}
    shown = report(f"{stem}.html", caption=caption, category="Claims", labels=labels)
    numbers = table_files("reproduction", "published numbers beside ours")
    return [shown, f"{stem}.csv", f"{stem}.md", *numbers, *figure_files("claims", "claims", "verdicts")]


# ---- clusters -----------------------------------------------------------------------------------------------------

# What a training asks for on top.  Nothing on the CPU: to some executors `gpu=0` is a wish for one.
GPU = {"gpu": 1} if config["device"] == "cuda" else {}
