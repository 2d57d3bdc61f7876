"""Figure 1: the goals that managers propose over the course of training, (a) plain HRL, (b) CHER.

Where goals are displacements in the plane: a row of densities around the agent per algorithm, one per stage of
training. Elsewhere, as for the speeds of traffic: the density of goals over steps. Below: median and quartiles.

python -m analysis.figures.figure_01 --proposals proposals.parquet --statistics statistics.parquet \
    --task ant_gather --out figure_01.svg figure_01.png
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle
from matplotlib.ticker import EngFormatter

from analysis import command, style
from analysis.command import Option
from analysis.curves import STEPS_LABEL, add_legend
from analysis.proposals import (
    Density,
    around_agent,
    density_over_steps,
    planar_density,
    quartiles,
    select,
    stages,
    step_edges,
    task_of,
)
from envs.base import TaskSpec

#: The paper's panels.
PANELS = {"hrl": "(a)", "cher": "(b)"}
STAGES, INTERVALS = 4, 40
COLOUR_MAP = "viridis_r"  # dark is dense, in grey as well
STEPS = EngFormatter(sep="")
LEGEND = "goals of all seeds are pooled; lines: median, bands: between the quartiles"
Rows = Mapping[str, pd.DataFrame]


def draw(proposals: pd.DataFrame, statistics: pd.DataFrame, task: str = "ant_gather") -> Figure:
    """Draw the figure.

    Args:
        proposals: goals that managers set.
        statistics: statistics of training, which say how long and how often it was run.
        task: whose goals to show.

    Raises:
        ValueError: there is no such task, or nothing to show of it.
    """
    style.use()
    spec = task_of(task)
    goals = select(proposals, spec, tuple(PANELS))
    runs = extents(statistics, task, goals)
    end = int(max(rows["steps_run"].max() for rows in runs.values()))
    figure = (draw_around_agent if around_agent(spec) else draw_over_steps)(goals, runs, spec, end)
    add_legend(figure, LEGEND)
    return figure


def extents(statistics: pd.DataFrame, task: str, goals: Rows) -> dict[str, pd.DataFrame]:
    """The statistics of each label that goals are shown of.

    Raises:
        ValueError: there are none of a label.
    """
    here = statistics[statistics["task"] == task]
    runs = {label: here[here["label"] == label] for label in goals}
    if missing := [label for label, rows in runs.items() if rows.empty]:
        raise ValueError(f"there are no statistics of {', '.join(missing)} on {task}, of which there are goals")
    return runs


def draw_around_agent(goals: Rows, runs: Rows, spec: TaskSpec, end: int) -> Figure:
    """A row of densities in the plane per algorithm, one per stage of training, and the quartiles below."""
    edges = np.linspace(0, end, STAGES + 1)
    figure = Figure(figsize=(7.0, 2.3 * len(goals) + 2.4), layout=ConstrainedLayoutEngine(h_pad=0.06))
    grid = figure.add_gridspec(2 * len(goals) + 1, STAGES, height_ratios=[*[0.01, 1.5] * len(goals), 1])
    panels = {}
    for row, (label, rows) in enumerate(goals.items()):
        over_all = figure.add_subplot(grid[2 * row, :])
        over_all.set_axis_off()
        add_title(over_all, label, runs[label])
        for column, part in enumerate(stages(rows, edges)):
            axes = figure.add_subplot(grid[2 * row + 1, column])
            panels[axes] = planar_density(part, spec)
            axes.set_title(stage_title(edges[column], edges[column + 1], len(part)), size=7.5, weight="normal")
            draw_box(axes, panels[axes])
            axes.tick_params(labelbottom=row == len(goals) - 1, labelleft=column == 0)
            axes.set_xlabel("x from the agent (m)" if row == len(goals) - 1 else "")
            axes.set_ylabel("y from the agent (m)" if column == 0 else "")
    draw_densities(figure, panels, "Goals (% per m²)")
    draw_quartiles(figure.add_subplot(grid[-1, :]), goals, runs, spec, end)
    return figure


def draw_over_steps(goals: Rows, runs: Rows, spec: TaskSpec, end: int) -> Figure:
    """A panel of densities over steps per algorithm, and the quartiles below."""
    edges = step_edges(pd.concat(goals.values()), end, INTERVALS)
    figure = Figure(figsize=(7.0, 1.9 * len(goals) + 2.2))
    grid = figure.add_gridspec(len(goals) + 1, 1)
    panels = {}
    for row, (label, rows) in enumerate(goals.items()):
        axes = figure.add_subplot(grid[row])
        panels[axes] = density_over_steps(rows, spec, edges)
        axes.set(ylabel=goal_name(spec))
        over_training(axes, end)
        add_title(axes, label, runs[label], f": {panels[axes].goals:,} goals")
    draw_densities(figure, panels, f"Goals (% per {'m/s' if spec.vehicles else 'unit'})")
    draw_quartiles(figure.add_subplot(grid[-1]), goals, runs, spec, end)
    return figure


def add_title(axes: Axes, label: str, rows: pd.DataFrame, more: str = "") -> None:
    """The paper's letter and the algorithm's name, above the extent of its runs."""
    axes.set_title(f"{PANELS[label]} {style.algorithm_name(label)}{more}")
    style.mark_extent(axes, rows)


def stage_title(start: float, end: float, goals: int) -> str:
    """What steps a panel is about, and how many goals it holds."""
    first, last = (STEPS(float(f"{step:.4g}")) for step in (start, end))
    return f"steps {first} to {last}\n{goals:,} goal{'s' * (goals != 1)}"


def goal_name(spec: TaskSpec) -> str:
    """What the quartiles are of."""
    if around_agent(spec):
        return "Distance from the\nagent to the goal (m)"
    return "Goal: speed (m/s)" if spec.vehicles else "Goal"


def over_training(axes: Axes, end: int) -> None:
    """A horizontal axis of all steps."""
    axes.set(xlabel=STEPS_LABEL, xlim=(0, end))
    axes.xaxis.set_major_formatter(STEPS)


def draw_densities(figure: Figure, panels: Mapping[Axes, Density], title: str) -> None:
    """Draw histograms in the same logarithmic colours; cells without goals stay white."""
    shown = np.concatenate([density.values[density.values > 0] for density in panels.values()])
    low, high = 10 ** np.floor(np.log10(shown.min())), 10 ** np.ceil(np.log10(shown.max()))
    norm = LogNorm(low if low < high else low / 10, high)
    for axes, density in panels.items():
        cells = np.ma.masked_array(density.values, ~(density.values > 0)).T
        # An image in vector files, too, where cells that meet would show seams.
        axes.pcolormesh(*density.edges, cells, cmap=COLOUR_MAP, norm=norm, rasterized=True, zorder=0.5)
        axes.grid(False)
    bar = figure.colorbar(ScalarMappable(norm, COLOUR_MAP), ax=list(panels), pad=0.02, aspect=32, format="{x:g}")
    bar.set_label(title)
    bar.outline.set_visible(False)


def draw_box(axes: Axes, density: Density) -> None:
    """Draw the goal box, and the agent in its middle."""
    (left, right), (bottom, top) = (edges[[0, -1]] for edges in density.edges)
    corner, size = (left, bottom), (right - left, top - bottom)
    axes.add_patch(Rectangle(corner, *size, fill=False, linewidth=0.7, label="goal box"))
    axes.plot(
        0, 0, "o", markersize=3.5, color="white", markeredgecolor="black", markeredgewidth=0.8, label="agent"
    )
    margin = 0.05 * max(size)
    axes.set(aspect="equal", xlim=(left - margin, right + margin), ylim=(bottom - margin, top + margin))
    axes.set(xticks=[left, 0, right], yticks=[bottom, 0, top])
    axes.spines[:].set_visible(False)


def draw_quartiles(axes: Axes, goals: Rows, runs: Rows, spec: TaskSpec, end: int) -> None:
    """Draw median and quartiles of every algorithm's goals over steps."""
    edges = step_edges(pd.concat(goals.values()), end, INTERVALS)
    colours = style.colours(goals)
    for label, rows in goals.items():
        curve = quartiles(rows, spec, edges)
        marker = "." if len(curve) == 1 else None  # a single point has no line
        axes.fill_between(curve["step"], curve["low"], curve["high"], color=colours[label], alpha=0.2, linewidth=0)
        name = style.algorithm_name(label)
        axes.plot(curve["step"], curve["median"], color=colours[label], marker=marker, label=name)
    limits = (0, None) if around_agent(spec) else (spec.goal_low.min(), spec.goal_high.max())
    axes.set(title="Median and quartiles", ylabel=goal_name(spec), ylim=limits)
    over_training(axes, end)
    style.mark_extent(axes, pd.concat(runs.values()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    task = Option("task", "whose goals to show (default: %(default)s)", str, {"default": "ant_gather"})
    command.figure("figure_01", draw, ["proposals", "statistics"], [task], arguments=arguments)


if __name__ == "__main__":
    main()
