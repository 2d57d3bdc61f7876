"""Variants and studies as a preset says them, what they mean, and how wrong ones are refused."""

from __future__ import annotations

from typing import Any

import pytest

from algorithms import studies
from algorithms.config import ConfigError, load_preset, merge, resolve
from algorithms.registry import ALGORITHMS
from envs.options import TRANSFER_OPTIONS

PAPER = load_preset("paper")
NAMES = list(PAPER["variants"])
PRESETS = ["paper", "quick", "smoke"]


def preset(**changes: Any) -> dict[str, Any]:
    return merge(PAPER, changes)


# ---- meaning --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("task", TRANSFER_OPTIONS)
def test_transfer_has_the_environments_that_were_checked_to_fit(name: str, task: str) -> None:
    variants = ["transfer"] if task == "ant_gather" else ["worker_hrl", "worker_hiro", "worker_cher"]
    for variant in variants:
        plain, changed = (
            resolve(load_preset(name), task, "hrl", seeds=[0], variant=chosen) for chosen in (None, variant)
        )
        assert changed.environment == plain.environment | TRANSFER_OPTIONS[task]
        assert changed.environment != plain.environment


@pytest.mark.parametrize("task", TRANSFER_OPTIONS)
def test_the_authors_form_shows_the_worker_x_and_y(task: str) -> None:
    name = "transfer_xy" if task == "ant_gather" else "worker_hrl_xy"
    run = resolve(PAPER, task, "hrl", seeds=[0], variant=name)
    assert not run.environment["worker_hides_xy"]
    hidden = resolve(PAPER, task, "hrl", seeds=[0], variant=name.removesuffix("_xy"))
    assert run.environment | {"worker_hides_xy": True} == hidden.environment


def test_managers_on_new_tasks_train_as_long_as_on_the_first() -> None:
    for name in PRESETS:
        values = load_preset(name)
        first = resolve(values, "ant_gather", "hrl", seeds=[0], variant="transfer").run.steps
        for variant in filter(lambda variant: variant.startswith("worker_"), NAMES):
            assert resolve(values, "ant_maze", "hrl", seeds=[0], variant=variant).run.steps == first


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("variant", ["ratio_50", "lambda_0.1", "total", "worker_hrl"])
def test_an_algorithm_takes_of_a_variant_what_it_reads(algorithm: str, variant: str) -> None:
    plain, changed = (
        resolve(PAPER, "ant_maze", algorithm, seeds=[0], variant=chosen).experiment for chosen in (None, variant)
    )
    differs = {key for key in {*plain, *changed} if plain.get(key) != changed.get(key)} - {"variant"}
    everyone = {"run", "environment"}
    hierarchy = everyone | ({"transfer"} if ALGORITHMS[algorithm].is_hierarchy else set())
    expected = {
        "ratio_50": {"cher"},
        "lambda_0.1": {"cher_fixed"},
        "total": {"cooperation"},
        "worker_hrl": hierarchy,
    }
    read = {*ALGORITHMS[algorithm].sections, *everyone, "transfer"}
    assert differs == expected[variant] & read


def test_overrides_come_after_the_variant() -> None:
    overrides = {"cher": {"delta_share": 0.6, "lambda_max": 2.0}}
    run = resolve(PAPER, "ant_gather", "cher", seeds=[0], variant="ratio_50", overrides=overrides)
    assert run.cher is not None
    assert (run.cher.delta_share, run.cher.lambda_max, run.label) == (0.6, 2, "cher-ratio_50")


def test_a_name_of_ones_own_is_part_of_the_path_alone() -> None:
    plain, mine = (resolve(PAPER, "ring_road", "td3", seeds=[0], variant=name) for name in (None, "mine"))
    assert (plain.key, mine.key) == ("ring_road/td3/seeds_0", "ring_road/td3-mine/seeds_0")
    assert {**mine.experiment, "variant": None} == {**plain.experiment, "variant": None}


# ---- refusals -------------------------------------------------------------------------------------------------


def variant(**changes: Any) -> dict[str, Any]:
    return {"variants": {"mine": changes}}


def transfer(**changes: Any) -> dict[str, Any]:
    return variant(transfer={"task": "ant_gather", "algorithm": "hrl"} | changes)


def main(**group: Any) -> dict[str, Any]:
    return {"study": {"main": [group]}}


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        (
            variant(cheer={}),
            "key 'variants.mine.cheer' is not known; allowed: environment, transfer, worker_return,",
        ),
        (variant(cher={"share": 1}), "key 'variants.mine.cher.share' is not known; allowed: delta, delta_share, "),
        (
            variant(cher={"delta_share": 2}),
            "variants.mine.cher.delta_share = 2 is not allowed; it must be less than",
        ),
        (
            variant(cher={"delta": 0.5}),
            "variants.mine.cher.delta = 0.5 is not allowed; it must be less than or equal",
        ),
        (
            variant(run={"steps": "many"}),
            "variants.mine.run.steps = 'many' is not allowed; it must be a valid int",
        ),
        ({"variants": {"mine": None}}, "variants.mine = None is not allowed"),
        ({"variants": {"mine/x": {}}}, "variants.mine/x = 'mine/x' is not allowed; it must match pattern"),
        ({"variants": {"../x": {}}}, "variants.../x = '../x' is not allowed; it must match pattern"),
        (
            variant(worker_return="nobody"),
            "variants.mine: worker_return 'nobody' is not known; allowed: ratio_25, ",
        ),
        (transfer(task="moon"), "variants.mine: transfer.task 'moon' is not known; allowed: ant_gather, "),
        (
            transfer(algorithm="td3"),
            "variants.mine: transfer.algorithm 'td3' is not known; allowed: hrl, hiro, hac,",
        ),
        (transfer(variant="moon"), "variants.mine: transfer.variant 'moon' is not known; allowed: ratio_25, "),
        (transfer(worker="hrl"), "key 'variants.mine.transfer.worker' is not known; allowed: task, algorithm, "),
        (variant(transfer={"task": "ant_gather"}), "key 'variants.mine.transfer.algorithm' is missing"),
        ({"variants": {"delta_0": {"run": {"steps": 1}}}}, "steps (1) must be a multiple of log_every (2000)"),
        (
            {"variants": {"worker_hrl": {"environment": {"wind": 1}}}},
            "environment: key 'wind' is not known; allowed: contact, ",
        ),
        (
            {"variants": {"transfer": {"environment": {"worker_sees": "nothing"}}}},
            "environment: worker_sees = 'nothing' is not allowed; it must be 'all' or 'robot'",
        ),
        (main(tasks=["moon"]), "study.main: tasks 'moon' is not known; allowed: ant_gather, "),
        (main(algorithms=["ppo"]), "study.main: algorithms 'ppo' is not known; allowed: td3, hrl, "),
        (main(variants=["mine"]), "study.main: variants 'mine' is not known; allowed: ratio_25, ratio_50, "),
        (main(task=["ring_road"]), "key 'study.main.0.task' is not known; allowed: tasks, algorithms, variants"),
        (main(tasks="ring_road"), "study.main.0.tasks = 'ring_road' is not allowed; it must be a valid list"),
        (main(tasks=["ring_road"] * 2), "study.main.0.tasks: ['ring_road', 'ring_road'] must not repeat an entry"),
        (main(tasks=[]), "study.main.0.tasks = [] is not allowed; it must have at least 1 item"),
        (main(algorithms=[]), "study.main.0.algorithms = [] is not allowed; it must have at least 1 item"),
        (main(variants=[]), "study.main.0.variants = [] is not allowed; it must have at least 1 item"),
        (main(), "algorithm 'td3' sees no images, as task 'visual_ant_maze' has; allowed: hrl, "),
        ({"study": {"main": {}}}, "study.main = {} is not allowed; it must be a valid list"),
        ({"study": {"a/b": []}}, "study.a/b = 'a/b' is not allowed; it must match pattern"),
        ({"studies": ["mian"]}, "studies 'mian' is not known; allowed: main, cooperation, transfer, "),
        (
            main() | {"studies": ["main"], "tasks": ["ring_road"], "study": {"main": []}},
            "nothing to train: no cell",
        ),
    ],
)
def test_wrong_variants_and_studies_are_refused_in_one_line(overlay: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        studies.validate(preset(**overlay))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_study_of_ones_own_needs_its_lines_alone() -> None:
    lines = [
        {"tasks": ["ring_road"], "algorithms": ["hrl", "cher"]},
        {"algorithms": ["hiro"], "tasks": ["ant_maze"]},
    ]
    values = preset(study={"mine": lines}, studies=["mine"], seeds=[0])
    studies.validate(values)
    assert [run.key for run in studies.cells(values)] == [
        "ring_road/hrl/seeds_0",
        "ring_road/cher/seeds_0",
        "ant_maze/hiro/seeds_0",
    ]
