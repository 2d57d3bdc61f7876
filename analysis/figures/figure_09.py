"""Figure 9: HIRO with and without off-policy correction, ours beside the published numbers.

python -m analysis.figures.figure_09 --statistics statistics.parquet \
    --evaluation-statistics evaluation_statistics.parquet --references results/references/references.csv \
    --out figure_09.svg figure_09.png
"""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis import command, style
from analysis.command import Option
from analysis.curves import BAND, add_legend, bound, draw_curves
from analysis.headline import MEAN
from analysis.hiro_comparison import COMPARISONS, compared, name, of_study, published
from analysis.references import Reference, References, load

PUBLISHED = "Published, with correction"
COLOUR = "0.15"
#: Marks what comes last in the legend.
OTHER = "other"


def draw(statistics: pd.DataFrame, evaluations: pd.DataFrame, references: References) -> Figure:
    """Draw the figure.

    Args:
        statistics: statistics of training.
        evaluations: statistics of evaluations; their order is the order of the legend.
        references: published numbers.

    Raises:
        ValueError: nothing of the study was run, or a published number is missing.
    """
    style.use()
    statistics, evaluations = of_study(statistics), of_study(evaluations)
    tasks = [task for task in COMPARISONS if len(main_curves(statistics, evaluations, task))]
    if not tasks:
        raise ValueError("there are no results of the study 'hiro_correction' on ant_gather or ant_maze")
    figure = Figure(figsize=(7.0, 0.75 + 2.7 * len(tasks)))
    grid = figure.add_gridspec(len(tasks), 2, width_ratios=[0.68, 0.32])
    for row, task in enumerate(tasks):
        title = f"({ascii_lowercase[row]}) {style.task_name(task)}"
        ours = figure.add_subplot(grid[row, 0], title=f"{title}: ours")
        theirs = figure.add_subplot(grid[row, 1], title="Nachum et al. (2018)", sharey=ours)
        draw_ours(ours, main_curves(statistics, evaluations, task), other_curves(evaluations, task), task)
        draw_published(theirs, ours, published(references, "HIRO", task))
    add_legend(figure, f"{BAND}; star: ± standard error", last=OTHER)
    return figure


def main_curves(statistics: pd.DataFrame, evaluations: pd.DataFrame, task: str) -> pd.DataFrame:
    """The curves of a task: of training where the paper shows that, otherwise of what HIRO evaluates."""
    training = COMPARISONS[task].training
    if not training:
        return compared(evaluations, task)
    return statistics[(statistics["task"] == task) & (statistics["metric"] == training)]


def other_curves(evaluations: pd.DataFrame, task: str) -> pd.DataFrame:
    """What is drawn besides: evaluations where the curves are of training, otherwise the mean over all points."""
    comparison = COMPARISONS[task]
    if comparison.training:
        return compared(evaluations, task)
    here = (evaluations["task"] == task) & (evaluations["target"] == MEAN)
    return evaluations[here & (evaluations["metric"] == comparison.metric)]


def draw_ours(axes: Axes, curves: pd.DataFrame, others: pd.DataFrame, task: str) -> None:
    """Draw our curves with their bands, and others thin and without."""
    comparison = COMPARISONS[task]
    colours = style.colours([*curves["label"], *others["label"]])
    draw_curves(axes, curves, colours, name=name)
    for text in axes.texts:  # that there is nothing to draw
        text.set_bbox({"facecolor": "white", "edgecolor": "none"})
    for label, curve in others.groupby("label", sort=False):
        marker = "." if len(curve) == 1 else None
        axes.plot(
            curve["step"],
            curve["mean"],
            ":",
            color=colours[str(label)],
            linewidth=1,
            marker=marker,
            markerfacecolor="white",
        )
    metric = style.metric_name(curves["metric"].iloc[0])
    axes.set_ylabel(f"{metric},\n{comparison.place}" if comparison.place else metric)
    besides = "evaluations" if comparison.training else "mean over targets"
    axes.plot([], [], ":", color="0.3", linewidth=1, label=f"{style.task_name(task)}: {besides}", gid=OTHER)
    bound(axes, comparison.bounds)
    style.mark_extent(axes, curves)


def draw_published(axes: Axes, ours: Axes, reference: Reference) -> None:
    """Draw the published number, also as a line across our panel, and say what is not at hand."""
    value, error = reference.number("value"), reference.number("uncertainty")
    for panel in (ours, axes):
        panel.axhline(value, color=COLOUR, linewidth=0.9, linestyle="--", zorder=1.5, label=PUBLISHED, gid=OTHER)
    axes.errorbar([0], [value], [error], fmt="*", color=COLOUR, markersize=8, capsize=3, elinewidth=1.2)
    number = f"{reference.value} ± {reference.uncertainty}"
    axes.set_xticks([0, 1], [f"with\ncorrection:\n{number}", "without\ncorrection:\nno number"])
    axes.set(xlim=(-0.5, 1.5), xlabel="published curves not available")
    axes.tick_params(labelleft=False)
    axes.grid(visible=False, axis="x")
    steps, seeds = reference.number("training_steps"), reference.number("n_seeds")
    extent = f"best policy in {steps / 1e6:g} M steps, {seeds:g} seeds"
    axes.set_title(axes.get_title(), pad=19)
    axes.annotate(extent, (0.5, 1), (0, 6), "axes fraction", "offset points", ha="center", va="bottom", fontsize=7)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    options = [Option("references", "published numbers (csv)", load, command.FILE)]
    command.figure("figure_09", draw, ["statistics", "evaluation_statistics"], options, arguments=arguments)


if __name__ == "__main__":
    main()
