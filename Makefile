# Set-up, the main job and the checks.  Everything happens in a private environment, .venv, made from
# requirements.lock; nothing else on the machine is touched, except that missing system libraries of SUMO, and of
# OpenGL for pictures, are installed when this runs as root (otherwise the command to do so is printed).

PYTHON ?= python3.11
PRESET ?= quick
CORES  ?= $(shell env -u OMP_NUM_THREADS nproc)

VENV := .venv
BIN  := $(VENV)/bin
# One thread per process: parallelism comes from running processes side by side, and results depend on it.
export OMP_NUM_THREADS := 1

.PHONY: reproduce test test-slow test-cuda test-peers test-browser test-slurm bench check lock clean help

help:
	@echo "make reproduce [PRESET=quick|paper|smoke] [CORES=n]   train everything, draw every figure and table"
	@echo "make test                                             all checks"
	@echo "make test-slow                                        the tests that take minutes each"
	@echo "make test-cuda                                        the tests that need a CUDA device"
	@echo "make test-peers                                       the tests that train learners of other libraries"
	@echo "make test-browser                                     the tests that open pages in an installed Chromium"
	@echo "make test-slurm                                       the workflow on a SLURM cluster of this machine, as root"
	@echo "make bench                                            speed, memory and cost, against their goals"

## The main job

reproduce: $(VENV)/ready
	$(BIN)/snakemake --cores $(CORES) --configfile config/$(PRESET).yaml
	@$(BIN)/python -m analysis.summary --preset $(PRESET)

## The checks

test: check
	$(BIN)/pytest -n $(CORES) --dist loadfile

test-slow: $(VENV)/ready
	$(BIN)/pytest -n $(CORES) --dist loadfile -m slow

test-cuda: $(VENV)/ready
	$(BIN)/pytest -m cuda

# Installs the optional dependencies 'peers' beside the locked ones.
test-peers: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[peers]'
	$(BIN)/pytest -m peers

# Installs the optional dependency 'browser' beside the locked ones.  The browser itself is the machine's, for example
# Debian's package chromium.
test-browser: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[browser]'
	$(BIN)/pytest -m browser

# Installs the optional dependencies 'slurm' beside the locked ones, and needs Debian's slurm-wlm and munge.
test-slurm: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[slurm]'
	$(BIN)/pytest -m slurm

check: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/mypy
	$(BIN)/codespell

## Speed, memory and cost

# With the peers: .venv/bin/pip install --constraint requirements.lock --editable '.[peers]'
bench: $(VENV)/ready
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.cost

## Set-up

$(VENV)/ready: $(VENV)/installed pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "error: '$(PYTHON)' is not Python 3.11; name one with make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) envs/system_libraries.py
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	@touch $@

# Renew the exact versions: install the newest that pyproject.toml allows, and write down what was installed.
lock:
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet torch==2.13.0 --editable '.[development]'
	{ echo "# Exact versions for Python 3.11, written by 'make lock'."; \
	  $(BIN)/python -m pip list --format=freeze --exclude-editable --exclude pip --exclude setuptools \
	  | sed 's/+cpu$$//' | grep -v -E '^(nvidia-|cuda-|triton==)'; } > requirements.lock
	{ echo "# For users of conda: the same versions as requirements.lock, written by 'make lock'."; \
	  printf 'name: cher\nchannels: [conda-forge]\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n'; \
	  grep -v '^#' requirements.lock | sed 's/^/      - /'; } > environment.yml

clean:
	rm -rf $(VENV) .snakemake .pytest_cache .mypy_cache .ruff_cache
