"""Work that a CUDA device would replay, replayed on the CPU operation by operation."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from toys import CPU, Rollout, equal, learns, make

from algorithms.device import Recorder, Staging
from envs.base import TaskSpec

SEEDS = (3, 8)


class Recording(TorchDispatchMode):
    """The operations of a block; :meth:`replay` repeats them on the same memory, as a CUDA graph does."""

    #: What a graph cannot hold: numbers that go to the host, and results whose size depends on the data.
    FORBIDDEN = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "equal", "lift_fresh")

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.name().removeprefix("aten::").split(".")[0]
        assert name not in self.FORBIDDEN, f"{name} makes the host wait"
        masks = [index for index in (args[1] if name == "index" else ()) if index is not None]
        assert not any(mask.dtype == torch.bool for mask in masks), "the size of what a mask picks is not known"
        result = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, result))
        return result

    def replay(self) -> None:
        for func, args, kwargs, result in self.calls:
            again = func(*args, **kwargs)
            pairs = (
                [(result, again)]
                if isinstance(result, torch.Tensor)
                else list(zip(result or (), again or (), strict=True))
            )
            for old, new in pairs:
                if old is not None and old.data_ptr() != new.data_ptr():  # None: a gradient not asked for
                    old.copy_(new)


class ReplayingRecorder(Recorder):
    """Captures on the CPU what the real one captures on a CUDA device."""

    def __init__(self) -> None:
        super().__init__(CPU)
        self.recordings: dict[Hashable, Recording] = {}
        self.replays = 0

    def run(self, key: Hashable, function: Callable[[], object]) -> None:
        if key in self.recordings:
            self.recordings[key].replay()
            self.replays += 1
            return
        self._calls[key] += 1
        if self._calls[key] <= self._CALLS_BEFORE_CAPTURE:
            function()
            return
        with Recording() as recording:
            function()
        self.recordings[key] = recording


def recorders(algorithm: Any) -> list[ReplayingRecorder]:
    """Give an algorithm and its learners recorders that replay."""
    owners = [
        algorithm,
        *(getattr(algorithm, name) for name in ("learner", "manager", "worker") if hasattr(algorithm, name)),
    ]
    for owner in owners:
        owner._recorder = ReplayingRecorder()
    return [owner._recorder for owner in owners]


@pytest.mark.parametrize("scale", ["raw", "unit"])
@learns
def test_replayed_work_gives_the_same_training(algorithm: str, task: TaskSpec, scale: str) -> None:
    plain, replayed = (make(algorithm, SEEDS, task=task, learner={"input_scale": scale}) for _ in range(2))
    used = recorders(replayed)
    actions = [Rollout(each, SEEDS, task).run(warmup=60, steps=120).actions for each in (plain, replayed)]
    assert all(recorder.replays > 3 for recorder in used)
    assert used[0].replays > 80
    assert equal(actions[0], actions[1])
    assert equal(plain.networks, replayed.networks)
    assert equal(plain.metrics(), replayed.metrics())


def test_a_replay_without_new_numbers_from_the_host_repeats_the_update() -> None:
    algorithm = make("td3")
    Rollout(algorithm, [0]).run(warmup=40, steps=10)
    (recorder, _) = recorders(algorithm)
    for _ in range(8):
        algorithm.update()
    before = {name: tensor.clone() for name, tensor in algorithm.networks.items()}
    with torch.inference_mode():
        recorder.recordings[True].replay()
    assert not equal(before, algorithm.networks)


# ---- on a CUDA device -----------------------------------------------------------------------------------------


class FakeStream:
    """Notes who waits for whom."""

    def __init__(self, name: str, events: list[str]) -> None:
        self.name, self.events = name, events

    def wait_stream(self, other: FakeStream) -> None:
        self.events.append(f"{self.name} waits for {other.name}")


class FakeCuda:
    """Notes what a recorder asks of torch.cuda."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[str] = []
        self._streams = 0
        main = FakeStream("main", self.events)
        monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: self)
        monkeypatch.setattr(torch.cuda, "Stream", self._new_stream)
        monkeypatch.setattr(torch.cuda, "current_stream", lambda: main)
        monkeypatch.setattr(torch.cuda, "stream", self._enter)
        monkeypatch.setattr(torch.cuda, "graph", self._capture)

    def replay(self) -> None:
        self.events.append("replay")

    def _new_stream(self) -> FakeStream:
        self._streams += 1
        return FakeStream(f"side {self._streams}", self.events)

    @contextmanager
    def _enter(self, stream: FakeStream) -> Iterator[None]:
        self.events.append(f"on {stream.name}")
        yield

    @contextmanager
    def _capture(self, graph: object, stream: FakeStream) -> Iterator[None]:
        self.events.append(f"capture on {stream.name}")
        yield


def test_work_is_run_three_times_captured_once_and_then_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda, ran = FakeCuda(monkeypatch), []
    recorder = Recorder(torch.device("cuda"))
    for _ in range(6):
        recorder.run("update", lambda: ran.append("update"))
    assert len(ran) == 4, "three as they are, one for the capture"
    aside = ["side 1 waits for main", "on side 1", "main waits for side 1"]
    assert cuda.events == aside * 3 + ["capture on side 1", "replay", "replay", "replay"]
    recorder.run("other", lambda: ran.append("other"))
    assert ran[-1] == "other"
    assert cuda.events[-3:] == aside


def test_on_the_cpu_work_is_just_called() -> None:
    ran: list[int] = []
    recorder = Recorder(CPU)
    for number in range(10):
        recorder.run("update", lambda number=number: ran.append(number))  # type: ignore[misc]
    assert ran == list(range(10))


# ---- staging --------------------------------------------------------------------------------------------------


def test_staged_numbers_arrive_with_their_shapes_and_types() -> None:
    fields = {"odd": ((3, 5), np.float32), "items": ((2, 4), np.int64), "one": ((), np.float32)}
    staging = Staging(CPU, fields)
    for index, (name, (shape, kind)) in enumerate(fields.items()):
        host = staging.begin()[name]
        assert host.shape == shape
        assert host.dtype == kind
        host[...] = index + np.arange(host.size).reshape(shape)
    arrived = staging.send()
    for index, (name, (shape, kind)) in enumerate(fields.items()):
        wanted = index + np.arange(int(np.prod(shape))).reshape(shape)
        np.testing.assert_array_equal(arrived[name].numpy(), wanted.astype(kind))
        assert arrived[name].numpy().dtype == kind
    assert arrived["items"].data_ptr() % 8 == 0


class FakeEvent:
    """Notes when the host waits for a copy, and when a copy is under way."""

    def __init__(self, staging: Staging) -> None:
        self.events: list[tuple[str, float]] = []
        self._staging = staging

    def synchronize(self) -> None:
        self.events.append(("wait", float(self._staging.host["value"][0])))

    def record(self) -> None:
        self.events.append(("sent", float(self._staging.device["value"][0])))


def test_the_host_refills_only_what_has_been_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    staging = Staging(CPU, {"value": ((1,), np.float32)})
    event = FakeEvent(staging)
    monkeypatch.setattr(staging, "_sent", event)
    staging._target = staging._source.clone()
    staging.device = {"value": staging._target.view(torch.float32)[:1]}
    for value in (1, 2):
        staging.begin()["value"][:] = value
        assert staging.device["value"].item() == value - 1, "nothing moves before it is sent"
        staging.send()
    assert event.events == [("wait", 0), ("sent", 1), ("wait", 1), ("sent", 2)]
