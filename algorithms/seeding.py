"""Random streams: one per seed and purpose, so that no part of a training can disturb another.

A stream is named by its purpose, and its state depends on the seed and that name alone.  Adding a purpose, an
evaluation or another seed to a group therefore changes nothing elsewhere.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def sequence(seed: int, purpose: str, *key: int) -> np.random.SeedSequence:
    """The seed sequence of one purpose, optionally of a numbered part of it."""
    return np.random.SeedSequence(seed, spawn_key=(zlib.crc32(purpose.encode()), *key))


def integer(seed: int, purpose: str, *key: int) -> int:
    """A 32-bit seed for one purpose, for libraries that take an integer."""
    return int(sequence(seed, purpose, *key).generate_state(1)[0])


class Streams:
    """The random streams of a group of S seeds, made when first used."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self.seeds = list(seeds)
        self._generators: dict[str, list[np.random.Generator]] = {}

    def __getitem__(self, purpose: str) -> list[np.random.Generator]:
        """One generator per seed."""
        if purpose not in self._generators:
            self._generators[purpose] = [np.random.default_rng(sequence(seed, purpose)) for seed in self.seeds]
        return self._generators[purpose]

    def normal(self, purpose: str, *shape: int, which: Mask | None = None) -> NDArray[np.float32]:
        """Standard normal numbers, shape [S, *shape]; zeros for seeds not in ``which`` ([S]), drawing nothing."""
        return self.fill_normal(purpose, np.zeros((len(self.seeds), *shape), dtype=np.float32), which)

    def fill_normal(
        self, purpose: str, values: NDArray[np.float32], which: Mask | None = None
    ) -> NDArray[np.float32]:
        """Fill an array [S, ...] with standard normal numbers; seeds not in ``which`` keep theirs."""
        for index, generator in enumerate(self[purpose]):
            if which is None or which[index]:
                generator.standard_normal(out=values[index], dtype=np.float32)
        return values

    def uniform(self, purpose: str, *shape: int, which: Mask | None = None) -> NDArray[np.float32]:
        """Uniform numbers from [0, 1), shape [S, *shape]; zeros for seeds not in ``which``, drawing nothing."""
        values = np.zeros((len(self.seeds), *shape), dtype=np.float32)
        for index, generator in enumerate(self[purpose]):
            if which is None or which[index]:
                generator.random(out=values[index], dtype=np.float32)
        return values

    def state_dict(self) -> dict[str, list[Any]]:
        """States of all streams used so far."""
        return {
            purpose: [generator.bit_generator.state for generator in generators]
            for purpose, generators in self._generators.items()
        }

    def load_state_dict(self, state: dict[str, list[Any]]) -> None:
        """Continue from :meth:`state_dict`."""
        self._generators.clear()
        for purpose, states in state.items():
            for generator, value in zip(self[purpose], states, strict=True):
                generator.bit_generator.state = value
