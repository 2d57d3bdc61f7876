"""Nested mappings of settings: reading them, merging them, and saying how they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from algorithms.errors import ConfigError

#: Settings that are recorded, but are no part of an experiment, see ``RunConfig.experiment``.
NOT_DECISIVE = ("seeds", "run.checkpoint_every")
#: Settings that come from other runs: delta from worker returns, and the policy whose worker is taken over.
DELTA, POLICY = FROM_OTHERS = ("cher.delta", "transfer.policy")


def read_mapping(path: Path, what: str) -> dict[str, Any]:
    """The content of a yaml file.

    Raises:
        ConfigError: there is no such file, or it holds no mapping; ``what`` says which file it is.
    """
    try:
        values = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ConfigError(f"{what} cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{what} is not valid yaml: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{what} is not a mapping of keys to values")
    return values


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two nested mappings; the overlay wins, lists are replaced whole."""
    merged = dict(base)
    for key, value in overlay.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge(merged[key], value) if both else value
    return merged


def difference(base: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The smallest overlay that turns ``base`` into ``values`` when merged onto it."""
    overlay: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), Mapping):
            if nested := difference(base[key], value):
                overlay[key] = nested
        elif key not in base or base[key] != value:
            overlay[key] = value
    return overlay


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one mapping with dotted keys, in their order."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings without what is None: a setting that is None says the same as one that is not there."""
    return {
        key: present(value) if isinstance(value, Mapping) else value
        for key, value in values.items()
        if value is not None
    }


def first_difference(
    found: Mapping[str, Any], wanted: Mapping[str, Any], ignored: Sequence[str] = NOT_DECISIVE
) -> tuple[str, Any, Any]:
    """The first setting in which a recorded experiment differs: dotted key, recorded and wanted value.

    A setting that one of them lacks counts as None; without any difference the key is empty.
    """
    theirs, ours = flatten(found), flatten(wanted)
    for key in ours | theirs:
        if key not in ignored and theirs.get(key) != ours.get(key):
            return key, theirs.get(key), ours.get(key)
    return "", None, None
