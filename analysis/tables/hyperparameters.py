"""Table of hyper-parameters: every setting of a preset, the paper's where they differ, and its source.

Sources are the comments of ``config/paper.yaml``, each on the line of the value that it is about, and those of the
files with the values of algorithms of installed packages.

python -m analysis.tables.hyperparameters --preset quick --out hyperparameters.md
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from algorithms.config import ConfigError, add_preset_arguments, load_preset, value_files
from algorithms.settings import SECTIONS
from algorithms.studies import preset_from
from analysis import style
from analysis.tables.writing import DASH, MINUS, write

VARIANTS = "variants"
#: The parts of a preset that hold settings; those of its head say what is run, not how.
PARTS = ("environment", *SECTIONS, VARIANTS)
ALL = "all"
COLUMNS = ["section", "setting", "scope", "value", "paper", "changed", "source"]

Key = tuple[str, ...]


def select(preset: Mapping[str, Any], paper: Mapping[str, Any], sources: Mapping[Key, str]) -> pd.DataFrame:
    """A row per setting and scope, with its value, the paper's, whether they differ, and the source.

    The scope is ``all``, a task, or ``variant`` and a name.  The source is that of the paper's preset, and says so
    where a value is changed.

    Args:
        preset: a merged preset.
        paper: the paper's preset.
        sources: of the paper's values, see :func:`comments`.
    """
    theirs, rows = dict(leaves(paper)), []
    for key, value in leaves(preset):
        here = key if key in theirs else of_all_tasks(key)
        source, changed = sources.get(here, ""), here not in theirs or theirs[here] != value
        if changed:
            source = f"changed; the paper's preset: {source}" if source else "changed"
        rows.append([*place(key), value, theirs.get(here), changed, source])
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object)


def leaves(preset: Mapping[str, Any]) -> Iterator[tuple[Key, Any]]:
    """All settings of a preset with the keys that lead to them, in its order."""
    for part in PARTS:
        yield from _leaves(preset.get(part) or {}, (part,))


def _leaves(values: Mapping[str, Any], above: Key) -> Iterator[tuple[Key, Any]]:
    for name, value in values.items():
        key = (*above, str(name))
        if isinstance(value, Mapping):
            yield from _leaves(value, key)
        else:
            yield key, value


def place(key: Key) -> tuple[str, str, str]:
    """Section, setting and scope of a setting."""
    part, where, *rest = key
    if part == VARIANTS:
        section, setting = (rest[0], rest[1:]) if len(rest) > 1 else ("", rest)
        return section, ".".join(setting), f"variant {where}"
    if where == "tasks":
        return part, ".".join(rest[1:]), rest[0]
    return part, ".".join(rest), ALL


def of_all_tasks(key: Key) -> Key:
    """The setting for all tasks that a task's own one takes the place of."""
    return (key[0], "default", *key[3:]) if key[1] == "tasks" else key


def comments(text: str) -> dict[Key, str]:
    """The comment after each value of a yaml file, on the line where the value ends.

    What is repeated by an alias has the comments of its anchor.
    """
    root, lines = yaml.compose(text, Loader=yaml.SafeLoader), text.splitlines()
    return dict(_comments(root, lines, ())) if root is not None else {}


def _comments(node: yaml.Node, lines: Sequence[str], key: Key) -> Iterator[tuple[Key, str]]:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield from _comments(value, lines, (*key, name.value))
        return
    # A list over several lines ends where the next thing begins, in the reader's eyes with its last entry.
    while isinstance(node, yaml.SequenceNode) and not node.flow_style:
        node = node.value[-1]
    if found := re.search(r"\s#\s*(.*)$", lines[node.end_mark.line][node.end_mark.column :]):
        yield key, found[1].rstrip()


def numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for programs: names as in the configuration, values as JSON, the paper's everywhere."""
    values = {name: rows[name].map(json.dumps) for name in ("value", "paper")}
    return rows.assign(**values, changed=rows["changed"].astype(int))


def readable(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for readers: names of tasks in full, and the paper's value only where it differs."""
    return pd.DataFrame([_readable(row) for row in rows.to_dict("records")])


def _readable(row: Mapping[Hashable, Any]) -> dict[str, str]:
    scope = row["scope"]
    return {
        "Section": row["section"] or DASH,
        "Setting": row["setting"],
        "Applies to": scope if scope == ALL or scope.startswith("variant ") else style.task_name(scope),
        "Value": text_of(row["value"]),
        "Paper's preset": text_of(row["paper"]) if row["changed"] else "",
        "Source": row["source"],
    }


def text_of(value: Any) -> str:
    """A value for readers: separators in long numbers, a real minus sign, a dash where a value is left open."""
    match value:
        case None:
            return DASH
        case bool():
            return str(value).lower()
        case int():
            return f"{value:,}".replace("-", MINUS)
        case float():
            return text_of(int(value)) if value.is_integer() else f"{value:.6g}".replace("-", MINUS)
        case list():
            return f"[{', '.join(map(text_of, value))}]"
    return str(value)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Write the table of hyper-parameters.")
    add_preset_arguments(parser)
    parser.add_argument("--out", type=Path, nargs="+", required=True, help="files: csv, md, tex")
    options = parser.parse_args(arguments)
    try:
        preset = preset_from(options)
    except ConfigError as error:
        sys.exit(f"hyperparameters: {error}")
    sources = {key: text for path in value_files() for key, text in comments(path.read_text()).items()}
    rows = select(preset, load_preset("paper"), sources)
    write(numbers(rows), readable(rows), options.out)


if __name__ == "__main__":
    main()
