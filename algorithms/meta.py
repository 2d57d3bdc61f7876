"""Meta-transitions: up to k environment steps under one goal of the manager, the unit of storage of a hierarchy.

One draw from the replay serves both levels: the manager learns from the whole period, the worker from one step of
it, chosen uniformly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.algorithm import Array, Mask
from algorithms.device import Fields
from algorithms.images import Bytes, FirstAndLast, ImageReplay
from algorithms.replay import ReplayBuffer, Rows


@dataclass(frozen=True)
class Sizes:
    """Dimensions of a meta-transition: period k, observation n without its image, goal d, action m, pixels."""

    period: int
    observation: int
    goal: int
    action: int
    pixels: int = 0


@dataclass(frozen=True)
class MetaTransition:
    """One finished meta-transition of one seed, T <= k steps long; sequences are padded with zeros.

    Attributes:
        observations: s_t .. s_{t+T} without images, shape [k + 1, n].
        goals: g_t .. g_{t+T}, shape [k + 1, d]; the last is carried over by the goal transition, it is not the
            manager's next proposal.
        actions: a_t .. a_{t+T-1}, shape [k, m].
        worker_rewards: intrinsic rewards, shape [k].
        reward: undiscounted sum of the scaled environment rewards.
        done: 1 if the episode truly ended (a time limit does not count).
        length: T.
        images: those of s_t and s_{t+T}, shape [2, pixels]; None if there are none.
    """

    observations: Array
    goals: Array
    actions: Array
    worker_rewards: Array
    reward: float
    done: float
    length: int
    images: Bytes | None = None


class MetaMemory:
    """The running meta-transitions of S environments.

    Attributes:
        goals: goals in force, [S, d]; at hand, since every step asks for them twice.
        lengths: steps so far, [S].
    """

    def __init__(self, seeds: int, sizes: Sizes) -> None:
        period = sizes.period
        self.goals = np.zeros((seeds, sizes.goal), dtype=np.float32)
        self._rows, self._states = np.arange(seeds), sizes.observation
        self._images = FirstAndLast(seeds, sizes.pixels) if sizes.pixels else None
        self._fields: dict[str, Array] = {
            "observations": np.zeros((seeds, period + 1, sizes.observation), dtype=np.float32),
            "goals": np.zeros((seeds, period + 1, sizes.goal), dtype=np.float32),
            "actions": np.zeros((seeds, period, sizes.action), dtype=np.float32),
            "worker_rewards": np.zeros((seeds, period), dtype=np.float32),
            "rewards": np.zeros((seeds, period), dtype=np.float32),
        }
        self.lengths = np.zeros(seeds, dtype=np.int64)

    def begin(self, starts: Mask, goals: Array) -> None:
        """Set the manager's goals where a meta-period starts."""
        self._fields["goals"][starts, 0] = goals[starts]
        self.goals = np.where(starts[:, None], goals, self.goals)

    def append(
        self,
        observations: Array,
        actions: Array,
        worker_rewards: Array,
        rewards: Array,
        next_observations: Array,
        next_goals: Array,
    ) -> None:
        """Add one environment step to every running meta-transition; rewards are already scaled."""
        fields, now, after = self._fields, (self._rows, self.lengths), (self._rows, self.lengths + 1)
        fields["observations"][now] = observations[:, : self._states]
        fields["actions"][now] = actions
        fields["worker_rewards"][now] = worker_rewards
        fields["rewards"][now] = rewards
        fields["observations"][after] = next_observations[:, : self._states]
        fields["goals"][after] = next_goals
        if self._images is not None:
            pixels = (values[:, self._states :] for values in (observations, next_observations))
            self._images.append(self.lengths == 0, *pixels)
        self.goals, self.lengths = next_goals, self.lengths + 1

    def close(self, seed: int, *, done: bool) -> MetaTransition:
        """End the meta-transition of one environment and start an empty one."""
        length = int(self.lengths[seed])
        self.lengths[seed] = 0
        padded = {name: field[seed].copy() for name, field in self._fields.items()}
        for name, field in padded.items():
            field[length + (name in ("observations", "goals")) :] = 0
        reward = float(padded.pop("rewards").sum(dtype=np.float64))
        images = self._images.of(seed) if self._images else None
        return MetaTransition(**padded, reward=reward, done=float(done), length=length, images=images)

    def state_dict(self) -> dict[str, Any]:
        """Copies of all arrays."""
        images = {"images": self._images.state()} if self._images else {}
        fields = {name: field.copy() for name, field in self._fields.items()}
        return {"lengths": self.lengths.copy(), **fields, **images}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        self.lengths = state["lengths"].copy()
        for name, field in self._fields.items():
            field[:] = state[name]
        if self._images is not None:
            self._images.load(state["images"])
        self.goals = self._fields["goals"][self._rows, self.lengths]


class MetaReplay:
    """Replay of meta-transitions, shared by both levels.

    An item has a row for each time t .. t+k; what there is one of per item stands in all of them.
    """

    def __init__(self, seeds: int, capacity: int, sizes: Sizes, device: torch.device) -> None:
        shapes = {
            "observations": (sizes.observation,),
            "goals": (sizes.goal,),
            "actions": (sizes.action,),
            "worker_rewards": (),
            "reward": (),
            "continues": (),
        }
        self.buffer = ReplayBuffer(seeds, capacity, shapes, device, length=sizes.period + 1)
        self.images = ImageReplay(seeds, capacity, sizes.pixels, device) if sizes.pixels else None
        self._lengths = np.zeros(seeds * capacity, dtype=np.uint16)  # small, so that it stays in the cache

    @staticmethod
    def drawn(seeds: int, batch: int) -> Fields:
        """Shapes and types of what :meth:`draw` fills, for :class:`~algorithms.device.Staging`."""
        return {name: ((seeds, batch), np.int64) for name in ("items", "steps", "lengths", "rows")}

    def add(self, seed: int, item: MetaTransition) -> None:
        """Store a meta-transition of one seed (an index into the group)."""
        fields = {
            "observations": item.observations,
            "goals": item.goals,
            "actions": _extended(item.actions),
            "worker_rewards": _extended(item.worker_rewards),
            "reward": item.reward,
            "continues": 1 - item.done,
        }
        where = self.buffer.add([seed], **{name: np.asarray(value)[None] for name, value in fields.items()})
        self._lengths[where] = item.length
        if self.images is not None:
            assert item.images is not None, "an item of a task with an image holds two"
            self.images.put(where, item.images)

    def draw(self, uniform: NDArray[np.float64], out: Mapping[str, NDArray[np.int64]]) -> None:
        """Draw meta-transitions, and one step of each, uniformly with replacement.

        Args:
            uniform: numbers from [0, 1) for both, shape [S, 2, B].
            out: what goes into a :class:`MetaBatch`, by name.
        """
        items, steps, lengths = self.buffer.draw(uniform[:, 0], out["items"]), out["steps"], out["lengths"]
        lengths[:] = self._lengths[items]
        np.multiply(uniform[:, 1], lengths, out=steps, casting="unsafe")  # rounds down
        rows = np.multiply(items, self.buffer.length, out=out["rows"])
        rows += steps

    def batch(self, drawn: Mapping[str, Tensor]) -> MetaBatch:
        """What was drawn."""
        return MetaBatch(self, drawn)

    def state_dict(self) -> dict[str, Any]:
        """Copies of the filled part."""
        images = {"images": self.images.state(int(self.buffer.sizes.max()))} if self.images else {}
        return {**self.buffer.state_dict(), "lengths": self._lengths.astype(np.int64), **images}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        self.buffer.load_state_dict(state)
        self._lengths[:] = state["lengths"]
        if self.images is not None:
            self.images.load(state["images"])


def _extended(values: Array) -> Array:
    """Values of times t .. t+k-1 with zeros for t+k."""
    return np.concatenate((values, np.zeros_like(values[:1])))


class MetaBatch:
    """A batch of meta-transitions with one step of each; it holds until the next draw.

    Some fields are read when first used, and the indices may be the memory that the next draw fills.  Images are
    kept for the first and the last observation only, so only these end with one.

    Attributes:
        items: which meta-transitions, shape [S, B].
        steps: which step of each (i), shape [S, B].
        lengths: their lengths T, shape [S, B].
        rows: row of the replay at t+i, shape [S, B].
    """

    def __init__(self, replay: MetaReplay, drawn: Mapping[str, Tensor]) -> None:
        self.buffer, self._images = replay.buffer, replay.images
        self.items, self.steps = drawn["items"], drawn["steps"]
        self.lengths, self.rows = drawn["lengths"], drawn["rows"]
        self._now, self._next = self.buffer.read_pairs(self.rows)

    @cached_property
    def _first(self) -> Rows:
        return self.buffer.read(self.rows - self.steps)

    @cached_property
    def _last(self) -> Rows:
        return self.buffer.read(self.rows - self.steps + self.lengths)

    @cached_property
    def first_observations(self) -> Tensor:
        """s_t, [S, B, n], with its image if there is one."""
        states = self._first["observations"]
        return self._images.append_to(states, self.items, last=False) if self._images else states

    @cached_property
    def last_observations(self) -> Tensor:
        """s_{t+T}, [S, B, n], with its image if there is one."""
        states = self._last["observations"]
        return self._images.append_to(states, self.items, last=True) if self._images else states

    @property
    def first_goals(self) -> Tensor:
        """g_t, the manager's actions, [S, B, d]."""
        return self._first["goals"]

    @property
    def rewards(self) -> Tensor:
        """The manager's rewards, [S, B]."""
        return self._first.number("reward")

    @property
    def continues(self) -> Tensor:
        """0 where the episode truly ended with the meta-transition, else 1, [S, B]."""
        return self._first.number("continues")

    @property
    def worker_continues(self) -> Tensor:
        """0 where the episode truly ended with step i, else 1, [S, B]."""
        return torch.where(self.steps + 1 == self.lengths, self.continues, 1)

    @property
    def observations(self) -> Tensor:
        """s_{t+i}, [S, B, n]."""
        return self._now["observations"]

    @property
    def next_observations(self) -> Tensor:
        """s_{t+i+1}, [S, B, n]."""
        return self._next["observations"]

    @property
    def goals(self) -> Tensor:
        """g_{t+i}, [S, B, d]."""
        return self._now["goals"]

    @property
    def next_goals(self) -> Tensor:
        """g_{t+i+1}, [S, B, d]."""
        return self._next["goals"]

    @property
    def actions(self) -> Tensor:
        """a_{t+i}, [S, B, m]."""
        return self._now["actions"]

    @property
    def worker_rewards(self) -> Tensor:
        """Intrinsic rewards of step i, [S, B]."""
        return self._now.number("worker_rewards")
