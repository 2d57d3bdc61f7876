"""Figure 12: the visual Ant Maze by wall-clock time: rate of success and return in evaluations (F.2).

python -m analysis.figures.figure_12 --evaluations evaluations.parquet --timing timing.parquet \
    --statistics statistics.parquet --out figure_12.svg figure_12.png
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from analysis import command, style
from analysis.curves import BAND, add_legend
from analysis.tables.writing import decimal_places, round_to
from analysis.visual_maze import DASHES, PANELS, TASK, draw_dashed, finish, lay_out
from analysis.wall_clock import add_seconds, at_end, over_time

#: The paper's figure goes from the start to this many environment steps.
STEPS = 2_500_000
TIME_LABEL = "Wall-clock time since the start (s)"
#: Seconds in each unit of a duration.
UNITS = ((3600, "h"), (60, "min"), (1, "s"))
ENDS = "\ncircle and duration: mean end of training; whisker: from the shortest to the longest"


def draw(evaluations: pd.DataFrame, timing: pd.DataFrame, statistics: pd.DataFrame) -> Figure:
    """Draw the figure.

    Args:
        evaluations: rows of all evaluations; the order of their labels is that of the legend.
        timing: rows of ``timing.csv`` of the same runs.
        statistics: statistics of the same runs, for how far they went.

    Raises:
        ValueError: there are no evaluations of the visual Ant Maze, or their times are missing.
    """
    rows = means(evaluations[(evaluations["task"] == TASK) & (evaluations["step"] <= STEPS)])
    figure, panels = lay_out(rows.columns)
    rows = add_seconds(rows, timing[timing["task"] == TASK])
    colours = style.colours(rows["label"])
    extent = statistics[(statistics["task"] == TASK) & statistics["label"].isin(rows["label"])]
    if extent.empty:
        raise ValueError(f"there are no statistics of {TASK}, which say how far its runs went")
    for panel, axes in panels:
        draw_panel(axes, rows, panel.metric, colours)
        finish(axes, panel, extent)
    add_legend(figure, BAND + ENDS)
    return figure


def means(evaluations: pd.DataFrame) -> pd.DataFrame:
    """Each seed's means over the evaluation points at every step, of the figure's metrics that have any value.

    A mean needs the values of all points.
    """
    metrics = [panel.metric for panel in PANELS if evaluations.get(panel.metric, pd.Series()).notna().any()]
    groups = evaluations.groupby(["label", "seed", "step"], sort=False)
    return groups[metrics].mean(skipna=False).reset_index()


def draw_panel(axes: Axes, rows: pd.DataFrame, metric: str, colours: Mapping[str, str]) -> None:
    """Draw each label's curve and band as far as all its seeds have come, and where its trainings end."""
    curves, ends = over_time(rows, metric), at_end(rows, metric)
    if len(curves):
        draw_dashed(axes, curves, colours, x="seconds")
    for line in axes.lines:
        line.set_label(None)  # the circles bear the names
    for label, seconds, shortest, longest, mean in ends.itertuples(index=False):
        draw_end(axes, label, (shortest, seconds, longest), mean, colours[label])
    axes.set_xlim(0, 1.03 * ends["longest"].max())
    axes.set_xlabel(TIME_LABEL)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))


def draw_end(axes: Axes, label: str, seconds: tuple[float, float, float], mean: float, colour: str) -> None:
    """Draw the mean duration and value at the end of a label's trainings, and the range of the durations.

    Args:
        axes: to draw on.
        label: whose; the legend adds the duration.
        seconds: shortest, mean and longest duration.
        mean: value at the end.
        colour: of the label.
    """
    shortest, middle, longest = seconds
    axes.errorbar(
        middle,
        mean,
        xerr=[[middle - shortest], [longest - middle]],
        fmt="o",
        markersize=5,
        markeredgecolor="white",
        color=colour,
        elinewidth=0.8,
        capsize=2.5,
        linestyle=DASHES.get(label, "-"),
        label=f"{style.algorithm_name(label)}: {duration(middle)}",
    )


def duration(seconds: float) -> str:
    """A duration for readers, with three digits, in the unit that fits it."""
    size, unit = next((size, unit) for size, unit in UNITS if seconds >= 2 * size or size == 1)
    value = seconds / size
    return f"{round_to(value, decimal_places(value))} {unit}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    command.figure("figure_12", draw, ["evaluations", "timing", "statistics"], arguments=arguments)


if __name__ == "__main__":
    main()
