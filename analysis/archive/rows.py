"""Rows of an archive: a parquet file per kind, in which every number is exactly that of the csv file it is from.

Single-precision numbers stand in csv files as their shortest decimals.  A column that is nothing but such decimals
is stored in single precision, at half the size, and comes back as the very decimals.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.archive.manifest import ArchiveError

#: Columns of all tables that precede those of the csv files; the first and the last tell entries apart.
HEAD = ("key", "task", "algorithm", "variant", "label", "driver", "hash")
INTEGERS = ("seed", "step")
TEXTS = ("target",)
LEVEL = 19  # of zstd

Identity = tuple[str, str]
Parts = dict[Identity, pd.DataFrame]


def checksum(rows: pd.DataFrame) -> str:
    """SHA-256 of column names and values; it does not depend on how a file stores them."""
    content = hashlib.sha256("\n".join(rows.columns).encode())
    for names, kind in ((INTEGERS, "<i8"), (None, "<f8"), (TEXTS, None)):
        chosen = [name for name in map(str, rows.columns) if _is_of(name, names)]
        if kind is None:
            content.update("\n".join(rows[chosen].astype(str).to_numpy().ravel()).encode())
            continue
        values = rows[chosen].to_numpy(kind)
        if kind == "<f8":
            values = np.where(np.isnan(values), np.nan, values)  # one of many
        content.update(np.ascontiguousarray(values).tobytes())
    return content.hexdigest()


def _is_of(name: str, names: Sequence[str] | None) -> bool:
    """Whether a column is one of these, or for None whether it holds numbers with a fraction."""
    return name in names if names is not None else name not in (*INTEGERS, *TEXTS)


def empty(columns: Sequence[str]) -> pd.DataFrame:
    """A table without rows."""
    kinds = {name: "int64" if name in INTEGERS else "str" if name in TEXTS else "float64" for name in columns}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def write(path: Path, parts: Iterable[tuple[Mapping[str, str], pd.DataFrame]]) -> None:
    """Write the rows of some entries, each after what it is: those keys of ``HEAD`` that apply."""
    tables = []
    for said, rows in parts:
        head = pd.DataFrame([said] * len(rows), index=rows.index, columns=[*said])
        tables.append(pd.concat([head, rows], axis=1))
    table = pa.Table.from_pandas(pd.concat(tables, ignore_index=True), preserve_index=False)
    for name in _fractions(table):
        table = table.set_column(table.schema.get_field_index(name), name, _packed(table[name]))
    write_table(table, path)


def write_table(table: pa.Table, where: Path | BinaryIO) -> None:
    """Write a parquet file, as small as can be, with nothing of what wrote it."""
    numbers = _fractions(table)
    others = [name for name in table.column_names if name not in numbers]
    settings: dict[str, Any] = {"use_byte_stream_split": numbers, "use_dictionary": others}
    plain = table.replace_schema_metadata(None)
    pq.write_table(plain, where, compression="zstd", compression_level=LEVEL, **settings)


def _fractions(table: pa.Table) -> list[str]:
    """Columns of numbers with a fraction."""
    return [field.name for field in table.schema if pa.types.is_floating(field.type)]


def _packed(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """In single precision, if the shortest decimals of that are these numbers, bit by bit."""
    with np.errstate(over="ignore"):
        single = pa.chunked_array([pa.array(values.to_numpy().astype(np.float32), from_pandas=True)])
    exact, back = (array.to_numpy().view(np.int64) for array in (values, _unpacked(single)))
    return single if np.array_equal(exact, back) else values


def _unpacked(single: pa.ChunkedArray) -> pa.ChunkedArray:
    """The shortest decimals of numbers in single precision."""
    return pc.cast(pc.cast(single, pa.string()), pa.float64())


def read(path: Path) -> Parts:
    """Read the rows of all entries in a file.

    Raises:
        ArchiveError: the file is missing or damaged.
    """
    try:
        table = pq.read_table(path)
        for number, field in enumerate(table.schema):
            if pa.types.is_float32(field.type):
                table = table.set_column(number, field.name, _unpacked(table[field.name]))
        frame = table.to_pandas()
        groups = frame.groupby(["key", "hash"], sort=False)
        gone = [name for name in HEAD if name in frame]
        return {(str(key), str(digest)): rows.drop(columns=gone) for (key, digest), rows in groups}
    except FileNotFoundError:
        raise ArchiveError(f"{path.name} is missing in {path.parent}") from None
    except (OSError, KeyError, ValueError) as error:
        raise ArchiveError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
