"""Algorithms of separate packages, which join the registry by being installed.

A package names them as entry points, each an :class:`algorithms.entry.Entry`:

    [project.entry-points."cher.algorithms"]
    mine = "my_package:MINE"

One that cannot be used is refused with its package, and nothing is trained or drawn: without it, the same preset
would mean something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import NamedTuple

from algorithms.entry import Entry, reason
from algorithms.errors import ConfigError
from algorithms.sections import Sections
from envs.strict import Strict

GROUP = "cher.algorithms"

#: What an algorithm and a section may be called: both are parts of paths and keys.
NAME = re.compile("[a-z][a-z0-9_]*")
COLOUR = re.compile("#[0-9a-fA-F]{6}")

#: Keys of a preset, of a variant and of a training that are no sections, and so no names for any.
RESERVED = (
    *("preset", "results", "source", "studies", "tasks", "algorithms", "drivers", "seeds", "seeds_per_job"),
    *("keep_checkpoints", "device", "variants", "study", "run", "environment", "transfer", "worker_return"),
    *("task", "algorithm", "variant", "record", "experiment", "hash", "key", "label", "section"),
    *("needs_worker_return", "with_policy", "with_worker_return"),
)


class Plugin(NamedTuple):
    """An algorithm of a separate package.

    Attributes:
        entry: the algorithm.
        package: name of the distribution that brings it.
        version: of the distribution.
    """

    entry: Entry
    package: str
    version: str


def find(suite: Mapping[str, Entry]) -> dict[str, Plugin]:
    """The algorithms of all installed packages, by name and in its order.

    Args:
        suite: the suite's own algorithms.

    Raises:
        ConfigError: one of them cannot be used; the message names its package.
    """
    found: dict[str, Plugin] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        assert point.dist is not None, "entry points of installed packages have one"
        with_others = found[point.name].package if point.name in found else "the suite" * (point.name in suite)
        try:
            if with_others:
                raise ConfigError(f"the name is taken by {with_others}")
            found[point.name] = Plugin(_entry(point), point.dist.name, point.dist.version)
        except ConfigError as error:
            raise _refusal(point.dist.name, point.name, error) from None
    _check_sections(found, suite)
    return found


def _refusal(package: str, name: str, error: ConfigError) -> ConfigError:
    return ConfigError(f"package '{package}': algorithm '{name}': {error}")


def _entry(point: EntryPoint) -> Entry:
    """What an entry point names, if it is fit for use by itself."""
    if not NAME.fullmatch(point.name):
        raise ConfigError("the name must be small letters, digits and underscores, a letter first")
    try:
        entry = point.load()
    except Exception as error:  # whatever a module that is not ours does
        raise ConfigError(f"entry point '{point.value}' cannot be imported: {reason(error)}") from None
    if not isinstance(entry, Entry):
        raise ConfigError(f"entry point '{point.value}' is a {type(entry).__name__}; it must be an Entry")
    if not all(entry.path.partition(":")):
        raise ConfigError(f"path = '{entry.path}' is not allowed; it must be 'package.module:Class'")
    if entry.colour is not None and not COLOUR.fullmatch(entry.colour):
        raise ConfigError(f"colour = '{entry.colour}' is not allowed; it must be '#RRGGBB'")
    if not (entry.values is None or isinstance(entry.values, Path | Mapping)):
        raise ConfigError(
            f"values = {entry.values!r} is not allowed; it must be the Path of a yaml file, or a mapping"
        )
    if not (isinstance(entry.sections, Mapping) and "learner" in entry.sections):
        raise ConfigError("sections must be a mapping of names to types, 'learner' among them")
    return entry


def _check_sections(plugins: Mapping[str, Plugin], suite: Mapping[str, Entry]) -> None:
    """Every section has one type, and one block of values if it is not the suite's."""
    ours = section_types(suite.values())
    types, given = dict(ours), dict[str, str]()
    for name, (entry, package, _) in plugins.items():
        try:
            _check_types(entry.sections, types)
            for section in entry.block():
                if section not in entry.sections or section in ours:
                    raise ConfigError(f"values has '{section}', which is no section of its own")
                if section in given:
                    raise ConfigError(f"values of section '{section}' are those of {given[section]} already")
                given[section] = package
        except ConfigError as error:
            raise _refusal(package, name, error) from None
    for name, (entry, package, _) in plugins.items():
        if missing := [section for section in entry.sections if section not in ours and section not in given]:
            raise _refusal(package, name, ConfigError(f"there are no values for its section '{missing[0]}'"))


def _check_types(sections: Sections, types: Sections) -> None:
    """Sections are of these types, which are joined by new ones."""
    for section, kind in sections.items():
        if not NAME.fullmatch(str(section)) or section in RESERVED or hasattr(Strict, section):
            raise ConfigError(f"'{section}' is no name for a section; choose another")
        if not (isinstance(kind, type) and issubclass(kind, Strict)):
            raise ConfigError(f"section '{section}' is {kind!r}; it must be a subclass of envs.strict.Strict")
        if types.setdefault(section, kind) is not kind:
            raise ConfigError(
                f"section '{section}' exists already, of type {types[section].__name__}; "
                "read that one, or choose another name"
            )


def section_types(entries: Iterable[Entry]) -> Sections:
    """The sections that some algorithms read, in the order in which these first do."""
    return {name: kind for entry in entries for name, kind in entry.sections.items()}
