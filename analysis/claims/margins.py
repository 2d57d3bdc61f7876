"""How much of a difference matters: margins of non-inferiority and equivalence, each with its reason."""

from __future__ import annotations

#: Of the score of each task.
MARGINS = {
    "ant_gather": 0.8,
    "ring_road": 57.0,
    "highway": 370.0,
    "ant_four_rooms": 0.1,
    "ant_maze": 0.1,
    "visual_ant_maze": 0.1,
}
REASONS = {
    "ant_gather": "margin 0.8, 5 % of the range of returns, -8 to 8",
    "ring_road": "margin 57, 5 % of the way from human drivers (1,490) to uniform traffic (2,632)",
    "highway": "margin 370, 5 % of the human drivers' return (7,400)",
    "ant_four_rooms": "margin 0.1 of the success rate",
    "ant_maze": "margin 0.1 of the success rate",
    "visual_ant_maze": "margin 0.1 of the success rate",
}
#: Of normalised scores.
OVERALL, OVERALL_REASON = 0.05, "margin 0.05, 5 % of the normalised scale"
#: Vehicles per hour on the highway.
THROUGHPUT, THROUGHPUT_REASON = 81.0, "margin 81, 5 % of the human drivers' throughput (1,623 vehicles per hour)"
#: Vehicles that enter it in an episode.
DEPARTED, DEPARTED_REASON = 14.0, "margin 14, 5 % of the vehicles that enter with human drivers (270)"
#: Half of the rate at which ln lambda grows per update while delta is out of reach (Adam's learning rate, 3e-4).
GROWTH, GROWTH_REASON = 1.5e-4, "limit 1.5e-4 per update, half of Adam's ceiling"
