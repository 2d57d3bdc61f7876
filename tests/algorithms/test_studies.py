"""Which trainings the studies ask for, counted by hand, and how a preset selects some of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms import studies
from algorithms.config import ConfigError, load_preset, merge, resolve
from algorithms.settings import RunConfig
from algorithms.studies import Extent, cells, trainings

PAPER = load_preset("paper")
SELECTED = PAPER["studies"]
ALL = list(PAPER["study"])
FLAT = ["highway", "ring_road", "ant_gather", "ant_four_rooms", "ant_maze"]
MAZES = ["ant_four_rooms", "ant_maze"]

Names = set[tuple[str, str]]


def preset(**changes: Any) -> dict[str, Any]:
    return merge(PAPER, changes)


def named(runs: list[RunConfig]) -> Names:
    return {(run.task, run.label) for run in runs}


def on(tasks: list[str], *labels: str) -> Names:
    return {(task, label) for task in tasks for label in labels}


# Written down from the paper's figures, not from the preset.
WORKERS = ("hrl-worker_hrl", "hrl-worker_hiro", "hrl-worker_cher", "hiro-worker_hiro", "cher-worker_cher")
FEW_LAMBDAS = ("cher_fixed-lambda_0.001", "cher_fixed-lambda_0.005", "cher_fixed", "cher_fixed-lambda_0.05")
MANY_LAMBDAS = ("cher_fixed-lambda_0.1", "cher_fixed-lambda_1", "cher_fixed-lambda_10")
READINGS = ("", "-total", "-authors", "-released")
CELLS: dict[str, Names] = {
    "main": on(FLAT, "td3", "hrl", "hiro", "hac", "cher_fixed", "cher"),
    "cooperation": on(
        ["ant_gather"], "hrl", "cher-ratio_25", "cher-ratio_50", "cher", "cher-delta_50", "cher-delta_0"
    ),
    "transfer": on(["ant_gather"], "hrl-transfer", "hiro-transfer", "cher-transfer") | on(MAZES, *WORKERS),
    "hiro_correction": on(["ant_gather", "ant_maze"], "hrl", "hiro"),
    "visual": on(["visual_ant_maze"], "hrl", "hiro", "cher"),
    "fixed_lambda": on(["ring_road", "ant_gather"], *FEW_LAMBDAS, "cher") | on(["ant_gather"], *MANY_LAMBDAS),
    "gradient_forms": on(
        ["ring_road", "ant_gather"], *(name + reading for name in ("cher_fixed", "cher") for reading in READINGS)
    ),
}
CELLS["transfer_xy"] = on(["ant_gather"], "hrl-transfer_xy", "hiro-transfer_xy", "cher-transfer_xy") | on(
    MAZES, "hrl-worker_hrl_xy", "hiro-worker_hiro_xy", "cher-worker_cher_xy"
)
#: 0.01 is the plain cell but in the mazes, where it is 0.005; 75 % of the return is a ratio of 25 %.
CELLS["e1_search"] = (
    on(["highway", "ring_road", "ant_gather"], "cher_fixed-lambda_0.005", "cher_fixed")
    | on(MAZES, "cher_fixed", "cher_fixed-lambda_0.01")
    | on(["highway", "ring_road", *MAZES], "cher", "cher-ratio_50", "cher-ratio_75")
    | on(["ant_gather"], "cher-ratio_25", "cher-ratio_50", "cher")
)


# ---- the paper ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("study", CELLS)
def test_every_study_has_the_cells_of_its_figure(study: str) -> None:
    runs = cells(PAPER, study)
    assert named(runs) == CELLS[study]
    assert len(runs) == 10 * len(CELLS[study])
    assert {tuple(run.seeds) for run in runs} == {(seed,) for seed in range(10)}


def test_each_study_adds_what_no_study_before_it_has() -> None:
    assert studies.extents(PAPER) == [
        Extent("main", 30, 300, 300, "1,000,000 to 3,000,000"),
        Extent("cooperation", 6, 60, 40, "1,000,000"),
        Extent("transfer", 13, 130, 130, "1,000,000"),
        Extent("hiro_correction", 4, 40, 0, "1,000,000 to 3,000,000"),
        Extent("visual", 3, 30, 30, "2,500,000"),
        Extent("fixed_lambda", 13, 130, 90, "1,000,000 to 1,500,000"),
        Extent("gradient_forms", 16, 160, 120, "1,000,000 to 1,500,000"),
    ]
    assert len(trainings(PAPER)) == 300 + 40 + 130 + 30 + 90 + 120 == 710
    assert len({run.key for run in trainings(PAPER)}) == 710


def test_the_search_of_the_appendix_is_not_selected() -> None:
    assert set(ALL) - set(SELECTED) == {"e1_search", "input_scale", "saturation", "transfer_xy"}
    (extent,) = studies.extents(preset(studies=["e1_search"]))
    assert extent == Extent("e1_search", 25, 250, 250 + 50, "1,000,000 to 3,000,000")
    assert len(cells(PAPER, "e1_search")) == 250
    assert len(trainings(PAPER, "transfer_xy")) == len(cells(PAPER, "transfer_xy")) == 90
    searched = studies.extents(preset(studies=["main", "e1_search"]))[1]
    assert searched.new == 10 * len(CELLS["e1_search"] - CELLS["main"]) == 150


def test_the_paper_needs_nothing_besides_its_cells() -> None:
    assert trainings(PAPER) == cells(PAPER)
    assert len(cells(PAPER)) == 710


@pytest.mark.parametrize("name", ["paper", "quick", "smoke", "highway_2020"])
@pytest.mark.parametrize("study", ALL)
def test_every_cell_of_every_study_resolves_in_every_preset(name: str, study: str) -> None:
    values = merge(load_preset(name), {"tasks": PAPER["tasks"], "studies": [study]})
    assert studies.validate(values).studies == [study]
    runs = trainings(values)
    assert named(cells(values)) == named(cells(PAPER, study))
    assert len(runs) == len({run.key for run in runs}) > 0


# ---- cells that are the same ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "algorithm", "variant"),
    [
        ("ant_gather", "cher", "ratio_75"),
        ("ring_road", "cher", "ratio_25"),
        ("ant_gather", "hrl", "ratio_50"),
        ("ant_gather", "cher_fixed", "lambda_0.01"),
        ("ring_road", "cher_fixed", "lambda_0.01"),
        ("ant_maze", "cher_fixed", "lambda_0.005"),
        ("ring_road", "cher", "equation5"),
        ("ant_gather", "td3", "total"),
    ],
)
def test_a_variant_that_changes_nothing_is_the_algorithm_itself(task: str, algorithm: str, variant: str) -> None:
    runs = studies.in_groups(PAPER, studies.Cell(task, algorithm, variant))
    assert runs == studies.in_groups(PAPER, studies.Cell(task, algorithm, None))
    assert {run.label for run in runs} == {algorithm}


def test_which_cell_is_plain_follows_the_presets_settings() -> None:
    changed = preset(cher={"tasks": {"ant_gather": {"delta_share": 0.5}}})
    labels = [run.label for run in cells(changed, "cooperation") if run.seeds == [0]]
    assert labels == ["hrl", "cher-ratio_25", "cher", "cher-ratio_75", "cher-delta_50", "cher-delta_0"]
    shares = {run.label: run.cher.delta_share for run in cells(changed, "cooperation") if run.cher}
    assert (shares["cher"], shares["cher-ratio_75"]) == (0.5, 0.25)


def test_another_worker_return_alone_makes_a_cell_of_its_own() -> None:
    """Delta is a share of something else then; HRL, which has none, stays what it is."""
    values = preset(variants={"ratio_75": {"worker_return": "transfer"}})
    (run,) = (run for run in cells(values, "cooperation") if run.label == "cher-ratio_75" and run.seeds == [0])
    assert studies.reference(values, run)[0].key == "ant_gather/hrl-transfer/seeds_0"
    assert {**run.experiment, "variant": None} == {
        **resolve(PAPER, "ant_gather", "cher", seeds=[0]).experiment,
        "variant": None,
    }
    assert studies.in_groups(values, studies.Cell("ant_gather", "hrl", "ratio_75"))[0].label == "hrl"


def test_studies_do_not_change_the_hash_of_a_plain_cell() -> None:
    plain = resolve(PAPER, "ant_gather", "cher", seeds=[0])
    bare = preset() | {"variants": {}, "study": {"main": [{"tasks": FLAT}]}, "studies": ["main"]}
    assert resolve(bare, "ant_gather", "cher", seeds=[0]).hash == plain.hash
    in_studies = {run.hash for study in SELECTED for run in cells(PAPER, study) if run.key == plain.key}
    assert in_studies == {plain.hash}
    assert "variant" not in plain.experiment
    assert "transfer" not in plain.experiment


# ---- selection ------------------------------------------------------------------------------------------------


def test_order_is_that_of_the_presets_tasks_then_of_the_studys_lines() -> None:
    turned = preset(tasks=PAPER["tasks"][::-1], seeds=[3, 1])
    runs = cells(turned, "transfer")
    order = list(dict.fromkeys(run.task for run in runs))
    assert order == ["ant_maze", "ant_four_rooms", "ant_gather"]
    assert [run.label for run in runs if run.task == "ant_maze" and run.seeds == [1]] == list(WORKERS)
    assert [run.seeds for run in runs] == [[3], [1]] * 13


def test_studies_come_in_the_presets_order_and_shared_cells_once() -> None:
    turned = preset(studies=["hiro_correction", "cooperation"], seeds=[0])
    labels = [(run.task, run.label) for run in cells(turned)]
    assert labels[:4] == [
        ("ant_gather", "hrl"), ("ant_gather", "hiro"), ("ant_maze", "hrl"), ("ant_maze", "hiro")
    ]  # fmt: skip
    assert labels.count(("ant_gather", "hrl")) == 1
    assert set(labels) == CELLS["hiro_correction"] | CELLS["cooperation"]


def test_seeds_per_job_groups_seeds() -> None:
    runs = cells(preset(seeds_per_job=4, tasks=["ant_gather"], algorithms=["td3"]))
    assert [run.seeds for run in runs] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert runs[0].key == "ant_gather/td3/seeds_0-3"


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_selection_leaves_out_what_it_does_not_name(data: st.DataObject) -> None:
    def some(names: Any) -> list[Any]:
        return data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))

    selected = {"studies": some(SELECTED), "tasks": some(PAPER["tasks"]), "algorithms": some(PAPER["algorithms"])}
    few = preset(**selected, seeds=some(range(10)))
    expected = {
        (task, label)
        for study in few["studies"]
        for task, label in CELLS[study]
        if task in few["tasks"] and label.partition("-")[0] in few["algorithms"]
    }
    runs = cells(few)
    assert named(runs) == expected
    assert len(runs) == len(expected) * len(few["seeds"])
    if expected:
        studies.validate(few)
    else:
        with pytest.raises(ConfigError, match=r"^nothing to train: no cell of studies [^\n]*$"):
            studies.validate(few)


def test_a_selection_without_cells_says_what_was_selected() -> None:
    with pytest.raises(ConfigError) as caught:
        studies.validate(preset(studies=["transfer"], tasks=["highway", "ring_road"], algorithms=["td3"]))
    expected = "nothing to train: no cell of studies transfer, tasks highway, ring_road, algorithms td3"
    assert str(caught.value) == expected


# ---- the command ----------------------------------------------------------------------------------------------


def test_overview_adds_up(capsys: pytest.CaptureFixture[str]) -> None:
    studies.main([])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines[1:-1]] == SELECTED
    assert lines[2] == ["cooperation", "6", "60", "40", "1,000,000"]
    assert lines[-1] == ["in", "all", "710"]


def test_the_command_refuses_in_one_line() -> None:
    with pytest.raises(SystemExit, match=r"^studies: preset 'papr' not found; allowed: [^\n]*$"):
        studies.main(["--preset", "papr"])
