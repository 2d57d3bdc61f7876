"""Random streams: one per seed and purpose, so that no part of a training can disturb another.

A stream is named by its purpose, and its state depends on the seed and that name alone.  Adding a purpose, an
evaluation or another seed to a group therefore changes nothing elsewhere.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Change = Callable[[NDArray[np.float32]], None]
Fill = Callable[[np.random.Generator, NDArray[Any]], None]


def sequence(seed: int, purpose: str, *key: int) -> np.random.SeedSequence:
    """The seed sequence of one purpose, optionally of a numbered part of it."""
    return np.random.SeedSequence(seed, spawn_key=(zlib.crc32(purpose.encode()), *key))


def integer(seed: int, purpose: str, *key: int) -> int:
    """A 32-bit seed for one purpose, for libraries that take an integer."""
    return int(sequence(seed, purpose, *key).generate_state(1)[0])


def evaluation_start(seed: int, step: int, point: int, episode: int) -> int:
    """The seed that an environment is reset with for an episode of the evaluation after training step ``step``."""
    return integer(seed, "evaluation", step, point, episode)


class Streams:
    """The random streams of a group of S seeds, made when first used."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self.seeds = list(seeds)
        self._generators: dict[str, list[np.random.Generator]] = {}
        self._ahead: dict[str, Ahead] = {}

    def __getitem__(self, purpose: str) -> list[np.random.Generator]:
        """One generator per seed."""
        assert purpose not in self._ahead, f"the numbers of '{purpose}' are drawn ahead"
        if purpose not in self._generators:
            self._generators[purpose] = [np.random.default_rng(sequence(seed, purpose)) for seed in self.seeds]
        return self._generators[purpose]

    def normal(self, purpose: str, *shape: int, which: Mask | None = None) -> NDArray[np.float32]:
        """Standard normal numbers, shape [S, *shape]; zeros for seeds not in ``which`` ([S]), drawing nothing."""
        values = np.zeros((len(self.seeds), *shape), dtype=np.float32)
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

    def normals(self, purpose: str, *shape: int, change: Change | None = None) -> Ahead:
        """The supply, one per purpose, of arrays [S, *shape] of standard normal numbers in single precision.

        Args:
            purpose: name of the stream.
            shape: per seed and step.
            change: applied in place to the numbers of many steps, [..., *shape].
        """

        def fill(generator: np.random.Generator, values: NDArray[Any]) -> None:
            generator.standard_normal(out=values, dtype=np.float32)
            if change is not None:
                change(values)

        return self._supply(purpose, shape, np.float32, fill)

    def uniforms(self, purpose: str, *shape: int) -> Ahead:
        """The supply, one per purpose, of arrays [S, *shape] of uniform numbers from [0, 1), double precision."""

        def fill(generator: np.random.Generator, values: NDArray[Any]) -> None:
            generator.random(out=values)

        return self._supply(purpose, shape, np.float64, fill)

    def state_dict(self) -> dict[str, list[Any]]:
        """States of all streams used so far, per purpose and seed."""
        plain = {
            purpose: [generator.bit_generator.state for generator in generators]
            for purpose, generators in self._generators.items()
        }
        return plain | {purpose: ahead.state() for purpose, ahead in self._ahead.items()}

    def load_state_dict(self, state: dict[str, list[Any]]) -> None:
        """Continue from :meth:`state_dict`; the same supplies must have been asked for."""
        self._generators.clear()
        for purpose, states in state.items():
            if purpose in self._ahead:
                self._ahead[purpose].load(states)
            else:
                for generator, value in zip(self[purpose], states, strict=True):
                    generator.bit_generator.state = value

    def _supply(self, purpose: str, shape: tuple[int, ...], kind: type, fill: Fill) -> Ahead:
        assert purpose not in {*self._ahead, *self._generators}, f"the numbers of '{purpose}' are drawn elsewhere"
        generators = [np.random.default_rng(sequence(seed, purpose)) for seed in self.seeds]
        self._ahead[purpose] = Ahead(generators, shape, kind, fill)
        return self._ahead[purpose]


class Ahead:
    """Random arrays drawn for many steps at once, in the order in which single draws would give them.

    A generator's call costs more than the numbers for one update, and ten seeds need ten calls.
    """

    STEPS = 16

    def __init__(
        self, generators: list[np.random.Generator], shape: tuple[int, ...], kind: type, fill: Fill
    ) -> None:
        self._generators, self._fill = generators, fill
        self._values: NDArray[Any] = np.zeros((len(generators), self.STEPS, *shape), dtype=kind)
        self._refill()

    def next(self) -> NDArray[Any]:
        """The numbers for one step, shape [S, *shape]; overwritten later."""
        if self._position == self.STEPS:
            self._refill()
        self._position += 1
        values: NDArray[Any] = self._values[:, self._position - 1]
        return values

    def state(self) -> list[Any]:
        """Per seed: the generator before the numbers at hand, and how many of these are used."""
        return [{"before": before, "used": self._position} for before in self._before]

    def load(self, states: list[Any]) -> None:
        """Continue from :meth:`state`."""
        for generator, state in zip(self._generators, states, strict=True):
            generator.bit_generator.state = state["before"]
        self._refill()
        self._position = states[0]["used"]

    def _refill(self) -> None:
        self._before = [generator.bit_generator.state for generator in self._generators]
        for generator, values in zip(self._generators, self._values, strict=True):
            self._fill(generator, values)
        self._position = 0
