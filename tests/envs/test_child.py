"""The life of a simulator's process: it ends with its environment and its parent, and does not end before."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest
from drift import Drift
from family import children, kill, runs, wait_until

from envs.processes import RemoteTask

PUSH = np.array([0.5], np.float32)
Simulators = Callable[[], set[int]]
pytestmark = pytest.mark.usefixtures("simulators")


def test_close_and_collection_leave_nothing(simulators: Simulators) -> None:
    env = RemoteTask(Drift)
    assert len(simulators()) == 1
    env.close()
    env.close()
    assert not simulators()
    env = RemoteTask(Drift)
    assert len(simulators()) == 1
    del env
    gc.collect()
    assert not simulators()


def test_close_does_not_wait_for_a_process_that_is_busy() -> None:
    env = RemoteTask(Drift)
    env.begin("reset", 0, {"pause": 60})
    started = time.monotonic()
    env.close()
    assert time.monotonic() - started < 20


def test_signals_to_all_processes_are_left_to_the_parent(simulators: Simulators) -> None:
    env = RemoteTask(Drift)
    env.reset(seed=0)
    for number in (signal.SIGTERM, signal.SIGINT):
        kill(simulators(), number)
    env.step(PUSH)
    assert env.simulator_restarts == 0
    env.close()


def test_siblings_hold_no_ends_of_each_others_pipes() -> None:
    first, second = RemoteTask(Drift), RemoteTask(Drift)
    assert first.sockets() == second.sockets()
    first.close()
    second.close()


def test_a_copy_of_the_parent_leaves_the_children_alone(simulators: Simulators) -> None:
    env = RemoteTask(Drift)
    (pid,) = simulators()
    copy = os.fork()
    if copy == 0:
        env.close()
        os._exit(0)
    os.waitpid(copy, 0)
    assert runs(pid)
    env.reset(seed=0)
    assert env.simulator_restarts == 0
    env.close()


PROGRAM = """
import sys, time
from envs.tasks import make_vector
vector = make_vector("ring_road", 2, {"warmup_steps": 20})
vector.reset(seed=0)
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, None])
def test_children_end_with_their_parent(number: int | None) -> None:
    """Killed, while they hang besides, or at the end of its program without closing anything."""
    arguments = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", PROGRAM], **arguments) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        found = children(parent.pid)
        assert len(found) == 2
        if number is None:
            assert parent.communicate("\n") == ("", "")
        else:
            kill(found, signal.SIGSTOP)
            parent.send_signal(number)
        assert parent.wait() == (-number if number else 0)
    wait_until(lambda: not any(map(runs, found)))
