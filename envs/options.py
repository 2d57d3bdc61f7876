"""Options of the tasks: the keyword arguments of their classes.

Apart from the classes, so that a configuration can be checked without a simulator.  The defaults are the paper's
settings; ``config/paper.yaml`` repeats them with their sources, and differs in one, ``av_speed_mode``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from envs.strict import Strict

#: Metres; on a ring one metre shorter, standstill gaps fill the road and uniform human traffic does not move.
SHORTEST_RING = 155
RingLength = Annotated[int, Field(ge=SHORTEST_RING)]
EndSpeed = Annotated[float, Field(gt=0, le=30)]
Flow = Annotated[float, Field(ge=0, le=4000)]


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


class TrafficOptions(Strict):
    """Options of Ring Road and Highway; some defaults differ.

    Attributes:
        horizon: steps after which the episode is truncated.
        warmup_steps: simulation steps before the episode.
        noise: level of the noise on human accelerations, see
            :func:`envs.traffic.car_following.acceleration_noise`.
        max_accel: largest acceleration and deceleration that a policy can ask for, m/s^2.
        frame_skip: environment steps from one of the five frames of an observation to the next.
        history_bug: keep frames as the authors' code does, which forgets all but the newest whenever a sixth
            arrives; with consecutive frames only.
        human_only: ignore the actions, which gives the human baseline: on the ring the automated vehicle is left
            to SUMO's own model during the episode as well, on the highway it drives like all others.
    """

    horizon: Annotated[int, Field(ge=1)] = 1500
    warmup_steps: Annotated[int, Field(ge=0)]
    noise: Annotated[float, Field(ge=0, le=10)]
    max_accel: Annotated[float, Field(ge=0, le=10)] = 0.5
    frame_skip: Annotated[int, Field(ge=1)] = 1
    history_bug: bool = False
    human_only: bool = False

    @model_validator(mode="after")
    def _one_history(self) -> TrafficOptions:
        if self.history_bug and self.frame_skip > 1:
            raise ValueError(
                f"history_bug needs consecutive frames; frame_skip is {self.frame_skip}, allowed is 1"
            )
        return self


class RingRoadOptions(TrafficOptions):
    """Options of Ring Road, besides those of :class:`TrafficOptions`.

    Attributes:
        lengths: smallest and largest ring length, whole metres.
        spacing: ``uniform`` puts vehicles at equal distances, moved by normal noise; ``random`` anywhere, with
            gaps of at least 0.5 m, the automated vehicle at any place among them (authors' code of 2020).
        perturbation: standard deviation of this noise, metres; ``random`` spacing has none.
        av_warmup: who drives the automated vehicle in the warm-up: ``sumo``, its own Intelligent Driver Model with
            other parameters (authors' code), or ``idm``, the humans' model with their noise.
    """

    warmup_steps: Annotated[int, Field(ge=0)] = 1500
    noise: Annotated[float, Field(ge=0, le=10)] = 0.2
    lengths: Annotated[tuple[RingLength, RingLength], Field(strict=False)] = (220, 270)
    spacing: Literal["uniform", "random"] = "uniform"
    perturbation: Annotated[float, Field(ge=0, le=1)] = 0.5
    av_warmup: Literal["sumo", "idm"] = "sumo"

    @model_validator(mode="after")
    def _ordered(self) -> RingRoadOptions:
        if self.lengths[0] > self.lengths[1]:
            raise ValueError(f"lengths {self.lengths} must be in order, the smallest first")
        return self


class HighwayOptions(TrafficOptions):
    """Options of Highway, besides those of :class:`TrafficOptions`.

    Attributes:
        pool: begin episodes with one of a few saved states, which were warmed up before (authors' code), instead
            of simulating a warm-up at every reset.
        states: how many saved states there are per end speed.
        inflow: vehicles per hour that arrive at the entrance.
        automated_share: share of the automated ones among them; of the vehicles of a warmed-up state as many are
            turned into automated ones, evenly.
        flows: human and automated vehicles per hour instead of a share of ``inflow``; decimals as they are.
        end_speeds: speed limits of the slow part, m/s, of which every episode draws one.
        enforced_end_speed: limit that the fail-safe keeps there during episodes instead, m/s; 6 in the authors'
            code, whatever was drawn.
        av_speed_mode: SUMO's checks of what controlled vehicles are commanded (its "speed mode").  12 bounds
            braking to 4.5 m/s^2 and does nothing else, so that who cannot stop in time collides (authors' code of
            2021).  25 keeps to a speed that SUMO holds safe and to the lane's limit, and brakes as hard as that
            takes, whatever ``max_accel`` says (theirs of 2020, and what ``config/paper.yaml`` asks for).
        slots: how many automated vehicles are controlled at most.
        sims_per_step: simulation steps of 0.4 s per environment step.
    """

    warmup_steps: Annotated[int, Field(ge=0)] = 3000
    noise: Annotated[float, Field(ge=0, le=10)] = 0.3
    pool: bool = True
    states: Annotated[int, Field(ge=1, le=1000)] = 2
    inflow: Annotated[float, Field(ge=0, le=4000)] = 2050.0
    automated_share: Annotated[float, Field(gt=0, le=1)] = 1 / 22
    flows: Annotated[tuple[Flow, Flow] | None, Field(strict=False)] = None
    end_speeds: Annotated[tuple[EndSpeed, ...], Field(strict=False, min_length=1)] = (5.0, 6.0, 7.0)
    enforced_end_speed: EndSpeed | None = None
    av_speed_mode: Literal[12, 25] = 12
    slots: Annotated[int, Field(ge=1, le=100)] = 5
    sims_per_step: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _different(self) -> HighwayOptions:
        if len(set(self.end_speeds)) < len(self.end_speeds):
            raise ValueError(f"end_speeds {self.end_speeds} must differ from each other")
        return self

    @property
    def human_and_automated_flow(self) -> tuple[float, float]:
        """Human and automated vehicles per hour that arrive at the entrance."""
        automated = self.inflow * self.automated_share
        return self.flows if self.flows is not None else (self.inflow - automated, automated)
