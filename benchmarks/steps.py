"""A whole training step of every algorithm on every task, and its evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from algorithms.config import learns, resolve
from algorithms.registry import ALGORITHMS
from algorithms.sections import RunSettings
from algorithms.settings import RunConfig
from benchmarks import goals
from benchmarks.goals import Goal
from benchmarks.presets import paper, warm_up
from benchmarks.report import ms, percent, table, times
from benchmarks.timing import ratio, rotated, summary
from benchmarks.training import Training
from envs.base import TaskSpec
from envs.names import TASKS
from envs.tasks import describe

TITLE = "Training steps and evaluations"

BASELINE = "td3"

#: Random steps before the first update; the paper's 10,000 would take longer than everything else.
WARMUP = 2_000

#: What the time of a training step goes to.  Resets are rare where episodes are long, so that the median of short
#: blocks leaves them out; they are measured apart, and every step bears its share of one per full episode.
PARTS = ("simulator", "resets", "learner", "overhead")

#: Milliseconds per step by part, one entry per block.
Blocks = list[dict[str, float]]


def measure(
    *,
    rounds: int = 7,
    calls: int = 200,
    episodes: int = 3,
    warmup_steps: int = WARMUP,
    tasks: Sequence[str] = tuple(TASKS),
    algorithms: Sequence[str] = tuple(ALGORITHMS),
) -> dict[str, Any]:
    """Train every algorithm on every task.

    Args:
        rounds: blocks of each training; within a round, all algorithms of a task have their turn.
        calls: environment steps per block.
        episodes: per evaluation.
        warmup_steps: random steps of each training, in one block.
        tasks: names of tasks; all that are registered by default.
        algorithms: names of algorithms, TD3 among them; all that are registered by default.
    """
    measured = {}
    for task in tasks:
        configs = {name: configure(task, name, warmup_steps) for name in algorithms if learns(name, task)}
        measured[task] = _task(configs, rounds, calls, episodes)
    return {"warmup_steps": warmup_steps, "steps": rounds * calls, "tasks": measured}


def configure(task: str, algorithm: str, warmup_steps: int) -> RunConfig:
    """The paper's settings for one seed, with a short warm-up."""
    shorter = {"run": {"warmup_steps": warmup_steps}}
    return resolve(paper(), task, algorithm, seeds=[0], overrides=shorter)


def goals_of(result: Mapping[str, Any]) -> list[Goal]:
    """Cost of a step relative to TD3, and the trainer's share."""
    rows = []
    for task, measured in result["tasks"].items():
        for name, row in measured["algorithms"].items():
            if name in goals.STEP and BASELINE in measured["algorithms"]:
                value, limit = row["relative"]["median"], goals.STEP[name]
                rows.append(goals.judge(f"{name} on {task}: step / TD3's step", value, limit))
            share = row["overhead_share"]["median"]
            rows.append(goals.judge(f"{name} on {task}: trainer's own share", share, goals.OVERHEAD, "%"))
            share = row["evaluation_share"]
            rows.append(goals.judge(f"{name} on {task}: share of evaluations", share, goals.EVALUATION, "%"))
    return rows


def report(result: Mapping[str, Any]) -> str:
    """One table of steps, one of evaluations."""
    steps, evaluations = [], []
    for task, measured in result["tasks"].items():
        points = measured["evaluation_points"]
        for name, row in measured["algorithms"].items():
            parts = [f"{row['parts'][part]['median']:.3g}" for part in PARTS]
            shares = [percent(row["overhead_share"]), f"{1000 / row['ms']['median']:.0f}", times(row["relative"])]
            steps.append([task, name, ms(row["ms"]), *parts, *shares])
            spent = [f"{row['evaluation_seconds']:.3g}", f"{100 * row['evaluation_share']:.1f} %"]
            evaluations.append(
                [task, name, f"{points} x {measured['episodes']}", ms(row["evaluation_step"]), *spent]
            )
    return (
        f"The real trainer with one seed and the paper's settings, {result['steps']:,} steps after a warm-up of "
        f"{result['warmup_steps']:,}.  Milliseconds per step; resets are spread over full episodes:\n\n"
        + table(["task", "algorithm", "all", *PARTS, "overhead share", "steps/s", "relative to the first"], steps)
        + "\n\nOne evaluation of the paper's preset, with episodes of full length:\n\n"
        + table(
            ["task", "algorithm", "points x episodes", "ms per step", "seconds", "share of a training"],
            evaluations,
        )
    )


def _task(configs: Mapping[str, RunConfig], rounds: int, calls: int, episodes: int) -> dict[str, Any]:
    config = next(iter(configs.values()))
    spec, _ = describe(config.task, config.environment)
    warm_up(config.task, config.environment)
    blocks: dict[str, Blocks] = {name: [] for name in configs}
    trainings = {name: Training(config) for name, config in configs.items()}
    warm = {name: training.advance(config.run.warmup_steps) for name, training in trainings.items()}
    for training in trainings.values():
        training.advance(calls)  # first updates set things up
    for number in range(rounds):
        for name in rotated(list(trainings), number):
            blocks[name].append(trainings[name].advance(calls))
    evaluations = {name: training.evaluate(episodes) for name, training in trainings.items()}
    return assemble(spec, config.run, warm, blocks, evaluations)


def assemble(
    spec: TaskSpec,
    run: RunSettings,
    warm: Mapping[str, Mapping[str, float]],
    blocks: Mapping[str, Blocks],
    evaluations: Mapping[str, Mapping[str, Sequence[float]]],
) -> dict[str, Any]:
    """What was timed, as costs of a step and of an evaluation.

    Args:
        spec: the task.
        run: how often, and with how many episodes, a training is evaluated.
        warm: milliseconds per step of the warm-up, by algorithm and part.
        blocks: the same for the blocks after it.
        evaluations: milliseconds of each evaluation's resets and steps.
    """
    reset = summary([value for measured in evaluations.values() for value in measured["reset"]])
    share = reset["median"] / spec.horizon
    spread = {name: [block | {"resets": share} for block in found] for name, found in blocks.items()}
    totals = {name: [sum(block.values()) for block in found] for name, found in spread.items()}
    baseline = BASELINE if BASELINE in totals else next(iter(totals))
    rows = {}
    for name, found in spread.items():
        step = summary(evaluations[name]["step"])
        overhead = [block["overhead"] for block in found]
        whole = reset["median"] + spec.horizon * step["median"]
        evaluation = len(spec.evaluation_points) * run.evaluation_episodes * whole
        training = run.evaluate_every * summary(totals[name])["median"]
        rows[name] = {
            "ms": summary(totals[name]),
            "parts": {part: summary([block[part] for block in found]) for part in PARTS},
            "overhead_share": ratio(overhead, totals[name]),
            "relative": ratio(totals[name], totals[baseline]),
            "warmup_ms": sum(warm[name].values()),
            "evaluation_step": step,
            "evaluation_seconds": evaluation / 1000,
            "evaluation_share": evaluation / (evaluation + training),
        }
    return {
        "horizon": spec.horizon,
        "evaluation_points": len(spec.evaluation_points),
        "episodes": run.evaluation_episodes,
        "reset_ms": reset,
        "algorithms": rows,
    }
