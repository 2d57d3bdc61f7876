"""Environments in processes of their own, for simulators that allow one simulation per process.

A process that dies or hangs is replaced, and its episode repeated up to where it was; nobody else notices.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from envs.base import ActionError, Observation, SimulationError, StepResult, TaskEnv, TaskSpec
from envs.child import Child, LostError, perform
from envs.vector import TaskVectorEnv

log = logging.getLogger(__name__)

#: Seconds after which a simulator that has not answered is taken to hang; none works for more than some seconds.
ANSWER_LIMIT = 300.0

#: Processes that may be lost in a row over the same request.
ATTEMPTS = 3

Start = tuple[Observation, dict[str, Any]]


class RemoteTask:
    """An environment of a task in a child process; to its user it is the environment itself.

    When the process dies or does not answer, a new one is forked and the running episode restored exactly: from
    the ``episode_state`` right after the last reset, and every reset and step since.  Then the request is made
    again.  What the environment itself raises comes back as it is.  All other attributes are read from the
    environment, and ``episode_state`` is the only one that can be set.

    The child ends with the thread that made it, see :class:`~envs.child.Child`; any request may make a new one.

    Args:
        make: makes the environment, in the child.
        limit: seconds that a request may take.
        follow: let the process run on the core of this one, which waits for its answers.

    Attributes:
        simulator_restarts: how many processes were lost and replaced.

    Raises:
        SimulationError: ``ATTEMPTS`` processes in a row were lost over one request; the environment is closed.
    """

    task: TaskSpec
    observation_space: gymnasium.Space[Any]
    action_space: gymnasium.Space[Any]
    metadata: dict[str, Any]
    render_mode: str | None

    def __init__(self, make: Callable[[], TaskEnv], *, limit: float = ANSWER_LIMIT, follow: bool = False) -> None:
        self._make, self._limit, self._follow = make, limit, follow
        self._child: Child | None = None
        self._closed = False
        self._begun: tuple[str, bytes] | None = None
        self._state: dict[str, Any] | None = None
        self._since: list[tuple[bytes, bool]] = []
        self.simulator_restarts = 0
        try:
            vars(self).update(self._ask("facts"))
        except BaseException:
            self.close()
            raise

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Start:
        """Start a new episode, as :meth:`~envs.base.TaskEnv.reset`."""
        start: Start = self._ask("reset", seed, options)
        return start

    def step(self, action: NDArray[np.float32]) -> StepResult:
        """Advance by one environment step, as :meth:`~envs.base.TaskEnv.step`."""
        result: StepResult = self._ask("step", action)
        return result

    def close(self) -> None:
        """End the process; closing again does nothing."""
        self._closed = True
        if self._child is not None:
            self._child.end()
            self._child = None

    @property
    def episode_state(self) -> dict[str, Any]:
        """As :attr:`~envs.base.TaskEnv.episode_state`."""
        state: dict[str, Any] = self._ask("get", "episode_state")[1]
        return state

    @episode_state.setter
    def episode_state(self, state: dict[str, Any]) -> None:
        self._ask("continue_from", state)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__} has no attribute {name}")
        is_method, value = self._ask("get", name)
        return partial(self._ask, "call", name) if is_method else value

    def get_wrapper_attr(self, name: str) -> Any:
        """An attribute (gymnasium API)."""
        return getattr(self, name)

    def set_wrapper_attr(self, name: str, value: Any) -> None:
        """Set an attribute (gymnasium API).

        Raises:
            AttributeError: it is not ``episode_state``.
        """
        if name != "episode_state":
            raise AttributeError(f"{name} cannot be set in another process; allowed: episode_state")
        self.episode_state = value

    def begin(self, method: str, *arguments: Any) -> None:
        """Send a request to the process, whose answer :meth:`finish` awaits.

        Raises:
            RuntimeError: the environment is closed, or the answer to an earlier request was never awaited.
        """
        if self._closed:
            raise RuntimeError("the environment is closed")
        if self._begun is not None:
            raise RuntimeError(f"{self._begun[0]} was interrupted; the environment can only be closed")
        request = pickle.dumps((method, arguments), pickle.HIGHEST_PROTOCOL)
        self._begun = method, request
        if self._child is not None:
            self._send(self._child, request)

    def finish(self) -> Any:
        """The answer to the request that was begun."""
        assert self._begun is not None, "no request has been begun"
        method, request = self._begun
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if self._child is None:
                    self._child = Child(partial(_Server, self._make, self._state, self._since))
                    self._send(self._child, request)
                good, result = self._child.receive(self._limit)
                self._begun = None
                break
            except LostError as lost:
                self._child, what = None, f"the simulator {lost} {self._moment(method)}"
            if attempt == ATTEMPTS:
                self.close()
                raise SimulationError(f"{what}, {ATTEMPTS} times in a row")
            self._count_restart(what)
        return self._take_in(method, request, good, result)

    def _send(self, child: Child, request: bytes) -> None:
        if self._follow:
            child.follow()
        child.send(request)

    def _ask(self, method: str, *arguments: Any) -> Any:
        self.begin(method, *arguments)
        return self.finish()

    def _take_in(self, method: str, request: bytes, good: bool, result: Any) -> Any:
        """Note what must be repeated in a new process; returns or raises the answer."""
        if method in ("reset", "continue_from") and good:
            result, self._state = result
            self._since = []
        elif method in ("reset", "continue_from", "step"):
            self._since.append((request, good))
        if not good:
            raise result
        return result

    def _count_restart(self, reason: str) -> None:
        self.simulator_restarts += 1
        if self.simulator_restarts == 1:
            log.warning("%s; it is started anew, without effect on results (others are only counted)", reason)

    def _moment(self, method: str) -> str:
        """When a process was lost."""
        if method in ("facts", "reset"):
            return "at a reset" if method == "reset" else "at its start"
        done = len((self._state or {}).get("actions", ())) + sum(good for _, good in self._since)
        return f"at step {done + 1} of the episode" if method == "step" else f"after step {done} of the episode"


class _Server:
    """What answers in the child.

    Args:
        make: makes the environment.
        state: its ``episode_state`` after the last reset; None if there was none.
        since: the pickled requests since, and whether they succeeded.
    """

    def __init__(
        self, make: Callable[[], TaskEnv], state: dict[str, Any] | None, since: Sequence[tuple[bytes, bool]]
    ) -> None:
        self._env = make()
        if state is not None:
            self._env.episode_state = state
        for request, good in since:
            try:
                perform(self, request)
            except Exception:
                if good:
                    raise

    def facts(self) -> dict[str, Any]:
        """Attributes that never change."""
        names = ("task", "observation_space", "action_space", "metadata", "render_mode")
        return {name: getattr(self._env, name) for name in names}

    def reset(self, seed: int | None, options: dict[str, Any] | None) -> tuple[Start, dict[str, Any]]:
        """The start of an episode, and the state from which it can be repeated."""
        return self._env.reset(seed=seed, options=options), self._env.episode_state

    def step(self, action: NDArray[np.float32]) -> StepResult:
        """One step."""
        return self._env.step(action)

    def continue_from(self, state: dict[str, Any]) -> tuple[None, dict[str, Any]]:
        """Set the state of an episode; it comes back as after a reset."""
        self._env.episode_state = state
        return None, state

    def get(self, name: str) -> tuple[bool, Any]:
        """Whether an attribute is a method, and its value if not."""
        value = getattr(self._env, name)
        return (True, None) if callable(value) else (False, value)

    def call(self, name: str, *arguments: Any) -> Any:
        """Result of a method that changes nothing."""
        return getattr(self._env, name)(*arguments)

    def close(self) -> None:
        """End the simulation."""
        self._env.close()


class ProcessVectorEnv(TaskVectorEnv):
    """A :class:`~envs.vector.TaskVectorEnv` whose members have a process each, and work at the same time.

    An error of a member is raised once all members are at rest.

    Args:
        members: one function per environment, which makes it.
        limit: seconds that a member may take for an answer, see :class:`RemoteTask`.
    """

    def __init__(self, members: Sequence[Callable[[], TaskEnv]], *, limit: float = ANSWER_LIMIT) -> None:
        alone = len(members) == 1
        super().__init__([partial(RemoteTask, make, limit=limit, follow=alone) for make in members])

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> Start:
        """Start new episodes in all environments, or in those of ``options["reset_mask"]``."""
        if isinstance(seed, int):
            seed = range(seed, seed + self.num_envs)
        seeds = [None] * self.num_envs if seed is None else seed
        mask = np.ones(self.num_envs, dtype=np.bool_)
        if options is not None:
            options = dict(options)
            mask = options.pop("reset_mask", mask)
        started = np.flatnonzero(mask).tolist()
        infos: dict[str, Any] = {}
        answers = self._together({index: ("reset", seeds[index], options) for index in started})
        for index, (observation, info) in zip(started, answers, strict=True):
            self._env_obs[index] = observation
            infos = self._add_info(infos, info, index)
        for ends in (self._terminations, self._truncations, self._autoreset_envs):
            ends[mask] = False
        return np.array(self._env_obs, np.float32), infos

    def set_attr(self, name: str, values: Any) -> None:
        """Set the attribute ``episode_state`` of all environments to values of their own."""
        if name == "episode_state":
            self._together({index: ("continue_from", state) for index, state in enumerate(values)})
        else:
            super().set_attr(name, values)

    def _step_members(self, actions: NDArray[np.float32]) -> list[Any]:
        return self._together({index: ("step", action) for index, action in enumerate(actions)})

    def _together(self, requests: Mapping[int, tuple[Any, ...]]) -> list[Any]:
        """Answers of some members, all of which work at the same time."""
        members: Sequence[Any] = self.envs
        for index, request in requests.items():
            members[index].begin(*request)
        answers, errors = [], []
        for index in requests:
            try:
                answers.append(members[index].finish())
            except Exception as error:
                if isinstance(error, SimulationError | ActionError):
                    error.member = index
                errors.append(error)
        if errors:
            raise errors[0]
        return answers
