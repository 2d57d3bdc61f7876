"""Write the report, one page that needs nothing besides itself:  python -m analysis.report --preset quick

By default it is written into the preset's results folder, from what is found there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from algorithms.config import ConfigError, add_preset_arguments
from algorithms.studies import preset_from
from analysis.products import results_folder
from analysis.report.page import Results, render


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="report", description="Write a page with all figures and tables.")
    add_preset_arguments(parser)
    parser.add_argument("--results", type=Path, help="results folder, by default the preset's")
    parser.add_argument("--out", type=Path, help="the page, by default report/index.html in the results folder")
    parser.add_argument(
        "--only", type=Path, nargs="+", metavar="FILE", help="files of the results that may be shown"
    )
    options = parser.parse_args(arguments)
    try:
        preset = preset_from(options)
        folder = options.results or results_folder(preset)
        if not folder.is_dir():
            raise ValueError(f"'{folder}' is not a results folder: it is not there")
        page = render(Results(folder, options.only), preset)
        out = options.out or folder / "report/index.html"
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, encoding="utf-8")
    except (ConfigError, OSError, ValueError) as error:
        sys.exit(f"report: {' '.join(str(error).split())}")
    print(out)


if __name__ == "__main__":
    main()
