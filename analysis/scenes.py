"""Episodes of Ant tasks in their surroundings, seen from above (Figure 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from analysis.arenas import COLOURS, NAMES, SHAPES, draw_objects, draw_target, objects_at_the_start
from analysis.paths import PLANE, Array, draw_path, name_path, proposed_goals
from analysis.time_space import GOAL_COLOUR
from envs.ant.arena import Arena
from envs.ant.drawing import draw_arena
from envs.ant.gather import AntGather
from envs.ant.robot import AntEnv
from envs.names import TASKS
from envs.tasks import make

EPISODE = ["seed", "target", "episode"]
BACKGROUND = "0.78"  # of walls, so that paths stand out
TARGET_COLOUR = "#D55E00"
OBJECT_SIZE, OBJECT_ALPHA = 9.0, 0.6
MARGIN = 1.0  # m around what is shown
RESOLUTION = 0.1  # m, of the open floor's edge
SCENE = "scene"  # marks the entries of :func:`name_scene` in a legend


def common_episodes(tables: Mapping[str, pd.DataFrame], number: int) -> dict[str, list[pd.DataFrame]]:
    """Some episodes that all tables hold, so that they start alike: one per evaluation point, then the next ones.

    Args:
        tables: trajectories of one task, by label.
        number: how many episodes at most; of the first seed that all have.

    Raises:
        ValueError: no episode is in all tables.
    """
    first, *others = (table[EPISODE].drop_duplicates() for table in tables.values())
    for other in others:
        first = first.merge(other, on=EPISODE)
    if first.empty:
        raise ValueError(f"trajectories of {' and '.join(tables)} have no seed, target and episode in common")
    seed = first[first["seed"] == first["seed"].iloc[0]]
    shown = seed.sort_values("episode", kind="stable").head(number)
    return {
        label: [table.merge(shown.iloc[[row]]) for row in range(len(shown))] for label, table in tables.items()
    }


def surroundings(task: str) -> AntEnv:
    """An environment of a task, for its geometry.

    Raises:
        ValueError: the task has no arena that paths could be drawn in.
    """
    env = make(task) if task in TASKS and not TASKS[task].is_traffic else None
    if not isinstance(env, AntEnv):
        allowed = ", ".join(name for name, entry in TASKS.items() if not entry.is_traffic)
        raise ValueError(f"task '{task}' has no paths to be drawn; allowed: {allowed}")
    return env


def draw_scene(axes: Axes, env: AntEnv, episode: pd.DataFrame, step: int) -> None:
    """Draw one episode's path and goals before its walls and its target, or apples and bombs.

    Args:
        axes: to draw on.
        env: an environment of the task.
        episode: its steps.
        step: training step of the evaluation, which its start depends on.
    """
    draw_arena(axes, env.arena, colour=BACKGROUND)
    if isinstance(env, AntGather):
        if (objects := objects_at_the_start(episode, step)) is not None:
            draw_objects(axes, *objects, size=OBJECT_SIZE, alpha=OBJECT_ALPHA)
    else:
        named = {point.name: point.options.get("target") for point in env.task.evaluation_points}
        if (target := named.get(str(episode["target"].iloc[0]))) is not None:
            draw_target(axes, target, TARGET_COLOUR)
    draw_path(axes, episode, colour="black", goal_colour=GOAL_COLOUR)


def show_all(panels: Sequence[Axes], arena: Arena, episodes: Iterable[pd.DataFrame]) -> None:
    """Give the panels of an arena one scale, at which its open floor, all paths and all goals are seen."""
    points = [open_floor(arena, np.transpose([panels[0].get_xlim(), panels[0].get_ylim()]))]
    for episode in episodes:
        points += [episode[PLANE].to_numpy(np.float64), proposed_goals(episode)[1]]
    together = np.concatenate(points)
    (left, bottom), (right, top) = np.nanmin(together, axis=0) - MARGIN, np.nanmax(together, axis=0) + MARGIN
    for axes in panels:
        axes.set(xlim=(left, right), ylim=(bottom, top))


def open_floor(arena: Arena, corners: Array) -> Array:
    """Lower left and upper right corner of where the robot may be, in metres, to a resolution of 0.1 m.

    Args:
        arena: with its walls.
        corners: of what is searched, [2, 2].
    """
    xs, ys = (np.arange(low, high, RESOLUTION) for low, high in corners.T)
    places = np.array([(x, y) for x in xs for y in ys if arena.is_open(x, y)])
    return np.array([places.min(axis=0), places.max(axis=0)])


def name_scene(axes: Axes, env: AntEnv) -> None:
    """Let the legend explain what :func:`draw_scene` draws in a task, among the entries with the ``gid`` SCENE."""
    name_path(axes, SCENE, GOAL_COLOUR)
    entries = {"target": ("x", TARGET_COLOUR, 1.0)}
    if isinstance(env, AntGather):
        entries = {NAMES[kind]: (SHAPES[kind], to_hex(colour), OBJECT_ALPHA) for kind, colour in COLOURS.items()}
    for name, (marker, colour, alpha) in entries.items():
        axes.plot([], [], marker, color=colour, alpha=alpha, markersize=4, label=name, gid=SCENE)
