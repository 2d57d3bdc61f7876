"""All readings of the cooperative gradient beside that of Q_m, on the networks and the replay of finished runs.

    python -m analysis.gradients results/first_archive/runs/ant_gather/cher/seeds_0

Nothing learns here.  A run must have kept its checkpoint (``keep_checkpoints`` of a preset, ``--keep-checkpoint``
of a training), since that holds the replay that batches are drawn from.  On the same batches, every reading of
:mod:`algorithms.cooperation` can be compared with every other, which trainings of their own do not allow: these
soon have other networks.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from algorithms.algorithm import prepare_process
from algorithms.checkpoint import CheckpointError, Checkpoints
from algorithms.config import recorded
from algorithms.cooperation import READINGS, Share, gradient
from algorithms.hrl import HRL
from algorithms.meta import MetaBatch, MetaReplay
from algorithms.registry import ALGORITHMS
from algorithms.settings import RunConfig
from analysis.tables.writing import to_markdown
from envs.tasks import describe

#: Besides whole readings: the two terms of Eq. 5 apart.
PARTS: dict[str, Callable[[Share], Tensor]] = {
    "equation5: r_w": lambda share: share.reward,
    "equation5: Q_w": lambda share: share.value,
}


class Case(NamedTuple):
    """One batch of a run: the manager's goals in it, and its gradient by its actor's parameters of a function."""

    algorithm: HRL
    batch: MetaBatch
    seen: Tensor
    goals: Tensor

    def own(self) -> Tensor:
        """Gradient of the mean Q_m, [S, P]."""
        return self._by_parameters(partial(self.algorithm.manager.first_value, self.seen))

    def cooperative(self, reading: str, part: Callable[[Share], Tensor]) -> Tensor:
        """Gradient of a part of the worker's mean share, [S, P]."""
        read = READINGS[reading]
        return self._by_parameters(lambda proposals: part(read(self.algorithm.levels, self.batch, proposals)))

    def _by_parameters(self, function: Callable[[Tensor], Tensor]) -> Tensor:
        by_goals = gradient(function, self.goals)
        return self.algorithm.manager.actor_gradient(self.seen, by_goals).clone()


def restored(folder: Path) -> tuple[RunConfig, HRL]:
    """The algorithm of a finished run as its last checkpoint has left it.

    Raises:
        ValueError: the folder holds no finished run of a hierarchy, or its checkpoint is gone or damaged.
    """
    try:
        config = recorded(json.loads((folder / "run.json").read_text())["config"])
    except FileNotFoundError:
        raise ValueError(f"{folder} holds no finished run (no run.json)") from None
    results = folder.resolve().parents[len(Path(config.key).parts)]
    kept = Checkpoints(results / "checkpoints" / config.key, config.hash)
    try:
        state = kept.load()
    except CheckpointError as error:
        raise ValueError(str(error)) from None
    if state is None:
        raise ValueError(f"{folder}: {kept.folder} has no checkpoint; train with --keep-checkpoint")
    task, actions = describe(config.task, config.environment)
    algorithm = ALGORITHMS[config.algorithm].load()(config, task, actions, torch.device("cpu"))
    if not isinstance(algorithm, HRL):
        raise ValueError(f"{folder}: {config.algorithm} has no manager")
    algorithm.load_state_dict(state["algorithm"])
    return config, algorithm


def cases(algorithm: HRL, batches: int) -> Iterator[Case]:
    """Batches of the size of the training's, drawn from the replay; the same ones at every call."""
    seeds, size = len(algorithm.config.seeds), algorithm.settings.batch_size
    random, fields = np.random.default_rng(0), MetaReplay.drawn(seeds, size)
    drawn = {name: np.empty(shape, dtype) for name, (shape, dtype) in fields.items()}
    for _ in range(batches):
        algorithm.replay.draw(random.random((seeds, 2, size)), drawn)
        tensors = {name: torch.from_numpy(values.copy()) for name, values in drawn.items()}
        batch = algorithm.replay.batch(tensors)
        seen = algorithm.levels.manager_sees(batch.first_observations)
        yield Case(algorithm, batch, seen, algorithm.manager.actions(seen))


@torch.no_grad()
def gradients(case: Case) -> dict[str, Tensor]:
    """Every gradient by the parameters of the manager's actor, [S, P], by name."""
    readings = {name: case.cooperative(name, lambda share: share.objective) for name in READINGS}
    parts = {name: case.cooperative("equation5", part) for name, part in PARTS.items()}
    return {"Q_m": case.own()} | readings | parts


def measure(folder: Path, batches: int) -> pd.DataFrame:
    """One row per seed and gradient: medians over batches.

    Columns: ``norm``, ``ratio`` of it to the norm of Q_m's gradient, ``cosine`` with Q_m's gradient, and
    ``cosine_<reading>`` with that of each reading.  Ratios and cosines are empty where a norm is 0, as with an
    actor that is saturated in all states of the batch.

    Raises:
        ValueError: see :func:`restored`.
    """
    config, algorithm = restored(folder)
    found = [_quantities(gradients(case)) for case in cases(algorithm, batches)]
    rows = []
    for index, seed in enumerate(config.seeds):
        for name in found[0]:
            values = np.array([batch[name][index] for batch in found])
            label = {"run": config.key, "seed": seed, "step": config.run.steps, "gradient": name}
            rows.append(label | dict(zip(QUANTITIES, np.median(values, axis=0), strict=True)))
    return pd.DataFrame(rows)


QUANTITIES = ("norm", "ratio", "cosine", *(f"cosine_{name}" for name in READINGS))


def _quantities(of_batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    own, others = of_batch["Q_m"], [of_batch[name] for name in ("Q_m", *READINGS)]
    return {
        name: torch.stack(
            (value.norm(dim=-1), _ratio(value, own), *(_cosine(value, other) for other in others)), dim=-1
        )
        for name, value in of_batch.items()
    }


def _ratio(one: Tensor, other: Tensor) -> Tensor:
    norm = other.norm(dim=-1)
    return torch.where(norm > 0, one.norm(dim=-1) / norm, torch.nan)


def _cosine(one: Tensor, other: Tensor) -> Tensor:
    product = one.norm(dim=-1) * other.norm(dim=-1)
    return torch.where(product > 0, (one * other).sum(-1) / product, torch.nan)


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    return table.map(lambda value: f"{value:.3g}" if isinstance(value, float) else str(value))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="analysis.gradients", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", metavar="RUN", type=Path, nargs="+", help="folders of finished runs")
    parser.add_argument("--batches", type=int, default=100, help="how many batches medians are taken over")
    parser.add_argument("--csv", type=Path, help="write the table to this file, too")
    options = parser.parse_args(arguments)
    if options.batches < 1:
        parser.error(f"--batches is {options.batches}; it must be at least 1")
    prepare_process()
    try:
        table = pd.concat([measure(run, options.batches) for run in options.runs], ignore_index=True)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.csv:
        table.to_csv(options.csv, index=False)
    print(to_markdown(_as_text(table)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
