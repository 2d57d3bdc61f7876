"""The target that judges the claims: what it plans, without running anything."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytestmark = pytest.mark.workflow


def planned(output: str) -> dict[str, int]:
    """Number of jobs per rule in the first job table of a dry run."""
    table = output.partition("Job stats:")[2].partition("\n\n")[0]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


def test_claims_need_the_tables_of_the_selected_studies_and_no_figure(snakemake: Any):
    run = snakemake("check", "--dry-run", "--config", "studies=[hiro_correction]", "seeds=[0]")
    assert run.returncode == 0, run.stderr
    assert planned(run.stdout) == {
        "train": 4,
        "collect": 1,
        "statistics": 1,
        "claims": 1,
        "check": 1,
        "total": 8,
    }
    outputs = re.findall(r"results/(?:tables|figures)/(?:claims|reproduction)\.\w+", run.stdout)
    endings = {"claims": {"csv", "md", "html", "svg", "pdf", "png"}, "reproduction": {"csv", "md", "tex"}}
    for stem, expected in endings.items():
        assert {name.rpartition(".")[2] for name in outputs if f"/{stem}." in name} == expected
