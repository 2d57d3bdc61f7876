"""The ring road task: one automated vehicle among 21 humans who, left alone, drive in stop-and-go waves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.base import (
    EvaluationPoint,
    Image,
    Observation,
    SimulationError,
    StepResult,
    TaskEnv,
    TaskSpec,
    VehicleSpec,
)
from envs.options import SHORTEST_RING, RingRoadOptions
from envs.strict import parse
from envs.traffic.car_following import acceleration_noise, automated_acceleration, equilibrium_speed, next_speed
from envs.traffic.frames import HISTORY_SIZE, FrameHistory
from envs.traffic.reset_options import LARGEST_SIMULATION_SEED, whole_number
from envs.traffic.ring_metrics import RING_METRICS, RingRecord
from envs.traffic.ring_network import circumference
from envs.traffic.ring_traffic import (
    AUTOMATED_VEHICLE,
    NAMES,
    TIME_STEP,
    VEHICLES,
    RingTraffic,
    Start,
    random_start,
    uniform_start,
)
from envs.traffic.snapshot import Snapshot

EVALUATION_LENGTHS = 10
IS_AUTOMATED = np.arange(VEHICLES) == AUTOMATED_VEHICLE


def ring_road_task(options: RingRoadOptions) -> TaskSpec:
    """The learner's view of the task.  Goals are desired speeds of the automated vehicle, 0 to 10 m/s (E.2)."""
    lengths = dict.fromkeys(round(length) for length in np.linspace(*options.lengths, EVALUATION_LENGTHS))
    everything = tuple(range(HISTORY_SIZE))
    return TaskSpec(
        name="ring_road",
        goal_low=np.array([0], dtype=np.float32),
        goal_high=np.array([10], dtype=np.float32),
        goal_indices=(0,),
        relative_goals=False,
        position_indices=(),
        manager_indices=everything,
        worker_indices=everything,
        horizon=options.horizon,
        reward_scale=1.0,
        unit_scale=np.full(HISTORY_SIZE, 0.1, dtype=np.float32),
        evaluation_points=tuple(_evaluation_point(length) for length in lengths),
        episode_metrics=RING_METRICS,
        one_per_process=True,
        vehicles=VehicleSpec(TIME_STEP, options.max_accel),
    )


class RingRoad(TaskEnv):
    """Ring Road of the paper, on SUMO, with the vehicle dynamics of Flow and of the authors' code.

    The ring's length is drawn anew at every reset.  22 vehicles start at rest and drive for ``warmup_steps`` with
    the automated vehicle left to SUMO's own Intelligent Driver Model; then the episode begins.  A step is 0.2 s.

    Observation, shape [25], float32: the five most recent steps, newest first, zeros where there was none yet;
    of each step the automated vehicle's speed, its leader's speed, the gap to the leader, the follower's speed
    and the follower's gap, in m/s and m.

    Action, shape [1], in [-1, 1]: acceleration in units of ``max_accel``.  SUMO drives more slowly
    than asked where it holds the speed unsafe.

    Reward: 0.1 times the squared mean speed of all vehicles; 0 in a step with a collision, which terminates.
    (The paper's formula, (0.1 / n) [sum n v]^2, is not meant literally; this is the authors' code.)

    ``info`` holds ``length`` of the ring, ``uniform_speed`` of evenly spaced humans on it, ``speed``, the mean
    over vehicles at present, ``mean_speed``, its mean over the episode, ``speed_fraction``, that over
    ``uniform_speed``, and ``collision`` (0 or 1).

    Options of :meth:`reset`: ``length``, the ring's length in whole metres, and ``simulation_seed``, SUMO's random
    seed; each is drawn when not given.

    SUMO allows one simulation per process: the environment that was reset last owns it, and :meth:`step` of any
    other raises RuntimeError.

    Args:
        render_mode: ``rgb_array`` or None, see :class:`~envs.base.TaskEnv`.
        options: fields of :class:`~envs.options.RingRoadOptions`.

    Raises:
        ValueError: an option is unknown, or its value is not allowed.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": round(1 / TIME_STEP)}  # noqa: RUF012
    video_speed = 20

    def __init__(self, *, render_mode: str | None = None, **options: Any) -> None:
        super().__init__(render_mode)
        self.options = parse(RingRoadOptions, options)
        self.task = ring_road_task(self.options)
        self.observation_space = Box(-np.inf, np.inf, (HISTORY_SIZE,), np.float32)
        self.action_space = Box(-1, 1, (1,), np.float32)
        self.traffic = RingTraffic()
        self._history: FrameHistory | None = None

    def reset_episode(self, options: Mapping[str, Any]) -> tuple[Observation, dict[str, Any]]:
        """Draw a ring, let traffic form on it and return the first observation."""
        fixed = _checked_options(options)
        # Both are always drawn, so that fixing one of them leaves everything random as it would have been.
        length = int(self.np_random.integers(*self.options.lengths, endpoint=True))
        seed = int(self.np_random.integers(0, LARGEST_SIMULATION_SEED, endpoint=True))
        self.length = fixed.get("length", length)
        self.traffic.start(self.length, self._start(), fixed.get("simulation_seed", seed))
        self._history = FrameHistory(self.options)
        self._record_frame()
        humans = VEHICLES if self.options.av_warmup == "idm" else VEHICLES - 1
        for _ in range(self.options.warmup_steps):
            if self._advance(None, humans):
                raise SimulationError(f"vehicles collided in the warm-up on a ring of {self.length} m")
        self._record = RingRecord(self.length, self.options.horizon)
        return self._observation(), self._info(collision=False)

    def step_episode(self, action: NDArray[np.float32]) -> StepResult:
        """Drive for one simulation step of 0.2 s."""
        collision = self._advance(None if self.options.human_only else self._automated_speed(action))
        mean_speed = self._mean_speed
        reward = 0.0 if collision else 0.1 * mean_speed**2
        self._record.add(reward, mean_speed, self.traffic.speeds, self.traffic.gaps)
        truncated = not collision and self._record.steps >= self.options.horizon
        info = self._info(collision)
        if collision or truncated:
            info["episode_metrics"] = self._record.metrics(collision)
        return self._observation(), reward, collision, truncated, info

    def draw(self) -> Image:
        """The ring from above, [480, 480, 3].

        Raises:
            RuntimeError: reset was never called, so there is no ring yet.
        """
        if self._history is None:
            raise RuntimeError("there is nothing to draw before the first reset")
        # Matplotlib is slow to load, and trainings do without.
        from envs.traffic.drawing import ring_picture

        return ring_picture(circumference(self.length), self.traffic.positions, IS_AUTOMATED, self._mean_speed)

    def snapshot(self) -> Snapshot:
        """Where the vehicles are; positions run from the ring's lowest point.

        Raises:
            RuntimeError: reset was never called.
        """
        if self._history is None:
            raise RuntimeError("there are no vehicles before the first reset")
        automated = IS_AUTOMATED & (not self.options.human_only)
        time = self._record.steps * TIME_STEP
        return Snapshot(time, list(NAMES), self.traffic.positions, self.traffic.speeds, automated)

    def close(self) -> None:
        """End the simulation; closing again does nothing."""
        self.traffic.close()

    @property
    def _mean_speed(self) -> float:
        return float(self.traffic.speeds.mean())

    def _info(self, collision: bool) -> dict[str, Any]:
        """The ring, and how its traffic flows at present and has flowed in this episode."""
        mean_speed = self._record.mean_speed if self._record.steps else self._mean_speed
        return {
            "length": float(self.length),
            "uniform_speed": self._record.uniform_speed,
            "speed": self._mean_speed,
            "mean_speed": mean_speed,
            "speed_fraction": mean_speed / self._record.uniform_speed,
            "collision": float(collision),
        }

    def _automated_speed(self, action: NDArray[np.float32]) -> float:
        speed = self.traffic.speeds[[AUTOMATED_VEHICLE]]
        acceleration = automated_acceleration(action.astype(np.float64), speed, self.options.max_accel, TIME_STEP)
        return next_speed(speed, acceleration, TIME_STEP).item()

    def _start(self) -> Start:
        options, generator = self.options, self.np_random
        if options.spacing == "random":
            return random_start(self.length, generator)
        return uniform_start(self.length, options.perturbation, generator)

    def _advance(self, automated_speed: float | None, humans: int = VEHICLES - 1) -> bool:
        """One simulation step in which so many drive like humans; True if vehicles collided."""
        noise = acceleration_noise(self.np_random, self.options.noise, TIME_STEP, humans)
        collision = self.traffic.step(noise, automated_speed)
        self._record_frame()
        return collision

    def _record_frame(self) -> None:
        own, leader, follower = AUTOMATED_VEHICLE, 0, AUTOMATED_VEHICLE - 1
        speeds, gaps = self.traffic.speeds, self.traffic.gaps
        assert self._history is not None
        self._history.add(np.array([speeds[own], speeds[leader], gaps[own], speeds[follower], gaps[follower]]))

    def _observation(self) -> Observation:
        assert self._history is not None
        return self._history.values().astype(np.float32)


def _evaluation_point(length: int) -> EvaluationPoint:
    """A ring of one length; an ideal manager asks for the speed of uniform traffic on it."""
    return EvaluationPoint(f"length_{length}", {"length": length}, (equilibrium_speed(length, VEHICLES),))


def _checked_options(options: Mapping[str, Any]) -> dict[str, int]:
    ranges = {"length": (SHORTEST_RING, None), "simulation_seed": (0, LARGEST_SIMULATION_SEED)}
    if unknown := sorted(set(options) - set(ranges)):
        raise ValueError(f"unknown reset option {unknown[0]!r}; allowed are {', '.join(ranges)}")
    return {name: whole_number(name, value, *ranges[name]) for name, value in options.items()}
