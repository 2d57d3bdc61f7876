"""The quantity that the paper shows of each task: Figure 5 draws it, tables list it first.

The paper reports rates of success in the mazes, in Ant Maze from evaluations and in Ant Four Rooms from training
(D.1), in the visual maze those of coming near the target at all (F.2), and everywhere else the return of the last
training episodes.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import pandas as pd

#: Stands for the mean over a task's evaluation points, where a single one has its name.
MEAN = "mean"


class Headline(NamedTuple):
    """A metric, and the statistics that it is in.

    Attributes:
        source: ``training`` (progress at every log point) or ``evaluation`` (mean over the evaluation points).
        metric: column of ``progress.csv`` or of ``evaluations.csv``.
        bounds: what it lies between by definition, if there is such a thing.
    """

    source: Literal["training", "evaluation"]
    metric: str
    bounds: tuple[float, float] | None = None


#: Ends the name of a metric of training, where evaluations have the plain name.
TRAINING_SUFFIX = "_mean100"
RETURN = Headline("training", "return_mean100")
HEADLINES = {
    "ant_four_rooms": Headline("training", "success_mean100", (0, 1)),
    "ant_maze": Headline("evaluation", "success", (0, 1)),
    "visual_ant_maze": Headline("evaluation", "entered", (0, 1)),
}


def headline(task: str) -> Headline:
    """What the paper shows of a task; the return for a task that it does not have."""
    return HEADLINES.get(task, RETURN)


def select(training: pd.DataFrame, evaluations: pd.DataFrame) -> pd.DataFrame:
    """The rows of every task's headline; tasks keep the order of the first table.

    Args:
        training: statistics of training progress.
        evaluations: statistics of evaluations.
    """
    sources = {"training": training, "evaluation": evaluations[evaluations["target"] == MEAN]}
    parts = []
    for task in training["task"].unique():
        source, metric, _ = headline(task)
        rows = sources[source]
        parts.append(rows[(rows["task"] == task) & (rows["metric"] == metric)])
    return pd.concat(parts, ignore_index=True)


def select_drivers(drivers: pd.DataFrame, task: str, metric: str) -> pd.DataFrame:
    """What scripted drivers reach on a task, mean over the evaluation points.

    Args:
        drivers: statistics of drivers.
        task: name of the task.
        metric: column of ``progress.csv`` or ``evaluations.csv``; drivers have that of evaluations in either case.
    """
    here = (drivers["task"] == task) & (drivers["target"] == MEAN)
    return drivers[here & (drivers["metric"] == metric.removesuffix(TRAINING_SUFFIX))]


def last_evaluations(evaluations: pd.DataFrame) -> pd.DataFrame:
    """The statistics of evaluations at the end of a training, when the policies are final."""
    return evaluations[evaluations["step"] == evaluations["steps_run"]].drop(columns="step")
