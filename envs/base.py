"""What every task of the suite offers beyond :class:`gymnasium.Env`.

A task is an ordinary gymnasium environment with one flat float32 observation.  On top of that it carries a
:class:`TaskSpec` (what a hierarchical learner must know about the task) and an ``episode_state`` that
restores an interrupted episode exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

Observation = NDArray[np.float32]
Image = NDArray[np.uint8]
StepResult = tuple[Observation, float, bool, bool, dict[str, Any]]


class SimulationError(RuntimeError):
    """A simulation broke down; the message is one line.  ``member`` is the environment's place in a vector."""

    member: int | None = None


class DrawingError(ImportError):
    """A picture cannot be drawn on this machine; the message is one line that says why and what to do."""


class ActionError(ValueError):
    """An action that no environment can carry out; the message is one line.  ``member`` as above."""

    member: int | None = None


@dataclass(frozen=True)
class EvaluationPoint:
    """One condition under which policies are evaluated, such as a target or a ring length.

    Attributes:
        name: as in the results, unique within a task.
        options: handed to :meth:`gymnasium.Env.reset`.
        ideal_goal: the goal that an ideal manager would set under this condition, d numbers in the units of the
            goal box, where theory gives one (None elsewhere).  It is there to report how far a manager's goals
            are from it; no learner ever sees it.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    ideal_goal: tuple[float, ...] | None = None


@dataclass(frozen=True)
class ImageSpec:
    """Size of the image at the end of a flat observation.

    Its entries are whole numbers from 0 to 255 in the order height, width, channel (the last changes fastest).

    Raises:
        ValueError: a size is not positive.
    """

    height: int
    width: int
    channels: int

    def __post_init__(self) -> None:
        if min(self.shape) < 1:
            raise ValueError(f"image of {self.shape} is not allowed; each of the three sizes must be at least 1")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.height, self.width, self.channels

    @property
    def size(self) -> int:
        """Number of observation entries."""
        return self.height * self.width * self.channels


@dataclass(frozen=True)
class VehicleSpec:
    """The automated vehicles that a traffic task's observations and actions are about, in V places.

    An observation is V equal parts, one per place and all zeros where there is no vehicle.  A part begins with the
    vehicle's speed, its leader's speed (m/s) and the gap to the leader (m) at present.  An action has V entries.

    Attributes:
        time_step: seconds per environment step.
        max_accel: acceleration that an action of 1 stands for, m/s^2.
    """

    time_step: float
    max_accel: float


@dataclass(frozen=True)
class TaskSpec:
    """A task as seen by a learner.

    Observation entries are addressed by index into the flat observation of length n.  The manager's action
    is a goal of dimension d for the observation entries ``goal_indices``.  Where an observation ends with an
    image, the entries before that are its states; a manager may see the image, a worker may not.

    Attributes:
        name: task name as in paths, configuration and tables (``ant_gather``).
        goal_low: lower corner of the goal box, shape [d], in observation units.
        goal_high: upper corner of the goal box, shape [d].
        goal_indices: observation entries that goals refer to, length d.
        relative_goals: True when a goal is a displacement from the current state (egocentric), False when
            it is a desired value.
        position_indices: observation entries that hold the agent's planar position; empty if there is none.
        manager_indices: observation entries the manager (and a flat policy) sees.
        worker_indices: observation entries the worker sees besides its goal.
        horizon: episode length in environment steps; reaching it truncates.
        reward_scale: factor the learner applies to rewards before storing them (paper, E.1).
        unit_scale: factor per observation entry, shape [n], that brings it to order one; used inside the
            networks when the configuration asks for ``input_scale: unit``.
        evaluation_points: conditions of the evaluation protocol.
        episode_metrics: names of the numbers in ``info["episode_metrics"]`` at the end of an episode.
        one_per_process: True when the simulator allows a single instance per process (libsumo); environments that
            learners use then get a process each, see :mod:`envs.processes`.
        image: the image that the last observation entries are; None if there is none.
        vehicles: the automated vehicles of a traffic task; None for any other.

    Raises:
        ValueError: indices or factors do not fit the image.
    """

    name: str
    goal_low: NDArray[np.float32]
    goal_high: NDArray[np.float32]
    goal_indices: tuple[int, ...]
    relative_goals: bool
    position_indices: tuple[int, ...]
    manager_indices: tuple[int, ...]
    worker_indices: tuple[int, ...]
    horizon: int
    reward_scale: float
    unit_scale: NDArray[np.float32]
    evaluation_points: tuple[EvaluationPoint, ...]
    episode_metrics: tuple[str, ...]
    one_per_process: bool = False
    image: ImageSpec | None = None
    vehicles: VehicleSpec | None = None

    def __post_init__(self) -> None:
        if self.image is None:
            return
        if self.states < 1:
            raise ValueError(f"an image of {self.image.size} entries leaves no states in {len(self.unit_scale)}")
        if (self.unit_scale[self.states :] != 1).any():
            raise ValueError("unit_scale of an image must be 1; networks bring pixels to order one themselves")
        for name in ("goal_indices", "position_indices", "worker_indices"):
            if wrong := [index for index in getattr(self, name) if index >= self.states]:
                raise ValueError(f"{name} holds {wrong[0]}, a pixel; allowed are states, 0 to {self.states - 1}")
        pixels = tuple(range(self.states, len(self.unit_scale)))
        seen = next((at for at, index in enumerate(self.manager_indices) if index >= self.states), None)
        if seen is not None and self.manager_indices[seen:] != pixels:
            raise ValueError("manager_indices must end with all pixels in order, or hold none")

    @property
    def states(self) -> int:
        """Number of observation entries that are not pixels."""
        return len(self.unit_scale) - (self.image.size if self.image else 0)

    @property
    def planar_goals(self) -> list[int]:
        """The goal dimensions that are the agent's planar position; empty if there is none."""
        return [self.goal_indices.index(index) for index in self.position_indices]

    @property
    def manager_image(self) -> ImageSpec | None:
        """The image that ends what the manager sees, if it sees one."""
        return self.image if max(self.manager_indices) >= self.states else None


class TaskEnv(gymnasium.Env[Observation, NDArray[np.float32]]):
    """Base class of all tasks.

    Subclasses set ``task``, ``observation_space`` and ``action_space`` and implement :meth:`reset_episode` and
    :meth:`step_episode`.  They draw randomness from ``self.np_random`` only.  At the end of an episode ``info``
    holds ``"episode_metrics"``: a dictionary with exactly the keys ``task.episode_metrics`` (floats).

    ``episode_state`` is what a checkpoint stores about a running episode.  By default it holds the random state
    before the last reset and the actions since, and setting it replays them; a simulator that can save its
    state exactly overrides the property.

    Subclasses whose pictures can be drawn implement :meth:`draw`, name the mode ``rgb_array`` and the steps per
    second of real time in ``metadata``, and hand ``render_mode`` on to this class.

    Args:
        render_mode: ``rgb_array`` for pictures, None for none.

    Attributes:
        video_speed: how many times faster than in reality a video shows the task.
        simulator_restarts: how often a lost simulator was replaced, see :mod:`envs.processes`.

    Raises:
        ValueError: the render mode is not one of the task's.
    """

    task: TaskSpec
    video_speed: ClassVar[int] = 1
    simulator_restarts: int = 0

    def __init__(self, render_mode: str | None = None) -> None:
        allowed = self.metadata["render_modes"]
        if render_mode is not None and render_mode not in allowed:
            raise ValueError(f"render_mode is {render_mode!r}; allowed: {', '.join([*allowed, 'None'])}")
        self.render_mode = render_mode
        self._reset_random_state: dict[str, Any] = {}
        self._reset_options: dict[str, Any] | None = None
        self._actions: list[NDArray[np.float32]] = []
        self._shown: Observation | None = None

    def reset_episode(self, options: Mapping[str, Any]) -> tuple[Observation, dict[str, Any]]:
        """Start an episode and return its first observation and info."""
        raise NotImplementedError

    def step_episode(self, action: NDArray[np.float32]) -> StepResult:
        """Advance by one environment step under an action already clipped to the action box."""
        raise NotImplementedError

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start a new episode (gymnasium API); ``options`` are the task's own, see its class."""
        super().reset(seed=seed)
        self._reset_random_state = dict(self.np_random.bit_generator.state)
        self._reset_options = options
        self._actions = []
        self._shown, info = self.reset_episode(options or {})
        return self._shown, info

    def step(self, action: NDArray[np.float32]) -> StepResult:
        """Advance by one environment step (gymnasium API).  Actions are clipped to the action box.

        Raises:
            ActionError: the action has another shape than the box, or is not finite.
            SimulationError: the simulation broke down.
        """
        space = self.action_space
        assert isinstance(space, gymnasium.spaces.Box)
        action = np.asarray(action, dtype=np.float32)
        if action.shape != space.shape or not np.isfinite(action).all():
            text = np.array2string(action, max_line_width=10_000)
            size = space.shape[0]
            raise ActionError(f"action {text} is not allowed; it must be {size} finite number{'s' * (size > 1)}")
        action = np.minimum(np.maximum(action, space.low), space.high)
        result = self.step_episode(action)
        self._actions.append(action)
        self._shown = result[0]
        return result

    def draw(self) -> Image:
        """A picture of the present state, [H, W, 3]."""
        raise NotImplementedError

    def prepare_to_draw(self) -> None:
        """Load what :meth:`draw` needs, so that what is missing shows now; the first picture does it otherwise.

        Raises:
            DrawingError: a system library is missing.
        """

    def render(self) -> Image | None:
        """A picture of the present state, [H, W, 3]; None if the environment was made without a render mode."""
        return None if self.render_mode is None else self.draw()

    @property
    def episode_state(self) -> dict[str, Any]:
        """Plain types and arrays from which the running episode continues exactly."""
        shape = (len(self._actions), *(self.action_space.shape or ()))
        return {
            "random_state": self._reset_random_state,
            "options": self._reset_options,
            "actions": np.array(self._actions, dtype=np.float32).reshape(shape),
            "observation": None if self._shown is None else self._shown.copy(),
        }

    @episode_state.setter
    def episode_state(self, state: dict[str, Any]) -> None:
        self.np_random.bit_generator.state = state["random_state"]
        self.reset(options=state["options"])
        for action in np.asarray(state["actions"], dtype=np.float32):
            self.step(action)
        shown: Observation | None = state["observation"]
        if shown is not None and self._shown is not None and not np.array_equal(self._shown, shown):
            what = "the simulator, or what its episodes begin with, has changed"
            raise SimulationError(f"the episode on {self.task.name} does not repeat itself: {what}")
