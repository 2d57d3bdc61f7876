# The environment and the repository in an image, which has not been built yet.  docs/cluster.md says how to build and
# run it.
#
#   docker build --tag cher-reproducibility .
#   docker run --rm --volume "$PWD/data:/data" cher-reproducibility --cores 2 --configfile config/quick.yaml

FROM python:3.11-slim

# git tells which commit made a run; tini passes signals on to trainings, so that they save before they end.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git tini \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /cher
COPY envs/system_libraries.py envs/
RUN python envs/system_libraries.py && rm -rf /var/lib/apt/lists/*

# Where pip finds PyTorch's CPU build; without it, pip brings several GB of CUDA libraries along.
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
COPY requirements.lock .
RUN python -m pip install --no-cache-dir --requirement requirements.lock

RUN useradd --create-home --uid 1000 cher \
    && install --directory --owner cher --group cher /data \
    && chown cher /cher
COPY --chown=cher . .
RUN python -m pip install --no-cache-dir --no-deps --editable .
USER cher

# Results, checkpoints and saved traffic: everything that is written.
VOLUME /data
ENV OMP_NUM_THREADS=1
ENTRYPOINT ["tini", "-g", "--", "snakemake", "--directory", "/data"]
