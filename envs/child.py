"""A forked process that answers requests until the other end of its pipe is closed."""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import signal
import sys
import time
import traceback
import weakref
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NoReturn

#: Seconds that an idle process has to end by itself before it is killed.
PATIENCE = 1.0

#: Signals that a user or a workflow sends to all processes of a training; its own process decides what follows.
IGNORED = {signal.SIGINT, signal.SIGTERM}

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)
_libc = ctypes.CDLL(None)

#: This process's ends of all pipes; a child inherits copies, which would keep its siblings alive.
_ends: weakref.WeakSet[Connection] = weakref.WeakSet()


class LostError(RuntimeError):
    """A process has died, does not answer, or could not be started; the message is a predicate."""


class Child:
    """A process forked off the calling thread, with its memory and its floating-point mode.

    It ends with that thread, however that ends, ignores SIGINT and SIGTERM, and leaves no zombie: it is joined by
    :meth:`end`, or else when this object is collected or the interpreter exits.

    Args:
        make: makes, in the new process, the object whose methods answer; an error of it is the first answer.

    Raises:
        LostError: the system has no room for another process.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        try:
            self._pipe, theirs = Pipe()
            _ends.add(self._pipe)
            with theirs:
                self.pid = _fork(lambda: _serve(theirs, make))
        except OSError as error:
            raise LostError(f"could not be started ({error.strerror})") from None
        self._finalizer = weakref.finalize(self, _end, self.pid, self._pipe)
        self._core = -1

    def follow(self) -> None:
        """Let the process run on this one's core from now on; does nothing outside Linux.

        Of two processes that wait for each other in turn only one works, and to wake an idle core can take longer
        than a step of a simulation.
        """
        if sys.platform == "linux" and (core := _libc.sched_getcpu()) not in (self._core, -1):
            with suppress(OSError):  # it may have died
                os.sched_setaffinity(self.pid, {core})
            self._core = core

    def send(self, request: bytes) -> None:
        """Send a pickled tuple: the name of a method and its arguments.  If nobody is there, no answer comes."""
        with suppress(OSError):
            self._pipe.send_bytes(request)

    def receive(self, limit: float) -> tuple[bool, Any]:
        """The next answer: whether the method returned, and what it returned or raised.

        Args:
            limit: seconds to wait for it.

        Raises:
            LostError: there is none; the process has been ended.
        """
        try:
            if self._pipe.poll(limit):
                answer: tuple[bool, Any] = pickle.loads(self._pipe.recv_bytes())
                return answer
        except (EOFError, OSError):
            raise LostError(f"died ({self.end(kill=True)})") from None
        self.end(kill=True)
        raise LostError(f"did not answer for {limit:g} s")

    def end(self, *, kill: bool = False) -> str:
        """End the process, at once or as soon as it is idle, and join it; returns how it ended."""
        found = self._finalizer.detach()
        return "ended before" if found is None else _end(*found[2], kill=kill)


def _fork(serve: Callable[[], None]) -> int:
    """Fork, run ``serve`` in the new process and never return there; the process id."""
    parent = os.getpid()
    # No signal may arrive in the new process before it ignores it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, IGNORED)
    try:
        pid = os.fork()
        if pid == 0:
            _run(serve, parent)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _run(serve: Callable[[], None], parent: int) -> NoReturn:
    """The whole life of the new process."""
    status = 1
    try:
        for number in IGNORED:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, IGNORED)
        if sys.platform == "linux":
            _libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        for end in list(_ends):
            end.close()
        gc.freeze()  # what was inherited is the parent's to clean up, and stays shared memory if left untouched
        if os.getppid() == parent:
            serve()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _serve(pipe: Connection, make: Callable[[], Any]) -> None:
    """Answer requests until the other end is closed."""
    served: Any = None
    with suppress(EOFError, OSError):
        while True:
            request = pipe.recv_bytes()
            try:
                if served is None:
                    served = make()
                answer = pickle.dumps((True, perform(served, request)), pickle.HIGHEST_PROTOCOL)
            except Exception as error:
                answer = _error(error)
            pipe.send_bytes(answer)
    if served is not None:
        served.close()


def perform(served: Any, request: bytes) -> Any:
    """Carry out a request."""
    method, arguments = pickle.loads(request)
    return getattr(served, method)(*arguments)


def _error(error: Exception) -> bytes:
    """An error as an answer; one that cannot travel becomes a RuntimeError of the same text."""
    note = f"In the simulator's process:\n{''.join(traceback.format_exception(error))}"
    error.add_note(note)
    try:
        answer = pickle.dumps((False, error), pickle.HIGHEST_PROTOCOL)
        pickle.loads(answer)
        return answer
    except Exception:
        substitute = RuntimeError(f"{type(error).__name__}: {error}")
        substitute.add_note(note)
        return pickle.dumps((False, substitute), pickle.HIGHEST_PROTOCOL)


def _end(pid: int, pipe: Connection, *, kill: bool = False) -> str:
    """End and join a process; see :meth:`Child.end`."""
    pipe.close()
    with suppress(ProcessLookupError, ChildProcessError):  # a copy of the parent has no child
        deadline = time.monotonic() + PATIENCE
        while not kill and time.monotonic() < deadline:
            if os.waitpid(pid, os.WNOHANG)[0]:
                return "when it was idle"
            time.sleep(0.001)
        os.kill(pid, signal.SIGKILL)  # a process that is dying already keeps its own cause
        return _cause(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    return "unknown"


def _cause(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"status {code}"
