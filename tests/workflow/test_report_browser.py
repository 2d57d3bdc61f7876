"""The page and Snakemake's own reports of the smoke preset, opened in a browser that reaches no network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from runner import snakemake_in

from algorithms.config import load_preset, merge
from analysis import products
from analysis.report import titles

pytestmark = pytest.mark.browser

ONE_CELL = Path(__file__).with_name("one_cell.yaml")
SMOKE = ("--configfile", "config/smoke.yaml", str(ONE_CELL))
PRESET = merge(load_preset("smoke"), yaml.safe_load(ONE_CELL.read_text()))
FIGURES = products.due(PRESET, products.FIGURES)
TABLES = [*products.due(PRESET, products.TABLES), *products.OVERALL]
#: What Debian and its relatives, Fedora and others call the program.
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: No name is resolved; the only files are those that are opened.
ARGUMENTS = ("--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND")
#: A desktop, and a telephone.
SIZES = ({"width": 1400, "height": 900}, {"width": 390, "height": 844})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory in which the smoke preset has run, with both kinds of Snakemake's report."""
    folder = tmp_path_factory.mktemp("smoke")
    run = snakemake_in(folder)
    for arguments in ((), ("--report", "report.html"), ("--report", "report.zip")):
        done = run(*SMOKE, *arguments)
        assert done.returncode == 0, done.stderr
    shutil.unpack_archive(folder / "report.zip", folder / "unpacked")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, as the machine has it."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program, f"no browser is installed; this test looks for {', '.join(PROGRAMS)}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


class Visit(NamedTuple):
    """An open page, and what has happened on it."""

    page: Any
    requests: list[str]
    failures: list[str]
    errors: list[str]


@contextmanager
def visit(browser: Any, path: Path, **settings: Any) -> Iterator[Visit]:
    """Open a file; nothing else may be asked for, fail or complain while it is open."""
    context = browser.new_context(offline=True, **settings)
    page = context.new_page()
    opened = Visit(page, [], [], [])
    page.on("request", lambda request: opened.requests.append(request.url))
    page.on("requestfailed", lambda request: opened.failures.append(request.url))
    page.on("pageerror", lambda error: opened.errors.append(str(error)))
    page.on("console", lambda message: opened.errors.append(message.text) if message.type == "error" else None)
    page.goto(path.as_uri(), wait_until="load")
    yield opened
    assert not [url for url in opened.requests if not url.startswith(("file:", "data:", "blob:"))]
    assert (opened.failures, opened.errors) == ([], [])
    context.close()


#: Address, natural width and alternative of every picture, once all are decoded.
PICTURES = """async () => {
    const pictures = [...document.images];
    await Promise.all(pictures.map((picture) => picture.decode()));
    return pictures.map((picture) => [picture.closest("figure")?.id, picture.naturalWidth, picture.alt]);
}"""


@pytest.mark.parametrize("size", SIZES)
def test_the_page_shows_every_figure_and_table_with_its_caption(browser: Any, folder: Path, size: dict[str, int]):
    with visit(browser, folder / "out/report/index.html", viewport=size) as (page, requests, *_):
        assert [url for url in requests if not url.startswith("data:")] == [page.url]
        pictures = page.evaluate(PICTURES)
        assert {anchor for anchor, *_ in pictures} >= {titles.figure_anchor(name) for name in FIGURES}
        assert all(width > 100 and alternative for _, width, alternative in pictures)
        anchors = [*map(titles.figure_anchor, FIGURES), *map(titles.table_anchor, TABLES)]
        for anchor in anchors:
            assert len(page.locator(f"#{anchor} figcaption").inner_text()) > 100
        for name in TABLES:
            rows = (folder / f"out/tables/{name}.md").read_text().splitlines()[2:]
            assert page.locator(f"#{titles.table_anchor(name)} tbody tr").count() == len(rows)
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"], "nothing sticks out"


def test_tables_are_sorted_and_filtered_on_demand(browser: Any, folder: Path):
    with visit(browser, folder / "out/report/index.html") as (page, *_):
        table = page.locator("#table_cost")
        heads = table.locator("thead th").all_inner_texts()
        times = table.locator(f"tbody td:nth-child({heads.index('Steps per second') + 1})")
        unsorted = [float(text.split()[0].replace(",", "")) for text in times.all_inner_texts()]
        table.get_by_role("button", name="Steps per second").click()
        assert [float(text.split()[0].replace(",", "")) for text in times.all_inner_texts()] == sorted(unsorted)
        table.get_by_role("button", name="Steps per second").click()
        assert times.first.inner_text().split()[0].replace(",", "") == f"{max(unsorted):g}"
        table.locator("input").fill("ring cher")
        shown = table.locator("tbody tr:visible").all_inner_texts()
        assert 0 < len(shown) < len(unsorted)
        assert all("Ring Road" in text and "CHER" in text for text in shown)
        assert table.locator("output").inner_text() == f"{len(shown)} of {len(unsorted)} rows"


def test_the_page_is_complete_without_its_script(browser: Any, folder: Path):
    with visit(browser, folder / "out/report/index.html", java_script_enabled=False) as (page, *_):
        for name in TABLES:
            assert page.locator(f"#{titles.table_anchor(name)} tbody tr").first.is_visible()
        assert page.locator(".search").count() == 0


def test_a_picture_is_shown_in_full_size_on_a_telephone(browser: Any, folder: Path):
    with visit(browser, folder / "out/report/index.html", viewport=SIZES[1]) as (page, *_):
        picture = page.locator("#figure_05 img")
        assert picture.bounding_box()["width"] < SIZES[1]["width"]
        picture.click()
        assert picture.bounding_box()["width"] == pytest.approx(
            picture.evaluate("image => image.naturalWidth"), abs=1
        )
        assert page.evaluate("document.documentElement.scrollWidth") == SIZES[1]["width"], (
            "it scrolls in its frame"
        )


@pytest.mark.parametrize("report", ["report.html", "unpacked/report/report.html"])
def test_snakemakes_report_shows_every_figure_and_table_with_its_caption(browser: Any, folder: Path, report: str):
    with visit(browser, folder / report) as (page, *_):
        for category, names, ending in (("Figures", FIGURES, "svg"), ("Tables", TABLES, "csv")):
            page.reload()
            page.get_by_text(category, exact=True).click()
            known = page.evaluate(f"Object.values(categories.{category}).flat()")
            assert {f"out/{category.lower()}/{name}.{ending}" for name in names} <= set(known)
            assert page.locator("nav tbody tr").count() == len(known), "none hides another one of the same labels"
            assert {described(page, category, place) for place in range(len(known))} == set(known)


def described(page: Any, category: str, place: int) -> str:
    """Open a result of a category and its description; returns its path."""
    view, about = page.locator("nav tbody tr").nth(place).locator("a").all()
    if category == "Figures":
        view.click()
        page.wait_for_function("document.querySelector('#app div > img:only-child')?.naturalWidth > 0")
    about.click()
    text = page.locator("#app nav").first.inner_text()
    path = next(line for line in text.splitlines() if line.startswith("out/"))
    caption = text.partition("DESCRIPTION")[2].partition("SIZE")[0]
    assert len(caption) > 100, path
    page.get_by_role("link", name=category, exact=True).click()
    return path
