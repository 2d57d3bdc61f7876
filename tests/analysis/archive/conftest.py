from __future__ import annotations

from pathlib import Path

import pytest
from archives import finished


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A finished run of HRL, seed 0, 1,200 steps."""
    return finished(tmp_path / "first")
