"""The highway task: a few automated vehicles in the stop-and-go traffic ahead of a bottleneck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.base import Image, Observation, SimulationError, StepResult, TaskEnv
from envs.options import HighwayOptions
from envs.strict import parse
from envs.traffic import pool
from envs.traffic.car_following import Array, automated_acceleration
from envs.traffic.frames import HISTORY_SIZE, FrameHistory
from envs.traffic.highway_metrics import HighwayRecord
from envs.traffic.highway_network import CONTROLLED_PART, HIGHWAY_LENGTH, in_range
from envs.traffic.highway_task import highway_task
from envs.traffic.highway_traffic import SPEED_MODE, TIME_STEP, Conditions, HighwayTraffic, from_automated_flow
from envs.traffic.reset_options import LARGEST_SIMULATION_SEED, one_of, whole_number
from envs.traffic.slots import Slots
from envs.traffic.snapshot import Snapshot
from envs.traffic.vehicle_types import SPEED_LIMIT


class Highway(TaskEnv):
    """Highway of the paper, on SUMO, with the vehicle dynamics of Flow and of the authors' code.

    One lane of 2.5 km with a slow part of 300 m behind it, and more vehicles than the slow part takes, so that
    traffic is jammed up to the entrance.  Every 22nd vehicle is automated.  Up to five of them are controlled, in
    the order in which they reach the controlled part, 500 to 2,300 m; the others drive like humans.  An episode
    begins with one of a few saved states (see :mod:`envs.traffic.pool`).  A step is 0.4 s.

    Observation, shape [125], float32: for each of the five slots, the most downstream vehicle first, the five most
    recent steps, newest first, zeros where there was none yet; of each step the vehicle's speed, its leader's
    speed, the gap to the leader, the follower's speed and the follower's gap, in m/s and m.  Empty slots are zero.
    Where nobody is ahead or behind, speed is 30 m/s and the gap the length of the road.

    Action, shape [5], in [-1, 1]: accelerations in units of ``max_accel``; those of empty slots are ignored.
    Fail-safes keep speed limits and try to avoid collisions, as with human drivers; where ``max_accel`` is too
    little to stop in time they come too late, unless ``av_speed_mode`` lets SUMO keep a safe speed.

    Reward: 0.1 times the squared mean speed of the vehicles on the controlled part; 0 if there is none, and in a
    step with a collision, which terminates.

    ``info`` holds ``end_speed`` and ``inflow`` (vehicles per hour), ``speed``, the controlled part's mean at
    present, and ``mean_speed``, its mean over the episode; how many ``vehicles`` there are, how many of them
    ``controlled``; how many have ``departed`` at the entrance and ``arrived`` at the end in this episode, the
    ``backlog`` that waits outside, and ``collision`` (0 or 1).

    Options of :meth:`reset`: ``end_speed``, the speed limit of the slow part in m/s; ``state``, the number of the
    saved state (with ``pool``); ``simulation_seed``, SUMO's random seed; each is drawn when not given.

    SUMO allows one simulation per process, see :class:`~envs.traffic.ring.RingRoad`.

    Args:
        render_mode: ``rgb_array`` or None, see :class:`~envs.base.TaskEnv`.
        options: fields of :class:`~envs.options.HighwayOptions`.

    Raises:
        ValueError: an option is unknown, or its value is not allowed.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 1 / TIME_STEP}  # noqa: RUF012
    video_speed = 20

    def __init__(self, *, render_mode: str | None = None, **options: Any) -> None:
        super().__init__(render_mode)
        self.options = parse(HighwayOptions, options)
        self.task = highway_task(self.options)
        self.observation_space = Box(-np.inf, np.inf, (self.options.slots * HISTORY_SIZE,), np.float32)
        self.action_space = Box(-1, 1, (self.options.slots,), np.float32)
        self._step_seconds = TIME_STEP * self.options.sims_per_step
        self.metadata = {**self.metadata, "render_fps": 1 / self._step_seconds}
        self.traffic = HighwayTraffic()
        self._record: HighwayRecord | None = None
        self._ended = False

    def reset_episode(self, options: Mapping[str, Any]) -> tuple[Observation, dict[str, Any]]:
        """Load or warm up traffic and return the first observation.

        Raises:
            MissingStatesError: the saved states were not made yet.
        """
        fixed = self._checked(options)
        settings, generator = self.options, self.np_random
        # All are always drawn, so that fixing one of them leaves everything random as it would have been.
        end_speed = settings.end_speeds[generator.integers(len(settings.end_speeds))]
        number = int(generator.integers(settings.states))
        simulation_seed = int(generator.integers(0, LARGEST_SIMULATION_SEED, endpoint=True))
        self.end_speed: float = fixed.get("end_speed", end_speed)
        self._ended = False
        self._start_traffic(fixed.get("state", number), fixed.get("simulation_seed", simulation_seed))
        self._record = HighwayRecord(self.end_speed, self._step_seconds)
        return self._observation(), self._info(self._rewarded_speeds(), collision=False)

    def step_episode(self, action: NDArray[np.float32]) -> StepResult:
        """Drive for one environment step: 0.4 s, times ``sims_per_step``."""
        if self._ended:
            raise RuntimeError("the episode has ended; call reset first")
        assert self._record is not None, "reset was never called"
        collision = False
        for _ in range(self.options.sims_per_step):
            collision = self._simulate(action)
            if collision:
                break
            self._record.count(self.traffic)
        self._record_frames()
        speeds = self._rewarded_speeds()
        reward = 0.1 * float(speeds.mean()) ** 2 if len(speeds) and not collision else 0.0
        self._record.add(self.traffic, speeds, self._places())
        self._ended = collision  # SUMO has moved those who collided, and may have removed them
        truncated = not collision and self._record.steps >= self.options.horizon
        info = self._info(speeds, collision)
        if collision or truncated:
            info["episode_metrics"] = self._record.metrics(collision, self.traffic.backlog)
        return self._observation(), reward, collision, truncated, info

    def snapshot(self) -> Snapshot:
        """Where the vehicles are; positions run from the entrance.

        Raises:
            RuntimeError: reset was never called.
        """
        if self._record is None:
            raise RuntimeError("there are no vehicles before the first reset")
        time = self._record.steps * self._step_seconds
        automated = np.zeros(len(self.traffic.names), dtype=np.bool_)
        if not self.options.human_only:
            automated[self._places()] = True
        return Snapshot(time, list(self.traffic.names), self.traffic.positions, self.traffic.speeds, automated)

    def draw(self) -> Image:
        """The road from the side of its length, [H, W, 3].

        Raises:
            RuntimeError: reset was never called.
        """
        # Matplotlib is slow to load, and trainings do without.
        from envs.traffic.drawing import highway_picture

        return highway_picture(self.snapshot(), self.end_speed)

    def close(self) -> None:
        """End the simulation; closing again does nothing."""
        self.traffic.close()

    def _start_traffic(self, number: int, simulation_seed: int) -> None:
        options = self.options
        self._slots = Slots(options.slots, *CONTROLLED_PART)
        self._automated: set[str] = set()
        self._histories: dict[str, FrameHistory] = {}
        state = pool.state_file(options, self.end_speed, number) if options.pool else None
        self.traffic.start(Conditions.of(options, self.end_speed), simulation_seed, state)
        if state is None:
            for _ in range(options.warmup_steps):
                if self.traffic.step(self.np_random, {}):
                    raise SimulationError(f"vehicles collided in the warm-up, end speed {self.end_speed:g} m/s")
        if options.enforced_end_speed is not None:
            self.traffic.enforce(options.enforced_end_speed)
        self._automate()
        self._fill_slots()
        self._record_frames()

    def _automate(self) -> None:
        """Make every 22nd vehicle (1 / ``automated_share``) automated, unless it is past the controlled part.

        They are counted from the entrance.  Those that were automated in the warm-up become human (authors' code).
        """
        every = round(1 / self.options.automated_share)
        chosen = range(every - 1, len(self.traffic.names), every)
        end = CONTROLLED_PART[1]
        self._automated = {self.traffic.names[index] for index in chosen if self.traffic.positions[index] < end}

    def _fill_slots(self) -> set[str]:
        """Move vehicles out of the slots and into them; returns those that have entered.

        Only in a slot a vehicle has a speed mode of its own.
        """
        traffic, before = self.traffic, set(self._slots.controlled)
        positions = {name: float(traffic.positions[traffic.index[name]]) for name in self._automated}
        self._slots.update(positions)
        after = set(self._slots.controlled)
        if not self.options.human_only:
            for name in after - before:
                traffic.set_speed_mode(name, self.options.av_speed_mode)
            for name in (before - after) & traffic.index.keys():
                traffic.set_speed_mode(name, SPEED_MODE)
        return after - before

    def _simulate(self, action: NDArray[np.float32]) -> bool:
        """One simulation step; True if vehicles collided.

        The vehicles of the slots get the actions.  Then the slots are filled anew: who has left them drives like a
        human at once, and who has entered is left to SUMO for this step (Flow).  Of several simulation steps per
        environment step each gives a slot's action to whoever is in it by then.
        """
        before = list(self._slots.controlled)
        entered = self._fill_slots()
        if self.options.human_only:
            collision = self.traffic.step(self.np_random, {})
        else:
            collision = self.traffic.step(self.np_random, self._accelerations(before, action), entered)
        if collision:
            return True
        self._automated.update(filter(from_automated_flow, self.traffic.departed))
        self._automated &= self.traffic.index.keys()
        return False

    def _accelerations(self, slots: Sequence[str], action: NDArray[np.float32]) -> dict[str, float]:
        """What the policy asks of those who were in the slots and still are, m/s^2."""
        kept = {name: slot for slot, name in enumerate(slots) if name in self._slots.controlled}
        speeds = self.traffic.speeds[[self.traffic.index[name] for name in kept]]
        chosen = action[list(kept.values())].astype(np.float64)
        wanted = automated_acceleration(chosen, speeds, self.options.max_accel, TIME_STEP)
        return dict(zip(kept, wanted.tolist(), strict=True))

    def _places(self) -> list[int]:
        """Indices of the controlled vehicles that are on the road, in the order of their slots."""
        return [self.traffic.index[name] for name in self._slots.controlled if name in self.traffic.index]

    def _record_frames(self) -> None:
        """Add a frame to the history of every automated vehicle, and drop those of vehicles that are gone."""
        traffic, nobody = self.traffic, [SPEED_LIMIT, HIGHWAY_LENGTH]
        gaps = np.where(np.isinf(traffic.gaps), HIGHWAY_LENGTH, traffic.gaps)
        for name in self._automated:
            at = traffic.index[name]
            follower = [traffic.speeds[at - 1], gaps[at - 1]] if at > 0 else nobody
            frame = np.array([traffic.speeds[at], traffic.leader_speeds[at], gaps[at], *follower])
            self._histories.setdefault(name, FrameHistory(self.options)).add(frame)
        for name in self._histories.keys() - self._automated:
            del self._histories[name]

    def _observation(self) -> Observation:
        observation = np.zeros((self.options.slots, HISTORY_SIZE), dtype=np.float32)
        for slot, name in enumerate(self._slots.controlled):
            if name in self._histories:
                observation[slot] = self._histories[name].values()
        return observation.reshape(-1)

    def _rewarded_speeds(self) -> Array:
        speeds: Array = self.traffic.speeds[in_range(self.traffic.positions)]
        return speeds

    def _info(self, speeds: Array, collision: bool) -> dict[str, Any]:
        """The road, and how its traffic flows at present and has flowed in this episode."""
        assert self._record is not None
        speed = float(speeds.mean()) if len(speeds) else 0.0
        return {
            "end_speed": self.end_speed,
            "inflow": sum(self.options.human_and_automated_flow),
            "speed": speed,
            "mean_speed": self._record.mean_speed if self._record.steps else speed,
            "collision": float(collision),
            "vehicles": float(len(self.traffic.names)),
            "controlled": float(len(self._slots.controlled)),
            "departed": float(self._record.departed),
            "arrived": float(self._record.arrived),
            "backlog": float(self.traffic.backlog),
        }

    def _checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Options of a reset, or a ValueError that says what is allowed."""
        settings = self.options
        allowed = {
            "end_speed": lambda name, value: one_of(name, value, settings.end_speeds),
            "state": lambda name, value: whole_number(name, value, 0, settings.states - 1),
            "simulation_seed": lambda name, value: whole_number(name, value, 0, LARGEST_SIMULATION_SEED),
        }
        if not settings.pool:
            del allowed["state"]
        if unknown := sorted(set(options) - set(allowed)):
            raise ValueError(f"unknown reset option {unknown[0]!r}; allowed are {', '.join(allowed)}")
        return {name: allowed[name](name, value) for name, value in options.items()}
