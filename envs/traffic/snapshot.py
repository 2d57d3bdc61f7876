"""Where all vehicles are at one moment."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.traffic.car_following import Array


class Snapshot(NamedTuple):
    """The vehicles of a road at one moment, in any order.

    Attributes:
        time: seconds since the episode began.
        names: of the vehicles, unique within an episode.
        positions: fronts of the vehicles along the road, metres, shape [n].
        speeds: m/s, shape [n].
        automated: which vehicles the policy controls at this moment, shape [n].
    """

    time: float
    names: list[str]
    positions: Array
    speeds: Array
    automated: NDArray[np.bool_]
