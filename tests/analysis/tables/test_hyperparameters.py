from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from algorithms.config import load_preset, value_files
from algorithms.nested import merge
from analysis.tables import hyperparameters as table
from analysis.tables import writing

PAPER = load_preset("paper")
SOURCES = {key: text for path in value_files() for key, text in table.comments(path.read_text()).items()}
#: What a comment on a value names as its source.
SOURCE = re.compile(
    r"\b([A-F]\.\d|5\.[45]|section \d|Figure \d|Eq\. \d|Algorithm 1|HIRO|authors' |ours|not stated|as [A-Z])"
)


def select(**changes: Any) -> pd.DataFrame:
    return table.select(merge(PAPER, changes), PAPER, SOURCES)


def line(rows: pd.DataFrame, section: str, setting: str, scope: str) -> dict[str, Any]:
    """The only row of a setting in a scope."""
    here = (rows["section"] == section) & (rows["setting"] == setting) & (rows["scope"] == scope)
    (found,) = rows[here].to_dict("records")
    return found


def test_every_value_of_the_paper_names_its_source():
    for key, _ in table.leaves({name: part for name, part in PAPER.items() if name != table.VARIANTS}):
        assert SOURCE.search(SOURCES.get(key, "")), f"{'.'.join(key)} has no source"


def test_a_row_has_value_and_source():
    rows = select()
    assert line(rows, "learner", "tau", "all") == {
        "section": "learner",
        "setting": "tau",
        "scope": "all",
        "value": 0.005,
        "paper": 0.005,
        "changed": False,
        "source": "E.1",
    }
    assert line(rows, "cher", "delta_share", "ant_gather")["value"] == 0.25
    assert line(rows, "cher", "delta_share", "all")["value"] == 0.75
    assert line(rows, "run", "steps", "visual_ant_maze")["source"] == "Figure 12"
    assert line(rows, "environment", "horizon", "ring_road")["source"] == "D.2"
    assert not rows["changed"].any()


def test_every_setting_has_one_row_per_scope():
    rows = select()
    assert not rows.duplicated(["section", "setting", "scope"]).any()
    stated = sum(len(values) for values in PAPER["environment"]["tasks"].values())
    assert (rows["section"] == "environment").sum() >= stated
    assert (
        list(dict.fromkeys(rows.loc[~rows["scope"].str.startswith("variant"), "section"]))
        == list(table.PARTS)[:-1]
    )


def test_what_an_alias_repeats_has_rows_of_its_own():
    rows = select()
    one, other = (
        rows[(rows["section"] == "environment") & (rows["scope"] == task)].drop(columns="scope")
        for task in ("ant_maze", "ant_four_rooms")
    )
    assert len(one) == len(PAPER["environment"]["tasks"]["ant_maze"])
    assert one.values.tolist() == other.values.tolist()
    assert all(one["source"])


def test_changed_values_are_marked_beside_the_papers():
    rows = select(learner={"default": {"batch_size": 64}}, run={"tasks": {"ant_gather": {"steps": 2_000}}})
    assert rows["changed"].sum() == 2
    changed = line(rows, "learner", "batch_size", "all")
    assert (changed["value"], changed["paper"]) == (64, 128)
    assert changed["source"] == "changed; the paper's preset: not stated; authors' code"
    lines = table.readable(rows[rows["changed"].astype(bool)])
    assert lines["Value"].tolist() == ["2,000", "64"]
    assert lines["Paper's preset"].tolist() == ["1,000,000", "128"]
    assert set(table.readable(select())["Paper's preset"]) == {""}


def test_a_value_for_a_task_that_the_paper_has_for_all_is_compared_with_that():
    rows = select(learner={"tasks": {"ant_maze": {"gamma": 0.99, "tau": 0.1}}})
    same, other = (line(rows, "learner", name, "ant_maze") for name in ("gamma", "tau"))
    assert (same["changed"], same["source"]) == (False, SOURCES["learner", "default", "gamma"])
    assert (other["changed"], other["paper"], other["source"]) == (True, 0.005, "changed; the paper's preset: E.1")


def test_a_setting_that_the_paper_does_not_have_is_marked():
    rows = select(environment={"tasks": {"ant_push": {"walls": 3}}})
    found = line(rows, "environment", "walls", "ant_push")
    assert (found["changed"], found["paper"], found["source"]) == (True, None, "changed")
    assert table.readable(rows).iloc[rows.index[rows["setting"] == "walls"][0]]["Applies to"] == "Ant Push"


VARIANTS = """
variants:
  # Degrees of cooperation.
  ratio_75: {cher: {delta_share: 0.25}}   # 5.4
  lambda_0.1: {cher_fixed: {fixed_lambda: 0.1}}
  worker_hrl:
    run: &run {steps: 1_000_000, evaluation_episodes: 10}   # not stated
    worker_return: worker_hrl   # ours
    transfer: {task: ant_gather}
  worker_hiro:
    run: *run
    environment: {deep: {down: [1, 2]}}
"""


def test_variants_have_rows():
    variants = yaml.safe_load(VARIANTS)
    paper = {**PAPER, **variants}
    rows = table.select(paper, paper, table.comments(VARIANTS))
    shown = rows[rows["scope"].str.startswith("variant")]
    assert shown[["section", "setting", "scope", "value", "source"]].values.tolist() == [
        ["cher", "delta_share", "variant ratio_75", 0.25, "5.4"],
        ["cher_fixed", "fixed_lambda", "variant lambda_0.1", 0.1, ""],
        ["run", "steps", "variant worker_hrl", 1_000_000, "not stated"],
        ["run", "evaluation_episodes", "variant worker_hrl", 10, "not stated"],
        ["", "worker_return", "variant worker_hrl", "worker_hrl", "ours"],
        ["transfer", "task", "variant worker_hrl", "ant_gather", ""],
        ["run", "steps", "variant worker_hiro", 1_000_000, "not stated"],
        ["run", "evaluation_episodes", "variant worker_hiro", 10, "not stated"],
        ["environment", "deep.down", "variant worker_hiro", [1, 2], ""],
    ]
    lines = table.readable(shown)
    assert lines["Section"][4] == writing.DASH
    assert lines["Applies to"][0] == "variant ratio_75"
    changed = table.select({**paper, "variants": {"new": {"cher": {"delta": -1.0}}}}, paper, {})
    assert changed.iloc[-1].tolist() == ["cher", "delta", "variant new", -1.0, None, True, "changed"]


def test_comments_belong_to_the_values_on_their_line():
    text = """
# Not this one.
a:                  # nor this
  b: 1              # one # and more
  c: "x # y"        # text
  d: "x # y"
  e: [1, 2]         #list
  f:
    - 2             # two
    - 3             # three
  g: null   # open\t
"""
    assert table.comments(text) == {
        ("a", "b"): "one # and more",
        ("a", "c"): "text",
        ("a", "e"): "list",
        ("a", "f"): "three",
        ("a", "g"): "open",
    }
    assert table.comments("") == {}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, writing.DASH),
        (True, "true"),
        (False, "false"),
        (1_000_000, "1,000,000"),
        (1e6, "1,000,000"),
        (-4.2, "\N{MINUS SIGN}4.2"),
        (3.0e-4, "0.0003"),
        (1 / 22, "0.0454545"),
        (5.0, "5"),
        (-50.0, "\N{MINUS SIGN}50"),
        ([256, 256], "[256, 256]"),
        ([5.0, 6.5], "[5, 6.5]"),
        ("equation5", "equation5"),
    ],
)
def test_values_are_written_as_in_print(value: Any, text: str):
    assert table.text_of(value) == text


def test_csv_holds_values_as_json():
    rows = table.numbers(select(learner={"default": {"hidden": [32]}}))
    found = line(rows, "learner", "hidden", "all")
    assert (json.loads(found["value"]), json.loads(found["paper"]), found["changed"]) == ([32], [256, 256], 1)
    assert line(rows, "cher", "delta", "all")["value"] == "null"


@pytest.mark.parametrize("preset", ["paper", "quick", "smoke"])
def test_command_line_writes_the_same_bytes_each_time(preset: str, tmp_path: Path):
    for folder in ("a", "b"):
        out = [str(tmp_path / folder / f"table.{ending}") for ending in ("csv", "md", "tex")]
        table.main(["--preset", preset, "--out", *out])
    for ending in ("csv", "md", "tex"):
        first, second = (tmp_path / folder / f"table.{ending}" for folder in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()
    assert ("changed; " in (tmp_path / "a/table.md").read_text()) == (preset != "paper")


def test_a_wrong_preset_is_refused_in_one_line(tmp_path: Path):
    with pytest.raises(SystemExit, match=r"^hyperparameters: preset 'none' not found; allowed: [^\n]+$"):
        table.main(["--preset", "none", "--out", str(tmp_path / "table.md")])
