"""The whole page, as a program reads it; ``test_report_browser.py`` opens it in a browser."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from reported import HOSTILE, PRESET, Page, claim, decoded, shown, write_claims, write_results

from algorithms.settings import format_seeds
from algorithms.studies import cells
from analysis import products
from analysis.report import captions, page, titles

FIGURES = products.due(PRESET, products.FIGURES)
TABLES = (*products.due(PRESET, products.TABLES), *products.OVERALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_results(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def whole(folder: Path) -> Page:
    return shown(folder)


def test_nothing_is_loaded_from_elsewhere(whole: Page):
    addresses = [str(each[name]) for each in whole.elements for name in ("src", "href") if name in each]
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert not re.search(r"@import|url\(", whole.text)
    for attribute in ("srcset", "data", "action", "poster"):
        assert not [each for each in whole.elements if attribute in each]


def test_the_policy_allows_the_script_of_the_page_and_nothing_from_outside(whole: Page):
    (policy,) = [each["content"] for each in whole.all("meta") if each.get("http-equiv")]
    (script,) = whole.all("script")
    assert "src" not in script
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'; ")
    assert "; base-uri 'none'; form-action 'none'; " in policy
    assert policy.endswith(f"script-src '{page.digest(script['text'])}'")


def test_the_selection_of_these_tests_has_figures_and_tables_of_every_kind():
    assert len(FIGURES) > 6
    assert len(TABLES) > 4


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_there_bit_by_bit_with_caption_size_and_alternative(whole: Page, folder: Path, name: str):
    anchor = titles.figure_anchor(name)
    (image,) = whole.within(anchor, "img")
    content = (folder / f"figures/{name}.svg").read_bytes()
    assert decoded(image["src"]) == ("image/svg+xml", content)
    width = float(ElementTree.fromstring(content).attrib["width"].removesuffix("pt"))
    assert int(image["width"]) == pytest.approx(width * 4 / 3, abs=0.5)
    assert image["alt"].startswith(titles.figure_title(name))
    (caption,) = whole.within(anchor, "figcaption")
    assert len(caption["text"]) > 200


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_the_rows_of_its_csv_which_goes_along(whole: Page, folder: Path, name: str):
    anchor, csv = titles.table_anchor(name), (folder / f"tables/{name}.csv").read_bytes()
    assert len(whole.rows(anchor)) == len(csv.splitlines()) - 1
    (link,) = [each for each in whole.within(anchor, "a") if "download" in each]
    assert (link["download"], decoded(link["href"])) == (f"{name}.csv", ("text/csv", csv))
    assert whole.within(anchor, "figcaption")


def test_texts_are_shown_as_they_are_and_do_nothing(whole: Page):
    assert {row[1] for row in whole.rows("table_cost")} == {HOSTILE}
    assert len(whole.all("script")) == 1
    assert "Some <processor>, 2 cores" in whole.within("runs", "ol")[0]["text"]


def test_ids_are_unique_and_links_lead_somewhere(whole: Page):
    ids = [each["id"] for each in whole.elements if "id" in each]
    assert len(ids) == len(set(ids))
    links = [each["href"][1:] for each in whole.all("a") if each["href"].startswith("#")]
    assert set(links) <= set(ids)
    wanted = [titles.figure_anchor(name) for name in FIGURES] + [titles.table_anchor(name) for name in TABLES]
    listed = [
        each["href"][1:] for each in whole.all("a") if any(above["tag"] == "nav" for above in each["inside"])
    ]
    assert set(wanted) - {"table_hyperparameters"} <= set(listed)


def test_every_element_ends(whole: Page):
    assert whole.inside == []


def test_the_runs_are_all_trainings_each_once(whole: Page):
    """Studies share some of them."""
    runs = [run for study in PRESET["studies"] for run in cells(PRESET, study)]
    once = {(run.task, run.label, format_seeds(run.seeds)) for run in runs}
    assert len(whole.rows("runs")) == len(once) < len(runs)
    assert f"{len(once)} trainings, each once" in whole.within("runs", "p")[0]["text"]
    shared = [row for row in whole.rows("runs") if row[:3] == ["Ant Gather", "HRL", "1"]]
    assert [row[12] for row in shared] == ["main, cooperation"]


def test_the_head_says_what_was_run(whole: Page):
    facts = {each["text"] for each in whole.all("dd")}
    assert {"1 to 2", "3,000", "2026-01-02 10:00:00Z", "main, cooperation, transfer"} <= facts
    assert f"a1b2c3d4e5f60718-dirty ({len(whole.rows('runs'))})" in {fact.strip() for fact in facts}
    assert "Drawn from" not in {each["text"] for each in whole.all("dt")}


def test_reduced_runs_are_marked_in_the_head(whole: Page):
    (banner,) = [each for each in whole.all("div") if each.get("class") == "banner"]
    said = " ".join(banner["text"].split())
    assert re.search(r"Reduced\. All \d+ combinations of task, algorithm and variant fall short", said)
    assert "which algorithm is better cannot be read from them" in said
    assert "Ant Gather: 3,000 of 1,000,000 steps, 2 of 10 seeds, 1 setting changed" in said


def test_the_page_says_its_size(whole: Page):
    assert f"{len(whole.text.encode()) / 1e6:.1f} MB" in {
        each["text"].partition(",")[0] for each in whole.all("dd")
    }


def test_same_files_same_page(folder: Path, whole: Page, tmp_path: Path):
    assert shown(folder).text == whole.text
    assert shown(write_results(tmp_path)).text == whole.text, "nor does it depend on where or when they were made"


@pytest.mark.parametrize(
    ("file", "said", "anchor"),
    [
        ("figures/figure_08.svg", "No data for Figure 8: Transfer of workers.", "figure_08"),
        ("tables/transfer.md", "No data for Transfer of workers.", "table_transfer"),
        ("tables/hyperparameters.csv", "No data for Hyper-parameters and their sources.", "table_hyperparameters"),
    ],
)
def test_what_is_missing_is_said_in_its_place(folder: Path, file: str, said: str, anchor: str):
    """As if the file were not among the inputs."""
    less = shown(folder, only=[path for path in folder.rglob("*.*") if path != folder / file])
    assert [each["text"] for each in less.within(anchor, "p")] == [said]
    assert not less.within(anchor, "img")
    assert not less.rows(anchor)


def test_an_empty_folder_has_a_page_that_says_so(tmp_path: Path):
    empty = shown(tmp_path)
    said = [each["text"] for each in empty.all("p")]
    assert "No data for the verdicts." in said
    assert "No data for the inventory of runs." in said
    assert sum(text.startswith("No data for") for text in said) == len(FIGURES) + len(TABLES) + 2
    assert any(text.startswith("How far these runs fall short of the paper's is not known") for text in said)


def test_what_the_preset_does_not_select_is_named(whole: Page):
    (said,) = [each["text"] for each in whole.within("figures", "p") if each.get("class") == "quiet"]
    assert "Figure 9: HIRO with and without off-policy correction" in said
    assert "Figure 8" not in said


def test_a_page_from_the_archive_says_so(folder: Path):
    archived = shown(folder, {**PRESET, "source": "archive"})
    assert "Drawn from" in {each["text"] for each in archived.all("dt")}


def test_verdicts_come_first_with_their_counts_and_what_they_rest_on(tmp_path: Path):
    less = {"verdict": "inconclusive", "lacks": "more seeds", "reduced": True, "reduced_why": "2 of 10 seeds"}
    write_claims(tmp_path, claim(statement=HOSTILE), claim(task="ant_maze", **less), claim(claim="C2", **less))
    judged = shown(tmp_path)
    counted = [each["text"] for each in judged.within("verdicts", "span") if each["class"].startswith("verdict")]
    assert counted[:3] == ["✓ 1 supported", "✗ 0 contradicted", "? 2 inconclusive"]
    text = " ".join(judged.within("verdicts", "p")[1]["text"].split())
    assert text.startswith("3 comparisons behind 2 claims. 2 on reduced runs: such a verdict is about these runs")
    groups = [each["text"] for each in judged.within("verdicts", "th") if each.get("scope") == "rowgroup"]
    assert groups == [f"C1 (section 5.2): {HOSTILE}", "C2 (section 5.2): CHER beats HRL."]
    assert judged.rows("verdicts")[1] == [
        *("? inconclusive", "Ant Maze", "CHER minus HRL", "12.3 [\N{MINUS SIGN}1.2, 25.9] return", "0.043", "10"),
        *("more seeds", "Welch's t-test", "2 of 10 seeds"),
    ]
    assert judged.within("figure_claims", "img"), "the figure that belongs to them goes along"
    sections = [each["id"] for each in judged.all("section")]
    assert sections == ["verdicts", "figures", "tables", "runs", "settings"]


def test_verdicts_on_full_runs_have_no_mark(tmp_path: Path):
    write_claims(tmp_path, claim())
    judged = shown(tmp_path)
    assert "reduced runs" not in judged.within("verdicts", "p")[1]["text"]
    assert not judged.all("mark")


def test_every_product_has_a_title_and_a_caption_of_its_own():
    assert set(products.FIGURES) <= set(titles.FIGURES)
    assert {*products.TABLES, *products.OVERALL} <= set(titles.TABLES)
    for name in (*products.FIGURES, *products.TABLES, *products.OVERALL):
        assert captions.file_of(name).is_file()


def test_what_has_no_title_is_called_after_its_file():
    assert titles.figure_title("new_curve") == "New curve"
    assert titles.table_title("new_table") == "New table"
    assert titles.figure_title("figure_12").startswith("Figure 12: ")
