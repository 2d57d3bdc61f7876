"""Uniform replay for several seeds at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

Indices = NDArray[np.int64]


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
        self.capacity, self.length, self._shapes = capacity, length, dict(shapes)
        self._widths = [prod(shape) for shape in shapes.values()]
        # numpy's zeros are mapped on first touch, so an unfilled buffer costs no memory
        rows = np.zeros((seeds * capacity * length, sum(self._widths)), dtype=np.float32)
        self._rows = torch.from_numpy(rows).to(device)
        self._items = self._rows.view(seeds * capacity, length, -1)
        self._offsets = capacity * np.arange(seeds)[:, None]
        self._cursor = np.zeros(seeds, dtype=np.int64)
        self.sizes = np.zeros(seeds, dtype=np.int64)

    def add(self, seeds: Sequence[int] | Indices, **values: ArrayLike) -> Indices:
        """Store one item for each of W seeds (indices into the group).

        Args:
            seeds: which, shape [W]; each at most once.
            values: every field, shape [W, *field], or [W, length, *field] where rows of an item differ.

        Returns:
            The items' indices, shape [W].
        """
        seeds = np.asarray(seeds, dtype=np.int64)
        block = np.empty((len(seeds), self.length, sum(self._widths)), dtype=np.float32)
        start = 0
        for name, width in zip(self._shapes, self._widths, strict=True):
            block[:, :, start : start + width] = np.asarray(values[name]).reshape(len(seeds), -1, width)
            start += width
        items: Indices = seeds * self.capacity + self._cursor[seeds]
        device = self._items.device
        self._items.index_copy_(0, torch.from_numpy(items).to(device), torch.from_numpy(block).to(device))
        self._cursor[seeds] = (self._cursor[seeds] + 1) % self.capacity
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

    def read(self, rows: Tensor) -> dict[str, Tensor]:
        """Read rows: indices [...] to fields [..., *field].

        Row ``t`` of an item has the index ``item * length + t``.
        """
        found = self._rows.index_select(0, rows.reshape(-1)).view(*rows.shape, -1)
        parts = found.split(self._widths, -1)
        return {
            name: part if len(shape) == 1 else part.reshape(*rows.shape, *shape)
            for (name, shape), part in zip(self._shapes.items(), parts, strict=True)
        }

    def state_dict(self) -> dict[str, Any]:
        """Copies of the filled part of the buffer."""
        filled = int(self.sizes.max(initial=0))
        return {
            "items": self._by_seed()[:, :filled].clone(),
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
