"""Figure 11: the visual Ant Maze by environment steps: rate of success and return in evaluations (F.2).

python -m analysis.figures.figure_11 --evaluation-statistics evaluation_statistics.parquet \
    --out figure_11.svg figure_11.png
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from analysis import command, style
from analysis.curves import BAND, add_legend
from analysis.headline import MEAN
from analysis.visual_maze import TASK, draw_dashed, finish, lay_out


def draw(statistics: pd.DataFrame) -> Figure:
    """Draw the figure.

    Args:
        statistics: statistics of evaluations; the order of their labels is that of the legend.

    Raises:
        ValueError: they hold nothing of the visual Ant Maze.
    """
    rows = statistics[(statistics["task"] == TASK) & (statistics["target"] == MEAN)].dropna(subset="mean")
    figure, panels = lay_out(set(rows["metric"]))
    colours = style.colours(rows["label"])
    for panel, axes in panels:
        shown = rows[rows["metric"] == panel.metric]
        draw_dashed(axes, shown, colours)
        finish(axes, panel, shown)
    add_legend(figure, BAND)
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    command.figure("figure_11", draw, ["evaluation_statistics"], arguments=arguments)


if __name__ == "__main__":
    main()
