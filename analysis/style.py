"""What all figures and tables share: names for readers, colours, the mark of a reduced run, and file output.

Names and colours of algorithms are in the registry.  What has no name is shown under one made from its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib
import matplotlib.style
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.typing import LineStyleType

from algorithms.registry import ALGORITHMS
from analysis.reduction import SEPARATOR

STYLE = Path(__file__).with_name("style.mplstyle")
REDUCED_COLOUR = "#FFD9A0"

#: Formats of figures, and what leaves the date out of each.
UNDATED: dict[str, dict[str, None]] = {
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
    ".png": {"Software": None},
}
ENDINGS = tuple(UNDATED)

TASK_NAMES = {
    "ring_road": "Ring Road",
    "highway": "Highway",
    "ant_gather": "Ant Gather",
    "ant_four_rooms": "Ant Four Rooms",
    "ant_maze": "Ant Maze",
    "visual_ant_maze": "Visual Ant Maze",
}
ALGORITHM_NAMES = {name: entry.title for name, entry in ALGORITHMS.items() if entry.title}
DRIVER_NAMES = {
    "human": "Human",
    "follower_stopper": "FollowerStopper",
    "random": "Random actions",
    "constant": "Constant speed",
}
METRIC_NAMES = {
    "return_mean100": "Return (last 100 episodes)",
    "return_fraction_mean100": "Return fraction (last 100 episodes)",
    "success_mean100": "Success rate (last 100 episodes)",
    "return": "Return (evaluation)",
    "return_fraction": "Return fraction (evaluation)",
    "success": "Success rate (evaluation)",
    "throughput": "Throughput in veh/h (evaluation)",
}


def _fixed_colours() -> dict[str, str]:
    """The colours that algorithms ask for; of two with the same one, the first has it."""
    found: dict[str, str] = {}
    for name, entry in ALGORITHMS.items():
        if entry.colour and (colour := entry.colour.upper()) not in found.values():
            found[name] = colour
    return found


#: One colour per algorithm in every figure.
COLOURS = _fixed_colours()

#: Line style and grey tone per scripted driver, and those of any other.
DRIVER_LINES: dict[str, tuple[LineStyleType, str]] = {
    "human": ("--", "0.1"),
    "follower_stopper": ("-.", "0.45"),
    "random": (":", "0.25"),
    "constant": ((0, (1, 4)), "0.45"),
}
OTHER_DRIVER_LINE: tuple[LineStyleType, str] = ((0, (8, 3)), "0.6")

#: Where sequential colours end; beyond this they are too light for lines on white.
LIGHTEST = 0.88


def task_name(task: str) -> str:
    """The task's name for readers."""
    return TASK_NAMES.get(task, task.replace("_", " ").title())


def algorithm_name(label: str) -> str:
    """The algorithm's name for readers, with its variant in brackets."""
    algorithm, _, variant = label.partition("-")
    name = ALGORITHM_NAMES.get(algorithm, algorithm.replace("_", " ").upper())
    return name + (f" ({variant.replace('_', ' ')})" if variant else "")


def driver_name(driver: str) -> str:
    """The scripted driver's name for readers."""
    return DRIVER_NAMES.get(driver, driver.replace("_", " ").capitalize())


def metric_name(metric: str) -> str:
    """The metric's name for readers."""
    words = metric.replace("_mean100", " (last 100 episodes)").replace("_", " ")
    return METRIC_NAMES.get(metric, words.capitalize())


def colours(labels: Iterable[str]) -> dict[str, str]:
    """A colour per label: the fixed one, or the style's next free one in the order given."""
    cycle = [entry["color"] for entry in matplotlib.rcParams["axes.prop_cycle"]]
    cycle = [colour if colour.startswith("#") else f"#{colour}" for colour in cycle]
    free = [colour for colour in cycle if colour not in COLOURS.values()]
    unknown = [label for label in dict.fromkeys(labels) if label not in COLOURS]
    return COLOURS | {label: free[number % len(free)] for number, label in enumerate(unknown)}


def sequential_colours(number: int) -> list[str]:
    """Colours for values in rising order, dark to light, safe for colour-blind readers and distinct in grey."""
    return [to_hex(colour) for colour in matplotlib.colormaps["viridis"](np.linspace(0, LIGHTEST, number))]


def use() -> None:
    """Apply the style file to the figures made from now on."""
    matplotlib.style.use(STYLE)


def mark_extent(axes: Axes, rows: pd.DataFrame, *, narrow: bool = False) -> None:
    """State steps and seeds above a panel; an orange banner marks runs that are reduced against the paper's.

    Args:
        axes: the panel, whose title is moved up.
        rows: the panel's rows of the statistics table.
        narrow: give every reason a line of its own, for panels of a third of the page.
    """
    reduced, first = reductions(rows), 1 if narrow else 2
    lines = [f"reduced: {', '.join(reduced[:first])}", *reduced[first:]] if reduced else [extent_text(rows)]
    box = {"boxstyle": "round,pad=0.3", "facecolor": REDUCED_COLOUR, "edgecolor": "none"} if reduced else None
    axes.set_title(axes.get_title(), pad=10 + 9 * len(lines))
    axes.annotate(
        "\n".join(lines),
        (0.5, 1),
        (0, 6),
        "axes fraction",
        "offset points",
        ha="center",
        va="bottom",
        fontsize=7,
        bbox=box,
    )


def spread_rows(figure: Figure) -> None:
    """Keep the titles of a row of panels apart from the labels of the row above."""
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(h_pad=0.1)


def extent_text(rows: pd.DataFrame) -> str:
    """Steps and seeds that were run, as ranges where the rows differ."""
    steps, seeds = (_range(rows[column]) for column in ("steps_run", "seeds_run"))
    return f"{steps} steps, {seeds} seeds"


def reductions(rows: pd.DataFrame) -> list[str]:
    """How the rows are reduced: steps and seeds in full, other settings counted; empty if they are not."""
    whys = [why for why in dict.fromkeys(rows["reduced_why"]) if why]
    reasons = list(dict.fromkeys(reason for why in whys for reason in why.split(SEPARATOR)))
    extent = [reason for reason in reasons if reason.endswith((" steps", " seeds"))]
    if changed := len(reasons) - len(extent):
        extent.append("1 setting changed" if changed == 1 else f"{changed} settings changed")
    return extent


def _range(numbers: pd.Series) -> str:
    low, high = numbers.min(), numbers.max()
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def settle(figure: Figure) -> None:
    """Fix the layout, to nine decimals: the last digits of its solver depend on where objects lie in memory."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = (round(number, 9) for number in axes.get_position(original=True).bounds)
        axes.set_position((left, bottom, width, height))


def save(figure: Figure, paths: Sequence[Path]) -> None:
    """Write a figure in the formats that the paths' endings name, without dates: same numbers, same bytes."""
    for path in paths:
        if path.suffix not in UNDATED:
            raise ValueError(f"'{path}' is not a figure file; allowed endings: {', '.join(ENDINGS)}")
    settle(figure)
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata=UNDATED[path.suffix])
