"""What is printed, and the command line."""

from __future__ import annotations

import csv
import io
import json
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from progress_trees import describe, finish, finish_run, overview_of, report, runs_of, tree_preset

from algorithms.config import load_preset
from algorithms.studies import trainings
from analysis.progress import __main__ as command
from analysis.progress.plan import planned
from analysis.progress.text import PLAIN, duration, render

ROOT = Path(__file__).parents[2]
PRESET = tree_preset(seeds=[0, 1, 2, 3])
HRL = runs_of(PRESET, "ant_gather", "hrl")


def line_of(text: str, *words: str) -> str:
    (line,) = [line for line in text.splitlines() if line.split()[: len(words)] == list(words)]
    return line


# ---- what is planned ------------------------------------------------------------------------------------------


def test_every_training_of_the_paper_is_in_one_cell() -> None:
    paper = load_preset("paper")
    cells = planned(paper)
    keys = [run.key for cell in cells for run in cell.runs]
    assert sorted(keys) == sorted(run.key for run in trainings(paper))
    assert len({(cell.task, cell.label) for cell in cells}) == len(cells)
    shared = {(cell.task, cell.label): cell.studies for cell in cells}
    assert shared["ant_gather", "cher"][:2] == ("main", "cooperation")


def test_what_cells_merely_depend_on_comes_last() -> None:
    alone = tree_preset(algorithms=["cher"])
    assert [(cell.label, cell.studies) for cell in planned(alone)] == [("cher", ("main",)), ("hrl", ())]
    assert [cell.label for cell in planned(alone, ["ant_maze"])] == []


# ---- text -----------------------------------------------------------------------------------------------------


def test_a_cell_in_many_states(tmp_path: Path) -> None:
    finish_run(HRL[0], tmp_path)
    report(tmp_path, HRL[1])
    report(tmp_path, HRL[2], state="interrupted")
    report(tmp_path, HRL[3], state="failed", reason="it broke " * 9)
    text = render(overview_of(PRESET, tmp_path))
    assert line_of(text, "ant_gather", "hrl").split("  ")[-1] == (
        "1 failed: it broke it broke…; 1 interrupted: at 400 of 1,200…; 1 running: 600 of 1,200, 10…"
    )
    assert line_of(text, "ant_gather", "cher").endswith("0/4  4 waiting: for J_HRL (hrl 1/4, 1 failed)")
    assert line_of(text, "trainings").endswith("1 of 8 done; 1 failed; 1 interrupted; 1 running; 4 waiting")
    assert "not before" in line_of(text, "expected", "end")  # nobody knows how long CHER takes


def test_single_trainings_in_full(tmp_path: Path) -> None:
    report(tmp_path, HRL[0])
    report(tmp_path, HRL[1], step=None)
    report(tmp_path, HRL[2], step=-100, steps_per_second=None)
    report(tmp_path, HRL[3], state="interrupted", saved=300)
    text = render(overview_of(PRESET, tmp_path), with_seeds=True)
    rows = [line.strip() for line in text.splitlines() if "seeds_" in line][:4]
    assert [re.split(r"\s{2,}", row) for row in rows] == [
        ["seeds_0", "running: 600 of 1,200, 10 steps/s, 60 s left"],
        ["seeds_1", "running: starting"],
        ["seeds_2", "running: warm-up"],
        ["seeds_3", "interrupted: at 300 of 1,200, stopped by a signal"],
    ]


def test_running_trainings_of_a_cell_together(tmp_path: Path) -> None:
    report(tmp_path, HRL[0], step=300, steps_per_second=20.0)
    report(tmp_path, HRL[1], step=900, steps_per_second=10.0)
    line = line_of(render(overview_of(PRESET, tmp_path)), "ant_gather", "hrl")
    assert line.endswith("2 running: at 25-75 %, 15 steps/s each, 45 s left; 2 missing")


def test_groups_count_as_their_seeds(tmp_path: Path) -> None:
    grouped = tree_preset(seeds=[0, 1, 2], seeds_per_job=2)
    finish_run(runs_of(grouped, "ant_gather", "hrl")[0], tmp_path)
    text = render(overview_of(grouped, tmp_path))
    assert line_of(text, "ant_gather", "hrl").endswith("2/3  1 missing")
    assert line_of(text, "trainings").endswith("1 of 4 done; 2 waiting; 1 missing")


def test_all_is_done(tmp_path: Path) -> None:
    two = tree_preset()
    finish(two, tmp_path)
    text = render(overview_of(two, tmp_path))
    assert line_of(text, "ant_gather", "hrl").endswith(" 2/2")
    assert line_of(text, "expected", "end").endswith("all is done")
    assert line_of(text, "running").endswith("none")
    assert not [line for line in text.splitlines() if line != line.rstrip()]


def test_the_paper_fits_into_120_columns(tmp_path: Path) -> None:
    text = render(overview_of(load_preset("paper"), tmp_path), with_seeds=True)
    assert max(map(len, text.splitlines())) <= 120
    assert line_of(text, "trainings").endswith("0 of 710 done; 250 waiting; 460 missing")
    narrow = render(overview_of(load_preset("paper"), tmp_path), width=80)
    assert max(map(len, narrow.splitlines())) <= 80


def test_colours_change_no_word(tmp_path: Path) -> None:
    finish_run(HRL[0], tmp_path)
    report(tmp_path, HRL[3], state="failed", reason="it broke")
    seen = overview_of(PRESET, tmp_path)
    plain, coloured = render(seen), render(seen, colour=True)
    assert "\033" not in plain
    assert PLAIN in coloured
    assert re.sub(r"\033\[\d+m", "", coloured) == plain


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (5400, "1.5 h"), (100_000, "27.8 h"), (216_000, "2.5 days")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


# ---- command line ---------------------------------------------------------------------------------------------


def run(results: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    changes = {"preset": "made up", "results": str(results)}
    override = json.dumps({**_differences(PRESET), **changes})
    status = command.main(["--preset", "smoke", "--override", override, *arguments])
    return status, capsys.readouterr().out


def _differences(preset: dict[str, Any]) -> dict[str, Any]:
    smoke = load_preset("smoke")
    return {key: value for key, value in preset.items() if value != smoke.get(key)}


def test_check_tells_scripts_what_needs_attention(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finish_run(HRL[0], tmp_path)
    report(tmp_path, HRL[1], state="interrupted")
    assert run(tmp_path, capsys, "--check")[0] == 0
    describe(tmp_path / "runs" / HRL[0].key, hash="another")
    assert run(tmp_path, capsys, "--check")[0] == 1
    assert run(tmp_path, capsys)[0] == 0


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finish_run(HRL[0], tmp_path)
    report(tmp_path, HRL[1])
    content = json.loads(run(tmp_path, capsys, "--json")[1])
    first = content["cells"][0]
    assert (first["task"], first["label"], first["studies"]) == ("ant_gather", "hrl", ["main"])
    assert (first["seeds"], first["done"], first["running"], first["missing"]) == (4, 1, 1, 2)
    second = first["trainings"][1]
    assert {key: second[key] for key in ("key", "state", "step", "steps", "seconds_left", "wall_time")} == {
        "key": "ant_gather/hrl/seeds_1",
        "state": "running",
        "step": 600,
        "steps": 1200,
        "seconds_left": 60,
        "wall_time": 60.0,
    }
    assert content["totals"]["waiting"] == 4
    assert content["totals"]["expected_end"] > content["time"]


def test_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finish_run(HRL[0], tmp_path)
    cells = list(csv.DictReader(io.StringIO(run(tmp_path, capsys, "--csv")[1])))
    assert [(row["label"], row["seeds"], row["done"], row["waiting"]) for row in cells] == [
        ("hrl", "4", "1", "0"),
        ("cher", "4", "0", "4"),
    ]
    each = list(csv.DictReader(io.StringIO(run(tmp_path, capsys, "--csv", "--seeds")[1])))
    assert [row["state"] for row in each] == ["done"] + ["missing"] * 3 + ["waiting"] * 4
    assert run(tmp_path, capsys, "--csv", "--task", "ant_gather")[1].startswith("task,label,studies,seeds,failed,")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--preset", "none"], "preset 'none' not found; allowed: "),
        (["--task", "ant_gathr"], "task 'ant_gathr' is not known; allowed: "),
        (["--override", "{"], "--override is not JSON"),
        (
            ["--override", '{"studies": ["visual"]}', "--task", "highway", "ring_road"],
            "nothing to show: no selected study has a cell of highway, ring_road",
        ),
    ],
)
def test_what_is_not_allowed_is_said(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(arguments) == command.REFUSED
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"progress: {message}")


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "inf", "nan"])
def test_watch_wants_seconds(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--watch", seconds])
    assert f"'{seconds}' is not allowed" in capsys.readouterr().err


def test_watch_looks_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            raise KeyboardInterrupt
        finish_run(HRL[0], tmp_path)

    monkeypatch.setattr(command.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, capsys, "--watch", "7")
    text = capsys.readouterr().out
    assert waits == [7, 7]
    assert re.findall(r"(\d) of 8 done", text) == ["0", "1"]


def test_it_is_fast_and_does_without_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from analysis.progress.__main__ import main; main(['--results', sys.argv[1]]); "
        "print([name for name in ('torch', 'pandas', 'matplotlib', 'mujoco') if name in sys.modules])"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert "0 of 710 done" in done.stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 3  # seconds of CPU
