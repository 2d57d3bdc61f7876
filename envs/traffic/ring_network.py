"""The ring road as SUMO sees it: a single-lane circle of four edges, as in Flow.

Each of the four junctions between the edges has a lane of 0.1 m of its own, so a ring of nominal length L has
the circumference L + 0.4 m.  Positions on the ring run from the start of the edge ``bottom`` through ``right``,
``top`` and ``left``, junction lanes included.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from envs.traffic.vehicle_types import SPEED_LIMIT, vehicle_types

EDGES = ("bottom", "right", "top", "left")
JUNCTION_LENGTH = 0.1
_SHAPE_POINTS = 40


def circumference(length: float) -> float:
    """Circumference in metres of the ring of nominal length ``length``."""
    return length + len(EDGES) * JUNCTION_LENGTH


def edge_starts(length: float) -> dict[str, float]:
    """Position in metres at which each edge and each junction's internal edge (``:right_0``) begins."""
    starts = {}
    for index, edge in enumerate(EDGES):
        start = index * (length / len(EDGES) + JUNCTION_LENGTH)
        starts[edge] = start
        starts[_internal_edge(_following(index))] = start + length / len(EDGES)
    return starts


def loop_from(edge: str) -> list[str]:
    """The four edges in driving order, beginning with ``edge``."""
    index = EDGES.index(edge)
    return [*EDGES[index:], *EDGES[:index]]


def write_ring(path: Path, length: float) -> None:
    """Write the SUMO network of a ring.

    The file equals netconvert's for a circle in everything that moves vehicles: lanes, their lengths, speed
    limits, junctions and connections.

    Args:
        path: file to write (``.net.xml``).
        length: nominal length in metres, a multiple of 0.04 (SUMO keeps two decimals of an edge's length).
    """
    radius = length / (2 * math.pi)
    box = ",".join(f"{sign * radius:.2f}" for sign in (-1, -1, 1, 1))
    lines = [f'<location netOffset="0,0" convBoundary="{box}" origBoundary="{box}" projParameter="!"/>']
    lines += [_internal_lane(index, radius) for index in range(len(EDGES))]
    lines += [_edge(index, length / len(EDGES), radius) for index in range(len(EDGES))]
    lines += [_junction(index, radius) for index in range(len(EDGES))]
    lines += [_connections(index) for index in range(len(EDGES))]
    path.write_text("\n".join(['<net version="1.20">', *lines, "</net>\n"]), encoding="utf-8")


def write_traffic(path: Path) -> None:
    """Write the routes (one loop from each edge) and the vehicle types of the ring.

    Args:
        path: additional file to write (``.add.xml``).
    """
    lines = [*vehicle_types()]
    lines += [f'<route id="{edge}" edges="{" ".join(loop_from(edge))}"/>' for edge in EDGES]
    path.write_text("\n".join(["<additional>", *lines, "</additional>\n"]), encoding="utf-8")


def _following(index: int) -> int:
    return (index + 1) % len(EDGES)


def _internal_edge(index: int) -> str:
    """Internal edge of the junction at the start of an edge."""
    return f":{EDGES[index]}_0"


def _points(radius: float, angles: np.ndarray) -> str:
    return " ".join(f"{radius * math.cos(angle):.2f},{radius * math.sin(angle):.2f}" for angle in angles)


def _start_angle(index: int) -> float:
    """Angle at which an edge begins; the ring is driven counter-clockwise from its lowest point."""
    return (index - 1) * math.pi / 2


def _internal_lane(index: int, radius: float) -> str:
    edge = _internal_edge(index)
    half = JUNCTION_LENGTH / (2 * radius)
    shape = _points(radius, _start_angle(index) + np.array([-half, half]))
    return (
        f'<edge id="{edge}" function="internal"><lane id="{edge}_0" index="0" speed="{SPEED_LIMIT:.2f}" '
        f'length="{JUNCTION_LENGTH:.2f}" shape="{shape}"/></edge>'
    )


def _edge(index: int, length: float, radius: float) -> str:
    edge, to = EDGES[index], EDGES[_following(index)]
    shape = _points(radius, _start_angle(index) + np.linspace(0, math.pi / 2, _SHAPE_POINTS))
    return (
        f'<edge id="{edge}" from="{edge}" to="{to}" priority="-1"><lane id="{edge}_0" index="0" '
        f'speed="{SPEED_LIMIT:.2f}" length="{length:.2f}" shape="{shape}"/></edge>'
    )


def _junction(index: int, radius: float) -> str:
    incoming, angle = EDGES[index - 1], _start_angle(index)
    x, y = radius * math.cos(angle), radius * math.sin(angle)
    return (
        f'<junction id="{EDGES[index]}" type="priority" x="{x:.2f}" y="{y:.2f}" incLanes="{incoming}_0" '
        f'intLanes="{_internal_edge(index)}_0" shape="{x:.2f},{y:.2f}">'
        '<request index="0" response="0" foes="0" cont="0"/></junction>'
    )


def _connections(index: int) -> str:
    edge, to = EDGES[index], EDGES[_following(index)]
    internal = _internal_edge(_following(index))
    lanes = 'fromLane="0" toLane="0"'
    return (
        f'<connection from="{edge}" to="{to}" {lanes} via="{internal}_0" dir="s" state="M"/>'
        f'<connection from="{internal}" to="{to}" {lanes} dir="s" state="M"/>'
    )
