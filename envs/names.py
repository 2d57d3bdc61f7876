"""The tasks of the suite: one line each, with gymnasium id and class.

Apart from the rest of the package, so that planning a workflow imports no simulator.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """Gymnasium id and import path of a task."""

    gymnasium_id: str
    entry_point: str


TASKS: dict[str, Entry] = {
    "ant_gather": Entry("AntGather-v0", "envs.ant.gather:AntGather"),
    "ring_road": Entry("RingRoad-v0", "envs.traffic.ring:RingRoad"),
}
