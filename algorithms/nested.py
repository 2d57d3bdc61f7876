"""Nested mappings of settings: merging them, and saying how they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Settings that are recorded, but are no part of an experiment, see ``RunConfig.experiment``.
NOT_DECISIVE = ("seeds", "run.checkpoint_every")


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
