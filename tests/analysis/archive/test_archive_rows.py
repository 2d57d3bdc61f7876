from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.archive import rows
from analysis.archive.manifest import ArchiveError

HEAD = {"key": "ring_road/hrl/seeds_0", "task": "ring_road", "label": "hrl", "hash": "abc"}
NUMBERS = hnp.arrays(np.float64, 6, elements=st.floats(allow_nan=True, allow_infinity=True))
SINGLE = hnp.arrays(np.float32, 6, elements=st.floats(width=32))


def table(numbers: np.ndarray, **more: np.ndarray) -> pd.DataFrame:
    steps = pd.DataFrame({"seed": 0, "step": np.arange(len(numbers)), "target": "a target", "numbers": numbers})
    return steps.assign(**more)


def back(folder: Path, *parts: pd.DataFrame) -> list[pd.DataFrame]:
    """Some tables, written to one file and read again."""
    rows.write(folder / "x.parquet", [(HEAD | {"hash": str(number)}, part) for number, part in enumerate(parts)])
    found = rows.read(folder / "x.parquet")
    return [found[HEAD["key"], str(number)].reset_index(drop=True) for number in range(len(parts))]


@given(NUMBERS)
@settings(max_examples=50, deadline=None)
def test_every_number_comes_back_bit_by_bit(tmp_path_factory: pytest.TempPathFactory, numbers: np.ndarray):
    before = table(numbers)
    (after,) = back(tmp_path_factory.mktemp("rows"), before)
    pd.testing.assert_frame_equal(after, before, check_exact=True)
    assert (np.signbit(after["numbers"]) == np.signbit(before["numbers"]))[np.isfinite(numbers)].all()
    assert rows.checksum(after) == rows.checksum(before)


@given(SINGLE)
@settings(max_examples=50, deadline=None)
def test_decimals_of_single_precision_come_back_as_they_stand_in_the_csv(
    tmp_path_factory: pytest.TempPathFactory, numbers: np.ndarray
):
    decimals = np.array([float(str(number)) for number in numbers])
    (after,) = back(tmp_path_factory.mktemp("rows"), table(decimals))
    np.testing.assert_array_equal(after["numbers"], decimals)


def test_only_columns_of_such_decimals_are_stored_in_single_precision(tmp_path: Path):
    thirds = np.arange(1, 5) / 3
    decimals = np.array([float(str(np.float32(number))) for number in thirds])
    back(tmp_path, table(thirds, decimals=decimals))
    schema = pq.read_schema(tmp_path / "x.parquet")
    assert schema.field("decimals").type == pa.float32()
    assert schema.field("numbers").type == pa.float64()
    assert pq.read_metadata(tmp_path / "x.parquet").row_group(0).column(0).compression == "ZSTD"


def test_tables_of_several_entries_keep_their_own_columns(tmp_path: Path):
    first, second = table(np.arange(3.0)), table(np.arange(2.0)).assign(more=np.nan)
    one, two = back(tmp_path, first, second)
    pd.testing.assert_frame_equal(one[list(first)], first)
    pd.testing.assert_frame_equal(two[list(second)], second)


@pytest.mark.parametrize("column", ["seed", "step", "numbers"])
def test_a_checksum_tells_any_other_number(column: str):
    before = table(np.array([1.0, np.nan, 3.0]))
    after = before.copy()
    after.loc[2, column] += 1
    assert rows.checksum(after) != rows.checksum(before)


def test_a_checksum_tells_texts_names_and_order():
    before = table(np.arange(3.0))
    changed = [
        before.assign(target="another"),
        before.rename(columns={"numbers": "other"}),
        before.iloc[::-1],
        before[["step", "seed", "target", "numbers"]],
        before.iloc[:-1],
    ]
    assert len({rows.checksum(each) for each in (before, *changed)}) == 6
    assert rows.checksum(before.copy()) == rows.checksum(before)


def test_a_file_that_is_missing_or_damaged_is_refused_in_one_line(tmp_path: Path):
    with pytest.raises(ArchiveError, match=rf"^x.parquet is missing in {re.escape(str(tmp_path))}$"):
        rows.read(tmp_path / "x.parquet")
    (tmp_path / "x.parquet").write_text("nothing")
    with pytest.raises(ArchiveError, match=r"^[^\n]*x.parquet cannot be read: [^\n]*$"):
        rows.read(tmp_path / "x.parquet")
