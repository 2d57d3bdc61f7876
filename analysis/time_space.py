"""Time-space diagrams of recorded traffic, and mean speeds (Figures 6a and 10 of the paper).

    python -m analysis.time_space --recording human.parquet cher.parquet --label Human CHER --out traffic.pdf

A line per vehicle, its colour the speed: waves of stopped traffic are red bands, falling where they travel against
the traffic.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from analysis import style
from analysis.recordings import (
    Array,
    RecordingError,
    first_episode,
    is_ring,
    mean_speeds,
    read,
    read_goals,
    time_step,
)
from envs.traffic.highway_network import CONTROLLED_PART, SLOW_PART

#: Slow to fast.  Red to yellow as drivers know it, but blue where others have green, which colour-blind readers
#: cannot tell from red; slow traffic alone is dark, so that waves are seen in grey as well.
SPEED_COLOURS = LinearSegmentedColormap.from_list(
    "speed", ["#8E0018", "#E2402A", "#F4A736", "#A9CBA0", "#62B4D8"], N=256
)
RING_SPEEDS = (0.0, 8.0)  # m/s, as in the traffic simulator's own diagrams
HIGHWAY_SPEEDS = (0.0, 15.0)  # m/s: congested traffic has 7 on average, with a standard deviation of 4 to 5
GOAL_COLOUR = "#0072B2"


def draw(
    recorded: Mapping[str, pd.DataFrame],
    goals: Mapping[str, pd.DataFrame] | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """A time-space diagram per label side by side, beside them the mean speeds, below them the commanded speeds.

    Args:
        recorded: an episode per label.
        goals: the steps of the same episodes, for a second row of panels.
        limits: speeds at the ends of the colours, m/s; by default those that fit the road.
    """
    style.use()
    columns, rows = len(recorded) + 1, 2 if goals else 1
    shown = limits or default_limits(next(iter(recorded.values())))
    figure = Figure(figsize=(max(7.0, 2.4 * columns), 2.5 if rows == 1 else 4.2))
    panels = figure.subplots(rows, columns, squeeze=False, height_ratios=[1.5, 1][:rows])
    *diagrams, means = panels[0]
    for axes, (label, episode) in zip(diagrams, recorded.items(), strict=True):
        draw_time_space(axes, episode, shown)
        axes.set_title(label)
    add_speed_bar(diagrams, shown)
    draw_mean_speed(means, recorded)
    if goals:
        for axes, label in zip(panels[1], recorded, strict=False):
            draw_commanded_speed(axes, goals[label], time_step(recorded[label]))
        panels[1, -1].axis("off")
        panels[1, -1].legend(*panels[1, 0].get_legend_handles_labels(), loc="center left")
    end = max(episode["time"].max() for episode in recorded.values())
    for axes in panels.flat:
        axes.set_xlim(0, end)  # an episode that a collision has ended is seen to be short
    for row in panels[:, :-1]:
        for axes in row[1:]:
            axes.sharey(row[0])
            axes.set_ylabel("")
    return figure


def default_limits(episode: pd.DataFrame) -> tuple[float, float]:
    """Speeds at the ends of the colours, m/s."""
    return RING_SPEEDS if is_ring(episode) else HIGHWAY_SPEEDS


def draw_time_space(axes: Axes, episode: pd.DataFrame, limits: tuple[float, float] | None = None) -> None:
    """Draw every vehicle's position over time, coloured by speed, and automated vehicles black on top.

    Lines end where a vehicle has gone round the ring or leaves the road.  The slow end of the highway is left out.
    In a vector file the lines are an image.

    Args:
        axes: to draw on.
        episode: one recorded episode.
        limits: speeds at the ends of the colours, m/s; by default those that fit the road.
    """
    ring = is_ring(episode)
    rows = episode if ring else episode[episode["position"] <= SLOW_PART]
    lines, speeds, automated = segments(rows)
    width = 0.8 if ring else 0.5
    traffic = LineCollection(list(lines), cmap=SPEED_COLOURS, norm=Normalize(*limits or default_limits(episode)))
    traffic.set(array=speeds, linewidth=width, capstyle="projecting", rasterized=True)
    axes.add_collection(traffic)
    axes.add_collection(LineCollection(list(lines[automated]), colors="black", linewidth=width, rasterized=True))
    if not ring:
        for bound in CONTROLLED_PART:
            axes.axhline(bound, color="black", linewidth=0.6, linestyle=":")
    top = rows["position"].max() if ring else SLOW_PART
    axes.set(
        xlim=(rows["time"].min(), rows["time"].max()), ylim=(0, top), xlabel="Time (s)", ylabel="Position (m)"
    )
    axes.grid(False)


def segments(episode: pd.DataFrame) -> tuple[Array, Array, Array]:
    """The lines that vehicles draw from one moment to the next.

    Returns:
        Their ends as time in s and position in m, [n, 2, 2]; mean speeds in m/s, [n]; whether the vehicle is
        automated at both ends, [n].
    """
    rows = episode.sort_values(["vehicle", "time"])
    points = rows[["time", "position"]].to_numpy(np.float64)
    speed, automated = rows["speed"].to_numpy(np.float64), rows["automated"].to_numpy(np.bool_)
    name = rows["vehicle"].to_numpy()
    elapsed, driven = np.diff(points, axis=0).T
    joined = (name[1:] == name[:-1]) & (elapsed < 1.5 * time_step(episode)) & (driven >= 0)
    lines = np.stack([points[:-1], points[1:]], axis=1)[joined]
    return lines, (speed[1:] + speed[:-1])[joined] / 2, (automated[1:] & automated[:-1])[joined]


def add_speed_bar(diagrams: Sequence[Axes], limits: tuple[float, float]) -> None:
    """What the colours of some diagrams mean, once for all of them."""
    figure = diagrams[0].get_figure()
    assert isinstance(figure, Figure)
    bar = figure.colorbar(
        ScalarMappable(Normalize(*limits), SPEED_COLOURS), ax=list(diagrams), extend="max", pad=0.02
    )
    bar.set_label("Speed (m/s)")
    bar.outline.set_visible(False)


def draw_mean_speed(axes: Axes, recorded: Mapping[str, pd.DataFrame]) -> None:
    """Draw the mean speed of traffic over time, one line per label; scripted drivers look as in Figure 5."""
    keys = {name.lower(): key for key, name in (style.ALGORITHM_NAMES | style.DRIVER_NAMES).items()}
    named = {label: keys.get(label.lower(), label) for label in recorded}
    colours = style.colours(key for key in named.values() if key not in style.DRIVER_LINES)
    for label, episode in recorded.items():
        mean, key = mean_speeds(episode), named[label]
        linestyle, colour = style.DRIVER_LINES[key] if key in style.DRIVER_LINES else ("-", colours[key])
        # Drivers come last, since they are still seen on lines that equal them.
        order = 3 if key in style.DRIVER_LINES else 2
        axes.plot(mean.index, mean, label=label, color=colour, linestyle=linestyle, zorder=order)
    axes.set(xlabel="Time (s)", ylabel="Mean speed (m/s)", title="Mean speed")
    axes.set_ylim(bottom=0)
    axes.margins(x=0)
    axes.legend()


def draw_commanded_speed(axes: Axes, goals: pd.DataFrame, step: float) -> None:
    """Draw the speed that the manager asks for and the automated vehicle's own.

    Args:
        axes: to draw on.
        goals: steps of one episode of a hierarchical policy on the ring.
        step: seconds between them.
    """
    seconds = goals["step"] * step
    axes.plot(
        seconds, goals["goal_0"], color=GOAL_COLOUR, linewidth=0.6, drawstyle="steps-post", label="Commanded"
    )
    axes.plot(seconds, goals["state_0"], color="black", linewidth=0.9, label="Actual")
    axes.set(xlabel="Time (s)", ylabel="Speed (m/s)")
    axes.margins(x=0)


def load(paths: Sequence[Path], labels: Sequence[str], target: str | None) -> dict[str, pd.DataFrame]:
    """One episode per label, all of the same seed and target: the target named, or else those of the first one.

    Raises:
        RecordingError: a file is not a recording, or lacks the seed or the target.
    """
    recorded: dict[str, pd.DataFrame] = {}
    seed: int | None = None
    for label, path in zip(labels, paths, strict=True):
        recorded[label] = _episode(path, read(path), target, seed)
        first = recorded[label].iloc[0]
        target, seed = str(first["target"]), int(first["seed"])
    return recorded


def load_goals(paths: Sequence[Path], recorded: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The steps of recorded episodes, by label.

    Raises:
        RecordingError: a file does not hold a policy's steps with goals, or lacks seed or target.
    """
    goals: dict[str, pd.DataFrame] = {}
    for path, (label, episode) in zip(paths, recorded.items(), strict=True):
        first = episode.iloc[0]
        goals[label] = _episode(path, read_goals(path), str(first["target"]), int(first["seed"]))
    return goals


def _episode(path: Path, table: pd.DataFrame, target: str | None, seed: int | None) -> pd.DataFrame:
    try:
        return first_episode(table, target, seed)
    except RecordingError as error:
        raise RecordingError(f"'{path}': {error}") from error


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    options = _options(arguments)
    try:
        recorded = load(options.recording, options.label, options.target)
        goals = load_goals(options.trajectories, recorded) if options.trajectories else None
        style.save(draw(recorded, goals, options.limits and tuple(options.limits)), options.out)
    except ValueError as error:
        sys.exit(f"time_space: {error}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for; ends the process with one line if it makes no sense."""
    parser = argparse.ArgumentParser(description="Draw time-space diagrams and mean speeds of recorded traffic.")
    parser.add_argument("--recording", type=Path, nargs="+", required=True, help="files: parquet, csv")
    parser.add_argument("--label", nargs="+", help="one per recording (default: the files' names)")
    parser.add_argument("--trajectories", type=Path, nargs="+", help="steps of the same episodes, with goals")
    parser.add_argument("--target", help="evaluation point (default: the first one)")
    parser.add_argument("--limits", type=float, nargs=2, metavar=("SLOW", "FAST"), help="ends of the colours, m/s")
    parser.add_argument("--out", type=Path, nargs="+", required=True, help="files: svg, pdf, png")
    options = parser.parse_args(arguments)
    options.label = options.label or [path.stem for path in options.recording]
    number = len(options.recording)
    if len(set(options.label)) != len(options.label) or len(options.label) != number:
        parser.error(f"--label must be {number} different names, one per recording; got {' '.join(options.label)}")
    if options.trajectories and len(options.trajectories) != number:
        parser.error(f"--trajectories must be {number} files, one per recording; got {len(options.trajectories)}")
    if options.limits and not options.limits[0] < options.limits[1]:
        parser.error("--limits must be two speeds, the lower one first; got {:g} {:g}".format(*options.limits))
    return options


if __name__ == "__main__":
    main()
