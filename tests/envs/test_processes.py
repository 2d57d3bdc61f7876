"""A simulator's process may be killed or hang at any moment: the episodes stay bit for bit the same."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drift import Drift, UnusualError
from family import children, runs, time_limit, wait_until
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.base import ActionError, SimulationError
from envs.child import Child
from envs.processes import ProcessVectorEnv, RemoteTask
from envs.tasks import make_vector
from envs.traffic.ring import RingRoad
from envs.vector import TaskVectorEnv

RING: dict[str, Any] = {"warmup_steps": 400, "horizon": 30}
PUSH = np.array([0.5], np.float32)
OTHERS: set[int] = set()


def simulators() -> set[int]:
    """Children that the running test has started."""
    return children() - OTHERS


@pytest.fixture(autouse=True)
def _in_time_and_without_leftovers() -> Iterator[None]:
    OTHERS.update(children())
    with time_limit(60):
        yield
    assert not simulators(), "a process or a zombie was left behind"


@pytest.fixture
def remote() -> Iterator[Callable[..., RemoteTask]]:
    made: list[RemoteTask] = []

    def make(make_env: Callable[[], Any] = Drift, **options: Any) -> RemoteTask:
        made.append(RemoteTask(make_env, **options))
        return made[-1]

    yield make
    for env in made:
        env.close()


def kill(*, number: int = signal.SIGKILL) -> None:
    """Send a signal to all simulators; SIGKILL takes effect before this returns."""
    for pid in simulators():
        os.kill(pid, number)
        if number == signal.SIGKILL:
            wait_until(lambda pid=pid: not runs(pid))


def shown(result: Any) -> bytes:
    """All bits of what a reset or a step returns."""
    return b"".join(part.tobytes() if isinstance(part, np.ndarray) else repr(part).encode() for part in result)


# ---- exactness ------------------------------------------------------------------------------------------------

RESETS = st.tuples(st.just("reset"), st.none() | st.integers(0, 3), st.sampled_from([None, {"start": 2}]))
BAD_RESETS = st.just(("reset", None, {"start": 1000}))
STEPS = st.tuples(st.just("step"), st.floats(-2, 2, width=32))
SAVES = st.sampled_from([("save",), ("restore",)])
DEATHS = st.sampled_from(["never", "before", "meanwhile"])


def carry_out(env: Any, operation: tuple[Any, ...], saved: dict[str, Any], meanwhile: Callable[[], None]) -> Any:
    """What an operation returns, or the error that it raises; ``meanwhile`` happens once it has begun."""
    try:
        name, *arguments = operation
        if name == "save":
            saved["state"] = env.episode_state
            return saved["state"]["actions"].tobytes()
        if name == "restore":
            env.episode_state = saved["state"]
            return b""
        arguments = arguments if name == "reset" else [np.array(arguments, np.float32)]
        if isinstance(env, RemoteTask):
            env.begin(name, *arguments)
            meanwhile()
            return shown(env.finish())
        return shown(
            env.reset(seed=arguments[0], options=arguments[1]) if name == "reset" else env.step(*arguments)
        )
    except SimulationError as error:
        return repr(error)


@given(st.lists(st.tuples(RESETS | BAD_RESETS | STEPS | STEPS | STEPS | SAVES, DEATHS), max_size=12))
@settings(max_examples=25, deadline=None)
def test_whatever_dies_and_when_nothing_shows(operations: list[tuple[tuple[Any, ...], str]]) -> None:
    local, env = Drift(), RemoteTask(Drift)
    states: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for operation, death in [(("reset", 7, None), "never"), (("save",), "never"), *operations]:
        if death == "before":
            kill()
        expected = carry_out(local, operation, states[0], lambda: None)
        meanwhile = kill if death == "meanwhile" else lambda: None
        assert carry_out(env, operation, states[1], meanwhile) == expected
    assert env.simulator_restarts <= sum(death != "never" for _, death in operations)
    assert env.simulator_restarts >= sum(death == "before" for _, death in operations)
    env.close()


def ring_road(env: RemoteTask, death: str | None = None) -> list[bytes]:
    """What two episodes and the repetition of one show, with a death at one moment."""

    def half_an_episode() -> bytes:
        return b"".join(shown(env.step(np.sin([number], dtype=np.float32))) for number in range(15))

    def moment(name: str) -> None:
        if name == death:
            time.sleep(0.02 if name.startswith("while") else 0)
            kill()

    seen = [shown(env.reset(seed=3)), half_an_episode()]
    state = env.episode_state
    moment("in mid-episode")
    seen.append(half_an_episode())
    moment("between episodes")
    env.begin("reset", None, {"length": 250})
    moment("while it is reset")
    seen += [shown(env.finish()), half_an_episode()]
    env.begin("continue_from", state)
    moment("while it is restored")
    env.finish()
    return [*seen, half_an_episode(), shown(env.reset())]


@pytest.fixture(scope="module")
def undisturbed() -> list[bytes]:
    env = RemoteTask(partial(RingRoad, **RING))
    seen = ring_road(env)
    env.close()
    return seen


@pytest.mark.parametrize(
    "moment", ["in mid-episode", "between episodes", "while it is reset", "while it is restored"]
)
def test_ring_road_continues_bit_for_bit(
    moment: str, undisturbed: list[bytes], remote: Callable[..., RemoteTask]
) -> None:
    env = remote(partial(RingRoad, **RING))
    assert ring_road(env, moment) == undisturbed
    assert env.simulator_restarts == 1


def test_a_process_that_hangs_is_replaced(remote: Callable[..., RemoteTask]) -> None:
    env, local = remote(limit=0.3), Drift()
    for each in (env, local):
        each.reset(seed=1)
        each.step(PUSH)
    kill(number=signal.SIGSTOP)
    assert shown(env.step(PUSH)) == shown(local.step(PUSH))
    assert env.simulator_restarts == 1


def test_a_child_starts_without_the_simulation_of_its_parent(remote: Callable[..., RemoteTask]) -> None:
    here, beside = RingRoad(**RING), RingRoad(**RING)
    expected = [shown(beside.reset(seed=5)), shown(beside.step(PUSH))]
    here.reset(seed=4)
    before = here.episode_state
    child = remote(lambda: here)  # forked with the simulation of ``here`` running
    with pytest.raises(RuntimeError, match="no simulation is running"):
        child.step(PUSH)
    assert [shown(child.reset(seed=5)), shown(child.step(PUSH))] == expected
    continued = shown(here.step(PUSH))
    here.episode_state = before
    assert shown(here.step(PUSH)) == continued
    here.close()


# ---- giving up, errors ----------------------------------------------------------------------------------------


def test_three_deaths_in_a_row_are_an_error(remote: Callable[..., RemoteTask]) -> None:
    env = remote(partial(Drift, dies_at=3))
    env.reset(seed=0)
    env.step(PUSH)
    env.step(PUSH)
    message = r"^the simulator died \(signal 11\) at step 3 of the episode, 3 times in a row$"
    with pytest.raises(SimulationError, match=message):
        env.step(PUSH)
    assert not simulators()
    with pytest.raises(RuntimeError, match="the environment is closed"):
        env.reset(seed=0)


def test_the_step_is_named_after_a_resume_as_well(remote: Callable[..., RemoteTask]) -> None:
    env, sound = remote(partial(Drift, dies_at=3)), Drift()
    sound.reset(seed=0)
    sound.step(PUSH)
    env.episode_state = sound.episode_state
    env.step(PUSH)
    with pytest.raises(SimulationError, match="at step 3 of the episode"):
        env.step(PUSH)


def test_two_deaths_in_a_row_are_none(remote: Callable[..., RemoteTask], tmp_path: Path) -> None:
    lives, local = tmp_path / "lives", Drift()
    lives.write_text("2")
    env = remote(partial(Drift, dies_at=2, lives=lives))
    for each in (env, local):
        each.reset(seed=0)
        each.step(PUSH)
    assert shown(env.step(PUSH)) == shown(local.step(PUSH))
    assert env.simulator_restarts == 2


def test_three_hangs_are_an_error_too(remote: Callable[..., RemoteTask]) -> None:
    env = remote(limit=0.1)
    with pytest.raises(SimulationError, match=r"did not answer for 0\.1 s at a reset, 3 times in a row$"):
        env.reset(seed=0, options={"pause": 60})


def test_no_answer_is_taken_for_that_to_another_request(
    remote: Callable[..., RemoteTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the environment works."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    env = remote()
    env.reset(seed=0)
    with monkeypatch.context() as patch:
        patch.setattr(Child, "receive", interrupt)
        with pytest.raises(KeyboardInterrupt):
            env.step(PUSH)
    with pytest.raises(RuntimeError, match="step was interrupted; the environment can only be closed"):
        env.reset(seed=0)


def test_a_process_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    with pytest.raises(SimulationError, match=r"could not be started \(Resource temp.* at its start, 3 times"):
        RemoteTask(Drift)


@pytest.mark.parametrize("error", [SimulationError, ActionError, ValueError, RuntimeError, KeyError])
def test_errors_of_the_environment_pass_unchanged(
    error: type[Exception], remote: Callable[..., RemoteTask]
) -> None:
    env = remote(partial(Drift, fails_at=2, failure=error("what went wrong")))
    env.reset(seed=0)
    env.step(PUSH)
    with pytest.raises(error) as caught:
        env.step(PUSH)
    assert type(caught.value) is error
    assert caught.value.args == ("what went wrong",)
    assert "step_episode" in caught.value.__notes__[0], "where it happened"
    env.step(PUSH)
    assert env.simulator_restarts == 0


def test_error_that_cannot_travel_keeps_its_text(remote: Callable[..., RemoteTask]) -> None:
    env = remote(partial(Drift, fails_at=1, failure=UnusualError(1, 2)))
    env.reset(seed=0)
    with pytest.raises(RuntimeError, match=r"^UnusualError: 1 and 2$"):
        env.step(PUSH)


def test_error_in_the_making_passes_unchanged() -> None:
    with pytest.raises(ValueError, match="horizn"):
        RemoteTask(partial(RingRoad, horizn=3))
    with pytest.raises(ValueError, match="horizn"):
        make_vector("ring_road", 1, {"horizn": 3})


def test_the_first_restart_is_logged_in_one_line(
    remote: Callable[..., RemoteTask], caplog: pytest.LogCaptureFixture
) -> None:
    env = remote()
    env.reset(seed=0)
    for _ in range(3):
        env.step(PUSH)
        kill()
    env.reset()
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("the simulator died (signal 9) at step 2 of the episode; it is started")
    assert env.simulator_restarts == 3


# ---- attributes -----------------------------------------------------------------------------------------------


def test_attributes_and_methods_of_the_environment(remote: Callable[..., RemoteTask]) -> None:
    env, local = remote(), Drift()
    for each in (env, local):
        each.reset(seed=3)
        each.step(PUSH)
    assert env.get_wrapper_attr("np_random").normal() == local.np_random.normal()
    assert env.greet("Ann") == "Ann, 1 steps have been made"
    assert env.action_space == local.action_space
    with pytest.raises(AttributeError, match="'Drift' object has no attribute 'colour'"):
        _ = env.colour
    with pytest.raises(AttributeError, match="colour cannot be set in another process; allowed: episode_state"):
        env.set_wrapper_attr("colour", "red")


# ---- several at a time ----------------------------------------------------------------------------------------


def test_members_work_at_the_same_time() -> None:
    """They wait for each other in every reset and step, and whenever a state is restored."""
    meeting = multiprocessing.get_context("fork").Barrier(3, timeout=10)
    vector = ProcessVectorEnv([partial(Drift, meeting)] * 3)
    vector.reset(seed=1)
    vector.step(np.zeros((3, 1), np.float32))
    vector.reset(options={"reset_mask": np.ones(3, np.bool_)})
    vector.set_attr("episode_state", list(vector.get_attr("episode_state")))
    vector.close()


def test_vector_does_what_that_of_one_process_does() -> None:
    results = []
    for kind in (TaskVectorEnv, ProcessVectorEnv):
        vector, rng, seen = kind([Drift] * 3), np.random.default_rng(0), []
        seen.append(vector.reset(seed=[3, None, 5], options={"start": 1})[0][[0, 2]])
        seen.append(vector.reset(seed=11))
        for _ in range(40):
            seen.append(vector.step(rng.uniform(-1, 1, (3, 1)).astype(np.float32)))
            if (ends := seen[-1][2] | seen[-1][3]).any():
                seen.append(vector.reset(options={"reset_mask": ends}))
        results.append([[shown(result), str(result[-1])] for result in seen])
        vector.close()
    assert results[0] == results[1]
    assert len(results[0]) > 45, "episodes ended"


def test_error_of_a_member_says_whose_it_is_and_comes_when_all_are_at_rest() -> None:
    vector = ProcessVectorEnv([Drift, partial(Drift, dies_at=1), Drift])
    vector.reset(seed=0)
    with pytest.raises(SimulationError, match="died") as caught:
        vector.step(np.zeros((3, 1), np.float32))
    assert caught.value.member == 1
    assert [env.greet("Ann") for env in (vector.envs[0], vector.envs[2])] == ["Ann, 1 steps have been made"] * 2
    vector.close()


def test_restarts_are_counted_for_each_member() -> None:
    vector = ProcessVectorEnv([Drift] * 2)
    vector.reset(seed=0)
    os.kill(min(simulators()), signal.SIGKILL)
    vector.step(np.zeros((2, 1), np.float32))
    assert sorted(vector.get_attr("simulator_restarts")) == [0, 1]
    vector.close()
    assert make_vector("ant_gather", 1).get_attr("simulator_restarts") == (0,)


# ---- the life of a process ------------------------------------------------------------------------------------


def test_close_and_collection_leave_nothing() -> None:
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


def test_signals_to_all_processes_are_left_to_the_parent() -> None:
    env = RemoteTask(Drift)
    env.reset(seed=0)
    for number in (signal.SIGTERM, signal.SIGINT):
        kill(number=number)
    env.step(PUSH)
    assert env.simulator_restarts == 0
    env.close()


def test_siblings_hold_no_ends_of_each_others_pipes() -> None:
    first, second = RemoteTask(Drift), RemoteTask(Drift)
    assert first.sockets() == second.sockets()
    first.close()
    second.close()


def test_a_copy_of_the_parent_leaves_the_children_alone() -> None:
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
    """Killed, or at the end of its program without closing anything."""
    arguments = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", PROGRAM], **arguments) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        found = children(parent.pid)
        assert len(found) == 2
        if number is None:
            assert parent.communicate("\n") == ("", "")
        else:
            parent.send_signal(number)
        assert parent.wait() == (-number if number else 0)
    wait_until(lambda: not any(map(runs, found)))
