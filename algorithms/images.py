"""Images of meta-transitions, in one byte per number.

Only the manager sees images, and it sees the first and the last observation of a meta-transition; those in
between are never stored.  The paper's 20,000 meta-transitions with images of 32 x 32 x 3 take 123 MB; in single
precision and for every step they would take 2.7 GB.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.algorithm import Array, Mask
from algorithms.replay import Indices, zeros

Bytes = NDArray[np.uint8]


def to_bytes(pixels: Array) -> Bytes:
    """Pixels as bytes.

    Raises:
        ValueError: they are not whole numbers from 0 to 255.
    """
    with np.errstate(invalid="ignore"):
        converted = pixels.astype(np.uint8)
    if not np.array_equal(converted, pixels):
        wrong = pixels[converted != pixels][0]
        raise ValueError(f"an image holds {wrong:g}; pixels must be whole numbers from 0 to 255")
    return converted


class FirstAndLast:
    """The images of the running meta-transitions of S environments: the first, and the last one so far."""

    def __init__(self, seeds: int, pixels: int) -> None:
        self._images = np.zeros((seeds, 2, pixels), dtype=np.uint8)

    def append(self, starts: Mask, now: Array, following: Array) -> None:
        """Take in the images before and after a step, [S, pixels] each; ``starts`` marks the first of a period."""
        if starts.any():
            self._images[starts, 0] = to_bytes(now[starts])
        self._images[:, 1] = to_bytes(following)

    def of(self, seed: int) -> Bytes:
        """A copy of the images of one environment, [2, pixels]."""
        return self._images[seed].copy()

    def state(self) -> Bytes:
        """A copy of all images."""
        return self._images.copy()

    def load(self, state: Bytes) -> None:
        """Continue from :meth:`state`."""
        self._images[:] = state


class ImageReplay:
    """The first and the last image of each item of a replay.

    Args:
        seeds: number of seeds S.
        capacity: items kept per seed.
        pixels: numbers per image.
        device: where the images live.
    """

    def __init__(self, seeds: int, capacity: int, pixels: int, device: torch.device) -> None:
        self._images = zeros((2, seeds * capacity, pixels), torch.uint8, device)
        self._by_seed = self._images.view(2, seeds, capacity, pixels)

    def put(self, items: Indices, images: Bytes) -> None:
        """Store the images [2, pixels] of an item, by its index, [1]."""
        device = self._images.device
        self._images.index_copy_(
            1, torch.from_numpy(items).to(device), torch.from_numpy(images[:, None]).to(device)
        )

    def append_to(self, states: Tensor, items: Tensor, *, last: bool) -> Tensor:
        """States [S, B, n] of items [S, B] followed by their first or last images, in single precision."""
        number, images = states.shape[-1], self._images[int(last)]
        observations = states.new_empty(*items.shape, number + images.shape[1])
        observations[..., :number] = states
        observations[..., number:] = images.index_select(0, items.reshape(-1)).view(*items.shape, -1)
        return observations

    def state(self, filled: int) -> Tensor:
        """A copy of the images of the first ``filled`` items of each seed."""
        return self._by_seed[:, :, :filled].to("cpu", copy=True)

    def load(self, state: Tensor) -> None:
        """Continue from :meth:`state`."""
        self._by_seed[:, :, : state.shape[2]] = state
