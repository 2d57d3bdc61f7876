# Train every algorithm on every task, let scripted drivers drive, then redraw the figures and tables:  snakemake --cores 32
# Another preset:  snakemake --cores 2 --configfile config/quick.yaml
# Part of a preset:  snakemake --cores 2 --config 'studies=[transfer]' 'tasks=[ant_gather,ant_maze]' 'seeds=[0,1]'
import os
import sys
from pathlib import Path

from snakemake.logging import logger
from snakemake.utils import min_version

from algorithms.config import ConfigError, complete, retype
from algorithms.studies import overview, validate
from analysis.archive import plan as archive
from analysis.archive.manifest import ArchiveError, load as archived
from analysis.archive.missing import missing

min_version("9.27")


configfile: Path(workflow.basedir) / "config/paper.yaml"


try:
    config.update(complete(retype(config)))
    validate(config)
    # What can be drawn without training, if that is asked for.
    ARCHIVE = Path(workflow.basedir) / "results/archive"
    PLAN = archive.make(config, archived(ARCHIVE)) if config["source"] == "archive" else None
except ConfigError as error:
    sys.exit(f"Configuration error: {error}")
except ArchiveError as error:
    sys.exit(f"Nothing to draw: {error}")

if workflow.is_main_process and PLAN:
    logger.info("\n".join(["Drawn from the archive:", *missing(PLAN), ""]))
elif workflow.is_main_process:
    logger.info(f"Trainings that the selected studies ask for:\n{overview(config)}\n")

# Rules call `python`: the one that runs this workflow, also where its environment is not activated.
os.environ.update(PATH=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")


# Used with `--sdm apptainer` only: put in front of it the registry that your image (Dockerfile) has been pushed to.
container: "docker://cher-reproducibility"


localrules:
    all,
    figures,


include: "rules/common.smk"


rule all:
    default_target: True
    input:
        targets(),
        PAGE,


# All figures and tables:  snakemake figures
rule figures:
    input:
        drawn(),


if PLAN:

    # Without training:  snakemake figures --config source=archive
    include: "rules/archive.smk"

else:

    include: "rules/train.smk"
    include: "rules/drive.smk"
    include: "rules/episodes.smk"
    include: "rules/aggregate.smk"


include: "rules/statistics.smk"
include: "rules/figures.smk"
include: "rules/tables.smk"
include: "rules/check.smk"
include: "rules/report.smk"
