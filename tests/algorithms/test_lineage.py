"""What a training waits for, and which settings elsewhere call for training it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from algorithms.config import ConfigError, load_preset, merge
from algorithms.settings import RunConfig
from algorithms.studies import Cell, cells, in_groups, lineage, reference, source, trainings, worker_returns

PAPER = load_preset("paper")


def preset(**changes: Any) -> dict[str, Any]:
    return merge(PAPER, changes)


def run_of(values: dict[str, Any], task: str, label: str) -> RunConfig:
    """The first training of a cell."""
    algorithm, _, variant = label.partition("-")
    return in_groups(values, Cell(task, algorithm, variant or None))[0]


# ---- what is needed -------------------------------------------------------------------------------------------


def test_cher_alone_brings_the_hrl_runs_of_its_tasks_and_seeds() -> None:
    alone = preset(studies=["main"], algorithms=["cher"], tasks=["ring_road"], seeds=[0, 1, 5], seeds_per_job=2)
    assert [run.key for run in trainings(alone)] == [
        "ring_road/cher/seeds_0-1",
        "ring_road/cher/seeds_5",
        "ring_road/hrl/seeds_0-1",
        "ring_road/hrl/seeds_5",
    ]
    assert worker_returns(alone, cells(alone)) == {("ring_road", "hrl"): trainings(alone)[2:]}


@pytest.mark.parametrize(
    "changes",
    [{"algorithms": ["td3", "cher_fixed"]}, {"algorithms": ["cher"], "cher": {"default": {"delta": -150.0}}}],
)
def test_nothing_is_added_where_no_delta_is_open(changes: dict[str, Any]) -> None:
    values = preset(studies=["main"], **changes)
    assert trainings(values) == cells(values)
    assert worker_returns(values, cells(values)) == {}


def test_delta_of_one_task_alone_can_be_given() -> None:
    values = preset(studies=["main"], algorithms=["cher"], cher={"tasks": {"ring_road": {"delta": -5.0}}})
    tasks = [task for task in PAPER["tasks"] if task not in ("ring_road", "visual_ant_maze")]
    assert list(worker_returns(values, cells(values))) == [(task, "hrl") for task in tasks]


@pytest.mark.parametrize(
    ("task", "label", "needed"),
    [
        ("ant_gather", "cher", "hrl"),
        ("ant_gather", "cher-ratio_50", "hrl"),
        ("ant_gather", "cher-total", "hrl"),
        ("ant_gather", "cher-transfer", "hrl-transfer"),
        ("ant_gather", "cher-transfer_xy", "hrl-transfer_xy"),
        ("ant_maze", "cher-worker_cher", "hrl-worker_hrl"),
        ("ant_four_rooms", "cher-worker_cher_xy", "hrl-worker_hrl_xy"),
        ("visual_ant_maze", "cher", "hrl"),
    ],
)
def test_delta_is_a_share_of_what_hrl_reaches_under_the_same_conditions(
    task: str, label: str, needed: str
) -> None:
    """Workers that see other numbers, or are pre-trained, reach other returns."""
    run = run_of(PAPER, task, label)
    used = reference(PAPER, run)
    assert run.needs_worker_return
    assert [each.key for each in used] == [f"{task}/{needed}/seeds_{seed}" for seed in range(10)]
    assert used[0].environment == run.environment
    assert used[0].run == run.run
    assert used[0].learner == run.learner


@pytest.mark.parametrize("task", ["ant_maze", "ant_four_rooms"])
@pytest.mark.parametrize("algorithm", ["hrl", "hiro", "cher"])
def test_workers_come_from_ant_gather_of_the_same_seeds(task: str, algorithm: str) -> None:
    values = preset(seeds=[4, 7, 8], seeds_per_job=2)
    for run in in_groups(values, Cell(task, "hrl", f"worker_{algorithm}")):
        taken = source(values, run)
        assert taken is not None
        assert (taken.task, taken.label, taken.seeds) == ("ant_gather", f"{algorithm}-transfer", run.seeds)
        assert taken.key in {each.key for each in cells(values, "transfer")}
        assert taken.transfer is None
    assert source(values, run_of(values, task, "hrl")) is None


def test_one_cell_of_transfer_brings_all_that_it_needs() -> None:
    """CHER's manager on CHER's worker: that worker's delta and its own come from HRL runs of either task."""
    alone = preset(studies=["transfer"], algorithms=["cher"], tasks=["ant_maze"], seeds=[2])
    assert [run.key for run in cells(alone)] == ["ant_maze/cher-worker_cher/seeds_2"]
    assert {run.key for run in trainings(alone)} == {
        "ant_maze/cher-worker_cher/seeds_2",
        "ant_maze/hrl-worker_hrl/seeds_2",
        "ant_gather/cher-transfer/seeds_2",
        "ant_gather/hrl-transfer/seeds_2",
    }
    assert list(worker_returns(alone, trainings(alone))) == [
        ("ant_maze", "hrl-worker_hrl"),
        ("ant_gather", "hrl-transfer"),
    ]


def test_nothing_that_a_training_depends_on_is_left_out() -> None:
    for study in PAPER["study"]:
        every = {run.key for run in trainings(PAPER, study)}
        for run in trainings(PAPER, study):
            if run.needs_worker_return:
                assert {used.key for used in reference(PAPER, run)} <= every
            if taken := source(PAPER, run):
                assert taken.key in every


# ---- what cannot be a source ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        (
            {"worker_hrl": {"transfer": {"variant": "ratio_50"}}},
            "transfer.variant 'ratio_50' changes nothing of hrl on ant_gather; leave it out",
        ),
        (
            {"worker_hrl": {"transfer": {"task": "ant_maze", "variant": "worker_hrl"}}},
            "hrl-worker_hrl on ant_maze needs hrl-worker_hrl on ant_maze, which is a transfer too",
        ),
        (
            {
                "transfer": {"worker_return": "around"},
                "around": {"transfer": {"task": "ant_gather", "algorithm": "cher", "variant": "transfer"}},
                "worker_hrl": {"transfer": {"algorithm": "cher"}},
            },
            "hrl-worker_hrl on ant_maze needs hrl-around on ant_gather, which is a transfer too",
        ),
    ],
)
def test_a_source_must_train_a_worker_of_its_own(variants: dict[str, Any], message: str) -> None:
    """Without that rule trainings could wait for each other."""
    values = preset(variants=variants)
    with pytest.raises(ConfigError) as caught:
        source(values, run_of(values, "ant_maze", "hrl-worker_hrl"))
    assert str(caught.value) == message


# ---- lineage --------------------------------------------------------------------------------------------------


def affected(**changes: Any) -> set[tuple[str, str]]:
    """The cells of all studies that are to be trained anew after a change of the preset."""
    values = preset(**changes)
    both = {
        (run.task, run.label): [lineage(each, run_of(each, run.task, run.label)) for each in (PAPER, values)]
        for study in PAPER["study"]
        for run in cells(PAPER, study)
        if run.seeds == [0]
    }
    return {cell for cell, (before, after) in both.items() if before != after}


def every(wanted: Callable[[RunConfig], bool]) -> set[tuple[str, str]]:
    runs = [run for study in PAPER["study"] for run in cells(PAPER, study)]
    return {(run.task, run.label) for run in runs if wanted(run)}


def test_a_run_that_waits_for_none_has_the_lineage_of_its_settings() -> None:
    for label in ("td3", "hrl", "hiro", "cher_fixed", "cher-delta_50", "hrl-transfer"):
        run = run_of(PAPER, "ant_gather", label)
        assert lineage(PAPER, run) == run.hash
    for task, label in (("ant_gather", "cher"), ("ant_maze", "hrl-worker_hrl"), ("ant_maze", "cher-worker_cher")):
        run = run_of(PAPER, task, label)
        assert lineage(PAPER, run) != run.hash


def test_hrl_of_a_task_decides_cher_there_and_what_its_workers_go_to() -> None:
    """A setting that hierarchies read alone: TD3 keeps what it has, and so does every other task."""
    transferred = every(lambda run: run.transfer is not None)
    on_gather = every(lambda run: run.task == "ant_gather" and run.hierarchy is not None)
    assert affected(hierarchy={"tasks": {"ant_gather": {"worker_terminates": True}}}) == on_gather | transferred
    assert len(transferred) == 16


def test_only_what_depends_on_hrl_follows_its_variant() -> None:
    """One that changes HRL's workers for transfer, and nothing of HIRO's and the plain cells."""
    changed = affected(variants={"transfer": {"hierarchy": {"meta_period": 5}}})
    assert changed == every(lambda run: run.variant == "transfer" or run.variant in WORKERS)


WORKERS = ("worker_hrl", "worker_hiro", "worker_cher")


def test_hiros_settings_reach_the_managers_on_its_workers() -> None:
    changed = affected(hiro={"tasks": {"ant_gather": {"candidates": 8}}})
    assert changed == every(
        lambda run: (
            (run.task == "ant_gather" and run.algorithm == "hiro")
            or run.variant in ("worker_hiro", "worker_hiro_xy")
        )
    )


def test_a_worker_return_is_followed_to_its_own_source() -> None:
    """Where the worker of CHER has a given delta, its manager depends on that of HRL through J_HRL alone."""
    given = {"transfer": {"cher": {"delta": -5.0}}}
    longer = {"transfer": {"cher": {"delta": -5.0}}, "elsewhere": {"hierarchy": {"worker_terminates": True}}}
    for variants in (given, longer):
        variants["elsewhere"] = {**variants.get("elsewhere", {}), "environment": {"worker_sees": "robot"}}
        variants["worker_hrl"] = {"transfer": {"variant": "elsewhere"}}
    before, after = preset(variants=given), preset(variants=longer)
    runs = [run_of(values, "ant_maze", "cher-worker_cher") for values in (before, after)]
    assert runs[0].hash == runs[1].hash
    assert lineage(before, runs[0]) != lineage(after, runs[1])


@pytest.mark.parametrize("changes", [{"seeds": [0, 1]}, {"seeds": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}])
def test_other_seeds_change_the_mean_that_delta_is_a_share_of(changes: dict[str, Any]) -> None:
    assert affected(**changes) == every(lambda run: run.needs_worker_return) | every(
        lambda run: run.transfer is not None and run.transfer.algorithm == "cher"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"learner": {"tasks": {"visual_ant_maze": {"tau": 0.01}}}, "studies": ["main"]},
        {"run": {"default": {"checkpoint_every": 1_000}}, "results": "elsewhere", "device": "cuda"},
        {"seeds_per_job": 5},
    ],
)
def test_what_decides_no_numbers_calls_for_no_training(changes: dict[str, Any]) -> None:
    others = every(lambda run: run.task == "visual_ant_maze") if "learner" in changes else set()
    assert affected(**changes) == others
