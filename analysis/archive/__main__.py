"""Command line of the archive.

    python -m analysis.archive add results/runs/ring_road/hrl/seeds_0
    python -m analysis.archive episodes results/trajectories/ring_road/hrl.parquet
    python -m analysis.archive list
    python -m analysis.archive verify
    python -m analysis.archive missing --preset paper

Every command that reads rows checks them all.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from algorithms.config import ConfigError, add_preset_arguments
from algorithms.studies import preset_from
from analysis.archive import add, episodes, incoming, plan, store
from analysis.archive.draw import tables
from analysis.archive.listing import listing, size
from analysis.archive.manifest import ARCHIVE, ArchiveError, load
from analysis.archive.missing import missing
from analysis.products import EPISODES
from analysis.study_tables import write


def run_add(options: argparse.Namespace) -> int:
    """Add runs and drivers."""
    by = options.by or incoming.name_of_user()
    outcome = add.add(options.archive, options.folders, by, replace=options.replace)
    print("\n".join([*outcome.lines, size(options.archive, outcome.manifest)]))
    return 0


def run_episodes(options: argparse.Namespace) -> int:
    """Add episodes that figures show."""
    by = options.by or incoming.name_of_user()
    lines = episodes.add(options.archive, options.files, by, replace=options.replace)
    print("\n".join([*lines, size(options.archive, load(options.archive))]))
    return 0


def run_missing(options: argparse.Namespace) -> int:
    """Print what of a preset there are no data for."""
    print("\n".join(missing(plan.make(preset_from(options), load(options.archive)))))
    return 0


def run_tables(options: argparse.Namespace) -> int:
    """Write the tables of all studies of a preset that there are data for, and the episodes that are shown.

    Tables of its other studies are of data that were there once: they are removed.
    """
    archive = store.read_checked(options.archive)
    planned = plan.make(preset_from(options), archive.manifest)
    with_data = plan.narrowed(planned)["studies"]
    for study in planned.preset["studies"]:
        folder = options.out / "tables" / study
        if study in with_data:
            write(tables(archive, planned, study), folder)
        elif folder.is_dir():
            shutil.rmtree(folder)
    for file in {file for figure in EPISODES for file in plan.shown_episodes(planned, figure)}:
        (options.out / file.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(options.archive / file.kept, options.out / file.path)
    print("\n".join(missing(planned)))
    return 0


def run_list(options: argparse.Namespace) -> int:
    """Print a table of what is there."""
    manifest = load(options.archive)
    print("\n".join([*listing(manifest), size(options.archive, manifest)]))
    return 0


def run_verify(options: argparse.Namespace) -> int:
    """Check every row."""
    archive = store.read(options.archive)
    print("\n".join(archive.problems or [f"{size(options.archive, archive.manifest)}: all checksums agree"]))
    if archive.left:
        print(
            f"{archive.left} sets of rows belong to no entry: left by an interrupted change, dropped by the next"
        )
    return 1 if archive.problems else 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(prog="analysis.archive", description="Measured curves that are shipped.")
    commands = result.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, work: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=about, description=about)
        made.add_argument("--archive", type=Path, default=ARCHIVE, help="its folder (default: %(default)s)")
        made.set_defaults(work=work)
        return made

    adding = command("add", run_add, "Add finished runs and scripted drivers.")
    adding.add_argument("folders", type=Path, nargs="+", metavar="RUN_FOLDER", help="of runs or drivers")
    adding.add_argument(
        "--replace", action="store_true", help="let longer runs or other settings replace archived"
    )
    adding.add_argument("--by", help="who adds them (default: git's user.name, or the login)")
    shown = command("episodes", run_episodes, "Add episodes that figures show, of archived runs and drivers.")
    shown.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="<results>/trajectories/<task>/<label>.parquet"
    )
    shown.add_argument("--replace", action="store_true", help="let them replace those of the same name")
    shown.add_argument("--by", help="who adds them (default: git's user.name, or the login)")
    lacking = command("missing", run_missing, "Print what of a preset the archive has no data for.")
    add_preset_arguments(lacking)
    drawing = command("tables", run_tables, "Write the tables of a preset's studies, as analysis.collect does.")
    add_preset_arguments(drawing)
    drawing.add_argument("--out", type=Path, required=True, help="results folder")
    command("list", run_list, "Print what the archive holds.")
    command("verify", run_verify, "Check every row of the archive.")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Work, and return the exit status; what cannot be done is said in one line each."""
    options = parser().parse_args(arguments)
    try:
        status: int = options.work(options)
    except (ArchiveError, ConfigError, OSError) as error:
        print("\n".join(f"archive: {line}" for line in str(error).splitlines()), file=sys.stderr)
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
