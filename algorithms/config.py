"""From preset files to the resolved configuration of one training.

``config/paper.yaml`` is complete, but for settings of algorithms of installed packages, whose values lie under it;
every other preset is an overlay that is merged onto it, key by key.  The configuration of one training
(:class:`algorithms.settings.RunConfig`) is what remains after the task's overrides are applied; its hash names the
experiment.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel

from algorithms.errors import ConfigError
from algorithms.nested import difference, merge, read_mapping
from algorithms.presets import preset_of
from algorithms.registry import ALGORITHMS, REFUSAL
from algorithms.sections import label_of
from algorithms.settings import SECTIONS, SUITE_SECTIONS, RunConfig
from envs.names import TASKS
from envs.strict import parse

CONFIG = Path(__file__).parents[1] / "config"
PAPER = CONFIG / "paper.yaml"

#: Sections that everyone reads, and the one that only variants have.
USED_BY_ALL = ("run", "environment")
TRANSFER = "transfer"

#: A number as YAML and Python write it.
NUMBER = re.compile(r"[+-]?(\d[\d_]*)(\.\d*)?(e[+-]?\d+)?", re.IGNORECASE)

Model = TypeVar("Model", bound=BaseModel)


#: A whole preset file.
Preset = preset_of(SECTIONS)


def load_preset(name: str) -> dict[str, Any]:
    """Read a preset by name (``quick``) or by path (``my/preset.yaml``), merged onto the paper's preset.

    Raises:
        ConfigError: there is no such preset, or the file is not a mapping.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else CONFIG / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(preset.stem for preset in CONFIG.glob("*.yaml")))
        raise ConfigError(f"preset '{name}' not found; allowed: {known}, or the path of a yaml file")
    paper = complete(read_mapping(PAPER, "preset 'paper'"))
    return merge(paper, read_mapping(path, f"preset '{name}'"))


def complete(preset: Mapping[str, Any]) -> dict[str, Any]:
    """A preset with the values that installed packages bring of their algorithms, unless it has its own.

    Raises:
        ConfigError: a package's algorithm cannot be used.
    """
    if REFUSAL is not None:
        raise REFUSAL
    blocks: dict[str, Any] = {}
    for entry in ALGORITHMS.values():
        blocks |= entry.block()
    return merge(blocks, preset)


def value_files() -> list[Path]:
    """The files in which all settings of the paper's preset have their values, and comments that say why."""
    return [PAPER, *(entry.values for entry in ALGORITHMS.values() if isinstance(entry.values, Path))]


def resolve(
    preset: Mapping[str, Any],
    task: str,
    algorithm: str,
    *,
    seeds: Sequence[int],
    variant: str | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> RunConfig:
    """The configuration of one training.

    Args:
        preset: a merged preset, see :func:`load_preset`.
        task: task name.
        algorithm: algorithm name.
        seeds: the seeds trained side by side in this run.
        variant: name of a deviation from the algorithm's settings, part of the run's path.  Where the preset has
            one of this name, the algorithm takes what it reads of it.
        overrides: nested values by section, applied last.

    Raises:
        ConfigError: an unknown name or key, or a value that is not allowed.
    """
    require(task, tuple(TASKS), "task")
    require(algorithm, tuple(ALGORITHMS), "algorithm")
    if not learns(algorithm, task):
        raise no_images(algorithm, task)
    entry = ALGORITHMS[algorithm]
    sections = (*entry.sections, *([TRANSFER] if entry.is_hierarchy else []))
    named = (preset["variants"].get(variant) or {}) if variant else {}
    changes = {section: named[section] for section in (*USED_BY_ALL, *sections) if named.get(section)}
    values = sections_of(preset, task, algorithm, sections, merge(changes, overrides or {}))
    head = {"task": task, "algorithm": algorithm, "variant": variant, "seeds": list(seeds)}
    return parsed(RunConfig, head | values, f"{label_of(algorithm, variant)} on {task}: " if variant else "")


def sections_of(
    preset: Mapping[str, Any], task: str, whose: str, sections: Sequence[str], overrides: Mapping[str, Any]
) -> dict[str, Any]:
    """The values of ``run``, ``environment`` and further sections for a task, after some overrides.

    Raises:
        ConfigError: an override is of another section, or an option of the task is not allowed.
    """
    used = (*USED_BY_ALL, *sections)
    values: dict[str, Any] = {}
    for section in used:
        block = preset.get(section) or {}
        values[section] = merge(block.get("default") or {}, (block.get("tasks") or {}).get(task) or {})
    for section, changes in overrides.items():
        if section in (*SECTIONS, TRANSFER) and section not in used:
            raise ConfigError(f"setting '{section}' does not belong to {whose}; allowed: {', '.join(used)}")
        require(section, used, "setting")
        if not isinstance(changes, Mapping):
            raise ConfigError(f"'{section}' is a section, set one of its keys: {section}.KEY=VALUE")
        values[section] = merge(values[section], changes)
    options = parsed(TASKS[task].options, values["environment"], "environment: ")
    values["environment"] = options.model_dump(mode="json")
    return {section: settings for section, settings in values.items() if settings or section != TRANSFER}


def retype(values: Any) -> Any:
    """Read texts that stand for numbers; Snakemake hands over everything inside ``--config key=[...]`` as text."""
    if isinstance(values, Mapping):
        return {key: retype(value) for key, value in values.items()}
    if isinstance(values, list):
        return [retype(value) for value in values]
    return yaml.safe_load(values) if isinstance(values, str) and NUMBER.fullmatch(values) else values


def preset_arguments(values: Mapping[str, Any]) -> str:
    """Command-line arguments from which :func:`algorithms.studies.preset_from` reads back a merged preset."""
    name = values["preset"] if (CONFIG / f"{values['preset']}.yaml").is_file() else "paper"
    overlay = difference(load_preset(name), values)
    return f"--preset {name}" + (f" --override {shlex.quote(json.dumps(overlay))}" if overlay else "")


def add_preset_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--preset`` and ``--override`` to a command."""
    parser.add_argument("--preset", default="paper", help="name of a file in config/, or the path of a yaml file")
    parser.add_argument("--override", metavar="JSON", default="{}", help="values merged onto the preset")


def parse_seeds(text: str) -> list[int]:
    """Read ``3``, ``0-9`` or ``0,2,5``.

    Raises:
        ConfigError: the text is none of these.
    """
    try:
        seeds: list[int] = []
        for part in text.split(","):
            first, dash, last = part.partition("-")
            seeds += range(int(first), int(last if dash else first) + 1)
    except ValueError:
        seeds = []
    if not seeds or len(set(seeds)) < len(seeds):
        raise ConfigError(f"seeds '{text}' are not allowed; write one seed (3), a range (0-9) or a list (0,2,5)")
    return seeds


def parse_assignments(texts: Sequence[str]) -> dict[str, Any]:
    """Read several ``section.key=value``; of two for one key the later wins."""
    nested: dict[str, Any] = {}
    for text in texts:
        nested = merge(nested, parse_assignment(text))
    return nested


def parse_assignment(text: str) -> dict[str, Any]:
    """Read ``section.key=value`` into a nested mapping; the value is a yaml scalar or list.

    Raises:
        ConfigError: the text has another form.
    """
    path, sign, value = text.partition("=")
    names = path.strip().split(".")
    if not sign or len(names) < 2 or not all(names):
        raise ConfigError(f"'{text}' is not allowed; write section.key=value, for example learner.batch_size=64")
    try:
        nested: Any = yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(f"'{text}' is not allowed; the value is not valid yaml") from None
    for name in reversed(names):
        nested = {name: nested}
    return dict(nested)


def require(name: str, known: Sequence[str], what: str) -> None:
    """Raise a :class:`ConfigError` unless a name is known."""
    if name not in known:
        raise ConfigError(f"{what} '{name}' is not known; allowed: {', '.join(known)}")


def learns(algorithm: str, task: str) -> bool:
    """Whether an algorithm can be trained on a task: not all see images."""
    return ALGORITHMS[algorithm].sees_images or not TASKS[task].has_image


def no_images(algorithm: str, task: str) -> ConfigError:
    """The refusal of an algorithm that sees no images."""
    allowed = ", ".join(name for name, entry in ALGORITHMS.items() if entry.sees_images)
    return ConfigError(f"algorithm '{algorithm}' sees no images, as task '{task}' has; allowed: {allowed}")


def recorded(values: Mapping[str, Any]) -> RunConfig:
    """The configuration of a finished run, from its record.

    Raises:
        ConfigError: it is not one of this version's, or of an algorithm whose package is not installed.
    """
    if REFUSAL is not None:
        raise REFUSAL
    require(str(values.get("algorithm")), tuple(ALGORITHMS), "algorithm")
    return parsed(RunConfig, values)


def schema() -> dict[str, Any]:
    """JSON schema of preset files, for editors; overlays may leave out any key.

    It is that of the suite's own algorithms, whatever is installed.
    """

    def without_required(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: without_required(value) for key, value in node.items() if key != "required"}
        return [without_required(item) for item in node] if isinstance(node, list) else node

    result: dict[str, Any] = without_required(preset_of(SUITE_SECTIONS).model_json_schema())
    return result


def parsed(model: type[Model], values: Mapping[str, Any], prefix: str = "") -> Model:
    """Check values against a model; a :class:`ConfigError`, which begins with ``prefix``, says what is wrong."""
    try:
        return parse(model, values)
    except ValueError as error:
        raise ConfigError(f"{prefix}{error}") from None


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2))
