"""Configurations that finished runs have recorded are read back, and keep the hash that names their experiment.

``recorded_runs.jsonl`` holds those of some trainings of the quick preset, at the time when they were made.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import create_model

from algorithms.config import recorded
from algorithms.nested import present
from algorithms.sections import LearnerSettings
from algorithms.settings import RunConfig, SuiteConfig
from envs.strict import Strict, parse

RUNS = [json.loads(line) for line in Path(__file__).with_name("recorded_runs.jsonl").read_text().splitlines()]

each = pytest.mark.parametrize(
    "run", RUNS, ids=[f"{run['config']['task']}-{run['config']['algorithm']}" for run in RUNS]
)


class More(Strict):
    weight: float


@each
def test_a_recorded_run_has_the_hash_that_it_had(run: dict[str, Any]) -> None:
    config = recorded(run["config"])
    assert config.hash == run["hash"]
    assert present(config.record) == present(run["config"]), "settings that came later are None"


@each
def test_further_sections_change_no_hash(run: dict[str, Any]) -> None:
    larger: Any = create_model("Larger", __base__=RunConfig, more=(More | None, None))
    assert parse(larger, run["config"]).hash == run["hash"]
    changed = parse(larger, {**run["config"], "more": {"weight": 1.0}})
    assert changed.hash != run["hash"]
    assert changed.section(More).weight == 1.0


@each
def test_later_settings_that_are_none_change_no_hash(run: dict[str, Any]) -> None:
    """The way to add one without making older runs unreadable, see CONTRIBUTING.md."""
    learner: Any = create_model("LaterLearner", __base__=LearnerSettings, penalty=(float | None, None))
    later: Any = create_model("Later", __base__=RunConfig, learner=(learner, ...))
    assert parse(later, run["config"]).hash == run["hash"]
    options = {**run["config"]["environment"], "later": None}
    assert parse(RunConfig, {**run["config"], "environment": options}).hash == run["hash"]
    changed = [{"learner": {**run["config"]["learner"], "penalty": 0.1}}, {"environment": {**options, "later": 1}}]
    for change in changed:
        assert parse(later, {**run["config"], **change}).hash != run["hash"]


def test_every_algorithm_is_among_them() -> None:
    assert {run["config"]["algorithm"] for run in RUNS} == {"td3", "hrl", "hiro", "hac", "cher_fixed", "cher"}


def test_a_section_that_is_not_there_is_named() -> None:
    config: SuiteConfig = recorded(RUNS[0]["config"])
    with pytest.raises(ValueError, match="the registry entry of 'td3' names no section of type More"):
        config.section(More)
