from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from samples import MACHINE

from algorithms.config import load_preset, merge, resolve
from benchmarks import cost
from benchmarks.timing import summary

ROW = {
    "ms": summary([4.0]),
    "parts": {"resets": summary([0.5])},
    "warmup_ms": 1.5,
    "evaluation_step": summary([2.0]),
}
TASK = {
    "horizon": 500,
    "evaluation_points": 3,
    "reset_ms": summary([250.0]),
    "algorithms": {"td3": ROW, "hrl": ROW},
}
RUN = {
    "steps": 1_000_000,
    "warmup_steps": 10_000,
    "log_every": 1_000,
    "evaluate_every": 300_000,
    "evaluation_episodes": 20,
    "final_evaluation_episodes": 50,
}
#: Steps, warm-up, three evaluations of 60 episodes and one of 150, in milliseconds.
SPENT = 1_000_000 * 4.0 + 10_000 * 2.0 + (3 * 60 + 150) * (250 + 500 * 2.0)


def preset(**head: Any) -> dict[str, Any]:
    only = {"tasks": ["ant_gather"], "algorithms": ["td3"], "seeds": [0, 1]}
    return merge(load_preset("paper"), {**only, "run": {"default": RUN, "tasks": {"ant_gather": RUN}}, **head})


def steps(tasks: dict[str, Any]) -> dict[str, Any]:
    return {"machine": MACHINE, "result": {"tasks": tasks}}


def test_cost_of_one_training():
    cell = resolve(preset(), "ant_gather", "td3", seeds=[0])
    assert cost.hours(cell, {"ant_gather": TASK}) == pytest.approx(SPENT / 3_600_000)
    assert cost.hours(cell.model_copy(update={"seeds": [0, 1, 2]}), {"ant_gather": TASK}) == pytest.approx(
        3 * SPENT / 3_600_000
    )


def test_the_last_evaluation_is_at_the_end():
    run = resolve(preset(), "ant_gather", "td3", seeds=[0]).run
    assert cost.evaluations(run) == 4  # 300, 600, 900 and 1,000 thousand steps
    assert cost.evaluations(run.model_copy(update={"evaluate_every": 250_000})) == 4
    assert cost.evaluations(run.model_copy(update={"evaluate_every": 2_000_000})) == 1


def test_what_was_not_measured_is_named_and_not_guessed():
    both = preset(tasks=["ant_gather", "ring_road"], algorithms=["td3", "hrl"])
    measured = {"ant_gather": {**TASK, "algorithms": {"td3": ROW}}}
    planned = cost.trainings(both)
    assert cost.missing(planned, measured) == ["hrl on ant_gather", "hrl on ring_road", "td3 on ring_road"]
    assert cost.total(planned, measured) == pytest.approx(2 * SPENT / 3_600_000)
    text = cost.report(both, steps(measured))
    assert "Not measured, and not in these numbers: hrl on ant_gather, hrl on ring_road, td3 on ring_road" in text
    assert "(without 3 unknown)" in text
    assert "| ring_road | td3 | 1,500,000 | 2 | not measured | not measured |" in text


def test_runs_that_others_depend_on_are_counted():
    text = cost.report(preset(algorithms=["cher"]), steps({"ant_gather": TASK}))
    assert "| ant_gather | hrl | 1,000,000 | 2 |" in text
    assert "| main | 4 |" in text


def test_the_report_holds_total_days_and_machine():
    text = cost.report(preset(), steps({"ant_gather": TASK}))
    hours = SPENT / 3_600_000
    assert f"| ant_gather | td3 | 1,000,000 | 2 | {hours:.2f} | {2 * hours:,.1f} |" in text
    assert f"| main | 2 | {2 * hours:,.1f} | {2 * hours / 24 / 32:.2f} |" in text
    assert "Abacus" in text
    assert "Not measured" not in text


def test_it_is_written_beside_the_measurements(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "benchmarks.json"
    path.write_text(json.dumps({"sections": {"steps": steps({"ant_gather": TASK})}}))
    assert cost.main(["--benchmarks", str(path)]) == 0
    assert (tmp_path / "cost.md").read_text().strip() == capsys.readouterr().out.strip()


def test_nothing_measured_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "other.json").write_text('{"sections": {"memory": {}}}')
    for name in ("benchmarks.json", "other.json"):
        assert cost.main(["--benchmarks", str(tmp_path / name)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"error: {tmp_path / name} holds no measured steps; run `python -m benchmarks")
    assert cost.main(["--preset", "nope"]) == 2
    assert capsys.readouterr().err.startswith("error: preset 'nope' not found")
