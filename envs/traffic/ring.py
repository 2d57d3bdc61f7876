"""The ring road task: one automated vehicle among 21 humans who, left alone, drive in stop-and-go waves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.base import EvaluationPoint, Observation, StepResult, TaskEnv, TaskSpec
from envs.traffic.car_following import acceleration_noise, automated_acceleration, equilibrium_speed
from envs.traffic.ring_traffic import AUTOMATED_VEHICLE, TIME_STEP, VEHICLES, RingTraffic

FRAMES = 5
FRAME_SIZE = 5
OBSERVATION_SIZE = FRAMES * FRAME_SIZE
SHORTEST_RING = 155  # at 154 m, standstill gaps fill the ring and uniform human traffic does not move
LARGEST_SIMULATION_SEED = 100_000
EVALUATION_LENGTHS = tuple(round(length) for length in np.linspace(220, 270, 10))


def ring_road_task(horizon: int) -> TaskSpec:
    """The learner's view of the task.  Goals are desired speeds of the automated vehicle, 0 to 10 m/s (paper)."""
    everything = tuple(range(OBSERVATION_SIZE))
    return TaskSpec(
        name="ring_road",
        goal_low=np.array([0], dtype=np.float32),
        goal_high=np.array([10], dtype=np.float32),
        goal_indices=(0,),
        relative_goals=False,
        position_indices=(),
        manager_indices=everything,
        worker_indices=everything,
        horizon=horizon,
        reward_scale=1.0,
        unit_scale=np.full(OBSERVATION_SIZE, 0.1, dtype=np.float32),
        evaluation_points=tuple(EvaluationPoint(f"length_{n}", {"length": n}) for n in EVALUATION_LENGTHS),
        episode_metrics=("return_fraction", "mean_speed", "ring_length", "collisions"),
        one_per_process=True,
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

    Options of :meth:`reset`: ``length``, the ring's length in whole metres, and ``simulation_seed``, SUMO's random
    seed; each is drawn when not given.

    SUMO allows one simulation per process: the environment that was reset last owns it, and :meth:`step` of any
    other raises RuntimeError.

    Args:
        history_bug: keep frames as the authors' code does, which forgets all but the newest whenever a sixth
            arrives.
        warmup_steps: simulation steps before the episode (paper: 1500).
        horizon: steps after which the episode is truncated (paper: 1500).
        noise: level of the noise on human accelerations, see :func:`acceleration_noise` (authors' code: 0.2).
        perturbation: standard deviation of the start positions, metres (authors' code: 0.5).
        max_accel: largest acceleration and deceleration of the automated vehicle, m/s^2 (authors' code: 0.5).
        lengths: smallest and largest ring length, whole metres (paper: 220 to 270).
        human_only: ignore the actions and leave the automated vehicle to SUMO's own model during the episode as
            well, which gives the human baseline.

    Raises:
        ValueError: if an argument is outside its range.
    """

    def __init__(
        self,
        *,
        history_bug: bool = False,
        warmup_steps: int = 1500,
        horizon: int = 1500,
        noise: float = 0.2,
        perturbation: float = 0.5,
        max_accel: float = 0.5,
        lengths: tuple[int, int] = (220, 270),
        human_only: bool = False,
    ) -> None:
        super().__init__()
        self.history_bug = history_bug
        self.human_only = human_only
        self.warmup_steps = _whole_number("warmup_steps", warmup_steps, 0)
        self.horizon = _whole_number("horizon", horizon, 1)
        self.noise = _number("noise", noise, 0, 10)
        self.perturbation = _number("perturbation", perturbation, 0, 1)
        self.max_accel = _number("max_accel", max_accel, 0, 10)
        self.lengths = _length_range(lengths)
        self.task = ring_road_task(self.horizon)
        self.observation_space = Box(-np.inf, np.inf, (OBSERVATION_SIZE,), np.float32)
        self.action_space = Box(-1, 1, (1,), np.float32)
        self.traffic = RingTraffic()
        self._frames: list[NDArray[np.float64]] = []

    def reset_episode(self, options: Mapping[str, Any]) -> tuple[Observation, dict[str, Any]]:
        """Draw a ring, let traffic form on it and return the first observation; ``info`` names the length."""
        fixed = _checked_options(options)
        # Both are always drawn, so that fixing one of them leaves everything random as it would have been.
        length = int(self.np_random.integers(*self.lengths, endpoint=True))
        seed = int(self.np_random.integers(0, LARGEST_SIMULATION_SEED, endpoint=True))
        self.length = fixed.get("length", length)
        self.traffic.start(self.length, self.perturbation, fixed.get("simulation_seed", seed), self.np_random)
        self._frames.clear()
        self._record_frame()
        for _ in range(self.warmup_steps):
            if self._advance(None):
                raise RuntimeError(f"vehicles collided in the warm-up on a ring of {self.length} m")
        self._steps, self._return, self._sum_of_speeds = 0, 0.0, 0.0
        return self._observation(), {"length": float(self.length), "mean_speed": self._mean_speed}

    def step_episode(self, action: NDArray[np.float32]) -> StepResult:
        """Drive for one simulation step of 0.2 s."""
        collision = self._advance(None if self.human_only else self._automated_speed(float(action[0])))
        reward = 0.0 if collision else 0.1 * self._mean_speed**2
        self._steps += 1
        self._return += reward
        self._sum_of_speeds += self._mean_speed
        truncated = not collision and self._steps >= self.horizon
        info: dict[str, Any] = {"mean_speed": self._mean_speed}
        if collision or truncated:
            info["episode_metrics"] = self._episode_metrics(collision)
        return self._observation(), reward, collision, truncated, info

    def close(self) -> None:
        """End the simulation; closing again does nothing."""
        self.traffic.close()

    @property
    def _mean_speed(self) -> float:
        return float(self.traffic.speeds.mean())

    def _automated_speed(self, action: float) -> float:
        speed = float(self.traffic.speeds[AUTOMATED_VEHICLE])
        acceleration = automated_acceleration(action, speed, self.max_accel, TIME_STEP)
        return max(speed + acceleration * TIME_STEP, 0.0)

    def _advance(self, automated_speed: float | None) -> bool:
        noise = acceleration_noise(self.np_random, self.noise, TIME_STEP, VEHICLES - 1)
        collision = self.traffic.step(noise, automated_speed)
        self._record_frame()
        return collision

    def _record_frame(self) -> None:
        own, leader, follower = AUTOMATED_VEHICLE, 0, AUTOMATED_VEHICLE - 1
        speeds, gaps = self.traffic.speeds, self.traffic.gaps
        frame = np.array([speeds[own], speeds[leader], gaps[own], speeds[follower], gaps[follower]])
        self._frames.insert(0, frame)
        if len(self._frames) > FRAMES:
            del self._frames[1 if self.history_bug else FRAMES :]

    def _observation(self) -> Observation:
        observation = np.zeros(OBSERVATION_SIZE, dtype=np.float32)
        observation[: len(self._frames) * FRAME_SIZE] = np.concatenate(self._frames)
        return observation

    def _episode_metrics(self, collision: bool) -> dict[str, float]:
        """``return_fraction`` is the return over that of ``horizon`` steps of uniform human traffic."""
        uniform_return = 0.1 * self.horizon * equilibrium_speed(self.length, VEHICLES) ** 2
        return {
            "return_fraction": self._return / uniform_return,
            "mean_speed": self._sum_of_speeds / self._steps,
            "ring_length": float(self.length),
            "collisions": float(collision),
        }


def _whole_number(name: str, value: Any, low: int, high: int | None = None) -> int:
    number = int(value) if isinstance(value, Integral) and not isinstance(value, bool) else None
    if number is None or number < low or (high is not None and number > high):
        allowed = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} must be a whole number {allowed}, got {value!r}")
    return number


def _number(name: str, value: Any, low: float, high: float) -> float:
    number = float(value) if isinstance(value, Real) else math.nan
    if not low <= number <= high:
        raise ValueError(f"{name} must be a number from {low} to {high}, got {value!r}")
    return number


def _length_range(lengths: Any) -> tuple[int, int]:
    if not isinstance(lengths, list | tuple) or len(lengths) != 2:
        raise ValueError(f"lengths must be a pair, the smallest and the largest length in metres, got {lengths!r}")
    shortest = _whole_number("the smallest of lengths", lengths[0], SHORTEST_RING)
    return shortest, _whole_number("the largest of lengths", lengths[1], shortest)


def _checked_options(options: Mapping[str, Any]) -> dict[str, int]:
    ranges = {"length": (SHORTEST_RING, None), "simulation_seed": (0, LARGEST_SIMULATION_SEED)}
    if unknown := sorted(set(options) - set(ranges)):
        raise ValueError(f"unknown reset option {unknown[0]!r}; allowed are {', '.join(ranges)}")
    return {name: _whole_number(name, value, *ranges[name]) for name, value in options.items()}
