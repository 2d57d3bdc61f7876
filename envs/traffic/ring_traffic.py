"""The vehicles of the ring road: 21 humans and one automated vehicle, simulated by SUMO as in Flow."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from envs.traffic import ring_network
from envs.traffic.car_following import VEHICLE_LENGTH, Array, idm_acceleration, next_speed
from envs.traffic.ring_network import EDGES
from envs.traffic.simulation import Simulation, libsumo
from envs.traffic.vehicle_types import AUTOMATED, COMMAND_DURATION, HUMAN, LANE_CHANGE_MODE, MIN_GAP

VEHICLES = 22
AUTOMATED_VEHICLE = VEHICLES - 1
TIME_STEP = 0.2
NAMES = tuple(f"vehicle_{index}" for index in range(VEHICLES))
_SPEED_MODE = 25  # SUMO may brake for safety and right of way, and bounds neither acceleration nor braking


class Start(NamedTuple):
    """Where the vehicles start: on which edges, and where on them in metres, shape [22]."""

    edges: list[str]
    positions: Array


def uniform_start(length: float, perturbation: float, generator: np.random.Generator) -> Start:
    """Vehicles evenly spaced and then moved by N(0, ``perturbation``) metres, but not off their edge (Flow).

    Even spacing puts none of the 22 on a junction lane.  They are drawn anew should two of them come closer than
    SUMO lets vehicles start.
    """
    even = np.arange(VEHICLES) * length / VEHICLES
    while True:
        start = _on_edges(even, generator.normal(0.0, perturbation, VEHICLES), length)
        if _has_room(start, length):
            return start


def random_start(length: float, generator: np.random.Generator) -> Start:
    """Vehicles anywhere, but with the gaps that SUMO demands, the automated one at any place among them (Flow)."""
    room = VEHICLE_LENGTH + MIN_GAP
    while True:
        fronts = np.sort(generator.uniform(0.0, length - VEHICLES * room, VEHICLES)) + np.arange(VEHICLES) * room
        start = _on_edges(fronts, np.zeros(VEHICLES), length)
        if _has_room(start, length):
            shift = int(generator.integers(VEHICLES))
            return Start(start.edges[shift:] + start.edges[:shift], np.roll(start.positions, -shift))


def _on_edges(fronts: Array, moves: Array, length: float) -> Start:
    """The edges of positions along the ring, and the positions on them after a move that stays on the edge."""
    edge_starts = ring_network.edge_starts(length)
    edges = [[edge for edge in EDGES if edge_starts[edge] <= front][-1] for front in fronts]
    moved = fronts - np.array([edge_starts[edge] for edge in edges]) + moves
    return Start(edges, np.clip(moved, 0.0, length / len(EDGES)))


def _has_room(start: Start, length: float) -> bool:
    """Whether vehicles in the order of their positions keep the gaps that SUMO demands."""
    edge_starts = ring_network.edge_starts(length)
    fronts = np.array([edge_starts[edge] for edge in start.edges]) + start.positions
    spacing = np.diff(fronts, append=fronts[0] + ring_network.circumference(length))
    return bool(spacing.min() >= VEHICLE_LENGTH + MIN_GAP)


def gaps(positions: Array, length: float) -> Array:
    """Bumper-to-bumper distance of each vehicle to the next one in driving order, in metres, shape [22]."""
    return (np.roll(positions, -1) - positions) % ring_network.circumference(length) - VEHICLE_LENGTH


class RingTraffic:
    """All vehicles of a ring in driving order; the vehicle ahead of the last one is the first.

    Attributes:
        positions: fronts of the vehicles along the ring, metres, shape [22].
        speeds: m/s, shape [22].
        gaps: bumper-to-bumper distances to the vehicles ahead, metres, shape [22].
    """

    def __init__(self) -> None:
        self._simulation = Simulation()
        self.positions: Array = np.zeros(VEHICLES)
        self.speeds: Array = np.zeros(VEHICLES)
        self.gaps: Array = np.zeros(VEHICLES)

    def start(self, length: float, start: Start, seed: int) -> None:
        """Start a simulation with all vehicles at rest.

        Args:
            length: nominal length of the ring, metres.
            start: where the vehicles are.
            seed: SUMO's random seed.
        """
        self._length = length
        self._edge_starts = ring_network.edge_starts(length)
        with tempfile.TemporaryDirectory(prefix="ring_road_") as folder:
            files = Path(folder, "ring.net.xml"), Path(folder, "ring.add.xml")
            ring_network.write_ring(files[0], length)
            ring_network.write_traffic(files[1])
            self._simulation.start(*files, TIME_STEP, seed)
        self._simulation.step()
        self._add_vehicles(start)

    def step(self, noise: Array, automated_speed: float | None) -> bool:
        """Advance by one time step and tell whether vehicles collided; a collision leaves the state as it was.

        Humans follow the Intelligent Driver Model.  A vehicle on one of the short junction lanes gets no command
        and is driven by SUMO for this step, as in Flow.

        Args:
            noise: added to the human accelerations, m/s^2, shape [21]; shape [22] lets the automated vehicle drive
                like the humans.
            automated_speed: the next speed asked of the automated vehicle, m/s, if it does not drive like the
                humans; None leaves it to SUMO's own Intelligent Driver Model.

        Raises:
            RuntimeError: if this simulation does not run any more, see :class:`Simulation`.
        """
        self._simulation.check_running()
        commands = self._human_speeds(noise)
        if automated_speed is not None:
            commands.append(automated_speed)
        slow_down = libsumo.vehicle.slowDown
        for name, edge, speed in zip(NAMES, self._edges, commands, strict=False):
            if edge[0] != ":":
                slow_down(name, speed, COMMAND_DURATION)
        if self._simulation.step():
            return True
        self._read_state()
        return False

    def close(self) -> None:
        """End the simulation."""
        self._simulation.close()

    def _human_speeds(self, noise: Array) -> list[float]:
        humans = len(noise)
        speeds, leaders = self.speeds[:humans], np.roll(self.speeds, -1)[:humans]
        acceleration = idm_acceleration(speeds, leaders, self.gaps[:humans]) + noise
        commands: list[float] = next_speed(speeds, acceleration, TIME_STEP).tolist()
        return commands

    def _add_vehicles(self, start: Start) -> None:
        """Put the vehicles on the road; they appear, at rest, in the next simulation step."""
        for index, (name, edge, position) in enumerate(
            zip(NAMES, start.edges, start.positions.tolist(), strict=True)
        ):
            kind = AUTOMATED if index == AUTOMATED_VEHICLE else HUMAN
            libsumo.vehicle.add(name, edge, kind, departLane="0", departPos=repr(position), departSpeed="0")
        self._simulation.step()
        for name in NAMES:
            libsumo.vehicle.setSpeedMode(name, _SPEED_MODE)
            libsumo.vehicle.setLaneChangeMode(name, LANE_CHANGE_MODE)
        self._route_ends = [ring_network.loop_from(edge)[-1] for edge in start.edges]
        self._read_state()

    def _read_state(self) -> None:
        vehicle = libsumo.vehicle
        self._edges = [vehicle.getRoadID(name) for name in NAMES]
        starts, lane_position = self._edge_starts, vehicle.getLanePosition
        pairs = zip(NAMES, self._edges, strict=True)
        self.positions = np.array([starts[edge] + lane_position(name) for name, edge in pairs])
        self.speeds = np.array([vehicle.getSpeed(name) for name in NAMES])
        self.gaps = gaps(self.positions, self._length)
        for index, edge in enumerate(self._edges):
            if edge == self._route_ends[index]:
                self._extend_route(index)

    def _extend_route(self, index: int) -> None:
        """Route a vehicle on its last edge around the ring once more, or SUMO would remove it there."""
        route = ring_network.loop_from(self._edges[index])
        libsumo.vehicle.setRoute(NAMES[index], route)
        self._route_ends[index] = route[-1]
