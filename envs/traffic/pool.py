"""Saved states of the highway's traffic that episodes begin with.

They are simulated once, from an empty road, and kept in a cache folder under a name that depends on whatever
shapes them, SUMO's version included:

    python -m envs.traffic.pool
    python -m envs.traffic.pool --options '{"inflow": 1900}'

The cache is ``results/cache`` below the working directory, or the folder that the environment variable CHER_CACHE
names.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from envs.base import SimulationError
from envs.options import HighwayOptions
from envs.strict import digest, parse
from envs.traffic.highway_network import in_range

CACHE_VARIABLE, DEFAULT_CACHE = "CHER_CACHE", "results/cache"
MANIFEST = "pool.json"
_LAYOUT = 2  # raise whenever the same options give other states
#: The options that shape the states.
_SHAPING = (
    "warmup_steps",
    "noise",
    "states",
    "inflow",
    "automated_share",
    "flows",
    "end_speeds",
)
_WINDOW = 500  # steps at the end of a warm-up over which the manifest's numbers are averaged


class MissingStatesError(SimulationError):
    """The states that an episode begins with are not in the cache; the message is one line."""


def cache_folder() -> Path:
    """Where saved states are kept."""
    return Path(os.environ.get(CACHE_VARIABLE) or DEFAULT_CACHE)


def shaping(options: HighwayOptions) -> dict[str, Any]:
    """The options that shape the states, in plain types."""
    return options.model_dump(mode="json", include=set(_SHAPING))


def parameters(options: HighwayOptions) -> dict[str, Any]:
    """Whatever shapes the states."""
    return {**shaping(options), "layout": _LAYOUT, "sumo": version("libsumo")}


def folder(options: HighwayOptions) -> Path:
    """The folder of the states that these options ask for."""
    return cache_folder() / "highway" / digest(parameters(options))


def state_file(options: HighwayOptions, end_speed: float, number: int) -> Path:
    """A saved state.

    Args:
        options: of the task.
        end_speed: one of its end speeds, m/s.
        number: from 0 to ``options.states`` - 1.

    Raises:
        MissingStatesError: the states were not made yet.
    """
    path = folder(options) / _name(end_speed, number)
    if not path.is_file():
        usual = shaping(HighwayOptions())
        given = {name: value for name, value in shaping(options).items() if value != usual[name]}
        arguments = f" --options {shlex.quote(json.dumps(given))}" if given else ""
        raise MissingStatesError(
            f"the highway's warmed-up states are not in {cache_folder()}; set pool: false for a warm-up at every "
            f"reset, or make them once, in seconds, with: python -m envs.traffic.pool{arguments}"
        )
    return path


def build(options: HighwayOptions) -> Path:
    """Make all states of these options, unless they are there, and return their folder.

    The folder appears in one move, and one process at a time makes it.  It also holds a manifest: parameters, and
    per state its hash and some statistics of the end of its warm-up.
    """
    target = folder(options)
    if _is_complete(target):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.parent.with_suffix(".lock")):
        if not _is_complete(target):
            with tempfile.TemporaryDirectory(prefix=f".{target.name}_", dir=target.parent) as name:
                partial = Path(name, "pool")
                partial.mkdir()
                _build_states(options, partial)
                shutil.rmtree(target, ignore_errors=True)  # what is there is incomplete
                partial.rename(target)
    return target


def _is_complete(place: Path) -> bool:
    """Whether a folder holds its manifest and the states that this lists."""
    try:
        states = json.loads((place / MANIFEST).read_text())["pool"]
    except FileNotFoundError:
        return False
    return all((place / state["file"]).is_file() for state in states)


def _build_states(options: HighwayOptions, place: Path) -> None:
    """Make all states and their manifest in a folder."""
    numbers = [(end_speed, number) for end_speed in options.end_speeds for number in range(options.states)]
    states = [_build_state(options, *which, place) for which in numbers]
    text = json.dumps({"parameters": parameters(options), "pool": states}, indent=2)
    (place / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _name(end_speed: float, number: int) -> str:
    return f"end_{end_speed}_{number}.xml.gz"


def _build_state(options: HighwayOptions, end_speed: float, number: int, place: Path) -> dict[str, Any]:
    """Warm traffic up, save its state, and describe it."""
    from envs.traffic.highway_traffic import Conditions, HighwayTraffic  # loads the simulator

    seeds = np.random.SeedSequence((round(1000 * end_speed), number))
    generator, traffic = np.random.default_rng(seeds), HighwayTraffic()
    traffic.start(Conditions.of(options, end_speed), int(generator.integers(100_000)))
    rows = []
    for step in range(options.warmup_steps):
        if traffic.step(generator, {}):
            raise SimulationError(f"vehicles collided in the warm-up of the highway, end speed {end_speed} m/s")
        if step >= options.warmup_steps - _WINDOW and (inside := in_range(traffic.positions)).any():
            speeds = traffic.speeds[inside]
            rows.append([len(inside), len(speeds), traffic.speeds.mean(), speeds.mean(), speeds.std()])
    path = place / _name(end_speed, number)
    _save(traffic, path)
    names = ("vehicles", "vehicles_in_range", "mean_speed_all", "mean_speed", "speed_std")
    means = np.mean(rows, axis=0).round(4).tolist() if rows else []
    backlog = traffic.backlog
    traffic.close()
    return {
        "file": path.name,
        "end_speed": end_speed,
        "number": number,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "backlog": backlog,
        **dict(zip(names, means, strict=False)),
    }


def _save(traffic: Any, path: Path) -> None:
    """Save a state without the comment that SUMO puts first, which names the date and files of this machine."""
    with tempfile.TemporaryDirectory() as name:
        raw = Path(name, "state.xml")
        traffic.save(raw)
        text = raw.read_text(encoding="utf-8")
    path.write_bytes(gzip.compress(text[text.index("<snapshot") :].encode(), mtime=0))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="envs.traffic.pool", description="Make the highway's warmed-up states.")
    parser.add_argument("--options", default="{}", help="options of the task, as JSON")
    text = parser.parse_args(arguments).options
    try:
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError("it must be a JSON object")
        options = parse(HighwayOptions, values)
        print(build(options) / MANIFEST)
    except (ValueError, SimulationError) as error:
        print(f"error: --options '{text}': {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: the cache {cache_folder()} cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
