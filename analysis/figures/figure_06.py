"""Figure 6: trajectories of the agent and the goals along them, of plain HRL and CHER.

On the ring road, a time-space diagram and the commanded speed of the automated vehicle; on Ant tasks, paths seen
from above with the goals that were proposed along them.

python -m analysis.figures.figure_06 --statistics statistics.parquet --recordings ring_road/hrl=traffic.parquet \
    --trajectories ring_road/hrl=steps.parquet ant_maze/hrl=paths.parquet --out figure_06.svg figure_06.png
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec, SubplotSpec

from analysis import command, named_files, style
from analysis.command import Option
from analysis.curves import add_legend
from analysis.named_files import Cell
from analysis.paths import PLANE, read_trajectories
from analysis.recordings import GOAL_COLUMNS, matching_episodes, read_named
from analysis.scenes import SCENE, common_episodes, draw_scene, name_scene, show_all, surroundings
from analysis.time_space import RING_SPEEDS, add_speed_bar, draw_commanded_speed, draw_time_space
from envs.traffic.ring_traffic import TIME_STEP

RING = "ring_road"
#: Letters in the order of Figure 4, with or without data; other tasks come last.
LETTERS = {RING: "a", "ant_gather": "b", "ant_four_rooms": "c", "ant_maze": "d"}
BESIDE = 2  # labels of an Ant task side by side
EPISODES = 3  # of each of them
HEADER = 0.02  # height of a row of common titles in terms of that of the panels below
RING_HEIGHT, ANT_HEIGHT, LEGEND_HEIGHT = 2.0, 1.8, 0.45  # inches, of a row of panels and what is around them
LEGEND = "black: what the agent does, blue: what its manager asks for"

Tables = Mapping[Cell, pd.DataFrame]
Episodes = Mapping[str, pd.DataFrame]


def draw(statistics: pd.DataFrame, trajectories: Tables, recorded: Tables) -> Figure:
    """Draw the figure.

    Args:
        statistics: statistics of training of the runs that are shown.
        trajectories: steps of evaluation episodes by task and label; their order is that of the panels.
        recorded: recordings of traffic on the ring road, likewise.

    Raises:
        ValueError: there is nothing to draw, the files of a task hold different episodes, or the statistics lack
            a run.
    """
    style.use()
    tasks = in_order(list(dict.fromkeys((*recorded, *trajectories))))
    heights = [
        RING_HEIGHT * len(labels) if task == RING else ANT_HEIGHT * -(-len(labels) // BESIDE)
        for task, labels in tasks.items()
    ]
    figure = Figure(figsize=(7.0, sum(heights) + LEGEND_HEIGHT))
    grid = GridSpec(len(heights), 1, figure, height_ratios=heights)
    for number, (task, labels) in enumerate(tasks.items()):
        rows = {label: rows_of(statistics, task, label) for label in labels}
        steps = {label: trajectories[task, label] for label in labels if (task, label) in trajectories}
        if task == RING:
            traffic = {label: recorded[task, label] for label in labels if (task, label) in recorded}
            draw_ring(figure, grid[number], rows, steps, traffic)
        else:
            draw_paths(figure, grid[number], rows, steps)
    add_legend(figure, LEGEND, last=SCENE)
    return figure


def in_order(cells: Sequence[Cell]) -> dict[str, list[str]]:
    """The labels of each task, in the order of the panels.

    Raises:
        ValueError: there is no cell.
    """
    if not cells:
        raise ValueError("there is nothing to draw: neither trajectories nor recordings of any run")
    tasks = list(dict.fromkeys(task for task, _ in cells))
    tasks.sort(key=[*LETTERS, *tasks].index)
    return {task: [label for name, label in cells if name == task] for task in tasks}


def rows_of(statistics: pd.DataFrame, task: str, label: str) -> pd.DataFrame:
    """The statistics of one run, which say how far it was trained.

    Raises:
        ValueError: there are none.
    """
    rows = statistics[(statistics["task"] == task) & (statistics["label"] == label)]
    if rows.empty:
        raise ValueError(f"the statistics lack {task}/{label}, which there are episodes of")
    return rows


def name_panel(axes: Axes, rows: pd.DataFrame) -> None:
    """The title of a panel: task, algorithm, and how far it was trained."""
    task, label = rows[["task", "label"]].iloc[0]
    letter = f"({LETTERS[task]}) " if task in LETTERS else ""
    axes.set_title(f"{letter}{style.task_name(task)}: {style.algorithm_name(label)}")
    style.mark_extent(axes, rows)


def draw_ring(figure: Figure, spec: SubplotSpec, rows: Episodes, steps: Episodes, traffic: Episodes) -> None:
    """Draw a row per label: the time-space diagram on the left, commanded and actual speed on the right.

    Args:
        figure: to draw on.
        spec: the part of it.
        rows: statistics by label.
        steps: of evaluation episodes, by label.
        traffic: recordings of the same episodes, by label.
    """
    tables = {("traffic", label): table for label, table in traffic.items()}
    tables |= {("steps", label): table for label, table in checked(steps, RING, GOAL_COLUMNS).items()}
    shown = matching_episodes({f"{kind} of {RING}/{label}": table for (kind, label), table in tables.items()})
    episodes = dict(zip(tables, shown.values(), strict=True))
    grid = spec.subgridspec(len(rows), 2)
    diagrams, speeds = [], []
    for number, label in enumerate(rows):
        if ("traffic", label) in episodes:
            diagrams.append(figure.add_subplot(grid[number, 0]))
            draw_time_space(diagrams[-1], episodes["traffic", label], RING_SPEEDS)
            add_speed_bar(diagrams[-1:], RING_SPEEDS)
        if ("steps", label) in episodes:
            speeds.append(figure.add_subplot(grid[number, 1]))
            draw_commanded_speed(speeds[-1], episodes["steps", label], TIME_STEP)
        for axes in (*diagrams[-1:], *speeds[-1:]):
            name_panel(axes, rows[label])
    align(diagrams, speeds)


def checked(steps: Episodes, task: str, columns: Sequence[str]) -> Episodes:
    """The steps by label, of which all have what is drawn.

    Raises:
        ValueError: one of them lacks a column, such as the goal of a policy without a hierarchy.
    """
    for label, table in steps.items():
        if missing := [name for name in columns if name not in table]:
            raise ValueError(f"trajectories of {task}/{label} have no column {missing[0]}, which is drawn")
    return steps


def align(*columns: Sequence[Axes]) -> None:
    """Give all panels one time axis, so that an episode that a collision has ended is seen to be short.

    Args:
        columns: panels with the same quantity, whose axes have the same range.
    """
    end = max(axes.get_xlim()[1] for panels in columns for axes in panels)
    for panels in columns:
        limits = [axes.get_ylim() for axes in panels]
        for axes in panels:
            axes.set(xlim=(0, end), ylim=(min(low for low, _ in limits), max(high for _, high in limits)))


def draw_paths(figure: Figure, spec: SubplotSpec, rows: Episodes, steps: Episodes) -> None:
    """Draw some episodes of each label of an Ant task, the same for all, with two labels beside each other.

    Args:
        figure: to draw on.
        spec: the part of it.
        rows: statistics by label.
        steps: of evaluation episodes, by label.
    """
    task = rows[next(iter(rows))]["task"].iloc[0]
    env = surroundings(task)
    shown = common_episodes(checked(steps, task, PLANE), EPISODES)
    number = len(next(iter(shown.values())))
    lines, columns = -(-len(shown) // BESIDE), min(len(shown), BESIDE)
    grid = spec.subgridspec(2 * lines, columns * number, height_ratios=[HEADER, 1] * lines)
    panels = []
    for place, (label, episodes) in enumerate(shown.items()):
        line, column = divmod(place, BESIDE)
        header = figure.add_subplot(grid[2 * line, column * number : (column + 1) * number])
        header.set_axis_off()
        name_panel(header, rows[label])
        for turn, episode in enumerate(episodes):
            panels.append(figure.add_subplot(grid[2 * line + 1, column * number + turn]))
            draw_scene(panels[-1], env, episode, int(rows[label]["steps_run"].iloc[0]))
    show_all(panels, env.arena, [episode for episodes in shown.values() for episode in episodes])
    name_scene(panels[-1], env)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    recordings = partial(read_named, tasks=[RING])
    options = [
        Option("trajectories", "steps of evaluation episodes", read_trajectories, named_files.SEVERAL),
        Option("recordings", "traffic of the same episodes", recordings, named_files.SEVERAL),
    ]
    command.figure("figure_06", draw, ["statistics"], options, arguments=arguments)


if __name__ == "__main__":
    main()
