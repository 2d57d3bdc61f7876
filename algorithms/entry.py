"""A line of the registry: where an algorithm lives, which settings it reads, and how figures show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algorithms.errors import ConfigError
from algorithms.nested import read_mapping
from algorithms.sections import Sections

if TYPE_CHECKING:
    from algorithms.algorithm import Algorithm


@dataclass(frozen=True)
class Entry:
    """An algorithm, described without importing it, so that planning a workflow stays fast.

    Attributes:
        path: ``package.module:Class``, imported only when it is needed.
        sections: the configuration sections that the class reads besides ``run`` and ``environment``, with their
            types, see :mod:`algorithms.sections`.  A name that no other entry has makes a section of its own.
        values: the values of sections of its own, a yaml file or a mapping: under each section's name ``default``
            and ``tasks``, as in ``config/paper.yaml``.  None where that file has them.
        title: its name for readers, instead of one made from its name.
        colour: ``#RRGGBB``, its colour in figures, instead of the next free one.
    """

    path: str
    sections: Sections
    values: Path | Mapping[str, Any] | None = None
    title: str | None = None
    colour: str | None = None

    @property
    def is_hierarchy(self) -> bool:
        """Whether it has a manager and a worker."""
        return "hierarchy" in self.sections

    @property
    def sees_images(self) -> bool:
        """Whether it learns tasks whose manager sees an image: only a hierarchy stores few enough of them."""
        return self.is_hierarchy

    def load(self) -> type[Algorithm]:
        """Import the algorithm's class.

        Raises:
            ConfigError: it cannot be imported, or is no algorithm.
        """
        from algorithms.algorithm import Algorithm

        try:
            found = load(self.path)
        except Exception as error:  # whatever a module that is not ours does
            raise ConfigError(f"'{self.path}' cannot be imported: {reason(error)}") from error
        if not (isinstance(found, type) and issubclass(found, Algorithm)):
            raise ConfigError(f"'{self.path}' must be a subclass of algorithms.algorithm.Algorithm")
        return found

    def block(self) -> dict[str, Any]:
        """The values of sections of its own.

        Raises:
            ConfigError: their file is missing or holds no mapping.
        """
        if isinstance(self.values, Path):
            return read_mapping(self.values, f"'{self.values}'")
        return dict(self.values or {})


def load(path: str) -> Any:
    """Import what ``package.module:name`` names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def reason(error: Exception) -> str:
    """An exception in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
