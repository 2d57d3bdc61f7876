"""A simulator's process may be killed or hang at any moment: the episodes stay bit for bit the same."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drift import Drift, UnusualError
from family import children, kill
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
Simulators = Callable[[], set[int]]
pytestmark = pytest.mark.usefixtures("simulators")


@pytest.fixture
def remote(simulators: Simulators) -> Iterator[Callable[..., RemoteTask]]:
    made: list[RemoteTask] = []

    def make(make_env: Callable[[], Any] = Drift, **options: Any) -> RemoteTask:
        made.append(RemoteTask(make_env, **options))
        return made[-1]

    yield make
    for env in made:
        env.close()


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
    others = children()
    local, env = Drift(), RemoteTask(Drift)
    states: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for operation, death in [(("reset", 7, None), "never"), (("save",), "never"), *operations]:
        if death == "before":
            kill(children() - others)
        expected = carry_out(local, operation, states[0], lambda: None)
        meanwhile = (lambda: kill(children() - others)) if death == "meanwhile" else lambda: None
        assert carry_out(env, operation, states[1], meanwhile) == expected
    assert env.simulator_restarts <= sum(death != "never" for _, death in operations)
    assert env.simulator_restarts >= sum(death == "before" for _, death in operations)
    env.close()


def ring_road(env: RemoteTask, death: str = "never", found: Simulators = set) -> list[bytes]:
    """What two episodes and the repetition of one show, with the death of what is found at one moment."""

    def half_an_episode() -> bytes:
        return b"".join(shown(env.step(np.sin([number], dtype=np.float32))) for number in range(15))

    def moment(name: str) -> None:
        if name == death:
            time.sleep(0.02 if name.startswith("while") else 0)
            kill(found())

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
    moment: str, undisturbed: list[bytes], remote: Callable[..., RemoteTask], simulators: Simulators
) -> None:
    env = remote(partial(RingRoad, **RING))
    assert ring_road(env, moment, simulators) == undisturbed
    assert env.simulator_restarts == 1


def test_a_process_that_hangs_is_replaced(remote: Callable[..., RemoteTask], simulators: Simulators) -> None:
    env, local = remote(limit=0.3), Drift()
    for each in (env, local):
        each.reset(seed=1)
        each.step(PUSH)
    kill(simulators(), signal.SIGSTOP)
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


def test_three_deaths_in_a_row_are_an_error(remote: Callable[..., RemoteTask], simulators: Simulators) -> None:
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
    with pytest.raises(RuntimeError) as caught:
        env.step(PUSH)
    assert str(caught.value) == "UnusualError: 1 and 2"


def test_error_in_the_making_passes_unchanged() -> None:
    with pytest.raises(ValueError, match="horizn"):
        RemoteTask(partial(RingRoad, horizn=3))
    with pytest.raises(ValueError, match="horizn"):
        make_vector("ring_road", 1, {"horizn": 3})


def test_the_first_restart_is_logged_in_one_line(
    remote: Callable[..., RemoteTask], simulators: Simulators, caplog: pytest.LogCaptureFixture
) -> None:
    env = remote()
    env.reset(seed=0)
    for _ in range(3):
        env.step(PUSH)
        kill(simulators())
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


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity"), reason="only Linux tells on which cores a process may run"
)
def test_a_process_alone_runs_on_the_core_of_the_one_that_waits_for_it(simulators: Simulators) -> None:
    everywhere = os.sched_getaffinity(0)
    for number, cores in ((1, 1), (2, len(everywhere))):
        vector = ProcessVectorEnv([Drift] * number)
        vector.reset(seed=0)
        found = [os.sched_getaffinity(pid) for pid in simulators()]
        assert [len(allowed) for allowed in found] == [cores] * number
        vector.close()
    assert os.sched_getaffinity(0) == everywhere


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


def test_restarts_are_counted_for_each_member(simulators: Simulators) -> None:
    vector = ProcessVectorEnv([Drift] * 2)
    vector.reset(seed=0)
    kill([min(simulators())])
    vector.step(np.zeros((2, 1), np.float32))
    assert sorted(vector.get_attr("simulator_restarts")) == [0, 1]
    vector.close()
    assert make_vector("ant_gather", 1).get_attr("simulator_restarts") == (0,)
