"""What tells the cells of a study apart, in words: their settings, not the names of their variants."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from math import isfinite
from typing import Any

import pandas as pd

from analysis.headline import RETURN, Headline, headline
from analysis.levels import delta_text
from analysis.tables.writing import DASH

#: The readings of the cooperative gradient, for readers.
GRADIENT_NAMES = {"equation5": "Eq. 5", "total": "total", "authors": "authors", "released": "released"}
#: On the ring the return depends on its length, which is drawn anew for every episode; this does not.
RETURN_FRACTION = Headline("training", "return_fraction_mean100")


def gradient_name(gradient: str) -> str:
    """The name of a reading of the cooperative gradient; a dash for an algorithm without one."""
    return GRADIENT_NAMES.get(gradient, gradient.replace("_", " ")) or DASH


def setting_name(cell: Mapping[Hashable, Any]) -> str:
    """Lambda or delta of a cell, then what keeps its actors from the ends of tanh; a dash if there is neither."""
    return ", ".join(part for part in (_cooperation(cell), *_remedies(cell)) if part) or DASH


def _cooperation(cell: Mapping[Hashable, Any]) -> str:
    if isfinite(cell["fixed_lambda"]):
        return f"λ = {cell['fixed_lambda']:g}"
    if isfinite(cell["delta_share"]):
        return f"δ = {cell['delta_share']:.3g} J_HRL"
    return f"δ = {delta_text(cell['delta'])}" if isfinite(cell["delta"]) else ""


def _remedies(cell: Mapping[Hashable, Any]) -> Iterator[str]:
    if isfinite(cell["output_penalty"]):
        yield f"penalty {cell['output_penalty']:g}"
    if isfinite(cell["manager_actor_start"]):
        yield f"manager's actor from {cell['manager_actor_start']:,.0f}"


def performance(task: str, statistics: pd.DataFrame) -> Headline:
    """What comparisons of settings show of a task: its headline, or the return fraction where there is one.

    Args:
        task: name of the task.
        statistics: statistics of training, at every log point or final.
    """
    here = set(statistics.loc[statistics["task"] == task, "metric"])
    shown = headline(task)
    return RETURN_FRACTION if shown == RETURN and RETURN_FRACTION.metric in here else shown
