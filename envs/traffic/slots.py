"""Which automated vehicles of the highway a policy controls, and in which order (authors' code)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping


class Slots:
    """A fixed number of places for the automated vehicles on the controlled part of the road.

    Automated vehicles queue in the order in which they are first seen.  The head of the queue enters the last
    place as soon as it is on the controlled part and a place is free; one that has passed that part before it
    could enter is never controlled.  When a vehicle leaves, all behind it move up, so that the first place is the
    most downstream one.

    Args:
        number: how many vehicles are controlled at most.
        start: where the controlled part begins, metres.
        end: where it ends, metres.

    Attributes:
        controlled: names of the controlled vehicles, in the order of their places.
    """

    def __init__(self, number: int, start: float, end: float) -> None:
        self._number, self._start, self._end = number, start, end
        self._queue: deque[str] = deque()
        self._seen: set[str] = set()
        self.controlled: list[str] = []

    def update(self, positions: Mapping[str, float]) -> None:
        """Move vehicles in and out.

        Args:
            positions: of all automated vehicles on the road, metres.
        """
        newcomers = positions.keys() - self._seen
        self._seen |= newcomers
        self._queue.extend(sorted(newcomers, key=lambda name: (-positions[name], name)))
        self._let_go(positions)
        while self._queue and len(self.controlled) < self._number:
            position = positions.get(self._queue[0], self._end)
            if position < self._start:
                break
            name = self._queue.popleft()
            if position < self._end:
                self.controlled.append(name)

    def _let_go(self, positions: Mapping[str, float]) -> None:
        """Remove those that have left the controlled part.

        As in the authors' code the place after a vehicle that is removed is not looked at, so that of two which
        leave one after the other in the same step the second stays for a step more.
        """
        index = 0
        while index < len(self.controlled):
            if positions.get(self.controlled[index], float("inf")) > self._end:
                del self.controlled[index]
            index += 1
