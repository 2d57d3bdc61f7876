"""Where the time of a training goes and what it takes, kept apart from its numbers; accumulated over resumes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from algorithms.records import Row
from algorithms.usage import Usage

PARTS = ("simulator", "learner", "evaluation")

#: Log points over which the recent speed is a mean, so that it has its share of evaluations.
RECENT = 50


class Clock:
    """Wall time of a training in seconds, by part; everything outside the parts is the trainer's own.

    Args:
        seeds: number of seeds S.
    """

    def __init__(self, seeds: int) -> None:
        self.restarts = 0
        self.usage = Usage()
        self._counted = [0] * seeds
        self._simulator_restarts = [0] * seeds
        self.rows: list[Row] = []
        self._started = time.perf_counter()
        self._before = 0.0
        self._parts = dict.fromkeys(PARTS, 0.0)
        self._last_mark = (0.0, 0)

    @property
    def wall_time(self) -> float:
        """Seconds spent on this run so far, earlier processes included."""
        return self._before + time.perf_counter() - self._started

    @contextmanager
    def measure(self, part: str) -> Iterator[None]:
        """Count the time of a block towards a part."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._parts[part] += time.perf_counter() - start

    def count_restarts(self, counts: Sequence[int]) -> None:
        """Take in how many simulators this process has restarted for each seed since it began, [S]."""
        for index, count in enumerate(counts):
            self._simulator_restarts[index] += count - self._counted[index]
        self._counted = list(counts)

    def mark(self, step: int) -> float:
        """Note the time at a log point; returns environment steps per second since the last one."""
        wall_time = self.wall_time
        seconds, steps = wall_time - self._last_mark[0], step - self._last_mark[1]
        speed = steps / max(seconds, 1e-9)
        self._last_mark = (wall_time, step)
        parts = {f"{name}_seconds": round(value, 3) for name, value in self._parts.items()}
        row = {"step": step, "wall_time": round(wall_time, 3), "steps_per_second": round(speed, 2)}
        restarts = {"restarts": self.restarts, "simulator_restarts": self._simulator_restarts}
        usage = {"cpu_time": round(self.usage.cpu_time, 2), "memory_mb": round(self.usage.memory_mb(), 1)}
        self.rows.append(row | restarts | usage | parts)
        self._simulator_restarts = [0] * len(self._counted)
        return speed

    def recent_speed(self, step: int) -> float | None:
        """Environment steps per second over the last log points, evaluations included; None before the first."""
        if not self.rows:
            return None
        before = self.rows[-RECENT:][0]
        if step == before["step"]:
            return float(before["steps_per_second"])
        return round((step - before["step"]) / max(self.wall_time - before["wall_time"], 1e-9), 2)

    def skip(self, step: int) -> None:
        """Start measuring speed here, at the end of the warm-up."""
        self._last_mark = (self.wall_time, step)

    def table(self, seeds: Sequence[int]) -> list[Row]:
        """Rows of ``timing.csv``; the seeds of a group share their times.

        The last row bears the restarts of simulators in the evaluation that follows it, and the peak of memory by
        now; times are those at the log points.
        """
        last = [row | {"memory_mb": round(self.usage.memory_mb(look=True), 1)} for row in self.rows[-1:]]
        after = [[0] * len(seeds)] * (len(self.rows) - 1) + [self._simulator_restarts]
        return [
            {"seed": seed, **row, "simulator_restarts": row["simulator_restarts"][index] + late[index]}
            for row, late in zip([*self.rows[:-1], *last], after, strict=True)
            for index, seed in enumerate(seeds)
        ]

    def state_dict(self) -> dict[str, Any]:
        """Times so far."""
        return {
            "wall_time": self.wall_time,
            "parts": dict(self._parts),
            "rows": list(self.rows),
            "last_mark": list(self._last_mark),
            "restarts": self.restarts,
            "simulator_restarts": list(self._simulator_restarts),
            "usage": self.usage.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict` in a new process, which counts as a restart."""
        self._started, self._before = time.perf_counter(), state["wall_time"]
        self._parts, self.rows = dict(state["parts"]), list(state["rows"])
        self._last_mark = (state["last_mark"][0], state["last_mark"][1])
        self.restarts = state["restarts"] + 1
        self.usage.load_state_dict(state["usage"])
        pairs = zip(self._simulator_restarts, state["simulator_restarts"], strict=True)
        self._simulator_restarts = [here + before for here, before in pairs]
