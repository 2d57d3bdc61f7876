"""The algorithms of the suite: one line each.

A registry entry names the class (imported only when it is trained, so that planning a workflow stays fast) and
the configuration sections the class reads besides ``run`` and ``environment``.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algorithms.algorithm import Algorithm


@dataclass(frozen=True)
class Entry:
    """Where an algorithm lives and which configuration sections it reads."""

    path: str
    sections: tuple[str, ...]

    @property
    def sees_images(self) -> bool:
        """Whether it learns tasks whose manager sees an image: only a hierarchy stores few enough of them."""
        return "hierarchy" in self.sections

    def load(self) -> type[Algorithm]:
        """Import the algorithm's class."""
        module, _, name = self.path.partition(":")
        algorithm: type[Algorithm] = getattr(import_module(module), name)
        return algorithm


ALGORITHMS: dict[str, Entry] = {
    "td3": Entry("algorithms.td3:TD3", sections=("learner",)),
    "hrl": Entry("algorithms.hrl:HRL", sections=("learner", "hierarchy")),
    "hiro": Entry("algorithms.hiro:HIRO", sections=("learner", "hierarchy", "hiro")),
    "hac": Entry("algorithms.hac:HAC", sections=("learner", "hierarchy", "hac")),
    "cher_fixed": Entry(
        "algorithms.cher:FixedCHER", sections=("learner", "hierarchy", "cooperation", "cher_fixed")
    ),
    "cher": Entry("algorithms.cher:CHER", sections=("learner", "hierarchy", "cooperation", "cher")),
}
