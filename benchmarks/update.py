"""The learner's update, against the bare matrix products, other implementations and the authors' graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from algorithms.registry import ALGORITHMS
from benchmarks import goals, peers
from benchmarks.eager import EagerTD3
from benchmarks.goals import Goal
from benchmarks.products import BareUpdate, multiply_adds
from benchmarks.report import ms, table, times
from benchmarks.synthetic import ACTION, OBSERVATION, Feed, configure, filled, task
from benchmarks.timing import Rounds, in_turn, ratio, summary

#: Time per environment step of the authors' TensorFlow graph, as a multiple of the eager loop's update on the same
#: class of core (measured apart from this benchmark).
AUTHORS = {"td3": 0.75, "hrl": 1.0, "cher": 1.0, "hiro": 3.2}

TITLE = "Learner"

OURS, EAGER, BARE = "td3", "eager loop", "bare products"


def measure(*, rounds: int = 11, calls: int = 100, buffer_steps: int = 200_000) -> dict[str, Any]:
    """Time everything in turn.

    Args:
        rounds: how often each is timed.
        calls: updates or steps per round; a multiple of every level's update period.
        buffer_steps: size of every replay; all are full.
    """
    feeds = {name: filled(name, buffer_steps) for name in ALGORITHMS}
    bare = bare_update()
    work: dict[str, Callable[[], object]] = {
        OURS: feeds["td3"].algorithm.update,
        BARE: bare,
        EAGER: EagerTD3(OBSERVATION, task()[1], configure("td3", buffer_steps).learner),
        **_peers(buffer_steps),
        **{f"step of {name}": feed.step for name, feed in feeds.items()},
    }
    spent = in_turn(work, rounds=rounds, calls=calls, warmup=calls)
    return {
        "megaflop_per_update": 2 * (multiply_adds(bare.critics) + multiply_adds(bare.actor) / 2) / 1e6,
        "buffer_steps": buffer_steps,
        "updates": _updates(spent),
        "learners": _learners(spent, feeds),
    }


def bare_update() -> BareUpdate:
    """The products of the update that is measured."""
    settings = configure("td3", 200_000).learner
    actor = (OBSERVATION, *settings.hidden, ACTION)
    return BareUpdate(settings.batch_size, actor, (OBSERVATION + ACTION, *settings.hidden, 1))


def goals_of(result: Mapping[str, Any]) -> list[Goal]:
    """Ratios to the yardsticks, and to the authors' graph."""
    rows = [
        goals.judge(f"TD3 update / {name}", result["updates"][name]["ours_relative"]["median"], limit)
        for name, limit in goals.UPDATE.items()
    ]
    return rows + [
        goals.judge(f"{name}: learner per step / authors' graph", row["ratio"]["median"], goals.AUTHORS)
        for name, row in result["learners"].items()
        if "ratio" in row
    ]


def report(result: Mapping[str, Any]) -> str:
    """Both tables."""
    rows = []
    for name, row in result["updates"].items():
        if "ms" in row:
            ours = times(row["ours_relative"]) if name != OURS else ""
            rows.append([name, row.get("version", ""), ms(row["ms"]), ours])
        else:
            rows.append([name, "", peers.NOT_INSTALLED, ""])
    steps = [
        [name, ms(row["ms"]), f"{row['factor']:g}" if "factor" in row else "not known", _times_or_not(row)]
        for name, row in result["learners"].items()
    ]
    return (
        f"One TD3 update, replay sampling included ({OBSERVATION} observations, {ACTION} actions, two hidden "
        f"layers of 256, batch 128, full replay of {result['buffer_steps']:,} steps, one thread; its matrix "
        f"products are {result['megaflop_per_update']:.0f} MFLOP on average):\n\n"
        + table(["implementation", "version", "ms per update", "`td3` relative to it"], rows)
        + "\n\nAct, observe and update for one environment step, against the authors' TensorFlow graph.  The "
        "graph was measured elsewhere, as a multiple of the eager loop's update:\n\n"
        + table(
            ["algorithm", "ms per step", "authors' graph / eager loop", "relative to the authors' graph"], steps
        )
    )


def _times_or_not(row: Mapping[str, Any]) -> str:
    return times(row["ratio"]) if "ratio" in row else "not known"


def _peers(buffer_steps: int) -> dict[str, Callable[[], object]]:
    settings, actions = configure("td3", buffer_steps).learner, task()[1]
    return {
        name: peers.update_of(module, OBSERVATION, actions, settings)
        for name, (package, module) in peers.PEERS.items()
        if peers.installed(package)
    }


def _updates(spent: Mapping[str, Rounds]) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for name in (OURS, BARE, EAGER, *peers.PEERS):
        rows[name] = {}
        if name in spent:
            rows[name] = {"ms": summary(spent[name]), "ours_relative": ratio(spent[OURS], spent[name])}
        if name in peers.PEERS:
            rows[name]["version"] = peers.installed(peers.PEERS[name][0])
    return rows


def _learners(spent: Mapping[str, Rounds], feeds: Mapping[str, Feed]) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for name in feeds:
        own = spent[f"step of {name}"]
        rows[name] = {"ms": summary(own)}
        if name in AUTHORS:
            graph = [AUTHORS[name] * value for value in spent[EAGER]]
            rows[name] |= {"factor": AUTHORS[name], "ratio": ratio(own, graph)}
    return rows
