"""Files inside the page, as data URIs: an image cannot collide with another one, nor reach out of the page."""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

#: CSS pixels per unit of length of an SVG.
PIXELS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}


class Image(NamedTuple):
    """A picture: its address, and its size in CSS pixels."""

    source: str
    width: int
    height: int


def data_uri(content: bytes, kind: str) -> str:
    """The content itself as an address.

    Args:
        content: any bytes.
        kind: media type, for example ``text/csv``.
    """
    return f"data:{kind};base64,{b64encode(content).decode('ascii')}"


def image(path: Path) -> Image:
    """Read a drawing.

    Raises:
        ValueError: it is not an SVG with a width and a height.
    """
    content = path.read_bytes()
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise ValueError(f"'{path}' is not an SVG: {error}") from None
    if root.tag.rpartition("}")[2] != "svg":
        raise ValueError(f"'{path}' is not an SVG: it is a <{root.tag.rpartition('}')[2]}>")
    width, height = (pixels(root.get(name, ""), f"{name} of '{path}'") for name in ("width", "height"))
    return Image(data_uri(content, "image/svg+xml"), width, height)


def pixels(length: str, what: str) -> int:
    """A length such as ``504pt`` in CSS pixels.

    Raises:
        ValueError: it is none, or of another unit.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([a-z]*)", length)
    if not found or found[2] not in PIXELS:
        raise ValueError(f"{what} is '{length}'; allowed: a number with one of {', '.join(filter(None, PIXELS))}")
    return max(1, round(float(found[1]) * PIXELS[found[2]]))
