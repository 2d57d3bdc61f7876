"""The interface between the trainer and an algorithm."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, overload

import numpy as np
import torch
from gymnasium.spaces import Box
from numpy.typing import NDArray
from torch import Tensor

from algorithms.records import Row
from algorithms.settings import RunConfig
from envs.base import EvaluationPoint, TaskSpec

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]


class Policy(Protocol):
    """A deterministic policy for S environments, with its own memory of goals and periods.

    Evaluation uses it, so that it can leave the training untouched.
    """

    def reset(self, starts: Mask, point: EvaluationPoint | None = None) -> None:
        """Prepare for the episodes that are about to start.

        Args:
            starts: where they start, mask of shape [S].
            point: the condition under which they do, in an evaluation.  What learns does not look at it.
        """

    def act(self, observations: Array) -> Array:
        """Actions for one step: [S, n] to [S, m]."""


class Algorithm(ABC):
    """S seeds of one algorithm, trained side by side.

    Each environment step the trainer calls :meth:`act`, :meth:`observe` and, after the random warm-up,
    :meth:`update`.  Seeds never influence each other: seed 3 alone and seed 3 in a group draw the same numbers.

    Args:
        config: the resolved configuration.
        task: the task as a learner sees it.
        actions: the environment's action box.
        device: where networks and replay live.

    Attributes:
        policy: the current deterministic policy.
        networks: parameters by name, sharing memory with the algorithm; what ``policy.pt`` holds.
    """

    policy: Policy
    networks: dict[str, Tensor]

    @abstractmethod
    def __init__(self, config: RunConfig, task: TaskSpec, actions: Box, device: torch.device) -> None: ...

    @abstractmethod
    def act(self, observations: Array, *, random: bool = False) -> Array:
        """Exploratory actions of a training step, [S, n] to [S, m]; ``random`` asks for uniform ones."""

    @abstractmethod
    def observe(
        self,
        observations: Array,
        actions: Array,
        rewards: Array,
        next_observations: Array,
        terminated: Mask,
        truncated: Mask,
    ) -> None:
        """Take in what the last actions led to; rewards are the environment's own."""

    @abstractmethod
    def update(self) -> None:
        """Learn for one environment step."""

    @abstractmethod
    def metrics(self) -> dict[str, Array]:
        """Numbers for a log point, [S] each, some of them means since the last call."""

    def proposals(self) -> list[Row]:
        """A sample of the goals that a manager has set since the warm-up; nothing without a manager."""
        return []

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """All state, as tensors, arrays and plain types."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""


def prepare_process() -> None:
    """Set torch up so that the same seed gives the same numbers."""
    torch.set_num_threads(1)  # results depend on the order of summation, so on the number of threads
    torch.backends.cudnn.deterministic = True  # on a CUDA device, convolutions that add up in a fixed order ...
    torch.backends.cudnn.allow_tf32 = False  # ... and in single precision, as on the CPU
    torch.set_flush_denormal(True)  # moments of a saturated actor decay into denormals, which are slow


class Entries:
    """Picks entries of observations, arrays or tensors [..., n]; no copy where they are consecutive.

    Args:
        indices: which, in order.
        device: where the tensors live.
    """

    def __init__(self, indices: Sequence[int], device: torch.device | None = None) -> None:
        self._start, self._number = (indices[0] if indices else 0), len(indices)
        self._consecutive = list(indices) == list(range(self._start, self._start + self._number))
        span = slice(self._start, self._start + self._number)
        self._host = span if self._consecutive else list(indices)
        self._index = torch.tensor(list(indices), dtype=torch.int64, device=device)

    @overload
    def __call__(self, values: Tensor) -> Tensor: ...

    @overload
    def __call__(self, values: Array) -> Array: ...

    def __call__(self, values: Tensor | Array) -> Tensor | Array:
        """The entries of these observations."""
        if not isinstance(values, Tensor):
            return values[..., self._host]
        if self._consecutive:
            return values.narrow(-1, self._start, self._number)
        return values.index_select(-1, self._index)


class HostBox(NamedTuple):
    """A box on the host: lower corner, upper corner and half range, shape [m] each."""

    low: Array
    high: Array
    half: Array


class Bounds:
    """A box of actions or goals and its half range, as tensors.

    Args:
        low: lower corner, shape [m].
        high: upper corner, shape [m].
        device: where the tensors live.

    Attributes:
        host: the same as arrays.
    """

    def __init__(self, low: NDArray[Any], high: NDArray[Any], device: torch.device) -> None:
        low, high = np.asarray(low, dtype=np.float32), np.asarray(high, dtype=np.float32)
        self.host = HostBox(low, high, (high - low) / 2)
        self.low = torch.tensor(low, device=device)
        self.high = torch.tensor(high, device=device)
        self.middle = (self.high + self.low) / 2
        self.half = (self.high - self.low) / 2
        self.size = self.low.numel()

    def clip(self, values: Tensor) -> Tensor:
        """Clip to the box."""
        return torch.clamp(values, self.low, self.high)
