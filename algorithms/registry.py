"""The algorithms of the suite, and the scripted drivers they are compared with: one line each.

A registry entry names the class or function (imported only when it is needed, so that planning a workflow stays
fast).  That of an algorithm says which configuration sections the class reads, with their types, and how figures
show it (:class:`algorithms.entry.Entry`); that of a driver has the function's parameters.  Installed packages add
algorithms of their own (:mod:`algorithms.plugins`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from algorithms import plugins
from algorithms.entry import Entry, load
from algorithms.errors import ConfigError
from algorithms.plugins import Plugin
from algorithms.sections import (
    COOPERATION,
    HIERARCHY,
    LEARNER,
    DynamicLambdaSettings,
    FixedLambdaSettings,
    HACSettings,
    HIROSettings,
)

if TYPE_CHECKING:
    from envs.traffic.car_following import Array
    from envs.traffic.drivers import Situation


@dataclass(frozen=True)
class Driver:
    """Where a scripted driver lives, its parameters, and options that it needs of every traffic task."""

    path: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> Callable[[Situation], Array]:
        """Import the driver, which turns what vehicles see into their actions."""
        return partial(load(self.path), **self.parameters)


#: The suite's own algorithms, in the order of legends and tables; colours are Okabe and Ito's.
SUITE: dict[str, Entry] = {
    "td3": Entry("algorithms.td3:TD3", LEARNER, title="TD3", colour="#0072B2"),
    "hrl": Entry("algorithms.hrl:HRL", HIERARCHY, title="HRL", colour="#E69F00"),
    "hiro": Entry("algorithms.hiro:HIRO", {**HIERARCHY, "hiro": HIROSettings}, title="HIRO", colour="#009E73"),
    "hac": Entry("algorithms.hac:HAC", {**HIERARCHY, "hac": HACSettings}, title="HAC", colour="#CC79A7"),
    "cher_fixed": Entry(
        "algorithms.cher:FixedCHER",
        {**COOPERATION, "cher_fixed": FixedLambdaSettings},
        title="CHER (fixed λ)",
        colour="#56B4E9",
    ),
    "cher": Entry(
        "algorithms.cher:CHER", {**COOPERATION, "cher": DynamicLambdaSettings}, title="CHER", colour="#D55E00"
    ),
}


def _installed() -> tuple[dict[str, Plugin], ConfigError | None]:
    try:
        return plugins.find(SUITE), None
    except ConfigError as error:
        return {}, error


#: Algorithms of installed packages, and why they cannot be used: whoever reads a preset is refused with it.
PLUGINS, REFUSAL = _installed()

ALGORITHMS: dict[str, Entry] = SUITE | {name: plugin.entry for name, plugin in PLUGINS.items()}

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
