"""A training beside archived ones: inside their band, outside of it, or without a band."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from archives import add, edit, finished, of_length

from analysis import regression

STEPS = 1_000


def curve(seeds: dict[int, float], steps: int = STEPS, metric: str = "return_mean100") -> pd.DataFrame:
    """Progress that is worthless but for the last third, where it is of this value."""
    rows = [
        {"seed": seed, "step": step, metric: value if step > 2 / 3 * steps else -1e6}
        for seed, value in seeds.items()
        for step in range(100, steps + 1, 100)
    ]
    return pd.DataFrame(rows)


def run_with(folder: Path, seed: int, value: float, **changes: Any) -> Path:
    """A run folder whose returns all have a value."""
    path = finished(folder, seeds=(seed,), **changes)
    edit(path / "progress.csv", lambda table: table.assign(return_mean100=value))
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Six seeds of HRL with returns of 0 to 5."""
    for seed in range(6):
        add(tmp_path / "archive", run_with(tmp_path / f"archived_{seed}", seed, float(seed), **of_length(1_200)))
    return tmp_path / "archive"


def command(archive: Path, run: Path) -> int:
    return regression.main(["--run", str(run), "--archive", str(archive)])


def test_the_band_is_the_prediction_interval_of_one_more_value():
    """Against a table of Student's t: 12.706 for one degree of freedom at 95 %."""
    found = regression.band("x", np.array([1.0, 3.0]), confidence=0.95)
    reach = 12.7062 * np.sqrt(2) * np.sqrt(1.5)
    assert (found.low, found.high) == pytest.approx((2 - reach, 2 + reach), rel=1e-5)


def test_a_new_seed_is_outside_as_seldom_as_promised():
    random = np.random.default_rng(0)
    drawn = random.normal(5, 2, (4_000, 6))
    bands = [regression.band("x", values[:5], confidence=0.9) for values in drawn]
    outside = [not found.low <= values[5] <= found.high for found, values in zip(bands, drawn, strict=True)]
    assert np.mean(outside) == pytest.approx(0.1, abs=0.02)


def test_the_last_third_counts_of_the_steps_that_both_have():
    longer = curve({3: 7.0}, steps=3_000)
    longer.loc[longer["step"] <= STEPS, "return_mean100"] = longer["step"]
    assert regression.last_part(longer, "return_mean100", STEPS) == pytest.approx([900])
    missing = curve({0: 1.0, 1: np.nan})
    assert regression.last_part(missing, "return_mean100", STEPS) == pytest.approx([1.0, np.nan], nan_ok=True)


def test_a_run_that_has_no_value_any_more_is_outside():
    archived = curve({seed: float(seed) for seed in range(5)})
    ((line, inside),) = regression.compare(curve({100: np.nan}), archived, STEPS)
    assert not inside
    assert "nan OUTSIDE" in line


def test_without_a_metric_in_common_nothing_is_said_to_be_fine():
    archived = curve({seed: float(seed) for seed in range(5)})
    with pytest.raises(ValueError, match="nothing to compare"):
        regression.compare(curve({100: 1.0}, metric="other"), archived, STEPS)


def test_two_archived_seeds_make_no_band():
    ((line, inside),) = regression.compare(curve({100: 1e9}), curve({0: 1.0, 1: 2.0}), STEPS)
    assert (line, inside) == ("return_mean100: no band yet, 2 archived seeds", True)


@pytest.mark.parametrize(("value", "status", "word"), [(2.5, 0, " in "), (500.0, 1, " OUTSIDE ")])
def test_a_run_is_judged_by_its_band(
    archive: Path, tmp_path: Path, capsys: Any, value: float, status: int, word: str
):
    run = run_with(tmp_path / "new", 100, value)
    assert command(archive, run) == status
    line = capsys.readouterr().out.splitlines()[0]
    assert line.startswith(f"ant_gather/hrl: return_mean100: {value:.4g}{word}[")
    assert line.endswith("of 6 archived seeds")


@pytest.mark.parametrize(
    "changes",
    [
        {"learner": {"default": {"tau": 0.5}}},
        of_length(3_600),
        {"run": {"tasks": {"ant_gather": {"warmup_steps": 600}}}},
    ],
    ids=["other settings", "longer", "another warm-up"],
)
def test_there_is_no_band_for_what_the_archive_lacks(archive: Path, tmp_path: Path, capsys: Any, changes: Any):
    assert command(archive, run_with(tmp_path / "new", 100, 500.0, **changes)) == 0
    assert capsys.readouterr().out == "ant_gather/hrl: no band yet, the archive has 0 other seeds of it\n"


def test_a_run_is_not_compared_with_its_own_seed(archive: Path, tmp_path: Path, capsys: Any):
    assert command(archive, run_with(tmp_path / "new", 2, 2.5)) == 0
    assert "of 5 archived seeds" in capsys.readouterr().out


def test_what_is_no_run_is_refused_in_a_line(archive: Path, tmp_path: Path):
    with pytest.raises(SystemExit, match=r"^regression: .*nowhere is no finished run: .*$"):
        command(archive, tmp_path / "nowhere")
