from __future__ import annotations

import pandas as pd
import pytest
from cooperative import cell, with_share

from analysis.headline import RETURN
from analysis.tables.writing import DASH, MINUS
from analysis.variants import RETURN_FRACTION, gradient_name, performance, setting_name


@pytest.mark.parametrize(
    ("row", "name"),
    [
        (cell("s", "t", "cher_fixed-misleading_5", fixed_lambda=0.001), "λ = 0.001"),
        (with_share("s", "t", "cher", 0.25), "δ = 0.25 J_HRL"),
        (with_share("s", "t", "cher-rho_92", 1 / 12), "δ = 0.0833 J_HRL"),
        (cell("s", "t", "cher", delta=-150.0), f"δ = {MINUS}150"),
        (cell("s", "t", "hrl-penalty", output_penalty=0.01), "penalty 0.01"),
        (cell("s", "t", "hrl-late", manager_actor_start=20_000.0), "manager's actor from 20,000"),
        (with_share("s", "t", "cher-penalty", 0.75, output_penalty=0.01), "δ = 0.75 J_HRL, penalty 0.01"),
        (cell("s", "t", "hrl-raw"), DASH),
        (cell("s", "t", "hrl"), DASH),
    ],
)
def test_settings_come_from_the_cells(row: dict[str, object], name: str):
    assert setting_name(row) == name


def test_readings_have_names():
    assert [gradient_name(name) for name in ("equation5", "authors", "my_own", "")] == [
        "Eq. 5",
        "authors",
        "my own",
        DASH,
    ]


def test_the_return_fraction_stands_for_the_return_where_there_is_one():
    rows = pd.DataFrame(
        [
            ("ring_road", "return_fraction_mean100"),
            ("ant_gather", "return_mean100"),
            ("ant_maze", "return_mean100"),
        ],
        columns=["task", "metric"],
    )
    assert performance("ring_road", rows) == RETURN_FRACTION
    assert performance("ant_gather", rows) == RETURN
    assert performance("ant_maze", rows).metric == "success"
