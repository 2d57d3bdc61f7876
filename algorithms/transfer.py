"""Transfer of a worker from one task to another (paper, section 5.5).

A worker that has been trained elsewhere is taken over with its actor, its critics and their targets.  It never
learns again; a new manager learns to use it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from algorithms.algorithm import Algorithm
from algorithms.config import ConfigError
from algorithms.learner import load_networks
from algorithms.nested import DELTA, NOT_DECISIVE, first_difference
from algorithms.settings import RunConfig

POLICY = "policy.pt"
#: Begins the names of a worker's networks.
WORKER = "worker."


def complete(
    run: RunConfig, folder: Path | None, planned: RunConfig | None = None
) -> tuple[RunConfig, dict[str, Any] | None]:
    """Set which policy a run's worker comes from.

    Args:
        run: the resolved configuration.
        folder: the finished run whose worker is taken over.
        planned: the settings that this run must have, see :func:`algorithms.studies.source` (default: any).

    Returns:
        The run, and what is recorded of its source; the run as it is and None, where it takes over nothing.

    Raises:
        ConfigError: a source is needed and not given, not needed and given, or is not the one that is asked for.
    """
    if run.transfer is None:
        if folder is not None:
            raise ConfigError(f"--source is not allowed for {run.label} on {run.task}: it takes over no worker")
        return run, None
    wanted = f"{run.transfer.label} on {run.transfer.task}"
    if folder is None:
        raise ConfigError(f"{run.label} on {run.task} takes over a worker; give --source, a folder of {wanted}")
    description = _description(folder)
    config = description.get("config", {})
    found = {key: config.get(key) for key in ("task", "algorithm", "variant")}
    if found != {key: getattr(run.transfer, key) for key in found}:
        names = f"{found['algorithm']}-{found['variant']} on {found['task']}".replace("-None", "")
        raise ConfigError(f"--source {folder} holds a run of {names}; it must be one of {wanted}")
    if description.get("seeds") != run.seeds:
        raise ConfigError(f"--source {folder} holds seeds {description.get('seeds')}; they must be {run.seeds}")
    if planned is not None:
        ignored = (*NOT_DECISIVE, *([DELTA] if planned.needs_worker_return else []))
        key, theirs, ours = first_difference(config, planned.model_dump(mode="json"), ignored)
        if key:
            raise ConfigError(
                f"--source {folder} was made with other settings: {key} is {theirs}, the preset asks for {ours}"
            )
    policy = policy_digest(folder)
    if run.transfer.policy not in (None, policy):
        raise ConfigError(f"--source {folder} holds policy {policy}; transfer.policy is {run.transfer.policy}")
    return run.with_policy(policy), {"hash": description["hash"], "seeds": run.seeds, "policy": policy}


def _description(folder: Path) -> dict[str, Any]:
    try:
        description: Any = json.loads((folder / "run.json").read_text())
        (folder / POLICY).stat()
    except FileNotFoundError as error:
        raise ConfigError(f"--source {folder} holds no finished run (no {Path(error.filename).name})") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"--source {folder}: run.json is damaged: {error}") from None
    if not isinstance(description, dict) or "hash" not in description:
        raise ConfigError(f"--source {folder}: run.json is damaged: it describes no run")
    return description


def policy_digest(folder: Path) -> str:
    """The :func:`digest` of a finished run's networks.

    Raises:
        ConfigError: the file is damaged.
    """
    return digest(_networks(folder))


def digest(networks: Mapping[str, Tensor]) -> str:
    """Sixteen hexadecimal digits that tell the networks of one run, on the CPU, from those of another."""
    content = hashlib.sha256()
    for name, tensor in sorted(networks.items()):
        content.update(f"{name} {tuple(tensor.shape)}".encode())
        content.update(tensor.detach().contiguous().numpy().tobytes())
    return content.hexdigest()[:16]


def _networks(folder: Path) -> dict[str, Tensor]:
    try:
        networks: dict[str, Tensor] = torch.load(folder / POLICY, weights_only=True)["networks"]
    except (OSError, RuntimeError, EOFError, KeyError, UnpicklingError) as error:
        raise ConfigError(f"--source {folder}: {POLICY} cannot be read: {' '.join(str(error).split())}") from None
    return networks


def adopt_worker(algorithm: Algorithm, folder: Path | None) -> None:
    """Give an algorithm the worker of a finished run: actor, critics and targets.

    Raises:
        ConfigError: there is no such run, its file is damaged, or its worker does not fit, since it sees or does
            something else.
    """
    if folder is None:
        raise ConfigError("a worker is taken over, and there is no run folder to take it from")
    saved = _networks(folder)
    theirs, ours = (
        {name: tensor for name, tensor in networks.items() if name.startswith(WORKER)}
        for networks in (saved, algorithm.networks)
    )
    try:
        load_networks(ours, theirs)
    except ValueError as error:
        raise ConfigError(f"--source {folder}: its worker does not fit: {error}") from None
