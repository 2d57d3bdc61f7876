"""The highway once more, written as plainly as possible from its description: one vehicle at a time, in floats.

A simulation needs a process of its own, so this is also a program::

    python -m tests.envs.traffic.plain_highway JOB RESULT

with two pickles: the fields of :class:`Job`, and the list of :class:`Moment` that comes of it.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tests.envs.traffic.plain_traffic import FIRST, LAST, STEP, PlainSlots, all_fail_safes, idm, pedal

LENGTH = 2800.2
OFFSETS = {"highway_0": 0.0, ":edge_1": 1250.0, "highway_1": 1250.1, ":edge_2": 2500.1, "highway_end": 2500.2}
FRAMES = 5


@dataclass
class Job:
    """What is driven: ``flows`` in vehicles per hour (human, automated), ``actions`` [T, slots]."""

    flows: tuple[float, float]
    end_speed: float
    seed: int
    actions: list[list[float]] = field(default_factory=list)
    enforced: float | None = None
    slots: int = 5
    simulations: int = 1
    state: str | None = None
    every: int = 22
    warmup: int = 0
    bound: float = 0.5


class Moment(NamedTuple):
    """What is there after a step."""

    positions: dict[str, float]
    speeds: dict[str, float]
    observation: list[float]
    reward: float
    controlled: list[str]
    collision: bool


class Vehicle(NamedTuple):
    """One vehicle as it was read from SUMO."""

    edge: str
    x: float
    speed: float
    leader: str | None
    gap: float


NODES = """<nodes>
<node id="edge_0" x="0" y="0"/><node id="edge_1" x="1250" y="0"/>
<node id="edge_2" x="2500" y="0"/><node id="edge_3" x="2800" y="0"/>
</nodes>"""
EDGES = """<edges><edge id="highway_0" from="edge_0" to="edge_1" numLanes="1" speed="30" length="1250"/>
<edge id="highway_1" from="edge_1" to="edge_2" numLanes="1" speed="30" length="1250"/>
<edge id="highway_end" from="edge_2" to="edge_3" numLanes="1" speed="{limit}" length="300"/></edges>"""
DEMAND = """<additional>
<vType id="human" {attributes}/>
<vType id="automated" {attributes}/>
<route id="highway" edges="highway_0 highway_1 highway_end"/>
{flows}
</additional>"""
ATTRIBUTES = (
    'carFollowModel="IDM" accel="2.6" decel="4.5" tau="1.0" minGap="0.5" maxSpeed="30" speedFactor="1.0" '
    'speedDev="0.1" impatience="0.5" length="5" laneChangeModel="LC2013"'
)
FLOW = (
    '<flow id="{name}" type="{kind}" route="highway" begin="1" end="86400" vehsPerHour="{rate!r}" '
    'departSpeed="24.1" departLane="free" departPos="base"/>'
)
HUMAN_FLOW, AUTOMATED_FLOW = "idm_highway_inflow_00", "rl_highway_inflow_10"


def network(folder: Path, limit: float) -> Path:
    """The road, made by SUMO's own netconvert."""
    import sumo

    (folder / "nodes.nod.xml").write_text(NODES)
    (folder / "edges.edg.xml").write_text(EDGES.format(limit=limit))
    output = folder / "road.net.xml"
    program = str(Path(sumo.SUMO_HOME, "bin", "netconvert"))
    files = ["--node-files", str(folder / "nodes.nod.xml"), "--edge-files", str(folder / "edges.edg.xml")]
    command = [program, *files, "--output-file", str(output), "--no-turnarounds", "true"]
    subprocess.run(command, check=True, capture_output=True)
    return output


def demand(folder: Path, flows: tuple[float, float]) -> Path:
    """Vehicle types, the route and the two flows."""
    elements = [
        FLOW.format(name=name, kind=kind, rate=float(rate))
        for name, kind, rate in [(HUMAN_FLOW, "human", flows[0]), (AUTOMATED_FLOW, "automated", flows[1])]
        if rate > 0
    ]
    path = folder / "demand.add.xml"
    path.write_text(DEMAND.format(attributes=ATTRIBUTES, flows="\n".join(elements)))
    return path


class PlainHighway:
    """The road and everybody on it."""

    def __init__(self, job: Job) -> None:
        from envs.traffic.simulation import libsumo

        self.job, self.sumo = job, libsumo
        self.slots = PlainSlots(job.slots)
        self.limit = job.end_speed if job.enforced is None else job.enforced
        self.automated: set[str] = set()
        self.known: set[str] = set()
        self.vehicles: dict[str, Vehicle] = {}
        self.history: dict[str, list[list[float]]] = {}
        self.start()

    def start(self) -> None:
        """Two bare steps on an empty road, or a saved state with every 22nd vehicle automated."""
        with TemporaryDirectory() as name:
            folder = Path(name)
            road, vehicles = network(folder, self.job.end_speed), demand(folder, self.job.flows)
            options = f"--seed {self.job.seed} --step-length {STEP} --step-method.ballistic --time-to-teleport -1"
            command = ["sumo", *options.split(), "--collision.check-junctions", "true", "--no-step-log", "true"]
            command += ["--no-warnings", "true", "--net-file", str(road), "--additional-files", str(vehicles)]
            if self.job.state is not None:
                command += ["--load-state", self.job.state]
            self.sumo.start(command)
        if self.job.state is None:
            self.sumo.simulationStep()
            self.sumo.simulationStep()
        self.sumo.lane.setMaxSpeed("highway_end_0", self.job.end_speed)
        self.read()
        for _ in range(self.job.warmup):
            self.simulate()
        if self.job.state is not None or self.job.warmup:
            self.relabel()
        self.slots.update(self.places())
        self.remember()

    def relabel(self) -> None:
        """Everybody is human but every n-th from upstream, if it has not passed the controlled part."""
        order = sorted(self.vehicles, key=lambda name: self.vehicles[name].x)
        chosen = order[self.job.every - 1 :: self.job.every]
        self.automated = {name for name in chosen if self.vehicles[name].x < LAST}

    def read(self) -> None:
        """Take over what SUMO says; newcomers get their modes."""
        vehicle = self.sumo.vehicle
        names = vehicle.getIDList()
        for name in set(names) - self.known:
            vehicle.setSpeedMode(name, 12)
            vehicle.setLaneChangeMode(name, 512)
            if name.startswith("rl_"):
                self.automated.add(name)
        self.known.update(names)
        self.vehicles = {}
        for name in names:
            edge = vehicle.getRoadID(name)
            key = next(known for known in OFFSETS if edge.startswith(known))
            found = vehicle.getLeader(name, 2000)
            leader, gap = (found[0], found[1] + 0.5) if found and found[0] else (None, 1000.0)
            x = OFFSETS[key] + vehicle.getLanePosition(name)
            self.vehicles[name] = Vehicle(edge, x, vehicle.getSpeed(name), leader, gap)

    def places(self) -> dict[str, float]:
        """Where the automated vehicles are."""
        return {name: self.vehicles[name].x for name in self.automated if name in self.vehicles}

    def leader_speed(self, name: str) -> float | None:
        """Speed of the vehicle ahead; None if there is none."""
        leader = self.vehicles[name].leader
        return None if leader is None else self.vehicles[leader].speed

    def command(self, name: str, acceleration: float) -> None:
        """Ask SUMO for the acceleration, after the fail-safes; not on junctions."""
        own = self.vehicles[name]
        if own.edge.startswith(":"):
            return
        limit = self.limit if own.edge == "highway_end" else 30.0
        acceleration = all_fail_safes(own.speed, acceleration, limit, self.leader_speed(name), own.gap)
        self.sumo.vehicle.slowDown(name, max(own.speed + acceleration * STEP, 0.0), 1e-3)

    def drive_as_human(self, names: Iterable[str]) -> None:
        """The human model for these vehicles."""
        for name in names:
            own = self.vehicles[name]
            self.command(name, idm(own.speed, self.leader_speed(name), own.gap))

    def simulate(self, action: list[float] | None = None) -> bool:
        """One simulation step; without action, everybody drives like a human.  True: a collision."""
        self.drive_as_human(name for name in self.vehicles if name not in self.automated)
        if action is None:
            self.drive_as_human(name for name in self.vehicles if name in self.automated)
        else:
            for name, number in zip(self.slots.controlled, action, strict=False):
                if name in self.vehicles:
                    self.command(name, pedal(number, self.vehicles[name].speed, self.job.bound))
            self.slots.update(self.places())
            rest = [name for name in self.places() if name not in self.slots.controlled]
            self.drive_as_human(rest)
        self.sumo.simulationStep()
        if self.sumo.simulation.getStartingTeleportNumber():
            return True
        self.read()
        return False

    def frame(self, name: str) -> list[float]:
        """The five numbers of an automated vehicle."""
        own = self.vehicles[name]
        speed_ahead = self.leader_speed(name)
        ahead = [30.0, LENGTH] if speed_ahead is None else [speed_ahead, own.gap]
        followers = [other for other in self.vehicles.values() if other.leader == name]
        behind = [followers[0].speed, followers[0].gap] if followers else [30.0, LENGTH]
        return [own.speed, *ahead, *behind]

    def remember(self) -> None:
        """Add a frame to the history of every automated vehicle on the road."""
        for name in self.places():
            self.history[name] = [self.frame(name), *self.history.get(name, [])][:FRAMES]

    def moment(self, collision: bool) -> Moment:
        """All that is compared."""
        observation: list[float] = []
        for name in self.slots.controlled:
            numbers = [number for frame in self.history[name] for number in frame]
            observation += numbers + [0.0] * (5 * FRAMES - len(numbers))
        observation += [0.0] * (5 * FRAMES * self.job.slots - len(observation))
        counted = [own.speed for own in self.vehicles.values() if FIRST <= own.x <= LAST]
        reward = 0.1 * (sum(counted) / len(counted)) ** 2 if counted and not collision else 0.0
        positions = {name: own.x for name, own in self.vehicles.items()}
        speeds = {name: own.speed for name, own in self.vehicles.items()}
        return Moment(positions, speeds, observation, reward, list(self.slots.controlled), collision)

    def run(self) -> list[Moment]:
        """The first moment, and one after every step, until a collision."""
        moments = [self.moment(False)]
        for action in self.job.actions:
            collision = any(self.simulate(action) for _ in range(self.job.simulations))
            if not collision:
                self.remember()
            moments.append(self.moment(collision))
            if collision:
                break
        self.sumo.close()
        return moments


def in_another_process(job: Job, folder: Path) -> list[Moment]:
    """The moments of a job."""
    (folder / "job.pickle").write_bytes(pickle.dumps(vars(job)))
    files = [str(folder / "job.pickle"), str(folder / "moments.pickle")]
    command = [sys.executable, "-m", "tests.envs.traffic.plain_highway", *files]
    subprocess.run(command, cwd=Path(__file__).parents[3], check=True)
    rows: list[Any] = pickle.loads((folder / "moments.pickle").read_bytes())
    return [Moment(*row) for row in rows]


def main() -> None:
    """Command line."""
    job = Job(**pickle.loads(Path(sys.argv[1]).read_bytes()))
    Path(sys.argv[2]).write_bytes(pickle.dumps([tuple(moment) for moment in PlainHighway(job).run()]))


if __name__ == "__main__":
    main()
