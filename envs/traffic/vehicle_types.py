"""What SUMO is told about vehicles.

SUMO drives with these types only where nobody else commands a vehicle.
"""

from __future__ import annotations

from envs.traffic.car_following import VEHICLE_LENGTH

HUMAN, AUTOMATED = "human", "automated"
MIN_GAP = 0.5
SPEED_LIMIT = 30.0
LANE_CHANGE_MODE = 512  # never by SUMO's own choice
COMMAND_DURATION = 1e-3  # seconds: a command holds for one simulation step


def vehicle_types() -> list[str]:
    """The two vehicle types, equal but for their names (those that Flow hands to SUMO), as XML elements."""
    attributes = (
        f'length="{VEHICLE_LENGTH:g}" carFollowModel="IDM" accel="2.6" decel="4.5" tau="1.0" '
        f'laneChangeModel="LC2013" minGap="{MIN_GAP}" maxSpeed="{SPEED_LIMIT:g}" speedFactor="1.0" '
        'speedDev="0.1" impatience="0.5"'
    )
    return [f'<vType id="{name}" {attributes}/>' for name in (HUMAN, AUTOMATED)]
