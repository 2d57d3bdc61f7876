"""Figure 8's picture of the transfer: a worker is trained, frozen and carried to other tasks."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from analysis import style

TRAINED, FROZEN, EDGE = "#FFFFFF", "#CFE2F0", "0.3"
#: Size of the picture, in the units in which its parts are placed.
WIDTH, HEIGHT = 100.0, 44.0
GROUP_WIDTH, BOX_WIDTH, BOX_HEIGHT, GAP = 22.0, 17.0, 11.0, 3.0
FLOOR, WORKER, MANAGER = 5.0, 7.5, 26.0  # bottom of the frames and of the boxes in them
LINE = 20  # characters that fit between source and targets
BUS = 1.5  # height of the line along which the weights are carried


def draw_transfer(axes: Axes, sources: Sequence[str], targets: Sequence[str]) -> None:
    """Draw the picture.

    Args:
        axes: to draw on; they get no frame.
        sources: labels of the workers, by what has trained them.
        targets: tasks that the workers are carried to; up to three fit.
    """
    axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    axes.set_axis_off()
    right = WIDTH - GROUP_WIDTH
    lefts = [right - (GROUP_WIDTH + GAP) * number for number in reversed(range(len(targets)))]
    _hierarchy(axes, 0, "Ant Gather", "manager,\ntrained", "worker,\ntrained", TRAINED)
    for left, task in zip(lefts, targets, strict=True):
        _hierarchy(axes, left, style.task_name(task), "new manager,\ntrained", "worker,\nfrozen", FROZEN)
    _carry(axes, GROUP_WIDTH / 2, [left + GROUP_WIDTH / 2 for left in lefts])
    between = (GROUP_WIDTH + lefts[0]) / 2
    *names, last = [style.algorithm_name(source) for source in sources]
    by = f"{', '.join(names)} or {last}" if names else last
    text = f"trained by\n{fill(by, LINE)}"
    axes.text(between, (MANAGER + HEIGHT) / 2, text, ha="center", va="center", fontsize=7.5)
    axes.text(between, BUS + 1.5, "same weights", ha="center", va="bottom", fontsize=7.5)


def _hierarchy(axes: Axes, left: float, title: str, manager: str, worker: str, colour: str) -> None:
    """A manager that sets goals for a worker, framed, with the task's name."""
    _box(axes, (left, FLOOR), (GROUP_WIDTH, HEIGHT - 4 - FLOOR), "", "0.97", edge="0.75")
    middle = left + GROUP_WIDTH / 2
    axes.text(middle, HEIGHT - 3.5, title, ha="center", va="bottom", fontsize=8, weight="bold")
    for bottom, text, face in ((MANAGER, manager, TRAINED), (WORKER, worker, colour)):
        _box(axes, (middle - BOX_WIDTH / 2, bottom), (BOX_WIDTH, BOX_HEIGHT), text, face)
    _arrow(axes, (middle, MANAGER), (middle, WORKER + BOX_HEIGHT), linewidth=0.9)
    axes.text(middle + 1.2, (MANAGER + WORKER + BOX_HEIGHT) / 2, "goal", va="center", fontsize=7, style="italic")


def _carry(axes: Axes, start: float, ends: Sequence[float]) -> None:
    """A line from the worker at the left to each of the others."""
    axes.plot([start, start, max(ends)], [WORKER, BUS, BUS], color=EDGE, linewidth=1.5, solid_joinstyle="round")
    for end in ends:
        _arrow(axes, (end, BUS), (end, WORKER), linewidth=1.5)


def _box(
    axes: Axes, corner: tuple[float, float], size: tuple[float, float], text: str, face: str, *, edge: str = EDGE
) -> None:
    shape = "round,pad=0,rounding_size=1"
    axes.add_patch(FancyBboxPatch(corner, *size, boxstyle=shape, facecolor=face, edgecolor=edge, linewidth=0.8))
    centre = (corner[0] + size[0] / 2, corner[1] + size[1] / 2)
    axes.text(*centre, text, ha="center", va="center", fontsize=7)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], *, linewidth: float) -> None:
    look: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 9, "color": EDGE, "shrinkA": 0, "shrinkB": 0}
    axes.add_patch(FancyArrowPatch(start, end, linewidth=linewidth, **look))
