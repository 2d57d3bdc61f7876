"""A task that costs nothing and can misbehave in every way that a simulator can."""

from __future__ import annotations

import faulthandler
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.spaces import Box

from envs.base import SimulationError, TaskEnv

HORIZON = 5


class UnusualError(Exception):
    """Cannot travel between processes: it cannot be made anew from its arguments."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


class Drift(TaskEnv):
    """A random walk.  Options of a reset: where it starts (``start``), and a ``pause`` in seconds.

    Args:
        meeting: a barrier at which members wait for each other in whatever they do.
        fails_at: the step at which ``failure`` is raised.
        dies_at: the step at which the process kills itself with SIGSEGV.
        lives: a file that holds how often it does so.
    """

    def __init__(
        self,
        meeting: Any = None,
        *,
        fails_at: int = -1,
        failure: Exception | None = None,
        dies_at: int = -1,
        lives: Path | None = None,
    ) -> None:
        super().__init__()
        self.task: Any = "drift"
        self.observation_space = Box(-np.inf, np.inf, (2,), np.float32)
        self.action_space = Box(-1, 1, (1,), np.float32)
        self._meeting, self._lives = meeting, lives
        self._fails_at, self._failure, self._dies_at = fails_at, failure, dies_at

    def reset_episode(self, options: Any) -> Any:
        self._meet()
        self._elapsed = 0
        self._at = self.np_random.normal() + options.get("start", 0)
        if self._at > 100:
            raise SimulationError("started beyond the end of the world")
        time.sleep(options.get("pause", 0))
        return self._observation(), {"at": self._at}

    def step_episode(self, action: Any) -> Any:
        self._meet()
        self._elapsed += 1
        self._at += self.np_random.normal() + float(action[0])
        if self._elapsed == self._fails_at and self._failure is not None:
            raise self._failure
        if self._elapsed == self._dies_at:
            self._die()
        fell, over = bool(self._at > 3), self._elapsed >= HORIZON
        return self._observation(), float(self._at), fell, over and not fell, {"at": self._at} if over else {}

    def greet(self, name: str) -> str:
        return f"{name}, {self._elapsed} steps have been made"

    def sockets(self) -> int:
        """How many this process has open."""
        number = 0
        for path in Path("/proc/self/fd").iterdir():
            with suppress(OSError):  # the folder itself was open while it was listed
                number += "socket" in os.readlink(path)
        return number

    def _observation(self) -> Any:
        return np.array([self._at, self._elapsed], np.float32)

    def _meet(self) -> None:
        if self._meeting is not None:
            self._meeting.wait()

    def _die(self) -> None:
        left = 1 if self._lives is None else int(self._lives.read_text())
        if self._lives is not None:
            self._lives.write_text(str(left - 1))
        if left > 0:
            faulthandler.disable()  # pytest's, which would print where this happens
            os.kill(os.getpid(), signal.SIGSEGV)
