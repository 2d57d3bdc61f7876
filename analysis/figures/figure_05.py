"""Figure 5: learning curves of every algorithm, one panel per task, each of what the paper shows of the task.

Lines across the panels of tasks with traffic show what scripted drivers reach.

python -m analysis.figures.figure_05 --statistics statistics.parquet \
    --evaluation-statistics evaluation_statistics.parquet --driver-statistics driver_statistics.parquet \
    --out figure_05.svg figure_05.png
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis import command, style
from analysis.curves import BAND, DRIVER, DRIVERS_TITLE, add_legend, bound, draw_curves, draw_drivers
from analysis.headline import headline, select, select_drivers

COLUMNS = 3


def draw(statistics: pd.DataFrame, evaluations: pd.DataFrame, drivers: pd.DataFrame) -> Figure:
    """Draw the figure.

    Args:
        statistics: statistics of training; their order is the order of the panels and of the legend.
        evaluations: statistics of evaluations.
        drivers: statistics of scripted drivers; their order is that in the legend.
    """
    style.use()
    rows = select(*(table[table["study"] == "main"] for table in (statistics, evaluations)))
    panels = list(rows.groupby("task", sort=False))
    columns = min(COLUMNS, len(panels))
    height = -(-len(panels) // columns)
    legend = 0.4 if drivers.empty else 0.7
    figure = Figure(figsize=(3.5 * columns, 2.9 * height + legend))
    colours = style.colours(rows["label"])
    for number, (task, panel) in enumerate(panels, start=1):
        axes = figure.add_subplot(height, columns, number, title=style.task_name(str(task)))
        draw_panel(axes, panel, colours)
        draw_drivers(axes, select_drivers(drivers, str(task), headline(str(task)).metric))
    add_legend(figure, BAND, last=DRIVER, last_title=DRIVERS_TITLE)
    return figure


def draw_panel(axes: Axes, panel: pd.DataFrame, colours: Mapping[str, str]) -> None:
    """Draw the curves of one task's headline."""
    draw_curves(axes, panel, colours)
    shown = headline(panel["task"].iloc[0])
    axes.set_ylabel(style.metric_name(shown.metric))
    bound(axes, shown.bounds)
    style.mark_extent(axes, panel)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    command.figure(
        "figure_05", draw, ["statistics", "evaluation_statistics", "driver_statistics"], arguments=arguments
    )


if __name__ == "__main__":
    main()
