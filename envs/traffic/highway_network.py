"""The highway as SUMO sees it: a straight single lane that ends in a slow part, as in Flow.

Positions are metres from the entrance.  Each of the two junctions has a lane of 0.1 m of its own.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from envs.traffic.car_following import Array
from envs.traffic.vehicle_types import AUTOMATED, HUMAN, SPEED_LIMIT, vehicle_types

EDGES = {"highway_0": 1250.0, "highway_1": 1250.0, "highway_end": 300.0}  # metres
JUNCTION_LENGTH = 0.1
#: All lanes from the entrance to the end, those of junctions begin with a colon.
LANES = ("highway_0_0", ":edge_1_0_0", "highway_1_0", ":edge_2_0_0", "highway_end_0")
_LENGTHS = np.array([1250.0, JUNCTION_LENGTH, 1250.0, JUNCTION_LENGTH, 300.0])
LANE_STARTS: Array = np.cumsum(_LENGTHS) - _LENGTHS
HIGHWAY_LENGTH = float(_LENGTHS.sum())
SLOW_PART = float(LANE_STARTS[-1])
#: The part of the road on which automated vehicles are controlled and speeds are rewarded, metres.
CONTROLLED_PART = (500.0, 2300.0)
IS_JUNCTION = np.array([lane.startswith(":") for lane in LANES])
DEPARTURE_SPEED = 24.1
#: Flow's names, so that vehicles can be compared one by one with its recordings.
FLOWS = {HUMAN: "idm_highway_inflow_00", AUTOMATED: "rl_highway_inflow_10"}


def in_range(positions: Array) -> NDArray[np.bool_]:
    """Which vehicles are on the controlled part, for positions in metres."""
    low, high = CONTROLLED_PART
    inside: NDArray[np.bool_] = (positions >= low) & (positions <= high)
    return inside


def write_highway(path: Path, end_speed: float) -> None:
    """Write the SUMO network, equal to netconvert's in everything that moves vehicles.

    Args:
        path: file to write (``.net.xml``).
        end_speed: speed limit of the slow part, m/s; that of the junction before it is the mean of both limits.
    """
    limits = {"highway_0": SPEED_LIMIT, "highway_1": SPEED_LIMIT, "highway_end": end_speed}
    box = "0.00,0.00,2800.00,0.00"
    lines = [f'<location netOffset="0,0" convBoundary="{box}" origBoundary="{box}" projParameter="!"/>']
    lines += [_internal_lane(1, SPEED_LIMIT), _internal_lane(2, (SPEED_LIMIT + end_speed) / 2)]
    lines += [_edge(index, edge, limits[edge]) for index, edge in enumerate(EDGES)]
    lines += [_junction(index) for index in range(len(EDGES) + 1)]
    lines += [_connections(index) for index in (1, 2)]
    path.write_text("\n".join(['<net version="1.20">', *lines, "</net>\n"]), encoding="utf-8")


def write_traffic(path: Path, human_flow: float, automated_flow: float) -> None:
    """Write the route, the vehicle types and the two regular flows at the entrance.

    Args:
        path: additional file to write (``.add.xml``).
        human_flow: vehicles per hour; 0 for none.
        automated_flow: vehicles per hour; 0 for none.
    """
    lines = [*vehicle_types(), f'<route id="highway" edges="{" ".join(EDGES)}"/>']
    lines += [
        f'<flow id="{FLOWS[kind]}" type="{kind}" route="highway" begin="1" end="86400" vehsPerHour="{rate!r}" '
        f'departLane="free" departPos="base" departSpeed="{DEPARTURE_SPEED}"/>'
        for kind, rate in ((HUMAN, human_flow), (AUTOMATED, automated_flow))
        if rate > 0
    ]
    path.write_text("\n".join(["<additional>", *lines, "</additional>\n"]), encoding="utf-8")


def _end(index: int) -> float:
    """Where the junction of a number lies, metres, junction lanes not counted."""
    return sum(list(EDGES.values())[:index])


def _internal_lane(index: int, limit: float) -> str:
    edge, x = f":edge_{index}_0", _end(index)
    return (
        f'<edge id="{edge}" function="internal"><lane id="{edge}_0" index="0" speed="{limit:.2f}" '
        f'length="{JUNCTION_LENGTH:.2f}" shape="{x:.2f},-1.60 {x:.2f},-1.60"/></edge>'
    )


def _edge(index: int, edge: str, limit: float) -> str:
    start, end = _end(index), _end(index + 1)
    return (
        f'<edge id="{edge}" from="edge_{index}" to="edge_{index + 1}" priority="-1"><lane id="{edge}_0" index="0" '
        f'speed="{limit:.2f}" length="{EDGES[edge]:.2f}" shape="{start:.2f},-1.60 {end:.2f},-1.60"/></edge>'
    )


def _junction(index: int) -> str:
    x = _end(index)
    place = f'x="{x:.2f}" y="0.00" shape="{x:.2f},0.00 {x:.2f},-3.20"'
    incoming = f"{list(EDGES)[index - 1]}_0" if index > 0 else ""
    if index in (0, len(EDGES)):
        return f'<junction id="edge_{index}" type="dead_end" incLanes="{incoming}" intLanes="" {place}/>'
    return (
        f'<junction id="edge_{index}" type="priority" incLanes="{incoming}" intLanes=":edge_{index}_0_0" {place}>'
        '<request index="0" response="0" foes="0" cont="0"/></junction>'
    )


def _connections(index: int) -> str:
    edges, internal = list(EDGES), f":edge_{index}_0"
    lanes = 'fromLane="0" toLane="0"'
    return (
        f'<connection from="{edges[index - 1]}" to="{edges[index]}" {lanes} via="{internal}_0" dir="s" state="M"/>'
        f'<connection from="{internal}" to="{edges[index]}" {lanes} dir="s" state="M"/>'
    )
