"""The readings of the cooperative gradient side by side: learning curves, and what the gradients do in training.

python -m analysis.figures.gradient_forms --statistics statistics.parquet \
    --evaluation-statistics evaluation_statistics.parquet --cells cells.parquet --out gradient_forms.svg
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from matplotlib.typing import LineStyleType

from analysis import command, style
from analysis.curves import STEPS_LABEL, add_legend, bound, draw_curves
from analysis.headline import MEAN
from analysis.variants import gradient_name, performance

LEGEND = (
    "mean over seeds; first row, band: one standard deviation to either side; "
    "other rows: averaged over blocks of steps"
)
#: Gradients are those of single batches; what is drawn of them is averaged over at most so many blocks of steps.
BLOCKS = 50
#: Most powers of ten that an axis shows; the gradients of saturated networks fall towards the smallest numbers.
DECADES = 8
#: One colour per reading in every figure, those of Okabe and Ito; others take the style's next free one.
COLOURS = {"equation5": "#D55E00", "total": "#E69F00", "authors": "#0072B2", "released": "#009E73"}
#: One line style per algorithm; all others are dotted.
LINES: dict[str, LineStyleType] = {"cher": "-", "cher_fixed": (0, (4, 1.5))}
OTHER_LINE: LineStyleType = ":"

Rows = Callable[[pd.DataFrame], pd.DataFrame]


class Quantity(NamedTuple):
    """One row of panels.

    Attributes:
        label: of the vertical axis.
        rows: picks or makes the curves out of the statistics of training, see :func:`in_blocks`.
        scale: of the vertical axis.
        bounds: what the quantity lies between by definition, if there is such a thing.
        reference: where a thin line is drawn, if anywhere.
    """

    label: str
    rows: Rows
    scale: str = "linear"
    bounds: tuple[float, float] | None = None
    reference: float | None = None


def draw(statistics: pd.DataFrame, evaluations: pd.DataFrame, cells: pd.DataFrame) -> Figure:
    """Draw the figure: a column per task, a row per quantity that there are data of.

    Args:
        statistics: statistics of training.
        evaluations: statistics of evaluations, for tasks whose headline comes from them.
        cells: the study's cells, which say what reading a label has.

    Raises:
        ValueError: there are no statistics of any cell with a reading of the gradient.
    """
    style.use()
    readings = cells.loc[cells["gradient"] != "", ["task", "label", "gradient"]]
    training, evaluated = (table.merge(readings) for table in (statistics, evaluations))
    tasks = [str(task) for task in readings["task"].unique() if (training["task"] == task).any()]
    if not tasks:
        raise ValueError("there are no statistics of runs with a cooperative gradient")
    blocks = in_blocks(training)
    quantities = [quantity for quantity in QUANTITIES if not quantity.rows(blocks).empty]
    heights = [1.5, *[1] * len(quantities)]
    figure = Figure(figsize=(7.0, 1.2 * sum(heights) + 1.3))
    panels = figure.subplots(len(heights), len(tasks), squeeze=False, sharex="col", height_ratios=heights)
    for column, task in zip(panels.T, tasks, strict=True):
        rows = blocks[blocks["task"] == task]
        draw_performance(column[0], task, training, evaluated)
        for axes, quantity in zip(column[1:], quantities, strict=True):
            draw_quantity(axes, quantity, quantity.rows(rows))
        for axes in column[:-1]:
            axes.set_xlabel("")
    add_legend(figure, LEGEND)
    return figure


def draw_performance(axes: Axes, task: str, training: pd.DataFrame, evaluated: pd.DataFrame) -> None:
    """Draw a task's learning curves, and state the extent of the runs at the head of its column."""
    shown = performance(task, training)
    rows = training if shown.source == "training" else evaluated[evaluated["target"] == MEAN]
    rows = rows[(rows["task"] == task) & (rows["metric"] == shown.metric)]
    _draw_lines(axes, rows, band=True)
    axes.set_title(style.task_name(task))
    axes.set_ylabel(style.metric_name(shown.metric).replace(" (", "\n("))
    bound(axes, shown.bounds)
    style.mark_extent(axes, rows)


def draw_quantity(axes: Axes, quantity: Quantity, rows: pd.DataFrame) -> None:
    """Draw one quantity over training; the panel of a task without it says so."""
    axes.set_ylabel(quantity.label)
    axes.set_xlabel(STEPS_LABEL)
    if rows.empty:
        axes.text(0.5, 0.5, "not defined", transform=axes.transAxes, ha="center", color="0.4")
        return
    _draw_lines(axes, rows, band=False)
    bound(axes, quantity.bounds)
    if quantity.scale == "log":
        whole_decades(axes)
    if quantity.reference is not None:
        axes.axhline(quantity.reference, color="0.3", linewidth=0.7, zorder=1.9)


def whole_decades(axes: Axes) -> None:
    """A log axis between powers of ten, which alone are labelled; what has vanished lies below it."""
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=np.float64) for line in axes.lines])
    decades = np.log10(values[np.isfinite(values)])
    axes.set_yscale("log")
    high = np.floor(decades.max()) + 1
    axes.set_ylim(10 ** max(np.floor(decades.min()), high - DECADES), 10**high)
    axes.yaxis.set_minor_formatter(NullFormatter())


def _draw_lines(axes: Axes, rows: pd.DataFrame, *, band: bool) -> None:
    """Draw curves, coloured by reading, their line style by algorithm."""
    kinds = rows.drop_duplicates("label").set_index("label")
    free = style.colours(kinds["gradient"])
    names = {
        str(label): f"{style.algorithm_name(algorithm)}, {gradient_name(gradient)}"
        for label, algorithm, gradient in zip(kinds.index, kinds["algorithm"], kinds["gradient"], strict=True)
    }
    draw_curves(
        axes,
        rows,
        {
            str(label): COLOURS.get(gradient, free.get(gradient, "0.5"))
            for label, gradient in kinds["gradient"].items()
        },
        name=names.__getitem__,
        linestyles={str(label): LINES.get(name, OTHER_LINE) for label, name in kinds["algorithm"].items()},
        band=band,
    )
    for line in axes.lines:
        line.set_linewidth(1)


def in_blocks(statistics: pd.DataFrame) -> pd.DataFrame:
    """Statistics averaged over blocks of a task's log points, each at its last step."""
    keys = ["task", "algorithm", "label", "gradient", "metric", "step"]
    ends = statistics.groupby("task")["step"].transform(_block_ends)
    return statistics.assign(step=ends).groupby(keys, sort=False, as_index=False)[["mean", "std"]].mean()


def _block_ends(steps: pd.Series) -> pd.Series:
    """The last step of the block that each step is in."""
    points, numbers = np.unique(steps, return_inverse=True)
    size = -(-len(points) // BLOCKS)
    last = np.minimum((numbers // size + 1) * size, len(points)) - 1
    return pd.Series(points[last], index=steps.index)


def metric(name: str) -> Rows:
    """Curves of one metric."""
    return lambda statistics: statistics[statistics["metric"] == name]


def positive(name: str) -> Rows:
    """Curves of one metric on a log axis: without a gradient there is a gap."""
    return lambda statistics: _where_positive(statistics[statistics["metric"] == name])


def gradient_ratio(statistics: pd.DataFrame) -> pd.DataFrame:
    """Curves of the weighted cooperative gradient relative to the manager's own, both means over seeds."""
    keys = ["task", "label", "step"]
    own = statistics.loc[statistics["metric"] == "manager_gradient", [*keys, "mean"]]
    rows = statistics[statistics["metric"] == "weighted_gradient"].merge(own, on=keys, suffixes=("", "_own"))
    ratio = rows["mean"] / rows["mean_own"].where(rows["mean_own"] > 0)
    return _where_positive(rows.drop(columns="mean_own").assign(metric="gradient_ratio", mean=ratio))


def _where_positive(rows: pd.DataFrame) -> pd.DataFrame:
    """The curves with gaps where a log axis has no place for them; none if nothing is left."""
    rows = rows.assign(mean=rows["mean"].where((rows["mean"] > 0) & np.isfinite(rows["mean"])))
    return rows if rows["mean"].notna().any() else rows.iloc[:0]


#: What is drawn below the learning curves.
QUANTITIES = (
    Quantity("Own gradient\n$\\|\\nabla Q_m\\|$", positive("manager_gradient"), "log"),
    Quantity("Cooperative\ngradient $\\|CG\\|$", positive("cooperative_gradient"), "log"),
    Quantity("Ratio\n$\\lambda\\|CG\\| / \\|\\nabla Q_m\\|$", gradient_ratio, "log", reference=1),
    Quantity("Cosine of\nthe gradients", metric("gradient_cosine"), bounds=(-1, 1), reference=0),
    Quantity("Goals at the\nbounds (share)", metric("goal_saturation"), bounds=(0, 1)),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    command.figure("gradient_forms", draw, ["statistics", "evaluation_statistics", "cells"], arguments=arguments)


if __name__ == "__main__":
    main()
