from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from visual_runs import tables

from analysis.tables import cost as table
from analysis.tables import writing

FULL = {"steps_run": 2_000, "steps_paper": 2_000, "seeds_run": 2, "seeds_paper": 2, "reduced_why": ""}


def timing(label: str = "hrl", study: str = "main", task: str = "ant_gather", scale: float = 1.0) -> pd.DataFrame:
    """Two seeds, of which the second takes twice as long, with two log points."""
    rows = [
        (study, task, label, seed, step, scale * hours * 3600, scale * 1.5 * hours * 3600, memory, restarts)
        for seed, pace, restarts in ((0, 1, 0), (1, 2, 3))
        for step, hours, memory in ((1_000, pace, 500.0), (2_000, 2 * pace, 600.0 + 10 * pace))
    ]
    names = ["study", "task", "label", "seed", "step", "wall_time", "cpu_time", "memory_mb", "restarts"]
    return pd.DataFrame(rows, columns=names)


def statistics(*rows: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(rows)[["study", "task", "label"]].assign(**FULL)


@pytest.fixture
def rows() -> pd.DataFrame:
    return table.select([timing()], [statistics(timing())])


def test_a_row_has_mean_least_and_most_over_seeds_at_their_last_log_point(rows: pd.DataFrame):
    (row,) = rows.to_dict("records")
    assert [row[f"wall_hours_{name}"] for name in table.OVER_SEEDS] == [3, 2, 4]
    assert [row[f"cpu_hours_{name}"] for name in table.OVER_SEEDS] == [4.5, 3, 6]
    assert [row[f"memory_mb_{name}"] for name in table.OVER_SEEDS] == [615, 610, 620]
    speeds = [2_000 / 7_200, 2_000 / 14_400]
    assert row["steps_per_second_mean"] == pytest.approx(sum(speeds) / 2)
    assert row["steps_per_second_max"] == pytest.approx(speeds[0])
    assert (row["restarts_max"], row["n_seeds"], row["steps_run"]) == (3, 2, 2_000)


def test_the_order_of_the_log_points_does_not_matter(rows: pd.DataFrame):
    backwards = timing()[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(table.select([backwards], [statistics(backwards)]), rows)


def test_a_training_that_studies_share_has_one_row_in_their_order():
    main = pd.concat([timing("hrl"), timing("cher")])
    other = pd.concat([timing("hrl", "cooperation"), timing("cher-ratio_25", "cooperation", scale=2)])
    maze = timing("hrl", "visual", "visual_ant_maze")
    rows = table.select([main, other, maze], [statistics(main), statistics(other), statistics(maze)])
    assert rows[["task", "label", "n_seeds", "wall_hours_mean"]].values.tolist() == [
        ["ant_gather", "hrl", 2, 3],
        ["ant_gather", "cher", 2, 3],
        ["ant_gather", "cher-ratio_25", 2, 6],
        ["visual_ant_maze", "hrl", 2, 3],
    ]


def test_readers_see_names_ranges_and_rounded_numbers(rows: pd.DataFrame):
    assert table.readable(rows).to_dict("records") == [
        {
            "Task": "Ant Gather",
            "Algorithm": "HRL",
            "Steps": "2,000",
            "Wall time (h)": "3.00 [2.00, 4.00]",
            "CPU time (h)": "4.50 [3.00, 6.00]",
            "Peak memory (MB)": "615 [610, 620]",
            "Steps per second": "0.208 [0.139, 0.278]",
            "Restarts": "3",
            "Seeds": "2",
            "Reduced": "",
        }
    ]


def test_seeds_that_do_not_differ_have_no_range():
    group = timing().query("seed == 0")
    both = pd.concat([group, group.assign(seed=1)])
    line = table.readable(table.select([both], [statistics(both)])).to_dict("records")[0]
    assert (line["Wall time (h)"], line["Peak memory (MB)"], line["Seeds"]) == ("2.00", "610", "2")


def test_reduced_runs_say_so():
    runs = tables(["cher", "sac-large"], [0, 1], steps=1_200, log_every=200, evaluate_every=600)
    lines = table.readable(table.select([runs.timing], [runs.statistics]))
    assert set(lines["Reduced"]) == {"1,200 of 2,500,000 steps, 2 of 10 seeds"}
    assert lines["Algorithm"].tolist() == ["CHER", "SAC (large)"]
    assert set(lines["Task"]) == {"Visual Ant Maze"}


def test_csv_holds_the_numbers_to_six_digits(rows: pd.DataFrame):
    read = pd.read_csv(io.StringIO(writing.to_csv(table.numbers(rows))))
    assert list(read.columns[:2]) == ["task", "label"]
    assert read["wall_hours_mean"].tolist() == [3.0]
    assert read["steps_per_second_min"].tolist() == [0.138889]
    assert read[["restarts_max", "n_seeds", "seeds_run", "steps_run"]].values.tolist() == [[3, 2, 2, 2_000]]


def test_missing_input_is_named():
    with pytest.raises(ValueError, match=r"^there is no timing of any training$"):
        table.select([timing()[:0]], [statistics(timing())])
    with pytest.raises(
        ValueError, match=r"^there is timing of ant_gather/hrl, but there are no statistics of it$"
    ):
        table.select([timing()], [statistics(timing("cher"))])


def test_command_line_writes_the_same_bytes_each_time(tmp_path: Path):
    studies = {"main": timing(), "visual": timing("cher", "visual", "visual_ant_maze")}
    for name, rows in studies.items():
        rows.to_parquet(tmp_path / f"{name}_timing.parquet")
        statistics(rows).to_parquet(tmp_path / f"{name}_statistics.parquet")
    inputs = [
        text
        for kind in ("timing", "statistics")
        for text in (f"--{kind}", *(str(tmp_path / f"{name}_{kind}.parquet") for name in studies))
    ]
    for folder in ("a", "b"):
        table.main([*inputs, "--out", *(str(tmp_path / folder / f"cost.{end}") for end in ("csv", "md", "tex"))])
    for ending in ("csv", "md", "tex"):
        first, second = (tmp_path / folder / f"cost.{ending}" for folder in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()
    assert len((tmp_path / "a/cost.md").read_text().splitlines()) == 2 + len(studies)
