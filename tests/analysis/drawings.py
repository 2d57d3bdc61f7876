"""What every schematic must keep to: texts apart from each other, arrows from box to box."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
from matplotlib.patches import Polygon
from matplotlib.text import Text

from analysis.schematic import Box, Point, Schematic

TOLERANCE = 0.005  # inches


def texts(drawing: Schematic) -> list[Text]:
    """All that is written."""
    written = [text for axes in drawing.figure.axes for text in axes.findobj(Text)]
    return [text for text in written if isinstance(text, Text) and text.get_text() and text.get_visible()]


def words(drawing: Schematic) -> set[str]:
    return {text.get_text() for text in texts(drawing)}


def outside(drawing: Schematic) -> list[str]:
    """Texts that the figure's edge cuts."""
    width, height = drawing.figure.get_size_inches()
    page = Box(width / 2, height / 2, width, height)
    return [text.get_text() for text in texts(drawing) if not within(drawing.extent(text), page)]


def overlaps(drawing: Schematic) -> list[tuple[str, str]]:
    """Pairs of texts whose bounding boxes meet."""
    pairs = combinations(texts(drawing), 2)
    return [(a.get_text(), b.get_text()) for a, b in pairs if meet(drawing.extent(a), drawing.extent(b))]


def too_long(drawing: Schematic) -> list[str]:
    """Texts that begin in a box but do not fit into it."""
    found = []
    for text in texts(drawing):
        extent = drawing.extent(text)
        around = [box for box in drawing.boxes if within(Box(extent.x, extent.y, 0, 0), box)]
        found += [text.get_text() for box in around if not within(extent, box)]
    return found


def loose_ends(drawing: Schematic) -> list[Point]:
    """Ends of arrows that are on no box's outline."""
    ends = [end for corners in drawing.arrows for end in (corners[0], corners[-1])]
    return [end for end in ends if min(box.distance(end) for box in drawing.boxes) > TOLERANCE]


def crossed(drawing: Schematic) -> list[str]:
    """Texts and boxes that an arrow runs through."""
    extents = {text.get_text(): drawing.extent(text) for text in texts(drawing)}
    extents |= {f"box at {box.x}, {box.y}": box for box in drawing.boxes}
    found = []
    for corners in drawing.arrows:
        x, y = np.concatenate([np.linspace(start, end, 100) for start, end in pairwise(corners)]).T
        for name, box in extents.items():
            inside = (abs(x - box.x) < box.width / 2 - TOLERANCE) & (abs(y - box.y) < box.height / 2 - TOLERANCE)
            found += [name] * bool(inside.any())
    return found


def tips(drawing: Schematic) -> list[Point]:
    """The tips of all drawn arrowheads."""
    heads = [patch for patch in drawing.axes.patches if isinstance(patch, Polygon)]
    return [(float(x), float(y)) for x, y in (head.get_xy()[0] for head in heads)]


def within(inner: Box, outer: Box) -> bool:
    across = abs(inner.x - outer.x) + inner.width / 2 <= outer.width / 2
    return across and abs(inner.y - outer.y) + inner.height / 2 <= outer.height / 2


def meet(one: Box, other: Box) -> bool:
    across = abs(one.x - other.x) < (one.width + other.width) / 2
    return across and abs(one.y - other.y) < (one.height + other.height) / 2
