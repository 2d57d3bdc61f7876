"""The roads from above, drawn with matplotlib."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Annulus
from numpy.typing import NDArray

from envs.base import Image
from envs.traffic.car_following import VEHICLE_LENGTH, Array
from envs.traffic.highway_network import CONTROLLED_PART, HIGHWAY_LENGTH, SLOW_PART
from envs.traffic.snapshot import Snapshot

ROAD_WIDTH = 5.0  # m; like the vehicles' width more than it is, for the eye
VEHICLE_WIDTH = 3.0
ROAD_COLOUR, HUMAN_COLOUR, AUTOMATED_COLOUR = "0.85", "0.25", "#D55E00"
SIZE = 480  # pixels
HIGHWAY_SIZE = 960, 160
_MARGIN = 3.0  # m, around the road
_DOTS_PER_INCH = 100


def draw_ring(axes: Axes, circumference: float, positions: Array, automated: NDArray[np.bool_]) -> None:
    """Draw a ring and its vehicles, which drive counter-clockwise; the axes get metres as units, and no frame.

    Vehicles are as long as they are, and wider.

    Args:
        axes: to draw on.
        circumference: of the ring, metres.
        positions: fronts of the vehicles along the ring, from its lowest point, metres, shape [n].
        automated: which vehicles are automated, shape [n].
    """
    radius = circumference / (2 * np.pi)
    edge = radius + ROAD_WIDTH / 2
    axes.add_patch(Annulus((0, 0), edge, ROAD_WIDTH, color=ROAD_COLOUR, linewidth=0))
    colours = np.where(automated, AUTOMATED_COLOUR, HUMAN_COLOUR).tolist()
    axes.add_collection(PolyCollection(list(_outlines(radius, positions)), facecolors=colours, linewidths=0))
    axes.set(xlim=(-edge - _MARGIN, edge + _MARGIN), ylim=(-edge - _MARGIN, edge + _MARGIN), aspect="equal")
    axes.set_axis_off()


def draw_highway(axes: Axes, fronts: Array, automated: NDArray[np.bool_]) -> None:
    """Draw the highway and its vehicles, which drive to the right; lengths are to scale, widths are not.

    Args:
        axes: to draw on.
        fronts: of the vehicles along the road, metres, shape [n].
        automated: which vehicles are automated, shape [n].
    """
    low, high = CONTROLLED_PART
    axes.axvspan(0, HIGHWAY_LENGTH, 0.25, 0.75, color=ROAD_COLOUR, linewidth=0)
    axes.axvspan(low, high, 0.1, 0.9, color=AUTOMATED_COLOUR, alpha=0.12, linewidth=0)
    for kind, colour, lengthening in ((~automated, HUMAN_COLOUR, 1), (automated, AUTOMATED_COLOUR, 2)):
        rears = fronts[kind] - lengthening * VEHICLE_LENGTH
        bars = np.stack([rears, np.full_like(rears, lengthening * VEHICLE_LENGTH)], axis=1).tolist()
        axes.broken_barh(bars, (0.36, 0.28), color=colour, linewidth=0)
    notes = {
        (low + high) / 2: f"automated vehicles are controlled: {low:,.0f} to {high:,.0f} m",
        (SLOW_PART + HIGHWAY_LENGTH) / 2: "slow end",
    }
    for middle, text in notes.items():
        axes.text(middle, 0, text, ha="center", va="top")
    axes.axvline(SLOW_PART, 0.1, 0.9, color=HUMAN_COLOUR, linewidth=0.8, linestyle=":")
    axes.set(xlim=(0, HIGHWAY_LENGTH), ylim=(0, 1))
    axes.set_axis_off()


def highway_picture(snapshot: Snapshot, end_speed: float) -> Image:
    """What :func:`draw_highway` draws, below time and the slow part's speed limit in m/s; shape [160, 960, 3]."""
    figure, canvas = _blank(*HIGHWAY_SIZE)
    axes = figure.add_axes((0.01, 0.2, 0.98, 0.5))
    draw_highway(axes, snapshot.positions, snapshot.automated)
    text = f"{snapshot.time:.0f} s    {len(snapshot.names)} vehicles    slow end {end_speed:g} m/s"
    figure.text(0.5, 0.8, text, ha="center", va="bottom", fontsize=12, color=HUMAN_COLOUR)
    return _pixels(canvas)


def ring_picture(circumference: float, positions: Array, automated: NDArray[np.bool_], mean_speed: float) -> Image:
    """What :func:`draw_ring` draws, with length and mean speed in m/s in the middle; shape [480, 480, 3]."""
    figure, canvas = _blank(SIZE, SIZE)
    axes = figure.add_axes((0, 0, 1, 1))
    draw_ring(axes, circumference, positions, automated)
    text = f"{circumference:.0f} m\n{mean_speed:.1f} m/s"
    axes.text(0, 0, text, ha="center", va="center", fontsize=16, color=HUMAN_COLOUR)
    return _pixels(canvas)


def _blank(width: int, height: int) -> tuple[Figure, FigureCanvasAgg]:
    """An empty figure of so many pixels."""
    inches = width / _DOTS_PER_INCH, height / _DOTS_PER_INCH
    figure = Figure(figsize=inches, dpi=_DOTS_PER_INCH, facecolor="white")
    figure.set_layout_engine("none")
    return figure, FigureCanvasAgg(figure)


def _pixels(canvas: FigureCanvasAgg) -> Image:
    canvas.draw()
    return np.array(canvas.buffer_rgba(), dtype=np.uint8)[..., :3].copy()


def _outlines(radius: float, fronts: Array) -> Array:
    """Corners of the vehicles, shape [n, 4, 2]."""
    rears = fronts - VEHICLE_LENGTH
    angles = np.stack([fronts, fronts, rears, rears], axis=-1) / radius - np.pi / 2
    inner, outer = radius - VEHICLE_WIDTH / 2, radius + VEHICLE_WIDTH / 2
    distances = np.array([inner, outer, outer, inner])
    return distances[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
