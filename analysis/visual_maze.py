"""The panels of Figures 11 and 12: evaluations in the visual Ant Maze."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import LineStyleType

from analysis import style
from analysis.curves import bound, draw_curves

TASK = "visual_ant_maze"


class Panel(NamedTuple):
    """One of the two quantities that Figures 11 and 12 show.

    Attributes:
        metric: column of ``evaluations.csv``; its mean over the evaluation points is shown.
        title: above the panel.
        ylabel: beside it.
        bounds: what it lies between by definition, if there is such a thing.
    """

    metric: str
    title: str
    ylabel: str
    bounds: tuple[float, float] | None = None


PANELS = (
    Panel("entered", "Success rate", "Episodes that came within 5 m", (0, 1)),
    Panel("return", "Average return", "Return (sum of \N{MINUS SIGN}distance, m)"),
)


#: Line styles beside the colours, for readers in grey; others are solid.
DASHES: dict[str, LineStyleType] = {"hrl": (0, (1, 1)), "hiro": (0, (5, 1.5))}


def lay_out(metrics: Collection[str]) -> tuple[Figure, list[tuple[Panel, Axes]]]:
    """A figure with the panels of these metrics.

    Raises:
        ValueError: there is none.
    """
    panels = [panel for panel in PANELS if panel.metric in metrics]
    if not panels:
        wanted = " or ".join(panel.metric for panel in PANELS)
        raise ValueError(f"there are no evaluations of {TASK} with a value of {wanted}")
    style.use()
    figure = Figure(figsize=(3.5 * len(panels), 3.1))
    return figure, [
        (panel, figure.add_subplot(1, len(panels), number, title=panel.title, ylabel=panel.ylabel))
        for number, panel in enumerate(panels, start=1)
    ]


def draw_dashed(axes: Axes, rows: pd.DataFrame, colours: Mapping[str, str], x: str = "step") -> None:
    """Draw curves and bands with a line style per algorithm."""
    draw_curves(axes, rows, colours, x=x)
    for label, line in zip(rows["label"].unique(), axes.lines, strict=True):
        line.set_linestyle(DASHES.get(label, "-"))
        line.set_clip_on(False)  # the point of a single evaluation lies on the edge


def finish(axes: Axes, panel: Panel, extent: pd.DataFrame) -> None:
    """Set the vertical limits of a drawn panel and state how far the runs in it went."""
    bound(axes, panel.bounds)
    style.mark_extent(axes, extent)
