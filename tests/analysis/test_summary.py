from __future__ import annotations

from typing import Any

import pytest

from algorithms.config import load_preset, merge
from analysis import summary

STUDIES = ["main", "cooperation", "transfer", "hiro_correction"]


def lines(name: str, **changes: Any) -> list[str]:
    return summary.summarise(merge(load_preset(name), changes)).splitlines()


def test_paper_is_not_reduced():
    assert lines("paper") == ["Figures: results/figures", "Tables:  results/tables"]


def test_part_of_the_paper_says_what_is_missing_and_no_more():
    part = lines("paper", tasks=["ring_road"], seeds=[0, 1], studies=["main"])
    assert part[2:] == ["Reduced: ring_road: 2 of 10 seeds (td3, hrl, hiro, hac, cher_fixed, cher)"]
    assert lines("paper", tasks=["ring_road"], seeds_per_job=10)[2:] == []


def test_cells_of_all_studies_are_named_once():
    part = lines("paper", tasks=["ant_gather"], algorithms=["hrl", "cher"], seeds=[0], studies=STUDIES)
    labels = "hrl, cher, cher-ratio_25, cher-ratio_50, cher-delta_50, cher-delta_0 and 2 more"
    assert part[2:] == [f"Reduced: ant_gather: 1 of 10 seeds ({labels})"]


@pytest.mark.parametrize("name", ["quick", "smoke"])
def test_short_presets_say_that_nothing_can_be_learned(name: str):
    text = lines(name)
    assert text[0] == f"Figures: results/{name}/figures"
    assert text[-1] == summary.SHORT
    assert any("ant_gather" in line and "of 1,000,000 steps" in line for line in text)


def test_of_some_short_runs_the_tasks_are_named():
    short = {"run": {"tasks": {"ring_road": {"steps": 50_000}}}}
    text = lines("paper", studies=["main"], **short)
    assert text[-1] == "Far too short for anything to be learned are runs on ring_road."


def test_what_is_drawn_from_the_archive_is_elsewhere():
    assert lines("paper", source="archive")[0] == "Figures: results/from_archive/figures"


def test_wrong_preset_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="summary: preset 'fast' not found"):
        summary.main(["--preset", "fast"])
