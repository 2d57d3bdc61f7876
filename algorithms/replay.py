"""Uniform replay for several seeds at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class ReplayBuffer:
    """A ring of items per seed; an item is a set of named float arrays.

    Args:
        seeds: number of seeds S.
        capacity: items kept per seed; the oldest is overwritten.
        shapes: shape of each field of an item.
        device: where the items live.
    """

    def __init__(
        self, seeds: int, capacity: int, shapes: Mapping[str, tuple[int, ...]], device: torch.device
    ) -> None:
        self.capacity = capacity
        # numpy's zeros are mapped on first touch, so an unfilled buffer costs no memory
        self._fields = {
            name: torch.from_numpy(np.zeros((seeds, capacity, *shape), dtype=np.float32)).to(device)
            for name, shape in shapes.items()
        }
        self._cursor = np.zeros(seeds, dtype=np.int64)
        self.sizes = np.zeros(seeds, dtype=np.int64)
        self._first_row = torch.arange(seeds, device=device).unsqueeze(1) * capacity

    def add(self, seed: int, **values: NDArray[np.float32] | float) -> None:
        """Store one item of one seed (an index into the group); every field must be given."""
        row = self._cursor[seed]
        for name, field in self._fields.items():
            field[seed, row] = torch.as_tensor(values[name])
        self._cursor[seed] = (row + 1) % self.capacity
        self.sizes[seed] = min(self.sizes[seed] + 1, self.capacity)

    def draw(self, generators: Sequence[np.random.Generator], batch: int) -> Tensor:
        """Draw items uniformly with replacement.

        Returns:
            Item indices, shape [S, batch], for :meth:`read`.
        """
        drawn = [
            generator.integers(size, size=batch) for generator, size in zip(generators, self.sizes, strict=True)
        ]
        return torch.from_numpy(np.stack(drawn)).to(self._first_row.device) + self._first_row

    def read(self, name: str, items: Tensor, times: Tensor | int | None = None) -> Tensor:
        """Read one field of drawn items.

        Args:
            name: the field.
            items: indices from :meth:`draw`, shape [S, B].
            times: for a field whose items are sequences, which element of each: [S, B] or one for all.

        Returns:
            Shape [S, B, *field], without the sequence axis if ``times`` is given.
        """
        field = self._fields[name]
        rows, shape = items, field.shape[2:]
        if times is not None:
            rows, shape = items * shape[0] + times, shape[1:]
        return field.view(-1, *shape).index_select(0, rows.reshape(-1)).view(*items.shape, *shape)

    def state_dict(self) -> dict[str, Any]:
        """The filled part of the buffer."""
        filled = int(self.sizes.max(initial=0))
        return {
            "fields": {name: field[:, :filled].clone() for name, field in self._fields.items()},
            "cursor": self._cursor.copy(),
            "sizes": self.sizes.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        for name, values in state["fields"].items():
            self._fields[name][:, : values.shape[1]] = values
        self._cursor[:] = state["cursor"]
        self.sizes[:] = state["sizes"]
