"""Episodes that figures show, in an archive: of all that were recorded the few that can be seen, unchanged.

A file belongs to the run or driver of its name in the results folder that it lies in.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from algorithms.records import in_one_move
from analysis.archive import store
from analysis.archive.manifest import ArchiveError, Entry, Episodes, Manifest
from analysis.archive.rows import write_table
from analysis.products import DRIVER, PATHS
from analysis.recordings import first_episode
from analysis.scenes import EPISODE
from envs.names import TASKS


class Cut(NamedTuple):
    """A file for an archive: what the manifest will say, and its content."""

    said: Episodes
    content: bytes


def add(folder: Path, files: Sequence[Path], by: str, *, replace: bool = False) -> list[str]:
    """Add files of episodes, all of them or none; what they are of must be in the archive.

    Args:
        folder: of the archive.
        files: as the workflow writes them: ``<results>/<kind>/<task>/<label>.parquet``.
        by: who adds them.
        replace: let them take the place of others of the same run.

    Returns:
        A line per file on what became of it.

    Raises:
        ArchiveError: a file cannot be added.
    """
    with store.locked(folder):
        archive = store.read_checked(folder)
        manifest, lines, new = archive.manifest, list[str](), list[Cut]()
        for file in files:
            cut = read(file, manifest, by)
            there = [other for other in manifest.episodes if other.path == cut.said.path]
            if any((other.hash, other.sha256) == (cut.said.hash, cut.said.sha256) for other in there):
                lines.append(f"{cut.said.path}: archived already, nothing to do")
                continue
            if there and not replace:
                raise ArchiveError(f"{file}: others are archived as {cut.said.path}; --replace takes these")
            kept = [other for other in manifest.episodes if other not in there]
            manifest = manifest.model_copy(update={"episodes": [*kept, cut.said]})
            new.append(cut)
            lines.append(f"{cut.said.path}: {'replaced' if there else 'added'}, {len(cut.content) / 1e6:.2f} MB")
        for cut in new:
            _write(folder / cut.said.kept, cut.content)
        if new:
            store.change(archive, manifest, {})
    return lines


def read(file: Path, manifest: Manifest, by: str) -> Cut:
    """Read a file, and cut it to what figures show.

    Raises:
        ArchiveError: it is not what it should be, or what it is of is not in the archive.
    """
    kind, task = file.parts[-3:-1] if len(file.parts) > 2 else ("", "")
    if kind not in store.KINDS or task not in TASKS or file.suffix != ".parquet":
        raise ArchiveError(f"{file}: allowed are <results>/{{{','.join(store.KINDS)}}}/<task>/<label>.parquet")
    try:
        table = pd.read_parquet(file)
        shown = _shown(table, task)
    except (OSError, KeyError, ValueError) as error:
        raise ArchiveError(f"{file} cannot be read: {' '.join(str(error).split())}") from None
    seed = int(shown["seed"].iloc[0])
    owner = _owner(file, manifest, seed)
    content = _packed(shown)
    said = Episodes(
        path=f"{kind}/{task}/{file.name}",
        key=owner.key,
        hash=owner.hash,
        seed=seed,
        sha256=hashlib.sha256(content).hexdigest(),
        added=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        by=by,
    )
    return Cut(said, content)


def _shown(table: pd.DataFrame, task: str) -> pd.DataFrame:
    """The episodes of the first seed that figures show: of traffic one at the middle evaluation point."""
    if TASKS[task].is_traffic:
        targets = list(table["target"].unique())
        return first_episode(table, str(targets[(len(targets) - 1) // 2]), int(table["seed"].iloc[0]))
    first = table.loc[table["seed"] == table["seed"].iloc[0], EPISODE].drop_duplicates()
    return table.merge(first.sort_values("episode", kind="stable").head(PATHS))


def _owner(file: Path, manifest: Manifest, seed: int) -> Entry:
    """The archived run or driver that a file is of: that of this name in the same results folder."""
    results, task, name = file.parents[2], file.parent.name, file.stem
    if name.startswith(DRIVER):
        entries, root = manifest.drivers, results / "drivers"
        folders = [root / task / name.removeprefix(DRIVER)]
    else:
        entries, root = manifest.runs, results / "runs"
        folders = sorted((root / task / name).glob("seeds_*"))
    for folder in folders:
        try:
            said = json.loads((folder / "run.json").read_text())
        except (OSError, ValueError):
            continue
        if seed in said["config"]["seeds"]:
            identity = str(folder.relative_to(root)), said["hash"]
            if found := [entry for entry in entries if entry.identity == identity]:
                return found[0]
            raise ArchiveError(
                f"{file}: {identity[0]} with hash {identity[1]} is not in the archive; add it first"
            )
    raise ArchiveError(f"{file}: {results} holds no run or driver that it is of, with seed {seed}")


def _packed(shown: pd.DataFrame) -> bytes:
    """A parquet file; the order of categories is of no use to anyone."""
    plain = {name: "str" for name in shown if isinstance(shown[name].dtype, pd.CategoricalDtype)}
    table = pa.Table.from_pandas(shown.astype(plain), preserve_index=False)
    content = io.BytesIO()
    write_table(table, content)
    return content.getvalue()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with in_one_move(path) as partial:
        partial.write_bytes(content)
