"""Options of the tasks: the keyword arguments of their classes.

Apart from the classes, so that a configuration can be checked without a simulator.  The defaults are the paper's
settings; ``config/paper.yaml`` repeats them with their sources.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from envs.strict import Strict

#: Metres; on a ring one metre shorter, standstill gaps fill the road and uniform human traffic does not move.
SHORTEST_RING = 155
RingLength = Annotated[int, Field(ge=SHORTEST_RING)]


class AntOptions(Strict):
    """Options of every Ant task; defaults differ.

    Attributes:
        contact: contact impedance, ``stiff`` (authors' mazes) or ``soft`` (authors' gather task).
        init: initial pose.  ``rllab`` is a crouch with normal noise of standard deviation 0.01 on every position
            entry; ``gym`` has the torso at 0.75 m and all joints at 0, with U(-0.1, 0.1) noise.  Velocities are
            normal with standard deviation 0.1 (m/s, rad/s).  The noisy quaternion is not normalised.
        contact_forces: insert, after the velocities, clipped contact forces (84) and, in Ant Gather, the torso's
            rotation matrix (9) and the robot's centre of mass (3): the authors' 114 and 145 numbers.
    """

    contact: Literal["soft", "stiff"]
    init: Literal["rllab", "gym"]
    contact_forces: bool = False


class AntGatherOptions(AntOptions):
    """Options of Ant Gather, besides those of :class:`AntOptions`.

    Attributes:
        worker_hides_xy: keep x and y from the worker, which sees them in the authors' code.
        worker_sees: ``all`` that the manager sees (authors' code), or positions and velocities of the ``robot``.
    """

    contact: Literal["soft", "stiff"] = "soft"
    init: Literal["rllab", "gym"] = "rllab"
    worker_hides_xy: bool = False
    worker_sees: Literal["all", "robot"] = "all"


class AntNavigationOptions(AntOptions):
    """Options of every task in which the Ant walks to a target, besides those of :class:`AntOptions`.

    Attributes:
        time_feature: show 0.001 times the number of steps since the reset (authors' code).
    """

    contact: Literal["soft", "stiff"] = "stiff"
    init: Literal["rllab", "gym"] = "gym"
    time_feature: bool = True


class AntMazeOptions(AntNavigationOptions):
    """Options of Ant Maze and Ant Four Rooms, besides those of :class:`AntNavigationOptions`.

    Attributes:
        worker_hides_xy: keep x and y from the worker, which sees them in the authors' code.
        evaluation: evaluation points: the three ``targets`` of the paper's learning curves, or those of its
            ``transfer`` study.
    """

    worker_hides_xy: bool = False
    evaluation: Literal["targets", "transfer"] = "targets"


class VisualAntMazeOptions(AntNavigationOptions):
    """Options of Visual Ant Maze, besides those of :class:`AntNavigationOptions`.

    Attributes:
        renderer: ``analytic`` computes the image from the map, ``mujoco`` lets MuJoCo draw it, robot included, as
            in the authors' code; that needs OpenGL and takes many times longer.
    """

    renderer: Literal["analytic", "mujoco"] = "analytic"


_MAZE_TRANSFER = {"contact": "soft", "time_feature": False, "worker_hides_xy": True, "evaluation": "transfer"}

#: The variant of each task in the transfer study (paper, 5.5): the same physics, and a worker that sees the same
#: numbers of the robot, without x and y, so that it can be carried from one task to another.
TRANSFER_OPTIONS: dict[str, dict[str, Any]] = {
    "ant_gather": {"contact": "soft", "worker_sees": "robot", "worker_hides_xy": True},
    "ant_maze": _MAZE_TRANSFER,
    "ant_four_rooms": _MAZE_TRANSFER,
}


class RingRoadOptions(Strict):
    """Options of Ring Road.

    Attributes:
        history_bug: keep frames as the authors' code does, which forgets all but the newest whenever a sixth
            arrives.
        warmup_steps: simulation steps before the episode.
        horizon: steps after which the episode is truncated.
        noise: level of the noise on human accelerations, see
            :func:`envs.traffic.car_following.acceleration_noise`.
        perturbation: standard deviation of the start positions, metres.
        max_accel: largest acceleration and deceleration of the automated vehicle, m/s^2.
        lengths: smallest and largest ring length, whole metres.
        human_only: ignore the actions and leave the automated vehicle to SUMO's own model during the episode as
            well, which gives the human baseline.
    """

    history_bug: bool = False
    warmup_steps: Annotated[int, Field(ge=0)] = 1500
    horizon: Annotated[int, Field(ge=1)] = 1500
    noise: Annotated[float, Field(ge=0, le=10)] = 0.2
    perturbation: Annotated[float, Field(ge=0, le=1)] = 0.5
    max_accel: Annotated[float, Field(ge=0, le=10)] = 0.5
    lengths: Annotated[tuple[RingLength, RingLength], Field(strict=False)] = (220, 270)
    human_only: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> RingRoadOptions:
        if self.lengths[0] > self.lengths[1]:
            raise ValueError(f"lengths {self.lengths} must be in order, the smallest first")
        return self
