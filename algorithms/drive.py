"""Evaluate a scripted driver on a task with traffic, from the very starts of the learners' final evaluation.

    python -m algorithms.drive --preset paper --task ring_road --driver human

writes ``results/drivers/ring_road/human/``.  Its numbers can be compared, seed for seed and episode for episode,
with those of trainings with the same preset.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from gymnasium.spaces import Box
from numpy.typing import NDArray

from algorithms import config as configuration
from algorithms import studies
from algorithms.algorithm import Array, Mask, prepare_process
from algorithms.config import ConfigError
from algorithms.drivers import DriverConfig, resolve
from algorithms.evaluate import Interrupted, evaluate
from algorithms.nested import first_difference
from algorithms.recording import Recording
from algorithms.records import Row, in_one_move, provenance, reason_against, write_json, write_table
from algorithms.registry import DRIVERS
from algorithms.seeding import Streams
from algorithms.train import INTERRUPTED, stop_on_signals
from algorithms.trajectories import ENDINGS, Recorder
from envs.base import EvaluationPoint, SimulationError, TaskSpec
from envs.tasks import describe, make, make_vector
from envs.traffic.drivers import Situation

log = logging.getLogger(__name__)

FILES = ("evaluations.csv", "run.json")


class FolderError(RuntimeError):
    """A results folder that must not be overwritten, or cannot be written; the message is one line."""


class DriverPolicy:
    """A scripted driver in the automated vehicles of S environments; it has no memory.

    Args:
        config: driver, parameters and seeds.
        task: the task with its vehicles.
        actions: the environment's action box; one entry per place for a vehicle.

    Raises:
        ValueError: the task has no vehicles.
    """

    def __init__(self, config: DriverConfig, task: TaskSpec, actions: Box) -> None:
        if task.vehicles is None:
            raise ValueError(f"task '{task.name}' has no vehicles to drive")
        self._law, self._vehicles = DRIVERS[config.driver].load(), task.vehicles
        self._streams = Streams(config.seeds)
        self._shape = (len(config.seeds), actions.shape[0])
        self._points = [task.evaluation_points[0]] * len(config.seeds)

    def reset(self, starts: Mask, point: EvaluationPoint | None = None) -> None:
        """Note under which condition an episode starts.

        Raises:
            ValueError: it is not given; drivers are there for evaluations.
        """
        if point is None:
            raise ValueError("a scripted driver needs the condition under which an episode starts")
        for index in np.flatnonzero(starts):
            self._points[index] = point

    def act(self, observations: Array) -> Array:
        """Actions for one step, [S, n] to [S, m]."""
        speed, leader_speed, gap = np.moveaxis(self._present(observations), -1, 0)
        uniform = 2 * self._streams.uniform("driver", self._shape[1]).astype(np.float64) - 1
        vehicles = self._vehicles
        situation = Situation(
            speed, leader_speed, gap, uniform, self._points, vehicles.max_accel, vehicles.time_step
        )
        return self._law(situation).astype(np.float32)

    def _present(self, observations: Array) -> NDArray[np.float64]:
        """Speed, leader's speed and gap of every vehicle, [S, V, 3]."""
        return observations.reshape(*self._shape, -1)[..., :3].astype(np.float64)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    options = parser().parse_args(arguments)
    try:
        config, results = read(options)
        return run(config, results / "drivers" / config.key, recording_file(options.recording))
    except (ConfigError, FolderError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except SimulationError as error:
        print(f"error: {config.key}: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The command line of a driver."""
    assert __doc__ is not None
    result = argparse.ArgumentParser(prog="algorithms.drive", description=__doc__.splitlines()[0])
    configuration.add_preset_arguments(result)
    result.add_argument("--task", required=True)
    result.add_argument("--driver", required=True)
    result.add_argument("--seeds", help="one seed (3), a range (0-9) or a list (0,2,5), instead of the preset's")
    result.add_argument("--set", metavar="SECTION.KEY=VALUE", action="append", default=[], dest="assignments")
    result.add_argument("--out", help="results folder, instead of the preset's")
    result.add_argument(
        "--recording", type=Path, help="a .parquet or .csv file of all vehicles in the first seed's first episodes"
    )
    return result


def recording_file(path: Path | None) -> Path | None:
    """The file of a recording.

    Raises:
        ConfigError: it cannot be written.
    """
    if path is not None and path.suffix not in ENDINGS:
        raise ConfigError(f"--recording '{path}' must end in {' or '.join(ENDINGS)}")
    if path is not None and (reason := reason_against(path)):
        raise ConfigError(f"--recording '{path}' cannot be written: {reason}")
    return path


def read(options: argparse.Namespace) -> tuple[DriverConfig, Path]:
    """The configuration that the command line asks for, and the results folder.

    Raises:
        ConfigError: something on the command line or in the preset is not allowed.
    """
    preset = studies.preset_from(options)
    config = resolve(
        preset,
        options.task,
        options.driver,
        seeds=configuration.parse_seeds(options.seeds) if options.seeds else preset["seeds"],
        overrides=configuration.parse_assignments(options.assignments),
    )
    return config, Path(options.out or preset["results"])


def run(config: DriverConfig, folder: Path, recording: Path | None = None) -> int:
    """Evaluate a driver and write its folder, unless that was done before.

    Args:
        config: the resolved configuration.
        folder: where its files go.
        recording: a file for the traffic of the first seed's first episodes, see
            :class:`~algorithms.recording.Recording`.

    Returns:
        Exit status: 0 when the folder is complete, 143 when interrupted, which leaves no files.

    Raises:
        FolderError: the folder holds results of another configuration, or cannot be written.
        SimulationError: a simulation broke down.
    """
    prepare_process()
    if complete := is_complete(folder, config):
        log.info("%s is complete", folder)
        if recording is None:
            return 0
        config = config.model_copy(update={"seeds": config.seeds[:1]})
    if reason := reason_against(folder / FILES[-1]):
        raise FolderError(f"{folder} cannot be written: {reason}")
    recorders = []
    if recording is not None:
        recorders.append(Recording(make(config.task, config.environment), config.seeds[0], config.step))
    try:
        rows = drive(config, stop=stop_on_signals(), recorders=recorders)
    except Interrupted:
        log.info("%s: stopped, nothing is kept", config.key)
        return INTERRUPTED
    if recording is not None:
        recorders[0].write(recording)
    if not complete:
        write_files(folder, config, rows)
    log.info("%s: return %.5g", config.key, np.mean([row["return"] for row in rows]))
    return 0


def drive(
    config: DriverConfig,
    *,
    stop: Callable[[], bool] = lambda: False,
    recorders: Sequence[Recorder] = (),
) -> list[Row]:
    """Evaluate a driver, seed after seed.

    Args:
        config: the resolved configuration.
        stop: polled every step.
        recorders: each takes in every step of the first seed.

    Returns:
        One row per seed and evaluation point: means over its episodes.

    Raises:
        Interrupted: ``stop`` said so.
        SimulationError: a simulation broke down.
    """
    task, actions = describe(config.task, config.environment)
    rows: list[Row] = []
    envs = make_vector(config.task, 1, config.environment)
    try:
        for seed in config.seeds:
            alone = config.model_copy(update={"seeds": [seed]})
            setting = (DriverPolicy(alone, task, actions), envs, task, alone.seeds)
            taking_part = recorders if seed == config.seeds[0] else ()
            rows += evaluate(
                *setting, step=config.step, episodes=config.episodes, stop=stop, recorders=taking_part
            )
    finally:
        envs.close()
    return rows


def is_complete(folder: Path, config: DriverConfig) -> bool:
    """Whether a folder holds the results of this very configuration.

    Raises:
        FolderError: it holds those of another one, which must not be overwritten.
    """
    if not all((folder / name).is_file() for name in FILES):
        return False
    found = json.loads((folder / "run.json").read_text())
    if found["hash"] == config.hash:
        return True
    key, theirs, ours = first_difference(found["config"], config.record, ignored=())
    raise FolderError(
        f"{folder} holds results of another configuration ({key} is {theirs} there, {ours} here); "
        "move it away or choose another --out"
    )


def write_files(folder: Path, config: DriverConfig, rows: Sequence[Row]) -> None:
    """Write both files, each in one move; ``run.json`` comes last and makes them complete."""
    description = {
        "config": config.record,
        "hash": config.hash,
        "seeds": config.seeds,
        **provenance(torch.device("cpu")),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    folder.mkdir(parents=True, exist_ok=True)
    with in_one_move(folder / "evaluations.csv") as partial:
        write_table(partial, rows)
    with in_one_move(folder / "run.json") as partial:
        write_json(partial, description)


if __name__ == "__main__":
    sys.exit(main())
