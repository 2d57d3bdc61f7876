# Train every algorithm on every task, let scripted drivers drive, then redraw the figures and tables:  snakemake --cores 32
# Another preset:  snakemake --cores 2 --configfile config/quick.yaml
# Part of a preset:  snakemake --cores 2 --config 'studies=[transfer]' 'tasks=[ant_gather,ant_maze]' 'seeds=[0,1]'
import os
import sys
from pathlib import Path

from snakemake.logging import logger
from snakemake.utils import min_version

from algorithms.config import ConfigError, retype
from algorithms.studies import overview, validate

min_version("9.27")


configfile: Path(workflow.basedir) / "config/paper.yaml"


try:
    config.update(retype(config))
    validate(config)
except ConfigError as error:
    sys.exit(f"Configuration error: {error}")

if workflow.is_main_process:
    logger.info(f"Trainings that the selected studies ask for:\n{overview(config)}\n")

# Rules call `python`: the one that runs this workflow, also where its environment is not activated.
os.environ.update(PATH=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")


# Used with `--sdm apptainer` only: an image of this repository's environment under this local name.
container: "docker://cher-reproducibility"


localrules:
    all,


include: "rules/common.smk"


rule all:
    default_target: True
    input:
        targets(),


include: "rules/train.smk"
include: "rules/drive.smk"
include: "rules/episodes.smk"
include: "rules/aggregate.smk"
include: "rules/figures.smk"
include: "rules/tables.smk"
include: "rules/check.smk"
