"""A synthetic results folder with everything that the page shows, and the page as a reader's program sees it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd

from algorithms.config import load_preset
from algorithms.settings import format_seeds
from algorithms.studies import cells
from analysis import products
from analysis.report import page
from analysis.tables.writing import write

#: Two seeds, and studies that share some of their trainings.
PRESET = {
    **load_preset("quick"),
    "studies": ["main", "cooperation", "transfer"],
    "tasks": ["ring_road", "ant_gather", "ant_maze"],
    "algorithms": ["hrl", "cher"],
}
HOSTILE = "<script>alert('|')</script> & co"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="{}pt" height="100pt"><text id="a">{}</text></svg>'
WHY = "3,000 of 1,000,000 steps; 2 of 10 seeds; learner.tau 0.1 instead of 0.005"
#: Elements that have no end tag.
VOID = ("meta", "link", "img", "input", "br")


def write_results(folder: Path, preset: Mapping[str, Any] = PRESET) -> Path:
    """Figures, tables, and what is known of the trainings; verdicts are left out."""
    for number, name in enumerate(products.due(preset, products.FIGURES)):
        path = folder / f"figures/{name}.svg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SVG.format(300 + number, name))
    for number, name in enumerate((*products.due(preset, products.TABLES), *products.OVERALL)):
        numbers = pd.DataFrame({"task": ["ring_road"] * (number + 1), "mean": 1.5})
        readable = pd.DataFrame(
            {
                "Task": "Ring Road",
                "Label": HOSTILE,
                "Mean": "\N{MINUS SIGN}1.5 ± 0.2",
                "Reduced": [""] * len(numbers),
            }
        )
        write(numbers, readable, [folder / f"tables/{name}.{ending}" for ending in ("csv", "md")])
    for study in preset["studies"]:
        write_study(folder / "tables" / study, preset, study)
    return folder


def write_study(folder: Path, preset: Mapping[str, Any], study: str) -> None:
    """Inventory, timing and final performance of a study."""
    folder.mkdir(parents=True, exist_ok=True)
    runs = cells(preset, study)
    heads = [{"study": study, "task": run.task, "algorithm": run.algorithm, "label": run.label} for run in runs]
    said = [head | training(format_seeds(run.seeds), run.hash) for head, run in zip(heads, runs, strict=True)]
    times = [
        head | {"seed": seed, "step": step, "cpu_time": 1.8 * step}
        for head, run in zip(heads, runs, strict=True)
        for seed in run.seeds
        for step in (2_000, 1_000)
    ]
    extent = {
        "metric": "return",
        "steps_run": 3_000,
        "steps_paper": 1_000_000,
        "reduced": True,
        "reduced_why": WHY,
    }
    pd.DataFrame(said).to_parquet(folder / "inventory.parquet")
    pd.DataFrame(times).to_parquet(folder / "timing.parquet")
    final = pd.DataFrame([head | extent for head in heads]).drop_duplicates()
    seeds = final["task"].map(lambda task: 1 if task == "ring_road" else 2)
    final.assign(seeds_run=seeds).to_parquet(folder / "final.parquet")


def training(seeds: str = "0", digest: str = "0123456789abcdef", **changes: Any) -> dict[str, Any]:
    """What the inventory says of a training of two hours, besides whose it is."""
    return {
        "seeds": seeds,
        "steps": 3_000,
        "hash": digest,
        "commit": "a1b2c3d4e5f60718-dirty",
        "finished": f"2026-01-0{int(seeds[0]) + 1}T10:00:00Z",
        "wall_time": 7_200.0,
        "resumed": 1,
        "device": "cpu",
        "hardware": "Some <processor>, 2 cores",
        "versions": "python 3.11.7, torch 2.13.0",
    } | changes


def claim(**changes: Any) -> dict[str, Any]:
    """A row of claims.csv."""
    return {
        "claim": "C1",
        "section": "5.2",
        "statement": "CHER beats HRL.",
        "task": "ring_road",
        "comparison": "CHER minus HRL",
        "test": "Welch's t-test",
        "effect": 12.345,
        "ci_low": -1.2,
        "ci_high": 25.9,
        "unit": "return",
        "p_value": 0.04321,
        "n_seeds": 10,
        "verdict": "supported",
        "lacks": "",
        "reduced": False,
        "reduced_why": "",
    } | changes


def write_claims(folder: Path, *rows: dict[str, Any]) -> Path:
    """The verdicts, beside a figure and a table that belong to them."""
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    (folder / "figures/claims.svg").write_text(SVG.format(300, "claims"))
    path = folder / "tables/claims.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


class Page(HTMLParser):
    """What is on a page: its elements in order, each with its attributes, its text, and those that it lies in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.elements: list[dict[str, Any]] = []
        self.inside: list[dict[str, Any]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        element = {
            "tag": tag,
            "text": "",
            "inside": list(self.inside),
            **{name: value for name, value in attributes},
        }
        self.elements.append(element)
        if tag not in VOID:
            self.inside.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop()["tag"] == tag, f"a <{tag}> ends that has not begun"

    def handle_data(self, data: str) -> None:
        for element in self.inside:
            element["text"] += data

    def all(self, tag: str) -> list[dict[str, Any]]:
        return [element for element in self.elements if element["tag"] == tag]

    def within(self, anchor: str, tag: str) -> list[dict[str, Any]]:
        """The elements of a kind in the one that has an id."""
        return [found for found in self.all(tag) if any(each.get("id") == anchor for each in found["inside"])]

    def rows(self, anchor: str) -> list[list[str]]:
        """Texts of the cells of every row of a table but its head."""
        cells = [(id(cell["inside"][-1]), cell["text"]) for cell in self.within(anchor, "td")]
        rows: dict[int, list[str]] = {}
        for row, text in cells:
            rows.setdefault(row, []).append(text)
        return list(rows.values())


def shown(folder: Path, preset: Mapping[str, Any] = PRESET, **only: Any) -> Page:
    """The page of a results folder."""
    return Page(page.render(page.Results(folder, **only), preset))


def decoded(address: str) -> tuple[str, bytes]:
    """Media type and content of a data URI."""
    scheme, _, rest = address.partition(":")
    kind, _, content = rest.partition(";base64,")
    assert scheme == "data"
    return kind, b64decode(content, validate=True)
