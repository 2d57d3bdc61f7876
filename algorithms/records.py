"""What a training reports: rolling statistics of episodes, and the tables of a run folder."""

from __future__ import annotations

import csv
import json
import os
import platform
import subprocess
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from algorithms.registry import PLUGINS

if TYPE_CHECKING:
    import torch

Row = dict[str, Any]

#: The files of a finished run; ``run.json`` comes last and makes them complete.
RUN_FILES = (
    "progress.csv",
    "timing.csv",
    "evaluations.csv",
    "probes.csv",
    "proposals.csv",
    "policy.pt",
    "run.json",
)

#: Packages whose version can change the numbers of a run.
PACKAGES = ("torch", "numpy", "gymnasium", "mujoco", "libsumo")

WINDOW = 100


class EpisodeLog:
    """Rolling means over the last 100 training episodes of each seed.

    Episodes that began in the random warm-up are left out.

    Args:
        seeds: number of seeds S.
        metrics: names in ``info["episode_metrics"]``.
    """

    def __init__(self, seeds: int, metrics: Sequence[str]) -> None:
        self._metrics = tuple(metrics)
        self._recent: list[deque[list[float]]] = [deque(maxlen=WINDOW) for _ in range(seeds)]
        self._returns = np.zeros(seeds)
        self._lengths = np.zeros(seeds, dtype=np.int64)
        self._counts = np.ones(seeds, dtype=np.bool_)
        self.episodes = np.zeros(seeds, dtype=np.int64)

    def start_counting(self) -> None:
        """The warm-up is over: count the episodes that begin from now on."""
        self._counts = self._lengths == 0

    def record(
        self,
        rewards: NDArray[Any],
        terminated: NDArray[np.bool_],
        truncated: NDArray[np.bool_],
        infos: Mapping[str, Any],
        *,
        warm: bool,
    ) -> None:
        """Take in one environment step of all seeds."""
        self._returns += rewards
        self._lengths += 1
        for seed in np.flatnonzero(terminated | truncated).tolist():
            if self._counts[seed] and not warm:
                outcome = (self._returns[seed], self._lengths[seed], terminated[seed])
                metrics = metrics_of(infos, seed, self._metrics)
                self._recent[seed].append([*map(float, outcome), *metrics])
                self.episodes[seed] += 1
            self._returns[seed], self._lengths[seed], self._counts[seed] = 0, 0, True

    def row(self, seed: int) -> Row:
        """Columns for one seed; means are None before its first episode has ended."""
        names = ["return", "episode_length", "terminated", *self._metrics]
        recent = self._recent[seed]
        means = np.mean(recent, axis=0).tolist() if recent else [None] * len(names)
        columns = {f"{name}_mean{WINDOW}": mean for name, mean in zip(names, means, strict=True)}
        return {"episodes": int(self.episodes[seed]), **columns}

    def state_dict(self) -> dict[str, Any]:
        """Everything, as arrays and lists."""
        return {
            "recent": [[list(episode) for episode in recent] for recent in self._recent],
            "returns": self._returns.copy(),
            "lengths": self._lengths.copy(),
            "counts": self._counts.copy(),
            "episodes": self.episodes.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        for recent, episodes in zip(self._recent, state["recent"], strict=True):
            recent.clear()
            recent.extend(episodes)
        self._returns[:], self._lengths[:] = state["returns"], state["lengths"]
        self._counts[:], self.episodes[:] = state["counts"], state["episodes"]


def metrics_of(infos: Mapping[str, Any], index: int, names: Sequence[str]) -> list[float]:
    """Metrics of the episode that has ended in one environment of a vector."""
    return [float(infos["episode_metrics"][name][index]) for name in names]


@contextmanager
def in_one_move(path: Path) -> Iterator[Path]:
    """A file beside ``path`` to write to; it takes its place when the block is done."""
    partial = path.with_name(f".{path.name}.partial")
    yield partial
    os.replace(partial, path)


def reason_against(path: Path) -> str | None:
    """Why a file cannot be written, or None if it can; makes its folder."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path.parent):
            return "it is a folder" if path.is_dir() else None
    except OSError as error:
        return error.strerror or str(error)


def write_table(path: Path, rows: Sequence[Row], head: Sequence[str] = ()) -> None:
    """Write rows as csv; numbers keep all their digits, missing values are empty.

    The columns of ``head`` come first, and are there even if no row is.
    """
    columns = list(dict.fromkeys([*head, *(name for row in rows for name in row)]))
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return ""
    return str(value)


def provenance(device: torch.device, algorithm: str | None = None) -> dict[str, Any]:
    """Versions, commit and hardware of this process; an algorithm of another package adds that one's version."""
    import torch  # takes a second, which those who only read files need not wait

    packages = [*PACKAGES, *([PLUGINS[algorithm].package] if algorithm in PLUGINS else [])]
    return {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "git_commit": _git_commit(),
        "hardware": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "accelerator": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
            "system": f"{platform.system()} {platform.machine()}",
        },
        "threads": torch.get_num_threads(),
        "device": str(device),
    }


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented json."""
    path.write_text(json.dumps(value, indent=2) + "\n")


def _git_commit() -> str | None:
    """Commit of the checkout, marked when files differ from it; None outside a checkout."""
    command = [
        "git",
        "-C",
        str(Path(__file__).parent),
        "describe",
        "--always",
        "--abbrev=40",
        "--dirty",
        "--exclude=*",
    ]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()


def _processor() -> str:
    """Name of the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
