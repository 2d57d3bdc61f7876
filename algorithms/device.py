"""Moving numbers to an accelerator, and running the same work there again without the host's help.

On the CPU nothing of this costs anything: host and device memory are the same, and work is simply called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray
from torch import Tensor

from algorithms.config import ConfigError, require

#: Shape and type of arrays, by name.
Fields = Mapping[str, tuple[tuple[int, ...], DTypeLike]]

_ALIGNMENT = 8


class Staging:
    """Named arrays that the host fills and the device reads; one copy moves them all.

    Args:
        device: where they are read.
        fields: shape and type of each array.

    Attributes:
        host: the arrays to fill.
        device: the tensors to read, after :meth:`send`.
    """

    def __init__(self, device: torch.device, fields: Fields) -> None:
        sizes = [prod(shape) * np.dtype(kind).itemsize for shape, kind in fields.values()]
        padded = [-(-size // _ALIGNMENT) * _ALIGNMENT for size in sizes]
        cuda = device.type == "cuda"
        self._source = torch.zeros(sum(padded), dtype=torch.uint8, pin_memory=cuda)
        self._target = self._source.to(device)
        self._sent = torch.cuda.Event() if cuda else None
        self.host: dict[str, NDArray[Any]] = {}
        self.device: dict[str, Tensor] = {}
        offset = 0
        for (name, (shape, kind)), size, space in zip(fields.items(), sizes, padded, strict=True):
            host = torch.from_numpy(self._source[offset : offset + size].numpy().view(kind).reshape(shape))
            self.host[name] = host.numpy()
            self.device[name] = self._target[offset : offset + size].view(host.dtype).view(shape)
            offset += space

    def begin(self) -> dict[str, NDArray[Any]]:
        """The arrays to fill, once an earlier copy of them has arrived."""
        if self._sent is not None:
            self._sent.synchronize()
        return self.host

    def send(self) -> dict[str, Tensor]:
        """Move everything to the device; returns the tensors to read."""
        if self._sent is not None:
            self._target.copy_(self._source, non_blocking=True)
            self._sent.record()
        return self.device


class Recorder:
    """Runs functions that work on fixed tensors and leave no trace on the host.

    On a CUDA device each is captured as a graph and then replayed: one launch instead of a hundred, and no wait.
    The first calls run as they are, which lets libraries set themselves up.
    """

    _CALLS_BEFORE_CAPTURE = 3

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream() if device.type == "cuda" else None
        self._graphs: dict[Hashable, torch.cuda.CUDAGraph] = {}
        self._calls: Counter[Hashable] = Counter()

    def run(self, key: Hashable, function: Callable[[], object]) -> None:
        """Run ``function``; calls with the same key must do the same work on the same tensors.

        What Python decides or counts inside ``function`` happens in the first calls only.
        """
        if self._stream is None:
            function()
        elif key in self._graphs:
            self._graphs[key].replay()
        elif self._calls[key] < self._CALLS_BEFORE_CAPTURE:
            self._calls[key] += 1
            self._run_aside(function, self._stream)
        else:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=self._stream):
                function()
            graph.replay()  # capturing does not run anything
            self._graphs[key] = graph

    @staticmethod
    def _run_aside(function: Callable[[], object], stream: torch.cuda.Stream) -> None:
        """Run on the stream that will be captured, as libraries set themselves up per stream."""
        current = torch.cuda.current_stream()
        stream.wait_stream(current)
        with torch.cuda.stream(stream):
            function()
        current.wait_stream(stream)


def device_named(name: str) -> torch.device:
    """The device of a name.

    Raises:
        ConfigError: it is unknown or not there.
    """
    require(name, ("cpu", "cuda"), "device")
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device 'cuda' is not available on this machine; allowed: cpu")
    return torch.device(name)


def threads_from(text: str) -> int:
    """A number of threads.

    Raises:
        ConfigError: it is not a whole number, or not positive.
    """
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError(f"--threads '{text}' is not allowed; it must be a whole number, at least 1")
    return int(text)
