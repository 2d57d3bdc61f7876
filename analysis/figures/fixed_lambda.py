"""Sensitivity to a fixed lambda: final performance and distance walked by lambda, and learning curves.

python -m analysis.figures.fixed_lambda --statistics statistics.parquet --final final.parquet \
    --evaluation-statistics evaluation_statistics.parquet --cells cells.parquet --runs runs.parquet \
    --evaluations evaluations.parquet --out fixed_lambda.svg
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from analysis import command, style
from analysis.by_seed import final_rows, of_seeds
from analysis.curves import BAND, add_legend, bound, draw_curves
from analysis.headline import MEAN, Headline
from analysis.points import draw_point, name_points
from analysis.variants import performance

PATH_LENGTH = Headline("evaluation", "path_length")
#: Marks what the legend explains in rows of its own.
KEY = "key"
Y_LABELS = {
    "return_mean100": "Return",
    "return_fraction_mean100": "Return fraction",
    "path_length": "Path length (m)",
}


class Tables(NamedTuple):
    """A study's tables.

    Attributes:
        cells: its cells, which say what lambda a label has.
        statistics: statistics of training.
        final: statistics of final training performance.
        evaluation_statistics: statistics of evaluations.
        runs: training progress of every seed.
        evaluations: evaluations of every seed.
    """

    cells: pd.DataFrame
    statistics: pd.DataFrame
    final: pd.DataFrame
    evaluation_statistics: pd.DataFrame
    runs: pd.DataFrame
    evaluations: pd.DataFrame

    def of(self, task: str) -> Tables:
        """The rows of one task."""
        return Tables(*(table[table["task"] == task] for table in self))


def draw(tables: Tables) -> Figure:
    """Draw the figure, a row of panels per task.

    Raises:
        ValueError: there is no cell with a fixed lambda, or there are no statistics of any.
    """
    style.use()
    cells = tables.cells[tables.cells["fixed_lambda"].notna()]
    final = tables.final.merge(cells[["task", "label"]])
    tasks = [str(task) for task in cells["task"].unique() if (final["task"] == task).any()]
    if not tasks:
        raise ValueError("there are no statistics of runs with a fixed lambda")
    grid = sorted(cells["fixed_lambda"].unique())
    colours = dict(zip(grid, style.sequential_colours(len(grid)), strict=True))
    figure = Figure(figsize=(7.0, 2.7 * len(tasks) + 0.7))
    style.spread_rows(figure)
    panels = figure.subplots(len(tasks), 3, squeeze=False)
    for row, task in zip(panels, tasks, strict=True):
        _draw_task(list(row), task, tables.of(task), colours)
    add_legend(figure, BAND, last=KEY)
    return figure


def _draw_task(row: Sequence[Axes], task: str, tables: Tables, colours: dict[float, str]) -> None:
    """Draw one task's panels; one without data gives up its place."""
    shown = performance(task, tables.final)
    curves, points, walked = row
    curves.set_title(style.task_name(task))
    draw_learning(curves, tables, shown, colours)
    for axes, metric in ((points, shown), (walked, PATH_LENGTH)):
        if final_rows(metric, tables.final, tables.evaluation_statistics)["mean"].notna().any():
            draw_final(axes, tables, metric, colours)
        else:
            axes.remove()


def draw_learning(axes: Axes, tables: Tables, shown: Headline, colours: dict[float, str]) -> None:
    """Draw the learning curves, coloured by lambda; runs without a fixed one have the algorithm's colour."""
    evaluated = tables.evaluation_statistics
    rows = tables.statistics if shown.source == "training" else evaluated[evaluated["target"] == MEAN]
    rows = rows[(rows["metric"] == shown.metric) & rows["label"].isin(tables.cells["label"])]
    values = dict(zip(tables.cells["label"], tables.cells["fixed_lambda"], strict=True))
    fixed = {label: value for label, value in values.items() if value in colours}
    names = {label: f"λ = {value:g}" for label, value in fixed.items()}
    rows = rows.assign(fixed=rows["label"].map(fixed)).sort_values("fixed", kind="stable")
    draw_curves(
        axes,
        rows,
        style.colours(rows["label"]) | {label: colours[value] for label, value in fixed.items()},
        name=lambda label: names.get(label, _other_name(label)),
        linestyles=dict.fromkeys(set(values) - set(fixed), "--"),
    )
    axes.set(xlabel="Environment steps", ylabel=Y_LABELS.get(shown.metric, style.metric_name(shown.metric)))
    bound(axes, shown.bounds)
    style.mark_extent(axes, rows, narrow=True)


def _other_name(label: str) -> str:
    """The name of a run without a fixed lambda; plain CHER has a dynamic one."""
    return "CHER (dynamic λ)" if label == "cher" else style.algorithm_name(label)


def draw_final(axes: Axes, tables: Tables, shown: Headline, colours: dict[float, str]) -> None:
    """Draw a metric at the end of training against lambda; runs without a fixed one are lines across the panel."""
    rows = final_rows(shown, tables.final, tables.evaluation_statistics)
    rows = rows.merge(tables.cells[["label", "fixed_lambda"]], on="label")
    others = style.colours(rows["label"])
    for label, value, mean, std in zip(
        rows["label"], rows["fixed_lambda"], rows["mean"], rows["std"], strict=True
    ):
        if value in colours:
            runs, evaluations = (table[table["label"] == label] for table in (tables.runs, tables.evaluations))
            seeds = of_seeds(shown, runs, evaluations)
            draw_point(axes, value, mean, std, seeds, colours[value])
        else:
            axes.axhline(mean, color=others[label], linestyle="--", zorder=1.9)
            axes.axhspan(mean - std, mean + std, color=others[label], alpha=0.12, linewidth=0)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(
        xlabel="Fixed λ", ylabel=f"Final {Y_LABELS.get(shown.metric, style.metric_name(shown.metric)).lower()}"
    )
    bound(axes, shown.bounds)
    name_points(axes, KEY)
    style.mark_extent(axes, rows, narrow=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    command.figure("fixed_lambda", lambda *tables: draw(Tables(*tables)), Tables._fields, arguments=arguments)


if __name__ == "__main__":
    main()
