"""What an archive holds, for readers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from algorithms.settings import format_seeds
from analysis.archive.manifest import Entry, Manifest

COMMIT = 7  # characters of a commit that tell it from all others
HEAD = ("task", "label", "seeds", "steps", "hash", "commit", "finished", "device", "added by")


def listing(manifest: Manifest) -> list[str]:
    """Lines of a table: one per run, then one per driver."""
    rows = [_row(entry) for entry in (*manifest.runs, *manifest.drivers)]
    return str(tabulate(rows, HEAD, disable_numparse=True)).splitlines() if rows else []


def _row(entry: Entry) -> Sequence[str]:
    said, config = entry.description, entry.description["config"]
    task, label = entry.key.split("/")[:2]
    steps = f"{config['run']['steps']:,}" if "run" in config else "driver"
    commit = str(said.get("git_commit") or "")
    marked = commit[:COMMIT] + "-dirty" * commit.endswith("-dirty")
    texts = (entry.hash, marked, said.get("finished") or "", said.get("device") or "", entry.by)
    return [task, label, format_seeds(config["seeds"]), steps, *map(str, texts)]


def size(folder: Path, manifest: Manifest) -> str:
    """How much there is."""
    files = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")
    numbers = (
        f"{len(manifest.runs)} runs, {len(manifest.drivers)} drivers, {len(manifest.episodes)} files of episodes"
    )
    return f"{numbers}, {files / 1e6:.2f} MB"
