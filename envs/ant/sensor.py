"""The range sensor of the gather task."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BINS = 10
KINDS = 2
RANGE = 6.0
_BIN_WIDTH = 2 * np.pi / BINS


def range_readings(offsets: NDArray[np.float64], kinds: NDArray[np.int64], heading: float) -> NDArray[np.float64]:
    """What a robot senses of the point objects around it.

    The full circle is divided into 10 bins, counter-clockwise: bin 0 begins straight behind the robot and bin
    5 straight ahead.  A bin reads 1 - d / 6 m for its nearest object at a distance d of at most 6 m, else 0.
    Each kind of object has readings of its own, so kinds do not hide each other (rllab's gather task with a
    sensor span of 2 pi, as in the authors' code).

    Args:
        offsets: positions of the objects minus the robot's, in metres along the world axes, shape [n, 2].
        kinds: kind of each object, 0 or 1, shape [n].
        heading: direction of the robot's x axis in the plane, in radians.

    Returns:
        Readings in [0, 1], shape [2, 10].
    """
    x, y = offsets.T
    clockwise_from_behind = np.mod(heading + np.pi - np.arctan2(y, x), 2 * np.pi)
    # An object exactly behind belongs to the last bin.
    bins = np.minimum((BINS - clockwise_from_behind / _BIN_WIDTH).astype(np.int64), BINS - 1)
    readings = np.zeros((KINDS, BINS))
    np.maximum.at(readings, (kinds, bins), 1 - np.hypot(x, y) / RANGE)
    return readings
