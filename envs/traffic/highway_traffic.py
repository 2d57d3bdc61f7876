"""The vehicles of the highway, simulated by SUMO as in Flow."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from envs.options import HighwayOptions
from envs.traffic import highway_network
from envs.traffic.car_following import (
    VEHICLE_LENGTH,
    acceleration_noise,
    fail_safe,
    idm_acceleration,
    next_speed,
)
from envs.traffic.highway_network import FLOWS, IS_JUNCTION, LANE_STARTS, LANES
from envs.traffic.simulation import Simulation, libsumo
from envs.traffic.vehicle_types import AUTOMATED, COMMAND_DURATION, LANE_CHANGE_MODE, SPEED_LIMIT

TIME_STEP = 0.4
#: SUMO's checks of what vehicles are commanded: it bounds braking by 4.5 m/s^2 and does nothing else.  Safety
#: rests on the fail-safes.
SPEED_MODE = 12


@dataclass(frozen=True)
class Conditions:
    """What makes one stretch of traffic differ from another.

    Attributes:
        end_speed: speed limit of the slow part, m/s.
        human_flow: human vehicles that arrive at the entrance, vehicles per hour.
        automated_flow: automated ones.
        noise: level of the noise on human accelerations.
    """

    end_speed: float
    human_flow: float
    automated_flow: float
    noise: float

    @classmethod
    def of(cls, options: HighwayOptions, end_speed: float) -> Conditions:
        """What the options of the task ask for at one end speed."""
        return cls(end_speed, *options.human_and_automated_flow, options.noise)


class HighwayTraffic:
    """All vehicles on the highway, the most upstream one first; the vehicle ahead of each is the next one.

    Attributes:
        names: of the vehicles, n.
        positions: fronts of the vehicles, metres from the entrance, shape [n].
        speeds: m/s, shape [n].
        leader_speeds: speeds of the vehicles ahead, m/s, shape [n]; the speed limit where nobody is ahead.
        gaps: bumper-to-bumper distances to the vehicles ahead, metres, shape [n]; infinite where nobody is ahead.
        departed: names of the vehicles that entered in the last step.
        arrived: how many vehicles left at the end in the last step.
    """

    def __init__(self) -> None:
        self._simulation = Simulation()

    def start(self, conditions: Conditions, seed: int, state: Path | None = None) -> None:
        """Start with an empty road, or with a saved one.

        Args:
            conditions: of this traffic.
            seed: SUMO's random seed.
            state: saved by :meth:`save`.
        """
        self._conditions = conditions
        self._limits = np.full(len(LANES), SPEED_LIMIT)
        self.enforce(conditions.end_speed)
        with tempfile.TemporaryDirectory(prefix="highway_") as folder:
            files = Path(folder, "highway.net.xml"), Path(folder, "highway.add.xml")
            highway_network.write_highway(files[0], conditions.end_speed)
            highway_network.write_traffic(files[1], conditions.human_flow, conditions.automated_flow)
            self._simulation.start(*files, TIME_STEP, seed, state)
        if state is None:  # as in Flow
            self._simulation.step()
            self._simulation.step()
        self._read_state()
        for name in self.names:
            _take_over(name)

    def enforce(self, limit: float) -> None:
        """Let the fail-safe keep another speed limit on the slow part, m/s; SUMO's own stays as it is."""
        self._limits[-1] = limit

    def step(
        self, generator: np.random.Generator, accelerations: dict[str, float], uncommanded: Collection[str] = ()
    ) -> bool:
        """Advance by one time step and tell whether vehicles collided; a collision leaves the state as it was.

        Humans follow the Intelligent Driver Model with noise.  All commands go through the fail-safes.  A vehicle
        on one of the short junction lanes gets no command and is driven by SUMO for this step, as in Flow.

        Args:
            generator: source of the noise.
            accelerations: m/s^2, of the vehicles that are not driven by humans, by name.
            uncommanded: vehicles that are left to SUMO in this step.

        Raises:
            RuntimeError: if this simulation does not run any more, see :class:`Simulation`.
        """
        self._simulation.check_running()
        slow_down = libsumo.vehicle.slowDown
        commands = self._commands(generator, accelerations)
        for name, junction, speed in zip(self.names, self._on_junction, commands, strict=True):
            if not junction and name not in uncommanded:
                slow_down(name, speed, COMMAND_DURATION)
        if self._simulation.step():
            return True
        self._read_state()
        return False

    def set_speed_mode(self, name: str, mode: int) -> None:
        """Change which of a vehicle's commands SUMO checks."""
        libsumo.vehicle.setSpeedMode(name, mode)

    def save(self, path: Path) -> None:
        """Save the state of the simulation, so that :meth:`start` continues from it."""
        self._simulation.check_running()
        libsumo.simulation.saveState(str(path))

    @property
    def backlog(self) -> int:
        """How many vehicles wait outside, because there is no room at the entrance."""
        return len(libsumo.simulation.getPendingVehicles())

    def close(self) -> None:
        """End the simulation."""
        self._simulation.close()

    def _commands(self, generator: np.random.Generator, accelerations: dict[str, float]) -> list[float]:
        """The next speed of every vehicle, m/s."""
        speeds, leader_speeds, gaps = self.speeds, self.leader_speeds, self.gaps
        noise = acceleration_noise(generator, self._conditions.noise, TIME_STEP, len(speeds))
        wanted = idm_acceleration(speeds, leader_speeds, gaps) + noise
        for name, value in accelerations.items():
            wanted[self.index[name]] = value
        wanted = fail_safe(speeds, wanted, self._limits[self._lanes], leader_speeds, gaps, TIME_STEP)
        commands: list[float] = next_speed(speeds, wanted, TIME_STEP).tolist()
        return commands

    def _read_state(self) -> None:
        on_lane, lane_position = libsumo.lane.getLastStepVehicleIDs, libsumo.vehicle.getLanePosition
        by_lane = [on_lane(lane) for lane in LANES]
        self.names = [name for names in by_lane for name in names]
        self.index = {name: index for index, name in enumerate(self.names)}
        self._lanes: NDArray[np.int64] = np.repeat(np.arange(len(LANES)), [len(names) for names in by_lane])
        self._on_junction: list[bool] = IS_JUNCTION[self._lanes].tolist()
        number = len(self.names)
        on_edge = np.fromiter((lane_position(name) for name in self.names), np.float64, number)
        self.positions = LANE_STARTS[self._lanes] + on_edge
        self.speeds = np.fromiter(map(libsumo.vehicle.getSpeed, self.names), np.float64, number)
        self.gaps = np.append(np.diff(self.positions) - VEHICLE_LENGTH, np.inf)[:number]
        self.leader_speeds = np.append(self.speeds[1:], SPEED_LIMIT)[:number]
        self.departed: list[str] = list(libsumo.simulation.getDepartedIDList())
        self.arrived: int = libsumo.simulation.getArrivedNumber()
        for name in self.departed:
            _take_over(name)


def _take_over(name: str) -> None:
    """Let commands alone drive a vehicle."""
    libsumo.vehicle.setSpeedMode(name, SPEED_MODE)
    libsumo.vehicle.setLaneChangeMode(name, LANE_CHANGE_MODE)


def from_automated_flow(name: str) -> bool:
    """Whether a vehicle belongs to the flow of automated vehicles."""
    return name.startswith(FLOWS[AUTOMATED])
