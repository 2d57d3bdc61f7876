"""The algorithms of the suite, and the scripted drivers they are compared with: one line each.

A registry entry names the class or function (imported only when it is needed, so that planning a workflow stays
fast).  That of an algorithm names the configuration sections the class reads besides ``run`` and ``environment``,
that of a driver the function's parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from algorithms.algorithm import Algorithm
    from envs.traffic.car_following import Array
    from envs.traffic.drivers import Situation


@dataclass(frozen=True)
class Entry:
    """Where an algorithm lives and which configuration sections it reads."""

    path: str
    sections: tuple[str, ...]

    @property
    def is_hierarchy(self) -> bool:
        """Whether it has a manager and a worker."""
        return "hierarchy" in self.sections

    @property
    def sees_images(self) -> bool:
        """Whether it learns tasks whose manager sees an image: only a hierarchy stores few enough of them."""
        return self.is_hierarchy

    def load(self) -> type[Algorithm]:
        """Import the algorithm's class."""
        algorithm: type[Algorithm] = _load(self.path)
        return algorithm


@dataclass(frozen=True)
class Driver:
    """Where a scripted driver lives, its parameters, and options that it needs of every traffic task."""

    path: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> Callable[[Situation], Array]:
        """Import the driver, which turns what vehicles see into their actions."""
        return partial(_load(self.path), **self.parameters)


def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


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

_FOLLOWER_STOPPER = {
    "standstill_gaps": [4.5, 5.25, 6.0],  # m; Stern et al., 2018, as the next line
    "decelerations": [1.5, 1.0, 0.5],  # m/s^2
    "uniform_share": 0.97,  # ours
}

DRIVERS: dict[str, Driver] = {
    "human": Driver("envs.traffic.drivers:constant", environment={"human_only": True}),  # actions are ignored
    "follower_stopper": Driver("envs.traffic.drivers:follower_stopper", _FOLLOWER_STOPPER),
    "random": Driver("envs.traffic.drivers:random"),
    "constant": Driver("envs.traffic.drivers:constant"),
}
