from __future__ import annotations

from typing import Any

import pytest

from algorithms.config import load_preset, merge, resolve
from algorithms.nested import flatten
from algorithms.settings import SECTIONS
from analysis.reduction import COMPARED, Reduction, compare

PAPER = load_preset("paper")


def run(overrides: dict[str, Any] | None = None) -> Any:
    return resolve(PAPER, "ant_gather", "hrl", seeds=range(10), overrides=overrides)


def test_a_full_run_is_not_reduced():
    assert compare(run(), 1_000_000, 10, PAPER) == Reduction(1_000_000, 10, "")


def test_a_longer_run_with_more_seeds_is_not_reduced():
    assert compare(run(), 3_000_000, 12, PAPER).why == ""


def test_fewer_steps_and_seeds_are_named_first():
    why = compare(run({"learner": {"batch_size": 64}}), 10_000, 3, PAPER).why
    assert why == "10,000 of 1,000,000 steps; 3 of 10 seeds; learner.batch_size 64 instead of 128"


@pytest.mark.parametrize(
    ("overrides", "why"),
    [
        ({"run": {"warmup_steps": 3_000}}, "3,000 warm-up steps instead of 10,000"),
        ({"run": {"evaluation_episodes": 5}}, "run.evaluation_episodes 5 instead of 20"),
        ({"run": {"final_evaluation_episodes": 20}}, "run.final_evaluation_episodes 20 instead of 50"),
        ({"learner": {"hidden": [32, 32]}}, "learner.hidden [32, 32] instead of [256, 256]"),
        ({"hierarchy": {"meta_period": 5}}, "hierarchy.meta_period 5 instead of 10"),
    ],
)
def test_any_changed_setting_makes_a_run_reduced(overrides: dict[str, Any], why: str):
    assert compare(run(overrides), 1_000_000, 10, PAPER).why == why


@pytest.mark.parametrize(
    ("algorithm", "overrides", "why"),
    [
        ("hiro", {"hiro": {"candidates": 8}}, "hiro.candidates 8 instead of 10"),
        ("hac", {"hac": {"subgoal_testing_rate": 1.0}}, "hac.subgoal_testing_rate 1.0 instead of 0.3"),
        ("cher_fixed", {"cher_fixed": {"fixed_lambda": 0.1}}, "cher_fixed.fixed_lambda 0.1 instead of 0.01"),
        ("cher", {"cooperation": {"gradient": "total"}}, "cooperation.gradient total instead of equation5"),
        ("cher", {"cher": {"delta": -5.0}}, "cher.delta -5.0 instead of its default"),
        ("cher", {}, ""),
    ],
)
def test_settings_of_every_section_count(algorithm: str, overrides: dict[str, Any], why: str):
    changed = resolve(PAPER, "ant_gather", algorithm, seeds=range(10), overrides=overrides)
    assert compare(changed, 1_000_000, 10, PAPER).why == why


def test_every_section_is_compared():
    assert {"environment", "transfer", *SECTIONS} == {*COMPARED, "run"}


def test_another_source_of_a_worker_makes_a_run_reduced():
    preset = merge(PAPER, {"variants": {"worker_hrl": {"transfer": {"algorithm": "hiro"}}}})
    settings = {"seeds": range(10), "variant": "worker_hrl"}
    planned, full = (resolve(values, "ant_maze", "hrl", **settings) for values in (preset, PAPER))
    assert compare(full, 1_000_000, 10, PAPER).why == ""
    assert compare(planned, 1_000_000, 10, PAPER).why == "transfer.algorithm hiro instead of hrl"


def test_an_option_of_the_task_makes_a_run_reduced():
    ring = resolve(PAPER, "ring_road", "td3", seeds=range(10), overrides={"environment": {"horizon": 100}})
    assert compare(ring, 1_500_000, 10, PAPER).why == "environment.horizon 100 instead of 1500"


def test_how_often_a_run_reports_does_not_matter():
    changes = {"run": {"log_every": 1_000, "checkpoint_every": 1_000}}
    assert compare(run(changes), 1_000_000, 10, PAPER).why == ""


def test_more_evaluation_episodes_are_no_reduction():
    changes = {"run": {"evaluation_episodes": 21, "final_evaluation_episodes": 51}}
    assert compare(run(changes), 1_000_000, 10, PAPER).why == ""


def test_flatten_joins_nested_keys_with_dots():
    assert flatten({"a": {"b": 1, "c": {"d": [2]}}, "e": None}) == {"a.b": 1, "a.c.d": [2], "e": None}
