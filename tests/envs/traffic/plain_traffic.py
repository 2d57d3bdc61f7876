"""Drivers, fail-safes and slots of the traffic tasks once more, one vehicle at a time, in floats."""

from __future__ import annotations

import math
from collections.abc import Mapping

STEP = 0.4
FIRST, LAST = 500.0, 2300.0


def idm(speed: float, leader_speed: float | None, gap: float) -> float:
    """Acceleration of the human model; no leader: free driving."""
    if leader_speed is None:
        desired = 0.0
        gap = 1000.0
    else:
        closing = speed * (speed - leader_speed) / (2 * math.sqrt(1.3 * 2.0))
        desired = 2.0 + max(0.0, speed * 1.0 + closing)
        gap = gap if abs(gap) >= 1e-3 else 1e-3
    return 1.3 * (1 - (speed / 30) ** 4 - (desired / gap) ** 2)


def limit_speed(speed: float, acceleration: float, limit: float) -> float:
    """First fail-safe."""
    if speed + acceleration * STEP > limit:
        return (limit - speed) / STEP if limit > 0 else -speed / STEP
    return acceleration


def avoid_crash(speed: float, acceleration: float, leader_speed: float | None, gap: float) -> float:
    """Second fail-safe."""
    if leader_speed is None:
        return acceleration
    safe = 2 * gap / STEP + leader_speed - speed
    if speed + acceleration * STEP > safe:
        return (safe - speed) / STEP if safe > 0 else -speed / STEP
    return acceleration


def all_fail_safes(
    speed: float, acceleration: float, limit: float, leader_speed: float | None, gap: float
) -> float:
    """The three of them; bounds of acceleration come last."""
    acceleration = limit_speed(speed, acceleration, limit)
    acceleration = avoid_crash(speed, acceleration, leader_speed, gap)
    return min(max(acceleration, -4.5), 2.6)


def pedal(action: float, speed: float, bound: float = 0.5, step: float = STEP) -> float:
    """Acceleration that an action in [-1, 1] means, with the rule for low speeds."""
    acceleration = bound * min(max(action, -1.0), 1.0)
    if speed < bound * step:
        acceleration += bound - speed / step
    return acceleration


class PlainSlots:
    """Queue and places of automated vehicles, as lists of names."""

    def __init__(self, number: int, first: float = FIRST, last: float = LAST) -> None:
        self.number, self.first, self.last = number, first, last
        self.queue: list[str] = []
        self.controlled: list[str] = []
        self.seen: set[str] = set()

    def update(self, positions: Mapping[str, float]) -> None:
        """One round: newcomers, leavers, entries."""
        newcomers = [name for name in positions if name not in self.seen]
        newcomers.sort(key=lambda name: -positions[name])
        self.seen.update(newcomers)
        self.queue += newcomers
        index = 0
        while index < len(self.controlled):
            if positions.get(self.controlled[index], math.inf) > self.last:
                del self.controlled[index]  # the next one moves up here and is not looked at in this round
            index += 1
        while self.queue and len(self.controlled) < self.number:
            head = self.queue[0]
            place = positions.get(head, math.inf)
            if place < self.first:
                break
            self.queue.pop(0)
            if place < self.last:
                self.controlled.append(head)
