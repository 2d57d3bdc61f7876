"""Figure 5: learning curves of every algorithm, one panel per task, each of what the paper shows of the task.

Lines across the panels of tasks with traffic show what scripted drivers reach.

python -m analysis.figures.figure_05 --statistics statistics.parquet --evaluations evaluation_statistics.parquet \
    --drivers driver_statistics.parquet --out figure_05.svg figure_05.png
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter

from analysis import style
from analysis.headline import headline, select, select_drivers

COLUMNS = 3
LEGEND_TITLE = "mean over seeds, band: one standard deviation to either side"
DRIVERS_TITLE = "\ngrey: scripted drivers, mean over evaluations"
#: Marks the lines of scripted drivers.
DRIVER = "driver"

Entry = tuple[str, Artist]


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
    add_legend(figure)
    return figure


def add_legend(figure: Figure) -> None:
    """Name every curve once below the panels, and then every driver, in as few rows as fit into the figure."""
    handles = [axes.get_legend_handles_labels() for axes in figure.axes]
    lines = {label: line for lines, labels in handles for line, label in zip(lines, labels, strict=True)}
    drivers = {label: lines.pop(label) for label in list(lines) if lines[label].get_gid() == DRIVER}
    for columns in range(max(len(lines), len(drivers)), 0, -1):
        entries = in_rows([list(lines.items()), list(drivers.items())], columns)
        legend = figure.legend(
            [line for _, line in entries],
            [label for label, _ in entries],
            loc="outside lower center",
            ncols=columns,
            title=LEGEND_TITLE + DRIVERS_TITLE * bool(drivers),
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


def draw_panel(axes: Axes, panel: pd.DataFrame, colours: Mapping[str, str]) -> None:
    """Draw the mean over seeds and a band of one standard deviation to either side, per algorithm."""
    for label, curve in panel.groupby("label", sort=False):
        colour, step, mean, std = colours[str(label)], curve["step"], curve["mean"], curve["std"]
        axes.fill_between(step, mean - std, mean + std, color=colour, alpha=0.2, linewidth=0)
        marker = "." if len(curve) == 1 else None  # a single point has no line
        axes.plot(step, mean, color=colour, marker=marker, label=style.algorithm_name(str(label)))
    if panel["mean"].isna().all():
        axes.text(0.5, 0.5, "no episode has ended", transform=axes.transAxes, ha="center", color="0.4")
    axes.set_xlim(0, panel["step"].max())
    axes.set_xlabel("Environment steps (after warm-up)")
    shown = headline(panel["task"].iloc[0])
    axes.set_ylabel(style.metric_name(shown.metric))
    if shown.bounds is not None:
        low, high = shown.bounds
        margin = 0.05 * (high - low)  # a curve at a bound is seen
        axes.set_ylim(low - margin, high + margin)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    style.mark_extent(axes, panel)


def draw_drivers(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the mean over seeds of each scripted driver as a line across the panel."""
    for driver, mean in zip(rows["driver"], rows["mean"], strict=True):
        linestyle, grey = style.DRIVER_LINES.get(driver, style.OTHER_DRIVER_LINE)
        name = style.driver_name(driver)
        axes.axhline(mean, linestyle=linestyle, color=grey, linewidth=1, zorder=1.9, label=name, gid=DRIVER)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Draw Figure 5.")
    parser.add_argument("--statistics", type=Path, required=True, help="statistics of training (parquet)")
    parser.add_argument("--evaluations", type=Path, required=True, help="statistics of evaluations (parquet)")
    parser.add_argument("--drivers", type=Path, required=True, help="statistics of scripted drivers (parquet)")
    parser.add_argument("--out", type=Path, nargs="+", required=True, help="files: svg, pdf, png")
    options = parser.parse_args(arguments)
    tables = (pd.read_parquet(path) for path in (options.statistics, options.evaluations, options.drivers))
    style.save(draw(*tables), options.out)


if __name__ == "__main__":
    main()
