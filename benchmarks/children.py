"""Objects that live in a process of their own, for simulators that allow one instance per process."""

from __future__ import annotations

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from algorithms.algorithm import prepare_process


class ChildError(RuntimeError):
    """Something went wrong in the other process; the message is its traceback."""


class Child:
    """An object in a fresh process, and a way to call its methods.  Use it as a context manager.

    Args:
        factory: makes the object there; importable by name.
        arguments: of the factory; they travel as pickles, as do arguments and results of methods.
    """

    def __init__(self, factory: Callable[..., Any], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, factory, arguments))
        self._process.start()
        theirs.close()
        try:
            self._answer()
        except ChildError:
            self.close()
            raise

    def call(self, method: str, *arguments: Any) -> Any:
        """Result of a method.

        Raises:
            ChildError: the method failed, or the process has died.
        """
        self._pipe.send((method, arguments))
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join()

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self) -> Any:
        try:
            good, result = self._pipe.recv()
        except EOFError:
            self._process.join()
            raise ChildError(f"the process ended with status {self._process.exitcode}") from None
        if not good:
            raise ChildError(result)
        return result


def _serve(pipe: Connection, factory: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Make the object and answer calls until the other end is closed."""
    prepare_process()
    try:
        served = factory(*arguments)
        pipe.send((True, None))
        while True:
            try:
                method, given = pipe.recv()
            except EOFError:
                return
            pipe.send((True, getattr(served, method)(*given)))
    except Exception:
        pipe.send((False, traceback.format_exc()))
