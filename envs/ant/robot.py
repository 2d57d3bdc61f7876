"""What all Ant tasks share: the robot, its reset, its observation and its exact state."""

from __future__ import annotations

from math import atan2, isfinite
from typing import Any

import mujoco
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.ant.arena import Arena
from envs.ant.model import MAX_TORQUE, TORSO_BODY, build_model
from envs.ant.path import PATH_METRICS, PlanarPath
from envs.ant.rendering import ArenaRenderer, Marker
from envs.base import Image, SimulationError, TaskEnv
from envs.options import AntOptions

SUBSTEPS = 5
POSITION_SIZE = 15
VELOCITY_SIZE = 14
ROBOT_SIZE = POSITION_SIZE + VELOCITY_SIZE
CONTACT_FORCE_SIZE = 84

#: Episode metrics of every Ant task, in the order of :meth:`AntEnv.robot_metrics`.
ROBOT_METRICS = ("violations", *PATH_METRICS)

# Half ranges of the manager's goals, which are displacements of x, y, z, the quaternion w, x, y, z and the
# four pairs of hip and ankle angles (paper, E.2; joint angles as in the authors' code).
GOAL_HALF_RANGE = np.array([10, 10, 0.5, 1, 1, 1, 1, *([0.5, 0.3] * 4)], dtype=np.float32)

_RLLAB_POSE = np.array([0, 0, 0.55, 1, 0, 0, 0, 0, 1, 0, -1, 0, -1, 0, 1], dtype=np.float64)
_STATE = mujoco.mjtState.mjSTATE_INTEGRATION

# MuJoCo meets these with a reset of the simulation or, the last one, of the torques.  The others it survives.
_FATAL_WARNINGS = [
    mujoco.mjtWarning.mjWARN_BADQPOS,
    mujoco.mjtWarning.mjWARN_BADQVEL,
    mujoco.mjtWarning.mjWARN_BADQACC,
    mujoco.mjtWarning.mjWARN_BADCTRL,
]


def goal_space() -> dict[str, Any]:
    """The fields of a :class:`~envs.base.TaskSpec` that say what goals are; the same in every Ant task."""
    return {
        "goal_low": -GOAL_HALF_RANGE,
        "goal_high": GOAL_HALF_RANGE.copy(),
        "goal_indices": tuple(range(POSITION_SIZE)),
        "relative_goals": True,
        "position_indices": (0, 1),
    }


class AntEnv(TaskEnv):
    """Base class of the Ant tasks.

    A step lasts 0.1 s: five substeps (paper, D.2) of the fourth-order Runge-Kutta integrator (authors' code).
    The action is the torque of the eight motors in N m, shape [8], in [-30, 30], in the model's actuator order
    (fourth leg first).

    Every step is audited: one that leaves the torso's centre inside a wall or outside the arena, or on which
    MuJoCo warned, is a violation.  ``info["violation"]`` says what was wrong with it, and the metric
    ``violations`` counts them.  It should be 0; if not, a return may have been won by other means than the task's.

    Subclasses implement the methods of :class:`~envs.base.TaskEnv`, and :meth:`save_task` and
    :meth:`load_task` for what neither the simulator nor this class knows.  Their episode metrics end with
    :data:`ROBOT_METRICS`.

    Args:
        arena: where the robot moves.
        options: fields of the task's options.
        render_mode: as in :class:`~envs.base.TaskEnv`.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(self, arena: Arena, options: AntOptions, render_mode: str | None = None) -> None:
        super().__init__(render_mode)
        self.arena = arena
        self.model = build_model(arena.blocks, contact=options.contact)
        self.data = mujoco.MjData(self.model)
        self.elapsed_steps = 0
        self.path = PlanarPath()
        self._violations = 0
        self._renderer: ArenaRenderer | None = None
        self._init = options.init
        self._with_contact_forces = options.contact_forces
        self.action_space = Box(-MAX_TORQUE, MAX_TORQUE, (self.model.nu,), np.float32)

    @property
    def position(self) -> NDArray[np.float64]:
        """Planar position of the torso in metres, shape [2]; a live view."""
        return self.data.qpos[:2]

    @property
    def height(self) -> float:
        """Height of the torso's centre in metres."""
        return float(self.data.qpos[2])

    @property
    def heading(self) -> float:
        """Direction of the torso's x axis in the plane, in radians; right for a quaternion of any norm."""
        w, x, y, z = self.data.qpos[3:7].tolist()
        return atan2(2 * (x * y + w * z), w * w + x * x - y * y - z * z)

    def reset_robot(self) -> None:
        """Put the robot at the origin in its noisy initial pose and zero the simulator's clock."""
        mujoco.mj_resetData(self.model, self.data)
        if self._init == "rllab":
            self.data.qpos[:] = _RLLAB_POSE + 0.01 * self.np_random.standard_normal(POSITION_SIZE)
        else:
            self.data.qpos[:] += self.np_random.uniform(-0.1, 0.1, POSITION_SIZE)
        self.data.qvel[:] = 0.1 * self.np_random.standard_normal(VELOCITY_SIZE)
        mujoco.mj_forward(self.model, self.data)
        self.elapsed_steps = 0
        self.path.clear()
        self._violations = 0

    def simulate(self, action: NDArray[np.float32]) -> dict[str, Any]:
        """Apply torques ``action`` (N m, shape [8]) for one step.

        Returns:
            What ``info`` must say of it: nothing, or a violation.

        Raises:
            SimulationError: the simulation broke down, for instance through an action that is not a number.
        """
        start = self.position.tolist()
        self.data.ctrl[:] = action
        mujoco.mj_step(self.model, self.data, nstep=SUBSTEPS)
        self.elapsed_steps += 1
        end = self.position.tolist()
        violation = self._audit(end)
        self.path.add(start, end)
        if violation is None:
            return {}
        self._violations += 1
        return {"violation": violation}

    def robot_metrics(self) -> dict[str, float]:
        """What every Ant task says about an episode: :data:`ROBOT_METRICS`."""
        return {"violations": float(self._violations), **self.path.metrics()}

    def robot_state(self) -> list[NDArray[np.float64]]:
        """Robot part of the observation: positions [15], velocities [14] and, if asked for, forces [84].

        Positions are x, y, z (m), the torso's quaternion w, x, y, z and hip and ankle angles (rad) of the four
        legs; velocities follow the same order, with the torso's angular velocity in its own frame.  Contact
        forces are torque and force of all 14 bodies, clipped to [-1, 1] (authors' code).
        """
        if not self._with_contact_forces:
            return [self.data.qpos, self.data.qvel]
        mujoco.mj_rnePostConstraint(self.model, self.data)
        return [self.data.qpos, self.data.qvel, self.data.cfrc_ext.clip(-1, 1).ravel()]

    def torso_frame(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Rotation matrix of the torso, row-major [9], and centre of mass of the robot in metres [3]."""
        # After a step these still belong to the integrator's last stage.
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)
        return self.data.xmat[TORSO_BODY], self.data.subtree_com[TORSO_BODY]

    def markers(self) -> list[Marker]:
        """What a picture shows besides robot and walls; nothing, unless a task says otherwise."""
        return []

    def prepare_to_draw(self) -> None:
        """Make the renderer, if there is none yet."""
        if self._renderer is None:
            self._renderer = ArenaRenderer(self.model)

    def draw(self) -> Image:
        """The whole arena from above, [480, 480, 3]."""
        self.prepare_to_draw()
        assert self._renderer is not None
        return self._renderer.draw(self.data.qpos, self.markers())

    def close(self) -> None:
        """Free the renderer, if there is one."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def save_task(self) -> dict[str, Any]:
        """What the task must remember of a running episode besides the robot: plain types and arrays."""
        raise NotImplementedError

    def load_task(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`save_task` gave."""
        raise NotImplementedError

    @property
    def episode_state(self) -> dict[str, Any]:
        """Random state, MuJoCo's full integration state, what was counted so far, and the task's own part."""
        simulation = np.empty(mujoco.mj_stateSize(self.model, _STATE))
        mujoco.mj_getState(self.model, self.data, simulation, _STATE)
        return {
            "random_state": self.np_random.bit_generator.state,
            "simulation": simulation,
            "elapsed_steps": self.elapsed_steps,
            "path": self.path.state,
            "violations": self._violations,
            "task": self.save_task(),
        }

    @episode_state.setter
    def episode_state(self, state: dict[str, Any]) -> None:
        self.np_random.bit_generator.state = state["random_state"]
        mujoco.mj_resetData(self.model, self.data)
        mujoco.mj_setState(self.model, self.data, state["simulation"], _STATE)
        self.elapsed_steps = state["elapsed_steps"]
        self.path.state = state["path"]
        self._violations = state["violations"]
        self.load_task(state["task"])

    def _audit(self, position: list[float]) -> str | None:
        """What is wrong with the step just made, if anything."""
        counts = self.data.warning.number  # a live view, which a copy of the environment must not share
        warned = any(counts.tolist())
        # A diverged simulation starts anew by itself, which would look like a jump home.
        squares = self.data.qpos.dot(self.data.qpos) + self.data.qvel.dot(self.data.qvel)
        if not isfinite(squares) or (warned and any(counts[kind] for kind in _FATAL_WARNINGS)):
            raise SimulationError(f"the simulation broke down at step {self.elapsed_steps}: {self._warnings()}")
        if warned:
            text = self._warnings()
            counts[:] = 0
            return text
        return None if self.arena.is_open(*position) else "the torso is inside a wall or outside the arena"

    def _warnings(self) -> str:
        kinds = [name for name in mujoco.mjtWarning.__members__ if name != "mjNWARNING"]
        found = [kind for kind, number in zip(kinds, self.data.warning.number, strict=True) if number]
        return ", ".join(found) or "the state is not finite"
