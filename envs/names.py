"""The tasks of the suite: one line each, with gymnasium id, class and options.

Apart from the rest of the package, so that planning a workflow imports no simulator.
"""

from __future__ import annotations

from typing import NamedTuple

from envs.options import AntGatherOptions, RingRoadOptions
from envs.strict import Strict


class Entry(NamedTuple):
    """Gymnasium id, import path and options of a task."""

    gymnasium_id: str
    entry_point: str
    options: type[Strict]


TASKS: dict[str, Entry] = {
    "ant_gather": Entry("AntGather-v0", "envs.ant.gather:AntGather", AntGatherOptions),
    "ring_road": Entry("RingRoad-v0", "envs.traffic.ring:RingRoad", RingRoadOptions),
}
