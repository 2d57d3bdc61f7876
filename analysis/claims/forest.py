"""Figure of all comparisons: how far each effect lies on the claim's side of its limit, and the verdict."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis import style
from analysis.claims.comparison import ALL
from analysis.claims.evidence import FARTHEST
from analysis.claims.page import counted

COLOURS = {"supported": "#009E73", "contradicted": "#D55E00", "inconclusive": "#777777"}
MARKERS = {"supported": "o", "contradicted": "X", "inconclusive": "s"}
PANELS = 3
#: Inches per comparison, and per panel.
HEIGHT, WIDTH = 0.155, 5.4
SHORT_NAMES = {"ant_four_rooms": "Four Rooms", "ant_gather": "Gather", "ant_maze": "Maze", ALL: "all"}
SHORT_NAMES |= {"visual_ant_maze": "Visual Maze", "ring_road": "Ring", "highway": "Highway"}


def draw(rows: pd.DataFrame) -> Figure:
    """Draw the table of verdicts."""
    style.use()
    parts = panels(rows)
    longest = max(len(part) for part in parts)
    size = (WIDTH * len(parts), HEIGHT * longest + 1.1)
    figure, all_axes = plt.subplots(1, len(parts), figsize=size, squeeze=False, layout="constrained")
    for axes, part in zip(all_axes[0], parts, strict=True):
        draw_panel(axes, part, longest)
    reduced = int(rows["reduced"].sum())
    title = counted(rows) + (f"; {reduced} of reduced runs" if reduced else "")
    box = {"boxstyle": "round,pad=0.3", "facecolor": style.REDUCED_COLOUR, "edgecolor": "none"}
    figure.suptitle(title, fontsize=9, bbox=box if reduced else None)
    figure.legend(handles=key(), loc="outside lower center", ncols=5, frameon=False, fontsize=8)
    return figure


def panels(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Rows of about equally many comparisons; no claim is torn apart."""
    sizes = rows.groupby("claim", sort=False).size()
    ends = sizes.cumsum()
    middles = (ends - sizes / 2).to_numpy()
    at = dict(zip(sizes.index, np.minimum(middles * PANELS // len(rows), PANELS - 1), strict=True))
    panel = rows["claim"].map(at)
    return [rows[panel == number] for number in sorted(set(at.values()))]


def draw_panel(axes: Axes, rows: pd.DataFrame, longest: int) -> None:
    """One row per comparison, from top to bottom."""
    labels = []
    for place, row in enumerate(rows.to_dict("records")):
        draw_row(axes, place, row)
        task = SHORT_NAMES.get(row["task"], style.task_name(row["task"]))
        labels.append(f"{row['claim']} {task}: {row['comparison']}")
    for place, is_new in enumerate(rows["claim"].ne(rows["claim"].shift())):
        if is_new and place:
            axes.axhline(place - 0.5, color="0.85", linewidth=0.6, zorder=0)
    axes.axvline(0, color="0.3", linewidth=0.8, zorder=0)
    axes.set_yticks(range(len(rows)), labels, fontsize=6)
    axes.set(xlim=(-FARTHEST - 0.3, FARTHEST + 0.3), ylim=(longest - 0.4, -0.6))
    axes.set_xlabel("Standard deviations on the claim's side", fontsize=7)
    axes.tick_params(axis="x", labelsize=7)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")


def draw_row(axes: Axes, place: int, row: Mapping[Hashable, Any]) -> None:
    """A mark and its interval; a short word where there is nothing to draw."""
    colour = COLOURS[row["verdict"]]
    if np.isnan(row["standard"]):
        word = "not judged" if not row["n_seeds"] else "no scale"
        axes.text(0.08, place, word, fontsize=5.5, color="0.5", va="center")
        return
    if np.isfinite([row["standard_low"], row["standard_high"]]).all():
        axes.plot([row["standard_low"], row["standard_high"]], [place, place], color=colour, linewidth=1)
    face = "white" if row["reduced"] else colour
    marker = MARKERS[row["verdict"]]
    axes.plot(
        [row["standard"]],
        [place],
        color=colour,
        marker=marker,
        markersize=4,
        markerfacecolor=face,
        linestyle="none",
        zorder=3,
    )


def key() -> list[Line2D]:
    """Entries of the legend."""
    marks = [
        Line2D([], [], color=COLOURS[verdict], marker=MARKERS[verdict], markersize=5, linewidth=1, label=verdict)
        for verdict in COLOURS
    ]
    reduced = Line2D([], [], color="0.4", marker="s", markerfacecolor="white", markersize=5, linewidth=1)
    reduced.set_label("of reduced runs (open mark)")
    return [*marks, reduced]
