from __future__ import annotations

import os

import pytest

from benchmarks.children import Child, ChildError


class Counter:
    def __init__(self, start: int) -> None:
        if start < 0:
            raise ValueError(f"start is {start}")
        self.value = start

    def add(self, amount: int) -> tuple[int, int]:
        self.value += amount
        return self.value, os.getpid()

    def fail(self) -> None:
        raise KeyError("no such thing")

    def die(self) -> None:
        os._exit(3)


def test_an_object_lives_in_another_process():
    with Child(Counter, 5) as child:
        assert child.call("add", 2)[0] == 7
        value, process = child.call("add", 3)
    assert value == 10
    assert process != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_failures_arrive_with_their_message():
    with pytest.raises(ChildError, match="start is -1"):
        Child(Counter, -1)
    with Child(Counter, 0) as child, pytest.raises(ChildError, match="KeyError: 'no such thing'"):
        child.call("fail")
    with Child(Counter, 0) as child, pytest.raises(ChildError, match="ended with status 3"):
        child.call("die")
