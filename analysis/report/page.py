"""Everything that a results folder has to show, on one page.

What should be there and is not is named; what the preset does not select is not looked for.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import pandas as pd
from markupsafe import Markup

from analysis import products, style
from analysis.report import claims, embedding, inventory, readable, reduced, titles
from analysis.report.captions import caption

HERE = Path(__file__).parent
#: What the section of verdicts shows besides them, and the table that has a section of its own.
VERDICT_FIGURE, VERDICT_TABLE, SETTINGS = "claims", "reproduction", "hyperparameters"


class Results:
    """Files of a results folder, or some of them: as if the others were not there."""

    def __init__(self, folder: Path, only: Iterable[Path] | None = None) -> None:
        self.folder = folder
        self.only = None if only is None else {path.absolute() for path in only}

    def find(self, name: str) -> Path | None:
        """A file by its path below the folder, or None."""
        path = self.folder / name
        allowed = self.only is None or path.absolute() in self.only
        return path if allowed and path.is_file() else None

    def tables(self, studies: Sequence[str], name: str) -> list[pd.DataFrame]:
        """A table of every study that has it."""
        found = (self.find(f"tables/{study}/{name}.parquet") for study in studies)
        return [pd.read_parquet(path) for path in found if path]


class Part(NamedTuple):
    """A figure or table on the page.  Its content is None where there is no data for it."""

    anchor: str
    title: str
    caption: Markup
    image: embedding.Image | None = None
    table: readable.Table | None = None
    file: str = ""

    @property
    def missing(self) -> bool:
        """Whether there is nothing to show."""
        return self.image is None and self.table is None


def figure(results: Results, preset: Mapping[str, Any], name: str) -> Part:
    """A figure of the results."""
    path = results.find(f"figures/{name}.svg")
    image = embedding.image(path) if path else None
    return Part(titles.figure_anchor(name), titles.figure_title(name), caption(name, preset), image=image)


def table(results: Results, preset: Mapping[str, Any], name: str) -> Part:
    """A table of the results."""
    markdown, csv = (results.find(f"tables/{name}.{ending}") for ending in ("md", "csv"))
    content = readable.read(markdown, csv) if markdown and csv else None
    part = Part(titles.table_anchor(name), titles.table_title(name), caption(name, preset), table=content)
    return part._replace(file=f"{name}.csv")


def contents(results: Results, preset: Mapping[str, Any]) -> dict[str, Any]:
    """What the template shows.

    Raises:
        ValueError: a file has not the form that it should have.
    """
    studies = preset["studies"]
    final, inventories = (results.tables(studies, name) for name in ("final", "inventory"))
    due = [products.due(preset, known) for known in (products.FIGURES, products.TABLES)]
    tables = [table(results, preset, name) for name in (*due[1], *products.OVERALL) if name != SETTINGS]
    runs = inventory.build(inventories, results.tables(studies, "timing"), final) if inventories else None
    return {
        "preset": preset,
        "archived": preset.get("source") == "archive",
        "extent": reduced.extent(final) if final else None,
        "figures": [figure(results, preset, name) for name in due[0]],
        "tables": tables,
        "settings": table(results, preset, SETTINGS),
        "runs": runs,
        "inventory": runs.table() if runs else None,
        "left_out": left_out(products.FIGURES, due[0], titles.figure_title)
        + left_out(products.TABLES, due[1], titles.table_title),
    } | verdicts(results, preset)


def verdicts(results: Results, preset: Mapping[str, Any]) -> dict[str, Any]:
    """What the template shows of the claims; figure and table go along where they are there."""
    path = results.find("tables/claims.csv")
    besides = (figure(results, preset, VERDICT_FIGURE), table(results, preset, VERDICT_TABLE))
    return {
        "verdicts": claims.read(path) if path else None,
        "signs": claims.VERDICTS,
        "besides": [part for part in besides if not part.missing],
    }


def left_out(known: Mapping[str, products.Product], due: Sequence[str], title: Callable[[str], str]) -> list[str]:
    """Titles of figures or tables that the preset does not select."""
    return [title(name) for name in known if name not in due]


def render(results: Results, preset: Mapping[str, Any]) -> str:
    """The page; the same files give the same text."""
    sheet, script = (HERE / f"page.{ending}" for ending in ("css", "js"))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    shown = contents(results, preset) | {
        "sheet": Markup(sheet.read_text(encoding="utf-8")),  # our own, as is the script
        "script": Markup(script.read_text(encoding="utf-8")),
        "reduced_colour": style.REDUCED_COLOUR,
    }
    shown["script_digest"] = digest(shown["script"])
    template = environment.get_template("page.html.j2")
    # The page says how large it is: first as a text as long as the one that it becomes.
    size = len(template.render(shown, weight=megabytes(0)).encode())
    return template.render(shown, weight=megabytes(size))


def digest(script: str) -> str:
    """What a content security policy knows a script by: no other one runs."""
    return f"sha256-{b64encode(sha256(script.encode()).digest()).decode('ascii')}"


def megabytes(size: int) -> str:
    """Bytes as megabytes, with one decimal."""
    return f"{size / 1e6:.1f} MB"
