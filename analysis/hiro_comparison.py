"""The study ``hiro_correction`` (paper, E.5): HIRO with and without off-policy correction, and published.

HIRO without the correction is HRL.  Of the published results only the numbers of a table are at hand, not the
curves: performance of the best policy in 10 million steps, over 10 seeds (HIRO, Table 1).
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from analysis import style
from analysis.headline import MEAN
from analysis.references import Reference, References

STUDY = "hiro_correction"


class Comparison(NamedTuple):
    """What HIRO reports of a task, in our terms.

    Attributes:
        published: the task's name in the ids of the references.
        metric: column of ``evaluations.csv``.
        target: evaluation point.
        place: what to call this point, where there are others.
        training: besides, a column of ``progress.csv`` that says the same of training episodes.
        bounds: what the metric lies between by definition, if there is such a thing.
    """

    published: str
    metric: str
    target: str
    place: str = ""
    training: str = ""
    bounds: tuple[float, float] | None = None


#: In the paper's order.
COMPARISONS = {
    "ant_gather": Comparison("AntGather", "return", MEAN, training="return_mean100"),
    "ant_maze": Comparison("AntMaze", "success", "target_0_16", place="target (0, 16)", bounds=(0, 1)),
}

#: The rows of HIRO's Table 1, as they stand in the ids of the references.
TABLE_1 = (
    "HIRO",
    "FuN_representation",
    "FuN_transition_PG",
    "FuN_cos_similarity",
    "FuN",
    "SNN4HRL",
    "VIME",
)

NAMES = {"hiro": "HIRO with correction", "hrl": "HIRO without correction (HRL)"}


def name(label: str) -> str:
    """What to call one of our algorithms in this study."""
    return NAMES.get(label, style.algorithm_name(label))


def published(references: References, method: str, task: str) -> Reference:
    """A number of HIRO's Table 1.

    Raises:
        ValueError: the references have no such row.
    """
    return references[f"H_{method}_{COMPARISONS[task].published}"]


def of_study(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the study, on tasks that HIRO reports."""
    return table[(table["study"] == STUDY) & table["task"].isin(list(COMPARISONS))]


def compared(evaluations: pd.DataFrame, task: str) -> pd.DataFrame:
    """The rows of a table with ``metric`` and ``target`` that are what HIRO reports of the task."""
    comparison = COMPARISONS[task]
    here = (evaluations["task"] == task) & (evaluations["target"] == comparison.target)
    return evaluations[here & (evaluations["metric"] == comparison.metric)]
