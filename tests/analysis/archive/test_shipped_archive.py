"""The archive that the repository ships."""

from __future__ import annotations

from algorithms.config import load_preset
from analysis.archive import plan, store
from analysis.archive.manifest import ARCHIVE, load


def test_every_row_agrees_with_its_checksum():
    store.read_checked(ARCHIVE)


def test_it_is_small():
    assert sum(path.stat().st_size for path in ARCHIVE.rglob("*") if path.is_file()) < 20e6


def test_everything_in_it_belongs_to_a_cell_of_the_paper():
    """Otherwise a setting has changed, and figures are drawn without what was measured."""
    preset = load_preset("paper")
    found = plan.make({**preset, "studies": list(preset["study"])}, load(ARCHIVE))
    used = {archived.entry.key for cells in found.cells.values() for cell in cells for archived in cell.used}
    assert used == {entry.key for entry in found.manifest.runs}
    assert {entry.key for entry, _ in found.drivers.values()} == {entry.key for entry in found.manifest.drivers}
    assert not found.unused
    assert not found.contents.unreadable


def test_every_run_says_where_it_comes_from():
    for entry in load(ARCHIVE).runs:
        assert len(entry.description["git_commit"]) == 40, entry.key
        assert entry.description["hardware"]["processor"]
        assert entry.description["wall_time"] > 0
        assert entry.description["steps"] >= 100_000
