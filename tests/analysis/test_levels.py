from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cooperative import cell, cooperation_cells, with_share

from analysis.levels import Level, delta_text, levels

MINUS = "\N{MINUS SIGN}"


def test_levels_are_ordered_by_ratio_and_named_as_in_the_paper():
    found = levels(pd.DataFrame(cooperation_cells()), "ant_gather")
    assert [level.label for level in found] == [
        "hrl",
        "cher-rho_25",
        "cher-rho_50",
        "cher",
        "cher-rho_92",
        "cher-rho_100",
    ]
    assert [level.name for level in found] == [
        "0 % (HRL)",
        f"25 % (δ = {MINUS}450)",
        f"50 % (δ = {MINUS}300)",
        f"75 % (δ = {MINUS}150)",
        f"92 % (δ = {MINUS}50)",
        "100 % (δ = 0)",
    ]


def test_colours_are_distinct_and_grow_lighter():
    found = levels(pd.DataFrame(cooperation_cells()), "ant_gather")
    greys = [sum(int(level.colour[at : at + 2], 16) for at in (1, 3, 5)) for level in found]
    assert len(set(greys)) == 6
    assert greys[0] < greys[-1]


def test_without_the_worker_return_deltas_give_the_order():
    unknown = {"cooperation_ratio": np.nan, "worker_return": np.nan}
    cells = pd.DataFrame([{**row, **unknown} for row in cooperation_cells() if row["algorithm"] == "cher"])
    found = levels(cells, "ant_gather")
    assert [level.delta for level in found] == pytest.approx([-450, -300, -150, -50, 0])
    assert found[0].name == f"δ = {MINUS}450"


def test_cells_without_cooperation_or_of_another_task_are_no_levels():
    rows = [
        cell("cooperation", "ant_gather", "hiro"),
        with_share("cooperation", "ant_maze", "cher", 0.5),
        with_share("cooperation", "ant_gather", "cher", 0.25),
    ]
    assert [level.label for level in levels(pd.DataFrame(rows), "ant_gather")] == ["cher"]
    with pytest.raises(ValueError, match="there is no level of cooperation on ant_gather"):
        levels(pd.DataFrame(rows[:2]), "ant_gather")


@pytest.mark.parametrize(("delta", "text"), [(-0.0, "0"), (-0.4, "0"), (-149.6, f"{MINUS}150"), (12.0, "12")])
def test_deltas_are_whole_numbers_without_a_negative_zero(delta: float, text: str):
    assert delta_text(delta) == text
    assert Level("cher", 0.5, delta, "k").name == f"50 % (δ = {text})"
