"""Every claim of the paper that the suite examines finds the numbers it needs in the run folders.

``CLAIMS`` is the map from claims to columns.  It names tasks and algorithms by what they will be called; those in
the registries are trained here, for a moment, and must have the columns.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from toys import CPU, SHORT

from algorithms.config import learns, load_preset, resolve
from algorithms.evaluate import evaluate_run
from algorithms.registry import ALGORITHMS
from algorithms.settings import RunConfig
from algorithms.train import write_files
from algorithms.trainer import Trainer
from envs.names import TASKS

GATHER, RING, HIGHWAY = ("ant_gather",), ("ring_road",), ("highway",)
MAZE, ROOMS, VISUAL = ("ant_maze",), ("ant_four_rooms",), ("visual_ant_maze",)
ANT, TRAFFIC = GATHER + MAZE + ROOMS, RING + HIGHWAY
EVERYWHERE = ANT + TRAFFIC
PROGRESS, EVALUATIONS, PROBES, TIMING = "progress.csv", "evaluations.csv", "probes.csv", "timing.csv"
PLAIN, COOPERATIVE, DYNAMIC = ("hrl", "hiro", "hac"), ("cher_fixed", "cher"), ("cher",)
HIERARCHIES = PLAIN + COOPERATIVE
ALL = ("td3", *HIERARCHIES)


class Need(NamedTuple):
    """Columns of one file that a claim needs, for these tasks and algorithms."""

    tasks: tuple[str, ...]
    algorithms: tuple[str, ...]
    file: str
    columns: tuple[str, ...]


#: Final performance, as the learning curves show it.
PERFORMANCE = [
    Need(GATHER + HIGHWAY, ALL, PROGRESS, ("return_mean100",)),
    Need(RING, ALL, PROGRESS, ("return_mean100", "return_fraction_mean100")),
    Need(MAZE, ALL, EVALUATIONS, ("success",)),
    Need(ROOMS, ALL, PROGRESS, ("success_mean100",)),
]

CLAIMS: dict[str, list[Need]] = {
    # CHER is comparable to or better than every baseline, more so where the task is stochastic
    "C1": PERFORMANCE,
    "C2": PERFORMANCE,
    # its goals lie closer to where the agent goes
    "C3": [
        Need(EVERYWHERE, HIERARCHIES, EVALUATIONS, ("goal_distance",)),
        Need(ANT, HIERARCHIES, EVALUATIONS, ("goal_distance_xy",)),
    ],
    # faster learning, better final policies, fewer falls
    "C4": [Need(ROOMS, ALL, PROGRESS, ("success_mean100", "step"))],
    "C5": [Need(GATHER, ALL, PROGRESS, ("return_mean100",))],
    "C6": [
        Need(GATHER, ALL, PROGRESS, ("episode_length_mean100", "terminated_mean100")),
        Need(GATHER, ALL, EVALUATIONS, ("episode_length",)),
    ],
    # ring: commanded speeds, waves and gaps
    "C7": [Need(RING, HIERARCHIES, EVALUATIONS, ("goal_level", "goal_error", "ring_length"))],
    "C8": [Need(RING, ALL, EVALUATIONS, ("speed_std",))],
    "C9": [Need(RING, ALL, EVALUATIONS, ("gap_max", "gap_p95", "return"))],
    # highway: better than human drivers
    "C10": [Need(HIGHWAY, ALL, EVALUATIONS, ("return", "mean_speed"))],
    # intrinsic return, constraint and multiplier
    "C11": [Need(GATHER, HIERARCHIES, PROGRESS, ("intrinsic_return", "worker_q_current"))],
    "C12": [Need(GATHER, DYNAMIC, PROGRESS, ("cooperation_q", "delta", "intrinsic_return"))],
    "C13": [Need(GATHER, DYNAMIC, PROGRESS, ("log_lambda", "cooperation_q", "intrinsic_return"))],
    # the cooperation ratio
    "C14": [Need(GATHER, COOPERATIVE, PROGRESS, ("return_mean100",))],
    "C15": [
        Need(GATHER, COOPERATIVE, PROGRESS, ("return_mean100", "moved")),
        Need(GATHER, COOPERATIVE, EVALUATIONS, ("path_length", "coverage")),
    ],
    "C16": [Need(GATHER, COOPERATIVE, EVALUATIONS, ("goal_distance", "goal_distance_xy"))],
    # transfer, per evaluation point
    "C17": [Need(MAZE + ROOMS, ("hrl", "hiro", "cher"), EVALUATIONS, ("success", "episodes"))],
    # fixed and dynamic multiplier
    "C18": [Need(GATHER + RING, COOPERATIVE, PROGRESS, ("return_mean100", "lambda"))],
    # off-policy corrections; the flat baseline
    "C19": [
        Need(GATHER, ("hrl", "hiro"), PROGRESS, ("return_mean100",)),
        Need(MAZE, ("hrl", "hiro"), EVALUATIONS, ("success",)),
    ],
    "C20": [
        Need(GATHER, ("td3",), PROGRESS, ("return_mean100", "apples_mean100", "bombs_mean100")),
        Need(GATHER, ("td3",), EVALUATIONS, ("path_length", "coverage")),
        Need(MAZE + ROOMS, ("td3",), EVALUATIONS, ("success",)),
    ],
    # visual maze: the same success in less time
    "C21": [
        Need(VISUAL, ("hiro", "cher"), EVALUATIONS, ("entered", "return")),
        Need(VISUAL, ("hiro", "cher"), TIMING, ("wall_time", "step")),
    ],
    # a very large multiplier stops movement
    "C22": [Need(GATHER, COOPERATIVE, EVALUATIONS, ("path_length",))],
    # human traffic forms waves: the same numbers of a ring without a learner (human_only)
    "C23": [Need(RING, ALL, EVALUATIONS, ("speed_fraction", "speed_std", "mean_speed"))],
    # overestimation by the manager
    "C24": [
        Need(
            GATHER + RING,
            HIERARCHIES,
            EVALUATIONS,
            ("manager_q", "manager_return", "manager_return_bootstrapped", "manager_discount"),
        )
    ],
    # the same optimum in the maze
    "C25": [Need(MAZE, ("hrl", "cher"), EVALUATIONS, ("success",))],
    # drift of what the worker makes of a goal
    "C26": [Need(EVERYWHERE, HIERARCHIES, PROBES, ("probe", "reset_seed", "error_start", "error_end"))],
}

STEPS = 1000
TRAINED = [
    (task, algorithm)
    for task in TASKS
    for algorithm in ALL
    if any(task in need.tasks and algorithm in need.algorithms for needs in CLAIMS.values() for need in needs)
]


def tiny(task: str, algorithm: str) -> RunConfig:
    """A training long enough for the end of an episode that began after the warm-up."""
    run = {
        "steps": STEPS,
        "warmup_steps": 320,
        "log_every": 200,
        "evaluate_every": STEPS,
        "final_evaluation_episodes": 1,
    }
    short = SHORT.get(task, {})
    changes: dict[str, Any] = {"run": run, "environment": short}
    if algorithm == "cher":
        changes["cher"] = {"delta": -50}
    return resolve(load_preset("smoke"), task, algorithm, seeds=[0], overrides=changes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """A function that gives a run folder, trained when first asked for."""
    folders: dict[tuple[str, str], Path] = {}

    def train(task: str, algorithm: str) -> Path:
        if (task, algorithm) not in folders:
            trainer = Trainer(tiny(task, algorithm), CPU)
            try:
                assert trainer.run(lambda: False, lambda: None)
                folders[task, algorithm] = tmp_path_factory.mktemp(f"{task}-{algorithm}")
                write_files(folders[task, algorithm], trainer, CPU)
            finally:
                trainer.close()
        return folders[task, algorithm]

    return train


def test_every_claim_is_in_the_table() -> None:
    assert list(CLAIMS) == [f"C{number}" for number in range(1, 27)]
    known = set(EVERYWHERE + VISUAL)
    assert set(TASKS) <= known
    assert set(ALL) <= set(ALGORITHMS)
    for needs in CLAIMS.values():
        assert needs
        assert all(set(need.tasks) <= known and set(need.algorithms) <= set(ALL) for need in needs)


@pytest.mark.parametrize(("task", "algorithm"), TRAINED)
def test_a_run_has_the_columns_of_its_claims(
    task: str, algorithm: str, folder: Callable[[str, str], Path]
) -> None:
    wanted = [
        (claim, need.file, column)
        for claim, needs in CLAIMS.items()
        for need in needs
        if task in need.tasks and algorithm in need.algorithms
        for column in need.columns
    ]
    assert wanted
    for claim, file, column in wanted:
        table = pd.read_csv(folder(task, algorithm) / file)
        assert column in table, f"{claim}: {file} has no column {column}"
        assert np.isfinite(table[column]).any(), f"{claim}: {file} has no number in column {column}"


@pytest.mark.parametrize(("task", "algorithm"), TRAINED)
def test_a_run_can_be_evaluated_again(task: str, algorithm: str, folder: Callable[[str, str], Path]) -> None:
    table = pd.read_csv(folder(task, algorithm) / EVALUATIONS)
    again = pd.DataFrame(evaluate_run(folder(task, algorithm), episodes=1))
    pd.testing.assert_frame_equal(again, table, check_dtype=False)


@pytest.mark.parametrize("task", [task for task in TASKS if learns("td3", task)])
def test_a_flat_policy_sets_no_goals(task: str, folder: Callable[[str, str], Path]) -> None:
    for name in ("probes.csv", "proposals.csv"):
        assert (folder(task, "td3") / name).read_text() == "seed,step\n"
    columns = set(pd.read_csv(folder(task, "td3") / EVALUATIONS))
    assert not {name for name in columns if name.startswith(("goal", "manager"))}


@pytest.mark.parametrize("task", TASKS)
def test_proposals_and_probes_of_a_hierarchy(task: str, folder: Callable[[str, str], Path]) -> None:
    proposals = pd.read_csv(folder(task, "hrl") / "proposals.csv")
    assert proposals["step"].diff().dropna().between(1, 400).all(), "every 40th of periods of up to ten steps"
    assert proposals["step"].iloc[0] < 10
    probes = pd.read_csv(folder(task, "hrl") / PROBES)
    assert probes[["step", "probe"]].values.tolist() == [[STEPS, number] for number in range(10)]
    assert (probes[["error_start", "error_end"]] > 0).all(axis=None)
