"""What all Ant tasks share: the robot, its reset, its observation and its exact state."""

from __future__ import annotations

from collections.abc import Iterable
from math import atan2, isfinite
from typing import Any

import mujoco
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.ant.model import MAX_TORQUE, TORSO_BODY, Block, build_model
from envs.ant.path import PlanarPath
from envs.ant.rendering import ArenaRenderer, Marker
from envs.base import Image, TaskEnv

SUBSTEPS = 5
POSITION_SIZE = 15
VELOCITY_SIZE = 14
ROBOT_SIZE = POSITION_SIZE + VELOCITY_SIZE
CONTACT_FORCE_SIZE = 84
INITS = ("rllab", "gym")

# Half ranges of the manager's goals, which are displacements of x, y, z, the quaternion w, x, y, z and the
# four pairs of hip and ankle angles (paper, E.2; joint angles as in the authors' code).
GOAL_HALF_RANGE = np.array([10, 10, 0.5, 1, 1, 1, 1, *([0.5, 0.3] * 4)], dtype=np.float32)

_RLLAB_POSE = np.array([0, 0, 0.55, 1, 0, 0, 0, 0, 1, 0, -1, 0, -1, 0, 1], dtype=np.float64)
_STATE = mujoco.mjtState.mjSTATE_INTEGRATION


class AntEnv(TaskEnv):
    """Base class of the Ant tasks.

    A step lasts 0.1 s: five substeps (paper, D.2) of the fourth-order Runge-Kutta integrator (authors' code).
    The action is the torque of the eight motors in N m, shape [8], in [-30, 30], in the model's actuator order
    (fourth leg first).

    Args:
        blocks: fixed boxes of the scene.
        contact: contact impedance, ``stiff`` (authors' mazes) or ``soft`` (authors' gather task).
        init: initial pose.  ``rllab`` is a crouch with normal noise of standard deviation 0.01 on every position
            entry; ``gym`` has the torso at 0.75 m and all joints at 0, with U(-0.1, 0.1) noise.  Velocities are
            normal with standard deviation 0.1 (m/s, rad/s).  The noisy quaternion is not normalised.
        contact_forces: add contact forces to :meth:`robot_state`.
        render_mode: as in :class:`~envs.base.TaskEnv`.

    Subclasses implement the methods of :class:`~envs.base.TaskEnv`, and :meth:`save_task` and
    :meth:`load_task` for what neither the simulator nor this class knows.  Their episode metrics end with
    :data:`~envs.ant.path.PATH_METRICS`, which ``self.path.metrics()`` gives: the torso's path is recorded here.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(
        self,
        blocks: Iterable[Block] = (),
        *,
        contact: str,
        init: str,
        contact_forces: bool = False,
        render_mode: str | None = None,
    ) -> None:
        super().__init__(render_mode)
        if init not in INITS:
            raise ValueError(f"init is {init!r}; allowed: {', '.join(INITS)}")
        self.model = build_model(blocks, contact=contact)
        self.data = mujoco.MjData(self.model)
        self._warning_counts = self.data.warning.number  # a live view
        self.elapsed_steps = 0
        self.path = PlanarPath()
        self._renderer: ArenaRenderer | None = None
        self._init = init
        self._with_contact_forces = contact_forces
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

    def simulate(self, action: NDArray[np.float32]) -> None:
        """Apply torques ``action`` (N m, shape [8]) for one step.

        Raises:
            RuntimeError: the simulation broke down, for instance through an action that is not a number.
        """
        start = self.position.tolist()
        self.data.ctrl[:] = action
        mujoco.mj_step(self.model, self.data, nstep=SUBSTEPS)
        self.elapsed_steps += 1
        # MuJoCo meets a diverged state with a warning and a reset, which would look like a jump home.
        squares = self.data.qpos.dot(self.data.qpos) + self.data.qvel.dot(self.data.qvel)
        if any(self._warning_counts.tolist()) or not isfinite(squares):
            raise RuntimeError(f"the simulation broke down at step {self.elapsed_steps}: {self._warnings()}")
        self.path.add(start, self.position.tolist())

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
        """Random state, MuJoCo's full integration state, steps and path so far, and the task's own part."""
        simulation = np.empty(mujoco.mj_stateSize(self.model, _STATE))
        mujoco.mj_getState(self.model, self.data, simulation, _STATE)
        return {
            "random_state": self.np_random.bit_generator.state,
            "simulation": simulation,
            "elapsed_steps": self.elapsed_steps,
            "path": self.path.state,
            "task": self.save_task(),
        }

    @episode_state.setter
    def episode_state(self, state: dict[str, Any]) -> None:
        self.np_random.bit_generator.state = state["random_state"]
        mujoco.mj_resetData(self.model, self.data)
        mujoco.mj_setState(self.model, self.data, state["simulation"], _STATE)
        self.elapsed_steps = state["elapsed_steps"]
        self.path.state = state["path"]
        self.load_task(state["task"])

    def _warnings(self) -> str:
        kinds = [name for name in mujoco.mjtWarning.__members__ if name != "mjNWARNING"]
        found = [kind for kind, number in zip(kinds, self._warning_counts, strict=True) if number]
        return ", ".join(found) or "the state is not finite"
