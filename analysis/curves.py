"""Curves with bands over training, and the legend below all panels: what figures of learning curves share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter
from matplotlib.typing import LineStyleType

from analysis import style

STEPS_LABEL = "Environment steps (after warm-up)"
BAND = "mean over seeds, band: one standard deviation to either side"
DRIVERS_TITLE = "\ngrey: scripted drivers, mean over evaluations"
#: Marks the lines of scripted drivers.
DRIVER = "driver"

Entry = tuple[str, Artist]


def draw_curves(
    axes: Axes,
    rows: pd.DataFrame,
    colours: Mapping[str, str],
    *,
    name: Callable[[str], str] = style.algorithm_name,
    x: str = "step",
    linestyles: Mapping[str, LineStyleType] | None = None,
    band: bool = True,
    transform: Callable[[pd.Series], pd.Series] = lambda values: values,
) -> None:
    """Draw the mean over seeds and a band of one standard deviation to either side, per label.

    Args:
        axes: to draw on.
        rows: statistics of one task and metric.
        colours: colour per label.
        name: what the legend calls a label.
        x: column of the horizontal axis.
        linestyles: per label, solid where it has none.
        band: whether there is a band at all.
        transform: applied to the mean and to both edges of the band, such as ``np.exp`` to a logarithm.
    """
    for label, curve in rows.groupby("label", sort=False):
        colour, at, mean, std = colours[str(label)], curve[x], curve["mean"], curve["std"]
        if band:
            low, high = transform(mean - std), transform(mean + std)
            axes.fill_between(at, low, high, color=colour, alpha=0.2, linewidth=0)
        marker = "." if len(curve) == 1 else None  # a single point has no line
        line = (linestyles or {}).get(str(label), "-")
        axes.plot(at, transform(mean), linestyle=line, color=colour, marker=marker, label=name(str(label)))
    if rows["mean"].isna().all():
        axes.text(0.5, 0.5, "no episode has ended", transform=axes.transAxes, ha="center", color="0.4")
    axes.set_xlim(0, rows[x].max())
    if x == "step":
        axes.set_xlabel(STEPS_LABEL)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))


def draw_drivers(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the mean over seeds of each scripted driver as a line across the panel."""
    for driver, mean in zip(rows["driver"], rows["mean"], strict=True):
        linestyle, grey = style.DRIVER_LINES.get(driver, style.OTHER_DRIVER_LINE)
        name = style.driver_name(driver)
        axes.axhline(mean, linestyle=linestyle, color=grey, linewidth=1, zorder=1.9, label=name, gid=DRIVER)


def bound(axes: Axes, bounds: tuple[float, float] | None) -> None:
    """Show the whole range of a bounded quantity; a curve at a bound is still seen."""
    if bounds is not None:
        low, high = bounds
        margin = 0.05 * (high - low)
        axes.set_ylim(low - margin, high + margin)


def add_legend(figure: Figure, title: str, *, last: str = "", last_title: str = "") -> None:
    """Name every curve once below the panels, in as few rows as fit into the figure.

    Args:
        figure: all its panels are searched.
        title: above the names.
        last: lines with this ``gid`` come after all others, in rows of their own.
        last_title: added to the title where there are such lines.
    """
    handles = [axes.get_legend_handles_labels() for axes in figure.axes]
    lines = {label: line for lines, labels in handles for line, label in zip(lines, labels, strict=True)}
    others = {label: lines.pop(label) for label in list(lines) if last and lines[label].get_gid() == last}
    for columns in range(max(len(lines), len(others)), 0, -1):
        entries = in_rows([list(lines.items()), list(others.items())], columns)
        legend = figure.legend(
            [line for _, line in entries],
            [label for label, _ in entries],
            loc="outside lower center",
            ncols=columns,
            title=title + last_title * bool(others),
            title_fontsize=7.5,
        )
        legend.get_title().set_multialignment("center")
        if legend.get_window_extent().width <= figure.bbox.width or columns == 1:
            return
        legend.remove()


def in_rows(groups: Sequence[Sequence[Entry]], columns: int) -> list[Entry]:
    """The order in which a legend, which fills one column after the other, shows each group in rows of its own."""
    nothing: Entry = ("", Line2D([], [], linestyle="none"))
    rows: list[Sequence[Entry]] = []
    for group in groups:
        filled = [*group, *[nothing] * (-len(group) % columns)]
        rows += [filled[start : start + columns] for start in range(0, len(filled), columns)]
    return [row[column] for column in range(columns) for row in rows]
