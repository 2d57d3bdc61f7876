"""Boxes, arrows and formulas of schematic figures, placed in inches from the lower left corner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.typing import ColorType

#: What belongs to the manager, the worker and the environment; goals have the manager's colour.
MANAGER, WORKER, ENVIRONMENT = "#0072B2", "#D55E00", "#4D4D4D"
INK = "#1A1A1A"
TEXT_SIZE, SMALL = 8.0, 7.0
HEAD_LENGTH, HEAD_WIDTH = 0.085, 0.07  # inches, of arrows
BADGE = 0.075  # inches, radius
ROUNDING = 0.06  # inches, of the corners of boxes and of the turns of arrows

Point = tuple[float, float]
Side = Literal["left", "right", "top", "bottom"]


@dataclass(frozen=True)
class Box:
    """A box around a centre; all lengths in inches."""

    x: float
    y: float
    width: float
    height: float

    def side(self, side: Side, shift: float = 0.0) -> Point:
        """The middle of a side, or a point off it along the side."""
        match side:
            case "left" | "right":
                return self.x + (self.width if side == "right" else -self.width) / 2, self.y + shift
            case "top" | "bottom":
                return self.x + shift, self.y + (self.height if side == "top" else -self.height) / 2

    def distance(self, point: Point) -> float:
        """How far a point is from the box's outline."""
        across, along = abs(point[0] - self.x) - self.width / 2, abs(point[1] - self.y) - self.height / 2
        outside = float(np.hypot(max(across, 0), max(along, 0)))
        return outside if outside > 0 else -max(across, along)


class Schematic:
    """A figure whose units are inches.

    Attributes:
        figure: what is drawn on.
        axes: cover the whole figure.
        boxes: those drawn so far.
        arrows: the corners of those drawn so far.
    """

    def __init__(self, width: float, height: float) -> None:
        # Not None, after which a figure takes up the style's layout when it is saved for a second time.
        fixed = PlaceHolderLayoutEngine(adjust_compatible=True, colorbar_gridspec=True)
        self.figure = Figure(figsize=(width, height), layout=fixed)
        self._canvas = FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
        self.axes.set_axis_off()
        self.boxes: list[Box] = []
        self.arrows: list[list[Point]] = []

    def box(
        self,
        centre: Point,
        size: Point,
        text: str,
        colour: ColorType,
        *,
        second: str = "",
        text_size: float = TEXT_SIZE,
        dashed: bool = False,
    ) -> Box:
        """Draw a box of a tinted colour.

        Args:
            centre: of the box.
            size: its width and height.
            text: in bold or, where it is a formula, as it is.
            colour: of outline and text.
            second: a second line.
            text_size: in points.
            dashed: whether the outline is.
        """
        box = Box(*centre, *size)
        self.boxes.append(box)
        left, bottom = box.side("left")[0], box.side("bottom")[1]
        style = f"round,pad=0,rounding_size={ROUNDING}"
        patch = FancyBboxPatch(
            (left, bottom), *size, style, facecolor=tint(colour), edgecolor=colour, linewidth=1.1
        )
        patch.set(zorder=2, linestyle=(0, (3, 2)) if dashed else "-")
        self.axes.add_patch(patch)
        gap = 0.085 if second else 0.0
        weight = "normal" if text.startswith("$") else "bold"
        self.text((box.x, box.y + gap), text, colour=colour, size=text_size, weight=weight)
        if second:
            self.text((box.x, box.y - gap), second, size=text_size)
        return box

    def place(self, at: Point, size: Point, text: str, colour: ColorType = INK) -> Box:
        """Write a text that arrows can join like a box."""
        self.boxes.append(Box(*at, *size))
        self.text(at, text, colour=colour)
        return self.boxes[-1]

    def arrow(self, *corners: Point, colour: ColorType = INK, width: float = 1.0, dashed: bool = False) -> None:
        """Draw an arrow through corners, which it turns in small arcs; it begins and ends exactly at its ends."""
        self.arrows.append(list(corners))
        self._draw_arrow(corners, colour, width, dashed)

    def vector(
        self, start: Point, end: Point, colour: ColorType, *, width: float = 1.5, dashed: bool = False
    ) -> None:
        """Draw an arrow that joins no boxes."""
        self._draw_arrow((start, end), colour, width, dashed)

    def _draw_arrow(self, corners: Sequence[Point], colour: ColorType, width: float, dashed: bool) -> None:
        """A line up to a solid head, so that the head of a dashed arrow is whole."""
        tip, last = np.array(corners[-1]), np.array(corners[-2])
        along = (tip - last) / np.hypot(*(tip - last))
        base, aside = tip - HEAD_LENGTH * along, HEAD_WIDTH / 2 * np.array([-along[1], along[0]])
        x, y = (base + tip) / 2  # well inside the head, so that no seam shows
        line = PathPatch(rounded([*corners[:-1], (float(x), float(y))]), fill=False, edgecolor=colour)
        line.set(linewidth=width, linestyle=(0, (3.5, 1.8)) if dashed else "-", capstyle="butt", zorder=1.5)
        self.axes.add_patch(line)
        head = Polygon([tip, base + aside, base - aside], facecolor=colour, edgecolor="none", zorder=1.6)
        self.axes.add_patch(head)

    def text(
        self,
        at: Point,
        text: str,
        *,
        colour: ColorType = INK,
        size: float = TEXT_SIZE,
        weight: str = "normal",
        ha: Literal["left", "center", "right"] = "center",
        va: Literal["top", "center", "bottom", "baseline"] = "center",
    ) -> Text:
        """Write a text."""
        return self.axes.text(
            *at,
            text,
            color=colour,
            size=size,
            weight=weight,
            ha=ha,
            va=va,
            linespacing=1.25,
            zorder=4,
            math_fontfamily="cm",
        )

    def badge(self, at: Point, number: int, colour: ColorType) -> None:
        """Draw a number on a disc."""
        self.axes.add_patch(Circle(at, BADGE, color=colour, linewidth=0, zorder=3.5))
        self.text((at[0], at[1] - 0.003), str(number), colour="white", size=SMALL, weight="bold")

    def extent(self, text: Text) -> Box:
        """Where a text is."""
        pixels = text.get_window_extent(self._canvas.get_renderer())
        left, bottom, width, height = np.array(pixels.bounds) / self.figure.dpi
        return Box(left + width / 2, bottom + height / 2, width, height)

    def formula(self, at: Point, parts: Sequence[tuple[str, ColorType]], *, size: float = TEXT_SIZE) -> list[Text]:
        """Write parts of a formula in colours of their own, one after the other on a common baseline."""
        x, y = at
        written = []
        for part, colour in parts:
            written.append(self.text((x, y), f"${part}$", colour=colour, size=size, ha="left", va="baseline"))
            x = self.extent(written[-1]).side("right")[0] + 0.02
        return written

    def inset(self, corner: Point, size: Point) -> Axes:
        """Axes without a frame, with their lower left corner at a point."""
        width, height = self.figure.get_size_inches()
        axes = self.figure.add_axes((corner[0] / width, corner[1] / height, size[0] / width, size[1] / height))
        axes.set_axis_off()
        return axes


def tint(colour: ColorType, share: float = 0.12) -> tuple[float, float, float]:
    """A colour mixed with white."""
    red, green, blue = to_rgb(colour)
    return 1 - share * (1 - red), 1 - share * (1 - green), 1 - share * (1 - blue)


def beside(corners: Sequence[Point], distance: float) -> list[Point]:
    """A course of horizontal and vertical legs, moved to its left (seen along it) by a distance."""
    points = np.array(corners, dtype=np.float64)
    legs = np.diff(points, axis=0)
    normals = np.stack([-legs[:, 1], legs[:, 0]], axis=1) / np.abs(legs).sum(axis=1, keepdims=True)
    shifts = np.vstack([normals, np.zeros(2)]) + np.vstack([np.zeros(2), normals])
    return [(float(x), float(y)) for x, y in points + distance * shifts]


def rounded(corners: Sequence[Point], radius: float = ROUNDING) -> Path:
    """A path through corners that turns in arcs of at most a radius."""
    points = np.array(corners, dtype=np.float64)
    vertices, codes = [points[0]], [Path.MOVETO]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        for neighbour, code in ((before, Path.LINETO), (after, Path.CURVE3)):
            leg = neighbour - corner
            length = float(np.hypot(*leg))
            bend = corner + leg / length * min(radius, length / 2)
            vertices += [bend] if code == Path.LINETO else [corner, bend]
            codes += [code] if code == Path.LINETO else [code, code]
    return Path(np.array([*vertices, points[-1]]), [*codes, Path.LINETO])
