"""HIRO's relabelling of one batch, against the matrix products in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from algorithms.hiro import HIRO
from benchmarks import goals
from benchmarks.goals import Goal
from benchmarks.products import forward, multiply, multiply_adds
from benchmarks.report import ms, table, times
from benchmarks.synthetic import ACTION, OBSERVATION, filled
from benchmarks.timing import in_turn, ratio, summary

TITLE = "HIRO's relabelling"

OURS, BARE = "relabelling", "bare products"


def measure(*, rounds: int = 21, calls: int = 5, buffer_steps: int = 200_000) -> dict[str, Any]:
    """Time both in turn.

    Args:
        rounds: how often each is timed.
        calls: batches per round.
        buffer_steps: size of the replay, which is full.
    """
    algorithm = filled("hiro", buffer_steps).algorithm
    assert isinstance(algorithm, HIRO)
    for _ in range(algorithm.hierarchy.manager_critic_every):
        algorithm.update()  # draws a batch and its candidates
    settings, period = algorithm.settings, algorithm.hierarchy.meta_period
    rows = settings.batch_size * period * algorithm.hiro.candidates
    products = forward(rows, (OBSERVATION + algorithm.manager.bounds.size, *settings.hidden, ACTION))
    work: dict[str, Callable[[], object]] = {
        OURS: lambda: relabel(algorithm),
        BARE: lambda: multiply(products),
    }
    spent = in_turn(work, rounds=rounds, calls=calls, warmup=calls)
    return {
        "rows": rows,
        "megaflop": 2 * multiply_adds(products) / 1e6,
        "ms": {name: summary(values) for name, values in spent.items()},
        "relative": ratio(spent[OURS], spent[BARE]),
    }


@torch.inference_mode()
def relabel(algorithm: HIRO) -> torch.Tensor:
    """The goals of the batch that was drawn last."""
    return algorithm.relabel(algorithm.replay.batch(algorithm.drawn), algorithm.drawn)


def goals_of(result: Mapping[str, Any]) -> list[Goal]:
    """Ratio to the bare products."""
    return [goals.judge("HIRO relabelling / bare products", result["relative"]["median"], goals.RELABELLING)]


def report(result: Mapping[str, Any]) -> str:
    """Both times."""
    relative = {OURS: times(result["relative"]), BARE: ""}
    rows = [[name, ms(result["ms"][name]), relative[name]] for name in (OURS, BARE)]
    return (
        f"The goals of one batch for the manager, once per ten environment steps: {result['rows']:,} actions of "
        f"the worker ({result['megaflop']:.0f} MFLOP), with reading the replay and choosing the best "
        "candidates:\n\n" + table(["what", "ms per batch", "relative to the products"], rows)
    )
