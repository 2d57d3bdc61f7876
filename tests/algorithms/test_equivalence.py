"""Algorithms that should be plain HRL under certain settings are: their run folders hold the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from toys import CPU, SHORT

from algorithms.config import load_preset, resolve
from algorithms.train import write_files
from algorithms.trainer import Trainer
from envs.names import TASKS

FILES = ("progress.csv", "evaluations.csv", "probes.csv", "proposals.csv")


def trained(folder: Path, task: str, algorithm: str, changes: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """The tables, as text, of a run of some seconds."""
    run = {
        "steps": 600,
        "log_every": 200,
        "evaluate_every": 600,
        "warmup_steps": 330,
        "final_evaluation_episodes": 1,
    }
    short = SHORT.get(task, {})
    overrides = {"run": run, "environment": short, **changes}
    trainer = Trainer(resolve(load_preset("smoke"), task, algorithm, seeds=[3], overrides=overrides), CPU)
    try:
        assert trainer.run(lambda: False, lambda: None)
        write_files(folder, trainer, CPU)
    finally:
        trainer.close()
    return {name: pd.read_csv(folder / name, dtype=str) for name in FILES}


@pytest.mark.parametrize("task", TASKS)
def test_without_what_makes_them_special_all_are_hrl(task: str, tmp_path: Path) -> None:
    plain = trained(tmp_path / "hrl", task, "hrl", {})
    variants: dict[str, dict[str, Any]] = {
        "hiro": {"hiro": {"correction": False}},
        "cher_fixed": {"cher_fixed": {"fixed_lambda": 0}},
    }
    for algorithm, changes in variants.items():
        other = trained(tmp_path / algorithm, task, algorithm, changes)
        for name, table in plain.items():
            assert not table.empty
            pd.testing.assert_frame_equal(table, other[name][table.columns], obj=f"{algorithm}: {name}")
    special = trained(tmp_path / "special", task, "cher_fixed", {"cher_fixed": {"fixed_lambda": 1}})
    assert not plain["progress.csv"].equals(special["progress.csv"][plain["progress.csv"].columns])
