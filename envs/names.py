"""The tasks of the suite: one line each, with gymnasium id, class and options.

Apart from the rest of the package, so that planning a workflow imports no simulator.
"""

from __future__ import annotations

from typing import NamedTuple

from envs.options import AntGatherOptions, AntMazeOptions, HighwayOptions, RingRoadOptions, VisualAntMazeOptions
from envs.strict import Strict


class Entry(NamedTuple):
    """Gymnasium id, import path, options; whether a task's manager sees an image, whether there is traffic."""

    gymnasium_id: str
    entry_point: str
    options: type[Strict]
    has_image: bool = False
    is_traffic: bool = False


TASKS: dict[str, Entry] = {
    "ant_gather": Entry("AntGather-v0", "envs.ant.gather:AntGather", AntGatherOptions),
    "ant_maze": Entry("AntMaze-v0", "envs.ant.maze:AntMaze", AntMazeOptions),
    "ant_four_rooms": Entry("AntFourRooms-v0", "envs.ant.four_rooms:AntFourRooms", AntMazeOptions),
    "visual_ant_maze": Entry(
        "VisualAntMaze-v0",
        "envs.ant.visual:VisualAntMaze",
        VisualAntMazeOptions,
        has_image=True,
    ),
    "ring_road": Entry("RingRoad-v0", "envs.traffic.ring:RingRoad", RingRoadOptions, is_traffic=True),
    "highway": Entry("Highway-v0", "envs.traffic.highway:Highway", HighwayOptions, is_traffic=True),
}
