"""Figure 2: the two-level hierarchy, one of its meta-periods, and what goals stand for.

python -m analysis.figures.figure_02 --out figure_02.svg figure_02.png
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis import command, style
from analysis.schematic import ENVIRONMENT, MANAGER, SMALL, WORKER, Point, Schematic
from envs.ant.drawing import draw_robot
from envs.ant.gather import AntGather
from envs.traffic.drawing import AUTOMATED_COLOUR, HUMAN_COLOUR, ROAD_COLOUR

#: Joint angles in rad that the drawn goal asks for, against those of a robot that stands.
GOAL_ANGLES = (0.5, 0.3, -0.4, -0.3, 0.5, -0.3, -0.4, 0.3)
GOAL_PLACE = (2.1, 0.75)  # m
#: Where the robot stands, in inches, and inches per metre.
ANT, SCALE = (5.88, 0.69), 0.34


def draw() -> Figure:
    """Draw the figure."""
    return compose().figure


def compose() -> Schematic:
    """Put the three panels on a drawing."""
    style.use()
    drawing = Schematic(7.0, 3.75)
    draw_levels(drawing)
    draw_period(drawing)
    draw_meanings(drawing)
    return drawing


def add_title(drawing: Schematic, x: float, y: float, text: str) -> None:
    """Name a panel."""
    drawing.text((x, y), text, size=9, weight="bold", ha="left")


def draw_levels(drawing: Schematic) -> None:
    """The manager above the worker above the environment, with their rewards."""
    add_title(drawing, 0.1, 3.58, "(a) Two levels")
    size, middle, low = (1.3, 0.46), 1.3, 1.03
    manager = drawing.box((middle, 3.1), size, "Manager", MANAGER, second=r"$\pi_m(s_t)$")
    goal = drawing.box((middle, 2.36), (0.5, 0.3), "$g_t$", MANAGER)
    worker = drawing.box((middle, 1.65), size, "Worker", WORKER, second=r"$\pi_w(s_t, g_t)$")
    world = drawing.box((middle, 0.4), size, "Environment", ENVIRONMENT, second="$s_{t+1}, r_t$")
    reward = drawing.box((2.75, 1.65), (1.1, 0.46), "Intrinsic reward", WORKER, second="$r_w(s_t, g_t, s_{t+1})$")

    drawing.arrow(manager.side("bottom"), goal.side("top"), colour=MANAGER)
    drawing.text((middle + 0.08, 2.7), "a goal every $k$ steps", colour=MANAGER, ha="left")
    drawing.arrow(goal.side("bottom"), worker.side("top"), colour=MANAGER)
    drawing.arrow(goal.side("right"), (reward.x, goal.y), reward.side("top"), colour=MANAGER)
    drawing.arrow(worker.side("bottom"), world.side("top"), colour=WORKER)
    drawing.text((middle + 0.08, low), "$a_t$ at every step", colour=WORKER, ha="left")
    drawing.arrow(reward.side("left"), worker.side("right"), colour=WORKER)

    trunk, outer = 0.35, 3.47
    for level in (worker, manager):
        turns = (trunk, world.y), (trunk, level.y)
        drawing.arrow(world.side("left"), *turns, level.side("left"), colour=ENVIRONMENT)
    drawing.text((trunk - 0.14, low), "$s_t$", colour=ENVIRONMENT)
    turn = reward.x, world.y + 0.1
    drawing.arrow(world.side("right", 0.1), turn, reward.side("bottom"), colour=ENVIRONMENT)
    drawing.text((reward.x + 0.08, low), "$s_t, s_{t+1}$", colour=ENVIRONMENT, ha="left")
    turns = (outer, world.y - 0.1), (outer, manager.y)
    drawing.arrow(world.side("right", -0.1), *turns, manager.side("right"), colour=ENVIRONMENT)
    drawing.text((2.74, 3.28), r"$r_m = r_t + \cdots + r_{t+k-1}$", colour=ENVIRONMENT)


def draw_period(drawing: Schematic) -> None:
    """The goals and actions of one meta-period, and the first ones of the next."""
    add_title(drawing, 3.85, 3.58, "(b) A meta-period of $k$ steps")
    size = 0.52, 0.27
    columns = {"t": 4.16, "t+1": 4.86, "t+k-1": 6.0, "t+k": 6.68}
    world = drawing.box((5.42, 1.84), (3.04, 0.27), "", ENVIRONMENT)
    goals = {}
    for time, x in columns.items():
        goals[time] = drawing.box((x, 2.8), size, f"$g_{{{time}}}$", MANAGER)
        worker = drawing.box((x, 2.35), size, r"$\pi_w$", WORKER)
        drawing.arrow(goals[time].side("bottom"), worker.side("top"), colour=MANAGER)
        drawing.arrow(worker.side("bottom"), world.side("top", x - world.x), colour=WORKER)
        drawing.text((x + 0.05, 2.1), f"$a_{{{time}}}$", colour=WORKER, size=SMALL, ha="left")
        drawing.text((x, world.y), f"$s_{{{time}}}$", colour=ENVIRONMENT)
    for time in ("t", "t+k"):
        manager = drawing.box((columns[time], 3.26), size, r"$\pi_m$", MANAGER)
        drawing.arrow(manager.side("bottom"), goals[time].side("top"), colour=MANAGER)
    dots = drawing.place((5.43, 2.8), (0.22, 0.27), r"$\cdots$", MANAGER)
    for start, end in pairwise((goals["t"], goals["t+1"], dots, goals["t+k-1"])):
        drawing.arrow(start.side("right"), end.side("left"), colour=MANAGER)
    for y, colour in ((2.35, WORKER), (world.y, ENVIRONMENT)):
        drawing.text((dots.x, y), r"$\cdots$", colour=colour)
    drawing.text((5.42, 3.26), "goals are carried over:\n$g_{i+1} = h(s_i, g_i, s_{i+1})$", colour=MANAGER)


def draw_meanings(drawing: Schematic) -> None:
    """Goals as desired speeds in traffic, and as desired positions and joint angles of the Ant."""
    add_title(drawing, 3.85, 1.42, "(c) Goals are desired states")
    draw_road(drawing)
    draw_navigation(drawing)
    drawing.text((4.6, 0.32), "a desired speed of\neach automated vehicle", va="top")
    drawing.text((6.2, 0.32), "a desired position and\ndesired joint angles", va="top")


def draw_road(drawing: Schematic) -> None:
    """An automated vehicle between two others, with its present and its desired speed."""
    left, bottom, width, height = 3.9, 0.64, 1.4, 0.3
    drawing.axes.add_patch(Rectangle((left, bottom), width, height, color=ROAD_COLOUR, linewidth=0))
    for x, colour in ((0.05, HUMAN_COLOUR), (0.4, AUTOMATED_COLOUR), (1.15, HUMAN_COLOUR)):
        corner = left + x, bottom + 0.09
        drawing.axes.add_patch(Rectangle(corner, 0.2, height - 0.18, color=colour, linewidth=0, zorder=2))
    front = left + 0.6
    drawing.vector((front, bottom + 0.2), (front + 0.4, bottom + 0.2), ENVIRONMENT)
    drawing.vector((front, bottom + 0.1), (front + 0.25, bottom + 0.1), MANAGER)
    drawing.text((front + 0.1, bottom + height + 0.1), "speed $s_t$", colour=ENVIRONMENT)
    drawing.text((front + 0.1, bottom - 0.12), "goal $g_t$", colour=MANAGER)


def draw_navigation(drawing: Schematic) -> None:
    """The robot, and where and how the goal wants it to be."""
    env = AntGather()
    env.reset(seed=0)
    present = env.model.qpos0.copy()
    desired, (x, y) = present.copy(), GOAL_PLACE
    desired[:2] += x, y
    desired[7:] += GOAL_ANGLES
    axes = drawing.inset(on_floor(-1, -1), (4.1 * SCALE, 3 * SCALE))
    axes.set(xlim=(-1, 3.1), ylim=(-1, 2))
    draw_robot(axes, env.model, desired, linewidth=2, colour=MANAGER)
    draw_robot(axes, env.model, present, linewidth=2)
    drawing.vector(on_floor(0.14 * x, 0.14 * y), on_floor(0.86 * x, 0.86 * y), MANAGER)  # between the torsos
    drawing.text(on_floor(0.6, 1.25), "goal $g_t$", colour=MANAGER)
    drawing.text(on_floor(-0.6, 0), "$s_t$", colour=ENVIRONMENT)


def on_floor(x: float, y: float) -> Point:
    """Where on the drawing a place is, in metres from the robot."""
    return ANT[0] + SCALE * x, ANT[1] + SCALE * y


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    command.figure("figure_02", draw, arguments=arguments)


if __name__ == "__main__":
    main()
