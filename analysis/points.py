"""Final values over a setting: single seeds as points, their mean and standard deviation beside them."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

SEED, MEAN_NAME = "single seed", "mean ± SD over seeds"


def draw_point(axes: Axes, x: float, mean: float, std: float, seeds: pd.Series, colour: str) -> None:
    """Draw one setting: small points for seeds, a large one for their mean, a bar for the standard deviation.

    Args:
        axes: to draw on.
        x: place of the setting.
        mean: over seeds.
        std: standard deviation over seeds.
        seeds: single values.
        colour: of everything.
    """
    axes.plot([x] * len(seeds), seeds, "o", color=colour, markersize=3, alpha=0.35, markeredgewidth=0, zorder=2)
    axes.errorbar(x, mean, std, fmt="D", color=colour, markersize=4.5, elinewidth=1.2, capsize=3, zorder=3)


def name_points(axes: Axes, gid: str) -> None:
    """Let the legend explain the points, among the entries of this ``gid``."""
    axes.plot([], [], "o", color="0.4", markersize=3, alpha=0.6, markeredgewidth=0, label=SEED, gid=gid)
    axes.plot([], [], "D", color="0.4", markersize=4.5, label=MEAN_NAME, gid=gid)
