"""Work that a CUDA device would replay, replayed on the CPU operation by operation."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from toys import CPU, Rollout, equal, make

from algorithms.device import Recorder, Staging
from algorithms.registry import ALGORITHMS

SEEDS = (3, 8)


class Recording(TorchDispatchMode):
    """The operations of a block; :meth:`replay` repeats them on the same memory, as a CUDA graph does."""

    #: What a graph cannot hold: numbers that go to the host, and results whose size depends on the data.
    FORBIDDEN = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "equal", "index", "lift_fresh")

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.name().removeprefix("aten::").split(".")[0]
        assert name not in self.FORBIDDEN, f"{name} makes the host wait"
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
                if old.data_ptr() != new.data_ptr():
                    old.copy_(new)


class ReplayingRecorder(Recorder):
    """Captures on the CPU what the real one captures on a CUDA device."""

    def __init__(self) -> None:
        super().__init__(CPU)
        self.recordings: dict[Hashable, Recording] = {}
        self.replays = 0

    def run(self, key: Hashable, function: Callable[[], None]) -> None:
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
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_replayed_work_gives_the_same_training(algorithm: str, scale: str) -> None:
    plain, replayed = (make(algorithm, SEEDS, learner={"input_scale": scale}) for _ in range(2))
    used = recorders(replayed)
    actions = [Rollout(each, SEEDS).run(warmup=60, steps=120).actions for each in (plain, replayed)]
    assert all(recorder.replays > 3 or not recorder.recordings for recorder in used)
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


class FakeCuda:
    """Counts what a recorder asks of torch.cuda."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[str] = []
        monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: self)
        for name in ("graph", "stream"):
            monkeypatch.setattr(torch.cuda, name, self._context(name))
        for name in ("Stream", "current_stream"):
            monkeypatch.setattr(torch.cuda, name, lambda: self)

    def replay(self) -> None:
        self.events.append("replay")

    def wait_stream(self, other: object) -> None:
        self.events.append("wait")

    def _context(self, name: str) -> Any:
        @contextmanager
        def block(argument: object) -> Any:
            self.events.append(name)
            yield

        return block


def test_work_is_run_three_times_captured_once_and_then_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda, ran = FakeCuda(monkeypatch), []
    recorder = Recorder(torch.device("cuda"))
    for _ in range(6):
        recorder.run("update", lambda: ran.append("update"))
    assert len(ran) == 4, "three as they are, one for the capture"
    assert cuda.events == ["wait", "stream", "wait"] * 3 + ["graph", "replay", "replay", "replay"]
    recorder.run("other", lambda: ran.append("other"))
    assert ran[-1] == "other"


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
