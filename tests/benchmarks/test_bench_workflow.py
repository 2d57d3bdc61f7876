from __future__ import annotations

from pathlib import Path

import pytest

from algorithms.config import load_preset
from algorithms.studies import trainings
from benchmarks import workflow


@pytest.mark.workflow
def test_a_preset_is_planned_and_found_finished():
    result = workflow.measure(rounds=1, arguments=("--configfile", "config/smoke.yaml"))
    assert result["jobs"] > len(trainings(load_preset("smoke")))
    assert result["dry_run_ms"]["median"] > 0
    assert f"{result['jobs']} jobs" in workflow.report(result)
    assert workflow.goals_of(result) == []


@pytest.mark.workflow
def test_something_left_to_do_is_noticed(tmp_path: Path):
    with pytest.raises(RuntimeError, match="found something to do"):
        workflow.nothing_left(tmp_path, "--dry-run", "--configfile", "config/smoke.yaml")


def test_jobs_are_counted():
    assert workflow.jobs("Job stats:\njob      count\n-----  -----\ntrain     40\ntotal     45\n") == 45
    with pytest.raises(ValueError, match="no job table"):
        workflow.jobs("Nothing to be done")


def test_outputs_are_made(tmp_path: Path):
    workflow.finish(tmp_path, "output_file\tdate\nresults/a/b.csv\t-\nc.svg\t-\n")
    files = [tmp_path / "results/a/b.csv", tmp_path / "c.svg"]
    assert all(file.stat().st_size > 0 for file in files)
    assert files[0].stat().st_mtime == files[1].stat().st_mtime
