"""Captions, pictures, verdicts, the inventory and the mark of reduced runs."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from reported import WHY, claim, training, write_claims

from algorithms.config import load_preset
from analysis import products
from analysis.report import captions, claims, embedding, inventory, reduced
from analysis.summary import SHORT
from analysis.tables.writing import DASH

SOME_SHORT = "Far too short for anything to be learned are runs on Ring Road."
NAMES = (*products.FIGURES, *products.TABLES, *products.OVERALL)


@pytest.mark.parametrize("preset", ["paper", "quick"])
def test_every_caption_is_filled_in_and_well_formed(preset: str):
    values = load_preset(preset)
    for name in NAMES:
        text = captions.caption(name, values)
        assert text.startswith("<p>")
        assert not re.search(r"\{[{%]|``|\\\||snakemake", text), name
        if "{{" in captions.file_of(name).read_text():
            assert f'<span class="docutils literal">{preset}</span>' in text, name


def test_captions_say_nothing_that_the_data_of_an_archive_may_contradict():
    """How many seeds there are, and whether they are reduced, panels and tables say themselves."""
    values = load_preset("paper")
    for name in NAMES:
        for changes in ({"seeds": [7]}, {"source": "archive"}):
            assert captions.caption(name, values | changes) == captions.caption(name, values)
    for name in ("figure_01", "figure_05"):
        assert "A panel whose runs are far shorter than" in captions.caption(name, values)


def test_what_a_preset_says_does_nothing_in_a_caption():
    text = captions.to_html('{{ snakemake.config["preset"] }}', {"preset": "<script>x</script>"}, "c.rst")
    assert text == "<p>&lt;script&gt;x&lt;/script&gt;</p>\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("*open", "Inline emphasis start-string without end-string"),
        ("{{ snakemake.config.preset }", "unexpected '}'"),
        ("{{ nothing }}", "'nothing' is undefined"),
        (".. raw:: html\n\n   <b>x</b>", '"raw" directive disabled'),
        (".. include:: /etc/hostname", '"include" directive disabled'),
    ],
)
def test_a_broken_caption_is_refused(text: str, message: str):
    with pytest.raises(ValueError, match=f"^caption c.rst: .*{message}"):
        captions.to_html(text, {"preset": "quick"}, "c.rst")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not an SVG: no element found"),
        ("<html/>", "is not an SVG: it is a <html>"),
        ('<svg xmlns="http://www.w3.org/2000/svg" height="3pt"/>', "^width of '.*' is ''; allowed: a number with"),
        ('<svg width="1em" height="3pt"/>', "is '1em'; allowed: a number with one of px, pt, pc, mm, cm, in$"),
    ],
)
def test_what_is_no_drawing_is_refused(content: str, message: str, tmp_path: Path):
    path = tmp_path / "figure.svg"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        embedding.image(path)


@pytest.mark.parametrize(("length", "pixels"), [("72pt", 96), ("96", 96), ("2.54cm", 96), ("0.1px", 1)])
def test_lengths(length: str, pixels: int):
    assert embedding.pixels(length, "width") == pixels


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "12.3 [\N{MINUS SIGN}1.2, 25.9] return"),
        ({"ci_low": None, "ci_high": None}, "12.3 return"),
        (
            {"effect": -0.01234, "ci_low": -0.5, "ci_high": 0.1, "unit": ""},
            "\N{MINUS SIGN}0.012 [\N{MINUS SIGN}0.500, 0.100]",
        ),
        ({"effect": None, "ci_low": None, "ci_high": None}, DASH),
        ({"effect": 0.0, "ci_low": 0.0, "ci_high": 0.0, "unit": "m"}, "0.00 [0.00, 0.00] m"),
    ],
)
def test_an_effect_has_the_decimals_that_its_interval_needs(changes: dict[str, object], text: str, tmp_path: Path):
    read = claims.read(write_claims(tmp_path, claim(**changes)))
    assert read.claims[0].comparisons[0].effect == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0432, "0.043"), (1e-9, "< 0.001"), (1.0, "1.000"), (float("nan"), DASH)]
)
def test_p_values(value: float, text: str):
    assert claims.p_value(value) == text


def test_an_unknown_verdict_is_refused(tmp_path: Path):
    with pytest.raises(
        ValueError, match=r"has the verdict 'maybe'; allowed: supported, contradicted, inconclusive$"
    ):
        claims.read(write_claims(tmp_path, claim(), claim(verdict="maybe")))


def test_verdicts_without_what_they_need_are_refused(tmp_path: Path):
    row = claim()
    del row["ci_low"]
    with pytest.raises(ValueError, match=r"claims.csv' has no column ci_low$"):
        claims.read(write_claims(tmp_path, row))


def runs(label: str = "hrl", study: str = "main", **changes: object) -> dict[str, object]:
    return {"study": study, "task": "ring_road", "label": label, **training(**changes)}


def times(label: str = "hrl", *seconds: float) -> pd.DataFrame:
    """Per seed, the later row first."""
    rows = [
        {"task": "ring_road", "label": label, "seed": seed, "step": step, "cpu_time": step * time / 20}
        for seed, time in enumerate(seconds)
        for step in (20, 10)
    ]
    return pd.DataFrame(rows)


def test_a_group_of_seeds_is_one_training_whose_cost_is_counted_once():
    """Each of its seeds repeats the job's times."""
    found = inventory.build([pd.DataFrame([runs(seeds="0-1")])], [times("hrl", 3600.0, 3600.0)], [])
    assert found.trainings["cpu_time"].tolist() == [3600.0]
    assert (found.hours("cpu_time"), found.hours("wall_time"), found.measured) == ("1.0", "2.0", 1)


def test_single_seeds_add_up_and_shared_trainings_do_not():
    main = pd.DataFrame([runs(seeds="0"), runs(seeds="1")])
    other = pd.DataFrame(
        [runs(seeds="1", study="visual"), runs("cher", "visual", commit="", wall_time=float("nan"))]
    )
    found = inventory.build([main, other], [times("hrl", 3600.0, 7200.0)], [])
    assert found.trainings["study"].tolist() == ["main", "main, visual", "visual"]
    assert (found.hours("cpu_time"), found.hours("wall_time"), found.measured) == ("3.0", "4.0", 2)
    assert found.counts["commit"] == {"a1b2c3d4e5f60718-dirty": 2, "": 1}
    *_, last = found.table().rows
    assert last[4:9] == [DASH, DASH, "1", "2026-01-01 10:00:00Z", DASH]


def test_machines_and_software_are_numbered_by_how_much_they_trained():
    rows = [
        runs(seeds="0", hardware="rare"),
        runs(seeds="1"),
        runs(seeds="2"),
        runs(seeds="3", versions="torch 3"),
    ]
    found = inventory.build([pd.DataFrame(rows)], [], [])
    assert list(found.counts["machine"].items()) == [("cpu on Some <processor>, 2 cores", 3), ("cpu on rare", 1)]
    assert [row[10:12] for row in found.table().rows] == [["2", "1"], ["1", "1"], ["1", "1"], ["1", "2"]]


def test_a_reduced_training_is_marked_in_the_inventory():
    final = pd.DataFrame([{"task": "ring_road", "label": "hrl", "reduced_why": WHY}])
    found = inventory.build([pd.DataFrame([runs(), runs("cher")])], [], [final])
    marks = [row[-1] for row in found.table().rows]
    assert marks == ["3,000 of 1,000,000 steps, 2 of 10 seeds, 1 setting changed", ""]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (pd.DataFrame([runs()]).drop(columns="hash"), "the inventory has no column hash"),
        (pd.DataFrame([runs()]).iloc[:0], "the inventory has no training"),
    ],
)
def test_an_inventory_that_says_nothing_is_refused(rows: pd.DataFrame, message: str):
    with pytest.raises(ValueError, match=f"^{message}$"):
        inventory.build([rows], [], [])


def cell(label: str, steps: int, why: str = "") -> dict[str, object]:
    said = {"steps_run": steps, "steps_paper": 1_000, "seeds_run": 2, "reduced": bool(why), "reduced_why": why}
    return {"task": "ring_road", "label": label, **said}


@pytest.mark.parametrize(
    ("steps", "why", "meaning"),
    [
        (1_000, "", ""),
        (500, "500 of 1,000 steps", reduced.LESS),
        (
            99,
            "99 of 1,000 steps",
            f"{reduced.LESS} {SOME_SHORT}",
        ),
    ],
)
def test_what_the_head_says_of_reduced_runs(steps: int, why: str, meaning: str):
    twice = pd.DataFrame([cell("hrl", steps, why), cell("hrl", steps, why), cell("cher", 1_000)])
    found = reduced.extent([twice, twice])
    assert (found.cells, found.reduced, found.meaning) == (2, int(bool(why)), meaning)
    assert found.reasons == ({"Ring Road": [why]} if why else {})
    assert found.steps == ("1,000" if steps == 1_000 else f"{steps} to 1,000")
    assert found.seeds == "2"


def test_only_where_all_runs_are_far_too_short_the_head_says_so_of_all():
    every = pd.DataFrame([cell("hrl", 99, "99 of 1,000 steps"), cell("cher", 50, "50 of 1,000 steps")])
    assert reduced.extent([every]).meaning == SHORT
