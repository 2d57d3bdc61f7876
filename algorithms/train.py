"""Train one algorithm on one task for a group of seeds, resuming where an earlier process stopped.

    python -m algorithms.train --preset paper --task ant_gather --algorithm hrl --seeds 0

writes ``results/runs/ant_gather/hrl/seeds_0/``.  SIGTERM and SIGINT end the process with status 143 after saving a
checkpoint; the same command continues from it.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import torch

from algorithms import config as configuration
from algorithms import delta, studies, transfer
from algorithms.algorithm import prepare_process
from algorithms.checkpoint import CheckpointError, Checkpoints
from algorithms.config import ConfigError
from algorithms.continuation import holds, resume, shorter
from algorithms.device import device_named, threads_from
from algorithms.nested import first_difference
from algorithms.records import RUN_FILES, in_one_move, provenance, write_json, write_table
from algorithms.settings import RunConfig
from algorithms.status import Reporter, reported
from algorithms.trainer import Breakdown, Trainer
from envs.base import DrawingError, SimulationError

log = logging.getLogger(__name__)

#: Exit status after SIGTERM or SIGINT: unfinished, but saved.
INTERRUPTED = 143

FILES = RUN_FILES


class Sources(NamedTuple):
    """What a training takes from finished ones.

    Attributes:
        worker_return: content of the file that delta was taken from.
        transfer: which policy the worker was taken over from, see :func:`algorithms.transfer.complete`.
        folder: the run folder that holds it.
        lineage: digest of the settings of this training and of those, see :func:`algorithms.studies.lineage`.
    """

    worker_return: dict[str, Any] | None = None
    transfer: dict[str, Any] | None = None
    folder: Path | None = None
    lineage: str | None = None


NO_SOURCES = Sources()


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    options = parser().parse_args(arguments)
    try:
        config, sources, results = read(options)
        device, threads = device_named(options.device), threads_from(options.threads)
        return train(
            config, results, device, threads=threads, sources=sources, keep_checkpoint=options.keep_checkpoint
        )
    except (ConfigError, CheckpointError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (Breakdown, DrawingError, SimulationError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The command line of a training."""
    assert __doc__ is not None
    result = argparse.ArgumentParser(prog="algorithms.train", description=__doc__.splitlines()[0])
    configuration.add_preset_arguments(result)
    result.add_argument("--task", required=True)
    result.add_argument("--algorithm", required=True)
    result.add_argument(
        "--variant", help="name of a variant of the preset, or a new one for what --set changes; part of the path"
    )
    result.add_argument("--seeds", required=True, help="one seed (3), a range (0-9) or a list (0,2,5)")
    result.add_argument("--steps", help="environment steps after the warm-up, instead of the preset's")
    result.add_argument("--set", metavar="SECTION.KEY=VALUE", action="append", default=[], dest="assignments")
    result.add_argument(
        "--worker-return",
        metavar="FILE",
        type=Path,
        help="what delta is a share of, written by analysis.worker_return; for cher without a delta of its own",
    )
    result.add_argument(
        "--source",
        metavar="DIR",
        type=Path,
        help="the finished run whose worker is taken over; for variants that transfer one",
    )
    result.add_argument("--out", help="results folder, instead of the preset's")
    result.add_argument("--device", default="cpu", help="cpu or cuda")
    result.add_argument(
        "--keep-checkpoint",
        action="store_true",
        help="when finished, keep what a training of more steps with the same settings can continue from",
    )
    result.add_argument(
        "--threads", default="1", help="how many environments are simulated at the same time; changes no result"
    )
    return result


def read(options: argparse.Namespace) -> tuple[RunConfig, Sources, Path]:
    """The configuration that the command line asks for, what it was completed with, and the results folder.

    Raises:
        ConfigError: something on the command line or in the preset is not allowed.
    """
    preset = studies.preset_from(options)
    if options.steps is not None:
        options.assignments.append(f"run.steps={options.steps}")
    if options.variant and not options.assignments:
        configuration.require(options.variant, tuple(preset["variants"]), "variant")
    config = configuration.resolve(
        preset,
        options.task,
        options.algorithm,
        seeds=configuration.parse_seeds(options.seeds),
        variant=options.variant,
        overrides=configuration.parse_assignments(options.assignments),
    )
    lineage = studies.lineage(preset, config)
    label = studies.reference(preset, config)[0].label if config.needs_worker_return else "hrl"
    config, worker_return = delta.complete(config, options.worker_return, label)
    # With settings of one's own, the source's are one's own, too.
    planned = None if options.assignments else studies.source(preset, config)
    config, taken = transfer.complete(config, options.source, planned)
    sources = Sources(worker_return, taken, options.source, lineage)
    return config, sources, Path(options.out or preset["results"])


def train(
    config: RunConfig,
    results: Path,
    device: torch.device,
    *,
    threads: int = 1,
    sources: Sources = NO_SOURCES,
    keep_checkpoint: bool = False,
) -> int:
    """Train to the end, or until a signal asks to stop.

    Args:
        config: the resolved configuration.
        results: the results folder.
        device: where to learn.
        threads: how many environments are simulated at the same time.  Changes no result.
        sources: what the configuration was completed with.
        keep_checkpoint: keep the last checkpoint, see :mod:`algorithms.continuation`.

    Returns:
        Exit status: 0 when the run folder is complete, 143 when interrupted.

    Raises:
        CheckpointError: the run folder or a checkpoint belongs to another configuration, or the run is locked.
        Breakdown: the training cannot go on; its last checkpoint is kept.
    """
    prepare_process()
    folder = results / "runs" / config.key
    checkpoints = Checkpoints(results / "checkpoints" / config.key, config.hash)
    earlier = shorter(config, checkpoints)
    if not (earlier and holds(folder, earlier.identity)) and is_complete(folder, config):
        log.info("%s is complete", folder)
        return 0
    stop = stop_on_signals()
    with checkpoints.lock():
        if is_complete(checkpoints.finished, config) and checkpoints.publish(folder, FILES):
            log.info("%s was trained before, its files are back", folder)
            return 0
        with (
            reported(checkpoints.folder, config.run.steps, sources.lineage) as reporter,
            closing(Trainer(config, device, threads=threads)) as trainer,
        ):
            if config.transfer:
                transfer.adopt_worker(trainer.algorithm, sources.folder)
            reporter.follow(trainer, saved=resume(trainer, checkpoints, earlier))
            if not run(trainer, checkpoints, reporter, stop):
                return INTERRUPTED
            write_files(checkpoints.finished, trainer, device, sources)
            checkpoints.publish(folder, FILES)
            checkpoints.remove(keep_last=keep_checkpoint)
            reporter.remove()
    return 0


def run(trainer: Trainer, checkpoints: Checkpoints, reporter: Reporter, stop: Callable[[], bool]) -> bool:
    """Train to the end and return True, or until a signal asks to stop: then what is unfinished has been saved."""
    save = reporter.noting(lambda: checkpoints.save(trainer.state_dict()))
    if trainer.run(reporter.beating(stop), save):
        return True
    save()
    reporter.write("interrupted")
    log.info("%s: stopped at step %s, saved", trainer.config.key, f"{trainer.step:,}")
    return False


def is_complete(folder: Path, config: RunConfig) -> bool:
    """Whether a run folder holds this very run.

    Raises:
        CheckpointError: it holds a finished run of another configuration, which must not be overwritten.
    """
    if not all((folder / name).is_file() for name in FILES):
        return False
    found = json.loads((folder / "run.json").read_text())
    if found["hash"] == config.hash and found["seeds"] == config.seeds:
        return True
    key, theirs, ours = first_difference(found["config"], config.model_dump(mode="json"))
    raise CheckpointError(
        f"{folder} holds a finished run of another configuration ({key} is {theirs} there, {ours} here); "
        "move it away or choose another --out"
    )


def write_files(folder: Path, trainer: Trainer, device: torch.device, sources: Sources = NO_SOURCES) -> None:
    """Write the files of a finished run, each in one move; ``run.json`` comes last and makes them complete."""
    config, task = trainer.config, trainer.task
    networks = {name: tensor.cpu() for name, tensor in trainer.algorithm.networks.items()}
    description = {
        "config": config.record,
        "hash": config.hash,
        "seeds": config.seeds,
        "steps": config.run.steps,
        "worker_return": sources.worker_return,
        "source": sources.transfer,
        "lineage": sources.lineage,
        "policy": transfer.digest(networks),
        "task": {
            "horizon": task.horizon,
            "reward_scale": task.reward_scale,
            "goal_low": task.goal_low.tolist(),
            "goal_high": task.goal_high.tolist(),
            "relative_goals": task.relative_goals,
        },
        **provenance(device, config.algorithm),
        "resumed": trainer.clock.restarts,
        "wall_time": round(trainer.clock.wall_time, 3),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    writers: dict[str, Callable[[Path], None]] = {
        "progress.csv": lambda path: write_table(path, trainer.progress),
        "timing.csv": lambda path: write_table(path, trainer.clock.table(config.seeds)),
        "evaluations.csv": lambda path: write_table(path, trainer.evaluations),
        "probes.csv": lambda path: write_table(path, trainer.probes, ("seed", "step")),
        "proposals.csv": lambda path: write_table(path, trainer.algorithm.proposals(), ("seed", "step")),
        "policy.pt": lambda path: torch.save({"config": description["config"], "networks": networks}, path),
        "run.json": lambda path: write_json(path, description),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        with in_one_move(folder / name) as partial:
            writers[name](partial)


def stop_on_signals() -> Callable[[], bool]:
    """Turn SIGTERM and SIGINT into a flag that the trainer polls."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, note)
    return lambda: bool(received)


if __name__ == "__main__":
    sys.exit(main())
