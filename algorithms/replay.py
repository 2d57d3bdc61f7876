"""Uniform replay for several seeds at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Indices = NDArray[np.int64]


def columns(shapes: Mapping[str, tuple[int, ...]]) -> tuple[dict[str, slice], int]:
    """The columns of a row that each field fills, and the width of a row."""
    found, start = {}, 0
    for name, shape in shapes.items():
        found[name] = slice(start, start + (shape[0] if shape else 1))
        start = found[name].stop
    return found, start


def zeros(shape: tuple[int, ...], kind: torch.dtype, device: torch.device) -> Tensor:
    """Memory for a replay."""
    if device.type != "cpu":
        return torch.zeros(shape, dtype=kind, device=device)
    # numpy's zeros are mapped on first touch: an unfilled buffer costs no memory
    return torch.from_numpy(np.zeros(shape, dtype=torch.empty(0, dtype=kind).numpy().dtype))


class Rows:
    """Rows of a replay; a field is cut out when asked for by name, [..., size] or [..., 1]."""

    def __init__(self, values: Tensor, columns: Mapping[str, slice], offset: int = 0) -> None:
        self._values, self._columns, self._offset = values, columns, offset

    def __getitem__(self, name: str) -> Tensor:
        column = self._columns[name]
        return self._values.narrow(-1, self._offset + column.start, column.stop - column.start)

    def number(self, name: str) -> Tensor:
        """A field of a single number, [...]."""
        return self._values.select(-1, self._offset + self._columns[name].start)


class ReplayBuffer:
    """A ring of items per seed; an item is one row, or a sequence of rows, of named float fields.

    The fields of a row lie side by side in memory, so that reading one drawn at random misses the cache once and
    not once per field.

    Args:
        seeds: number of seeds S.
        capacity: items kept per seed; the oldest is overwritten.
        shapes: shape of each field of a row.
        device: where the items live.
        length: rows per item.

    Attributes:
        sizes: number of items that each seed holds, [S].
    """

    def __init__(
        self,
        seeds: int,
        capacity: int,
        shapes: Mapping[str, tuple[int, ...]],
        device: torch.device,
        length: int = 1,
    ) -> None:
        self.capacity, self.length = capacity, length
        self._columns, width = columns(shapes)
        number = seeds * capacity * length
        self._rows = zeros((number, width), torch.float32, device)
        self._pairs = self._rows.as_strided((number - 1, 2 * width), (width, 1))  # a row and the next one
        self._items = self._rows.view(seeds * capacity, length, width)
        self._block = np.zeros((seeds, length, width), dtype=np.float32)
        self._offsets = capacity * np.arange(seeds)[:, None]
        self._cursor = np.zeros(seeds, dtype=np.int64)
        self.sizes = np.zeros(seeds, dtype=np.int64)

    def add(self, seeds: Sequence[int] | Indices, **values: NDArray[Any]) -> Indices:
        """Store one item for each of W seeds (indices into the group).

        Args:
            seeds: which, shape [W]; each at most once.
            values: every field, shape [W, *field], or [W, length, *field] where rows of an item differ.

        Returns:
            The items' indices, shape [W].
        """
        seeds = np.asarray(seeds, dtype=np.int64)
        block, cursor = self._block[: len(seeds)], self._cursor[seeds]
        for name, column in self._columns.items():
            block[:, :, column] = values[name].reshape(len(seeds), -1, column.stop - column.start)
        items: Indices = seeds * self.capacity + cursor
        device = self._items.device
        self._items.index_copy_(0, torch.from_numpy(items).to(device), torch.from_numpy(block).to(device))
        self._cursor[seeds] = (cursor + 1) % self.capacity
        self.sizes[seeds] = np.minimum(self.sizes[seeds] + 1, self.capacity)
        return items

    def draw(self, uniform: NDArray[np.float64], out: Indices) -> Indices:
        """Draw items uniformly with replacement.

        Args:
            uniform: numbers from [0, 1), shape [S, B].
            out: where the indices of items go, shape [S, B].

        Returns:
            ``out``.
        """
        np.multiply(uniform, self.sizes[:, None], out=out, casting="unsafe")  # rounds down
        out += self._offsets
        return out

    def read(self, rows: Tensor) -> Rows:
        """Read rows: indices [...] to fields [..., *field].

        Row ``t`` of an item has the index ``item * length + t``.
        """
        found = self._rows.index_select(0, rows.reshape(-1)).view(*rows.shape, -1)
        return Rows(found, self._columns)

    def read_pairs(self, rows: Tensor) -> tuple[Rows, Rows]:
        """Read rows, and those that follow them; as :meth:`read`, at the cost of one."""
        found = self._pairs.index_select(0, rows.reshape(-1)).view(*rows.shape, -1)
        return Rows(found, self._columns), Rows(found, self._columns, self._rows.shape[1])

    def state_dict(self) -> dict[str, Any]:
        """Copies of the filled part of the buffer."""
        filled = int(self.sizes.max(initial=0))
        return {
            "items": self._by_seed()[:, :filled].to("cpu", copy=True),
            "cursor": self._cursor.copy(),
            "sizes": self.sizes.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        items = state["items"]
        self._by_seed()[:, : items.shape[1]] = items
        self._cursor[:] = state["cursor"]
        self.sizes[:] = state["sizes"]

    def _by_seed(self) -> Tensor:
        return self._items.view(len(self.sizes), self.capacity, self.length, -1)
