"""Figure 5: learning curves of every algorithm, one panel per task, each of what the paper shows of the task.

python -m analysis.figures.figure_05 --statistics statistics.parquet --evaluations evaluation_statistics.parquet \
    --out figure_05.svg figure_05.png
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from analysis import style
from analysis.headline import headline, select

COLUMNS = 3
LEGEND_TITLE = "mean over seeds, band: one standard deviation to either side"


def draw(statistics: pd.DataFrame, evaluations: pd.DataFrame) -> Figure:
    """Draw the figure.

    Args:
        statistics: statistics of training; their order is the order of the panels and of the legend.
        evaluations: statistics of evaluations.
    """
    style.use()
    rows = select(*(table[table["study"] == "main"] for table in (statistics, evaluations)))
    panels = list(rows.groupby("task", sort=False))
    columns = min(COLUMNS, len(panels))
    height = -(-len(panels) // columns)
    figure = Figure(figsize=(3.5 * columns, 2.9 * height + 0.4))
    colours = style.colours(rows["label"])
    for number, (task, panel) in enumerate(panels, start=1):
        axes = figure.add_subplot(height, columns, number, title=style.task_name(str(task)))
        draw_panel(axes, panel, colours)
    add_legend(figure)
    return figure


def add_legend(figure: Figure) -> None:
    """Name every curve once below the panels, in as few rows as fit into the figure's width."""
    handles = [axes.get_legend_handles_labels() for axes in figure.axes]
    curves = {label: line for lines, labels in handles for line, label in zip(lines, labels, strict=True)}
    for columns in range(len(curves), 0, -1):
        legend = figure.legend(
            curves.values(),
            curves.keys(),
            loc="outside lower center",
            ncols=columns,
            title=LEGEND_TITLE,
            title_fontsize=7.5,
        )
        if legend.get_window_extent().width <= figure.bbox.width or columns == 1:
            return
        legend.remove()


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


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Draw Figure 5.")
    parser.add_argument("--statistics", type=Path, required=True, help="statistics of training (parquet)")
    parser.add_argument("--evaluations", type=Path, required=True, help="statistics of evaluations (parquet)")
    parser.add_argument("--out", type=Path, nargs="+", required=True, help="files: svg, pdf, png")
    options = parser.parse_args(arguments)
    style.save(draw(pd.read_parquet(options.statistics), pd.read_parquet(options.evaluations)), options.out)


if __name__ == "__main__":
    main()
