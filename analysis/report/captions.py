"""Captions as HTML: templates in reStructuredText, which Snakemake's own report fills in and converts alike."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
from docutils.core import publish_parts
from docutils.utils import SystemMessage
from markupsafe import Markup

FOLDER = Path(__file__).parents[1] / "captions"

#: Nothing is read besides the caption itself, and a mistake in it is an error, not a box on the page.
SETTINGS: Mapping[str, Any] = {
    "_disable_config": True,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "halt_level": 2,
    "report_level": 5,
    "warning_stream": "",
}


def caption(name: str, preset: Mapping[str, Any]) -> Markup:
    """The caption of a figure or table, for what a preset has run; empty if it has none.

    Raises:
        ValueError: it is not well-formed.
    """
    path = file_of(name)
    return to_html(path.read_text(encoding="utf-8"), preset, path.name) if path.is_file() else Markup()


def file_of(name: str) -> Path:
    """Where the caption of a figure or table is; tables of settings share one."""
    return FOLDER / f"{'sensitivity' if name.startswith('sensitivity_') else name}.rst"


def to_html(text: str, preset: Mapping[str, Any], name: str) -> Markup:
    """Fill in a caption and convert it.

    Args:
        text: the caption, in which ``snakemake.config`` stands for the preset.
        preset: a merged preset.
        name: how messages call the caption.

    Raises:
        ValueError: it is not well-formed.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    try:
        filled = environment.from_string(text).render(snakemake=SimpleNamespace(config=preset))
        parts = publish_parts(filled, writer="html5", settings_overrides=dict(SETTINGS))
    except (jinja2.TemplateError, SystemMessage) as error:
        raise ValueError(f"caption {name}: {error}") from None
    return Markup(parts["fragment"])  # made by docutils, which escapes all text
