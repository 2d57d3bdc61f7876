from __future__ import annotations

from pathlib import Path

import pytest
from runner import Snakemake, snakemake_in


@pytest.fixture
def snakemake(tmp_path: Path) -> Snakemake:
    return snakemake_in(tmp_path)
