"""A scripted Ant that walks along waypoints: proof that the tasks with a target can be solved by this robot.

Nothing is learned while it walks.  Its eight joints follow sinusoids through proportional-derivative feedback, the
right legs half a period after the left ones.  Since the robot looks the same after a quarter turn, it need not
turn itself to change direction by one: the legs swap their roles instead, and the stride only steers the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import atan2, hypot, pi, radians

import numpy as np
from numpy.typing import NDArray

from envs.ant.model import MAX_TORQUE

Vector = NDArray[np.float64]

STEP = 0.1  # s
SETTLING_STEPS = 5  # a reset drops the robot; it lands before it walks
PASSING_DISTANCE = 1.5  # m, at which a waypoint gives way to the next
ARRIVAL_DISTANCE = 1.0  # m, at which it stands still for good
ROLE_SWAP = radians(60)  # bearing beyond which legs swap roles; more than half a quarter turn, against chatter

# Found by CMA-ES (population 16, 180 generations, four minutes on one core) on open floor, from sinusoids drawn at
# random.  Maximised was the slower of two 12 s walks, to targets 20 degrees to the left and to the right, less the
# share of time on the back.  Numbers are rounded, and steering terms that hardly mattered are left out; a second
# search, over random paths with sharp turns, found nothing faster or safer.  Angles in rad, torques in N m.
PERIOD = 0.63  # s
STIFFNESS = 45.0
DAMPING = 6.8
GAIT = np.array(  # columns as in stride()
    [
        [0.44, 0.87, 0.92, 0.48, 1.3, 0.49, 0.0, 0.2],  # front legs
        [-0.72, 1.13, -2.51, 0.8, 0.61, -0.45, 0.585, 1.34],  # hind legs
    ]
)

# Legs in joint order while the robot walks along its x axis: left front, left hind, right hind, right front.
_GAIT_ROWS = [0, 1, 1, 0]
_SIDE = np.array([1.0, 1.0, -1.0, -1.0])
_LOWERS_FOOT = np.array([1.0, -1.0, -1.0, 1.0])  # sign of the ankle angles
_ACTUATED_JOINTS = [6, 7, 0, 1, 2, 3, 4, 5]
_STANCE = np.array([[0.0, 0.87]] * 4)


class Walker:
    """Controller for one episode.

    Args:
        waypoints: x and y in metres, of which the last is the target; straight lines between them, and from the
            start to the first, must be free of walls.
    """

    def __init__(self, waypoints: Sequence[tuple[float, float]]) -> None:
        self._waypoints = list(waypoints)
        self._steps = 0
        self._quarter_turns = 0
        self._arrived = False

    def act(self, observation: NDArray[np.float32]) -> NDArray[np.float32]:
        """Torques in N m, shape [8], given an observation that begins with positions [15] and velocities [14]."""
        bearing = self._bearing(observation)
        walking = self._steps >= SETTLING_STEPS and not self._arrived
        targets = self._walk(bearing) if walking else _STANCE
        self._steps += 1
        errors = (targets * np.stack([np.ones(4), _LOWERS_FOOT], axis=1)).ravel() - observation[7:15]
        torques = STIFFNESS * errors - DAMPING * observation[21:29]
        return torques[_ACTUATED_JOINTS].clip(-MAX_TORQUE, MAX_TORQUE).astype(np.float32)

    def _bearing(self, observation: NDArray[np.float32]) -> float:
        """Direction of the next waypoint relative to the torso's x axis, in rad."""
        x, y, _, *quaternion = observation[:7].tolist()
        distance = hypot(self._waypoints[0][0] - x, self._waypoints[0][1] - y)
        if len(self._waypoints) > 1 and distance < PASSING_DISTANCE:
            self._waypoints.pop(0)
        elif distance < ARRIVAL_DISTANCE:
            self._arrived = True
        goal_x, goal_y = self._waypoints[0]
        return _wrap(atan2(goal_y - y, goal_x - x) - _heading(*quaternion))

    def _walk(self, bearing: float) -> Vector:
        if abs(_wrap(bearing - self._quarter_turns * pi / 2)) > ROLE_SWAP:
            self._quarter_turns = round(bearing / (pi / 2))
        steering = _wrap(bearing - self._quarter_turns * pi / 2)
        return np.roll(stride(self._steps * STEP, steering), self._quarter_turns, axis=0)


def stride(seconds: float, steering: float) -> Vector:
    """Target angles of hip and ankle of the four legs at a time, shape [4, 2], for walking along the x axis.

    Right legs mirror the left ones half a period later.  Ankle angles are positive where they lower the foot.

    Args:
        seconds: time.
        steering: angle in rad to turn by, positive to the left.  It turns the hips that way, shortens the
            strides on the inner side and lengthens those on the outer side.
    """
    hip, hip_swing, hip_phase, ankle, ankle_swing, ankle_phase, shift, shorten = GAIT[_GAIT_ROWS].T
    turn = min(max(steering, -1.0), 1.0)
    clock = 2 * pi * seconds / PERIOD + np.where(_SIDE > 0, 0.0, pi)
    hips = _SIDE * (hip + hip_swing * (1 - _SIDE * shorten * turn) * np.sin(clock + hip_phase)) + shift * turn
    ankles = ankle + ankle_swing * np.sin(clock + ankle_phase)
    return np.stack([hips, ankles], axis=1)


def _heading(w: float, x: float, y: float, z: float) -> float:
    return atan2(2 * (x * y + w * z), w * w + x * x - y * y - z * z)


def _wrap(angle: float) -> float:
    return (angle + pi) % (2 * pi) - pi
