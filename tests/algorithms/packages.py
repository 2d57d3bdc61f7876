"""Packages with entry points, as an installer leaves them in a folder."""

from __future__ import annotations

from pathlib import Path

#: An entry with a section of its own, which passes every check.
GOOD = """
from algorithms.entry import Entry
from algorithms.sections import HIERARCHY
from envs.strict import Strict


class MineSettings(Strict):
    weight: float


SECTIONS = {**HIERARCHY, "mine": MineSettings}
VALUES = {"mine": {"default": {"weight": 0.5}, "tasks": {"ring_road": {"weight": 2.0}}}}
MINE = Entry("algorithms.hrl:HRL", SECTIONS, values=VALUES)
"""


def install(folder: Path, package: str, text: str, **points: str) -> None:
    """Put a package of one module of its name into a folder.

    Args:
        folder: where packages are looked for.
        package: its name.
        text: the module.
        points: what the module is to bring, by the algorithm's name: an attribute of the module.
    """
    (folder / f"{package}.py").write_text(text)
    described = folder / f"{package}-1.2.dist-info"
    described.mkdir()
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
    lines = [f"{name} = {package}:{attribute}" for name, attribute in points.items()]
    (described / "entry_points.txt").write_text("\n".join(["[cher.algorithms]", *lines, ""]))
