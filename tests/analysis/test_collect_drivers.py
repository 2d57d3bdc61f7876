from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from synthetic import small_preset

from analysis import collect
from analysis.runs import CollectError
from analysis.study_tables import DRIVER_HEAD

HUMAN = "ring_road/human"
Edit = Callable[[pd.DataFrame], pd.DataFrame]


def edit(path: Path, change: Edit) -> None:
    change(pd.read_csv(path)).to_csv(path, index=False)


def driver_refusal(preset: dict[str, Any], folder: Path) -> str:
    with pytest.raises(CollectError) as caught:
        collect.collect_drivers(preset, folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("changes", [{"drivers": []}, {"tasks": ["ant_gather"]}])
def test_without_drivers_the_table_has_columns_and_no_rows(changes: dict[str, Any], tmp_path: Path):
    rows = collect.collect_drivers(small_preset(**changes), tmp_path)
    assert list(rows.columns[:2]) == DRIVER_HEAD
    assert rows.empty


def test_a_missing_driver_is_refused(preset: dict[str, Any], driver_runs: Path):
    (driver_runs / HUMAN / "run.json").unlink()
    assert driver_refusal(preset, driver_runs) == f"{HUMAN}: there is no finished run in {driver_runs / HUMAN}"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"seeds": [0, 1, 2]}, "seeds is [0, 1], the preset asks for [0, 1, 2]"),
        ({"run": {"tasks": {"ring_road": {"steps": 2_400}}}}, "step is 1200, the preset asks for 2400"),
        (
            {"environment": {"tasks": {"ring_road": {"noise": 0.5}}}},
            "environment.noise is 0.2, the preset asks for 0.5",
        ),
    ],
)
def test_drivers_of_another_configuration_are_refused(driver_runs: Path, changes: dict[str, Any], reason: str):
    message = driver_refusal(small_preset(**changes), driver_runs)
    assert message == f"{HUMAN}: made with other settings: {reason}"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda table: table[table["seed"] != 1], "evaluations.csv, target length_220: seed 1 is missing"),
        (lambda table: table.iloc[:-1], "evaluations.csv, target length_270: seed 1 is missing"),
        (lambda table: table[table["target"] != "length_226"], "evaluations.csv: target length_226 is missing"),
        (
            lambda table: table.assign(step=600),
            "evaluations.csv, target length_220: seed 0: step 600 is not on the grid of 1 points",
        ),
    ],
)
def test_wrong_rows_of_drivers_are_refused(preset: dict[str, Any], driver_runs: Path, change: Edit, reason: str):
    edit(driver_runs / HUMAN / "evaluations.csv", change)
    assert driver_refusal(preset, driver_runs) == f"{HUMAN}: {reason}"
