"""Figure 3: how the gradient of the worker's return flows through its goals into the manager (Eq. 3 to 5).

python -m analysis.figures.figure_03 --out figure_03.svg figure_03.png
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from analysis import command, style
from analysis.schematic import ENVIRONMENT, INK, MANAGER, WORKER, Box, Point, Schematic, beside

APART = 0.065  # inches, half the distance of an arrow from that of its gradient
GRADIENT_WIDTH = 1.4  # points
HIGH, MIDDLE, LOW = 3.55, 2.65, 1.75  # rows
#: Where in the graph the three terms of Eq. 5 are, and their colours.
TERMS = {1: ((2.87, HIGH - 0.22), MANAGER), 2: ((2.87, MIDDLE - 0.22), WORKER), 3: ((2.52, LOW - 0.22), WORKER)}


def draw() -> Figure:
    """Draw the figure."""
    return compose().figure


def compose() -> Schematic:
    """Put the graph above its gradient."""
    style.use()
    drawing = Schematic(7.0, 3.9)
    boxes = add_boxes(drawing)
    draw_state(drawing, boxes)
    draw_flows(drawing, boxes)
    draw_labels(drawing)
    draw_legend(drawing)
    draw_equation(drawing)
    return drawing


def add_boxes(drawing: Schematic) -> dict[str, Box]:
    """What computes the manager's objective, by its symbol."""
    size = 1.4, 0.46
    return {
        "state": drawing.box((0.28, MIDDLE), (0.36, 0.3), "$s_t$", ENVIRONMENT),
        "manager": drawing.box((1.3, MIDDLE), (1.1, 0.46), "Manager", MANAGER, second=r"$\pi_m(s_t; \theta_m)$"),
        "goal": drawing.box((2.55, MIDDLE), (0.4, 0.36), "$g_t$", MANAGER),
        "Q_m": drawing.box((4.1, HIGH), size, "Manager's critic", MANAGER, second="$Q_m(s_t, g_t)$"),
        "r_w": drawing.box((4.1, MIDDLE), size, "Intrinsic reward", WORKER, second="$r_w(s_t, g_t, s_{t+1})$"),
        "worker": drawing.box((3.5, LOW), (1.0, 0.46), "Worker", WORKER, second=r"$\pi_w(s_t, g_t)$"),
        "Q_w": drawing.box((5.3, LOW), size, "Worker's critic", WORKER, second="$Q_w(s_t, g_t, a_t)$"),
        "J_w": drawing.box((5.55, MIDDLE), (0.4, 0.36), "$J_w$", WORKER),
        "J": drawing.box((6.45, (HIGH + MIDDLE) / 2), (0.95, 0.4), r"$J_m + \lambda J_w$", INK),
    }


def draw_state(drawing: Schematic, boxes: Mapping[str, Box]) -> None:
    """The manager's observation, its goal, and both gradients of its parameters."""
    drawing.arrow(boxes["state"].side("right"), boxes["manager"].side("left"), colour=ENVIRONMENT)
    course = boxes["manager"].side("right"), boxes["goal"].side("left")
    drawing.arrow(*course, colour=ENVIRONMENT)
    for distance, colour in ((2 * APART, MANAGER), (-2 * APART, WORKER)):
        drawing.arrow(*reversed(beside(course, distance)), colour=colour, dashed=True, width=GRADIENT_WIDTH)


def draw_flows(drawing: Schematic, boxes: Mapping[str, Box]) -> None:
    """From the goal to the objective and, dashed, back again."""
    goal, objective = boxes["goal"], boxes["J"]
    own: list[tuple[Point, ...]] = [
        (goal.side("top"), (goal.x, HIGH), boxes["Q_m"].side("left")),
        (boxes["Q_m"].side("right"), (objective.x, HIGH), objective.side("top")),
    ]
    shared: list[tuple[Point, ...]] = [
        (goal.side("right"), boxes["r_w"].side("left")),
        (goal.side("bottom"), (goal.x, LOW), boxes["worker"].side("left")),
        (boxes["worker"].side("right"), boxes["Q_w"].side("left")),
        (boxes["r_w"].side("right"), boxes["J_w"].side("left")),
        (boxes["Q_w"].side("top", boxes["J_w"].x - boxes["Q_w"].x), boxes["J_w"].side("bottom")),
        (boxes["J_w"].side("right"), (objective.x, MIDDLE), objective.side("bottom")),
    ]
    for courses, colour in ((own, MANAGER), (shared, WORKER)):
        for course in courses:
            drawing.arrow(*beside(course, APART), colour=ENVIRONMENT)
            back = reversed(beside(course, -APART))
            drawing.arrow(*back, colour=colour, dashed=True, width=GRADIENT_WIDTH)


def draw_labels(drawing: Schematic) -> None:
    """The factors of the gradient at their arrows, and the numbers of its terms."""
    below = -0.22
    drawing.text((2.1, MIDDLE + 0.28), r"$\nabla_{\theta_m} \pi_m$", colour=MANAGER)
    drawing.text((2.1, MIDDLE - 0.28), r"$\nabla_{\theta_m} g_t$", colour=WORKER)
    drawing.text((3.14, HIGH + below), r"$\nabla_a Q_m$", colour=MANAGER)
    drawing.text((3.14, MIDDLE + below), r"$\nabla_g r_w$", colour=WORKER)
    drawing.text((2.78, LOW + below), r"$\nabla_g \pi_w$", colour=WORKER)
    drawing.text((4.3, LOW + below), r"$\nabla_a Q_w$", colour=WORKER)
    drawing.text((4.3, LOW + 0.19), "$a_t$", colour=ENVIRONMENT)
    drawing.text((5.6, HIGH + 0.17), "$J_m$", colour=ENVIRONMENT)
    drawing.text((6.1, MIDDLE + 0.17), r"$\times \lambda$", colour=ENVIRONMENT)
    for number, (place, colour) in TERMS.items():
        drawing.badge(place, number, colour)


def draw_legend(drawing: Schematic) -> None:
    """What the arrows are."""
    entries = {
        0.15: (ENVIRONMENT, "computation"),
        1.4: (MANAGER, r"gradient of $J_m$: all there is in plain HRL"),
        4.15: (WORKER, r"gradient of $\lambda J_w$: the cooperation of CHER"),
    }
    for x, (colour, text) in entries.items():
        gradient = colour != ENVIRONMENT
        drawing.vector(
            (x, 1.13), (x + 0.35, 1.13), colour, dashed=gradient, width=GRADIENT_WIDTH if gradient else 1.0
        )
        drawing.text((x + 0.42, 1.13), text, ha="left")


def draw_equation(drawing: Schematic) -> None:
    """Eq. 5, its terms numbered and coloured like the arrows."""
    first = [
        (r"\nabla_{\theta_m} J_m^{\,\prime} \; = \;", INK),
        (r"\mathrm{E}\,[\,", INK),
        (r"\nabla_a Q_m(s, a)|_{a=\pi_m(s)} \, \nabla_{\theta_m} \pi_m(s)", MANAGER),
        ("]", INK),
    ]
    second = [
        (r"+ \; \lambda \, \mathrm{E}\,[\,", INK),
        (r"\nabla_{\theta_m} g_t", WORKER),
        (r"\nabla_g (", WORKER),
        (r"r_w(s_t, g, \pi_w(s_t, g))", WORKER),
        ("+", WORKER),
        (r"\pi_w(s_t, g) \, \nabla_a Q_w(s_t, g_t, a)|_{a=\pi_w(s_t, g_t)}", WORKER),
        (r")\,|_{g=g_t}", WORKER),
        ("]", INK),
    ]
    written = drawing.formula((0.15, 0.64), first, size=9), drawing.formula((0.75, 0.18), second, size=9)
    for number, part in ((1, written[0][2]), (2, written[1][3]), (3, written[1][5])):
        at = drawing.extent(part)
        drawing.badge((at.x, at.side("top")[1] + 0.12), number, TERMS[number][1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    command.figure("figure_03", draw, arguments=arguments)


if __name__ == "__main__":
    main()
