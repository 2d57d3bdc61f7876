"""The files and commands of a document, in its order, and a private environment in which they can be followed."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
#: The first line of a block that is a file.
PATH = re.compile(r"^# (?P<path>[\w.-]+(?:/[\w.-]+)+)\n")

#: Console scripts that commands call.
SCRIPTS = ("pytest", "snakemake")


class File(NamedTuple):
    """A block whose first line is a comment with its path."""

    path: str
    text: str


class Command(NamedTuple):
    """A block of shell commands; transcripts (``console``) are only to be read."""

    text: str


def steps(document: str) -> Iterator[File | Command]:
    """What a reader does, step by step."""
    for block in BLOCK.finditer(document):
        language, text = block["language"], block["text"]
        if language == "sh":
            yield Command(text)
        elif found := PATH.match(text):
            yield File(found["path"], text)


def private_environment(folder: Path) -> Path:
    """An environment with the packages of this one, to which more can be added; returns its folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    programs, packages = (
        Path(sysconfig.get_path(kind, vars={"base": str(folder)})) for kind in ("scripts", "purelib")
    )
    ours = sysconfig.get_path("purelib")
    (packages / "parent.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    for name in SCRIPTS:
        (programs / name).write_text(f'#!/bin/sh\nexec {programs}/python -m {name} "$@"\n')
        (programs / name).chmod(0o755)
    return programs
