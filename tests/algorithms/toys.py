"""A point mass in the plane, small settings, and a loop that steps an algorithm as the trainer does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box
from numpy.typing import NDArray

from algorithms.algorithm import Algorithm, Array, Mask
from algorithms.config import load_preset, merge, resolve
from algorithms.device import Staging
from algorithms.meta import MetaBatch, MetaReplay
from algorithms.registry import ALGORITHMS
from algorithms.seeding import Streams
from algorithms.settings import RunConfig
from envs.base import EvaluationPoint, ImageSpec, Observation, StepResult, TaskEnv, TaskSpec

CPU = torch.device("cpu")

#: Options of the tasks whose episodes are too long, or begin too late, for a training of a moment.
SHORT: dict[str, dict[str, Any]] = {
    "ring_road": {"warmup_steps": 5, "horizon": 60},
    "highway": {"pool": False, "warmup_steps": 150, "horizon": 60},
}


#: Boxes are asymmetric, so that middle and half range both matter.
ACTIONS = Box(np.array([-1, -2], np.float32), np.array([3, 2], np.float32))

RELATIVE = TaskSpec(
    name="point_mass",
    goal_low=np.array([-2, -1], np.float32),
    goal_high=np.array([2, 3], np.float32),
    goal_indices=(3, 1),
    relative_goals=True,
    position_indices=(1, 3),
    manager_indices=(1, 3, 0, 4, 2, 5),
    worker_indices=(4, 0, 6),
    horizon=25,
    reward_scale=0.1,
    unit_scale=np.array([0.5, 0.1, 2, 0.2, 0.4, 1.5, 0.04], np.float32),
    evaluation_points=(EvaluationPoint("anywhere"),),
    episode_metrics=("distance",),
)
ABSOLUTE = replace(
    RELATIVE,
    goal_low=np.array([0, -5], np.float32),
    goal_high=np.array([10, 5], np.float32),
    goal_indices=(4, 0),
    relative_goals=False,
    position_indices=(),
)
#: Entries that follow one another, as in the suite's own tasks.
CONSECUTIVE = replace(
    RELATIVE,
    goal_indices=(0, 1),
    position_indices=(0, 1),
    manager_indices=tuple(range(7)),
    worker_indices=(2, 3, 4),
)
#: The manager sees x and y in an image alone; one side of it is odd, so that margins of all kinds occur.
IMAGE_SIZE = ImageSpec(9, 12, 3)
IMAGE = replace(
    RELATIVE,
    manager_indices=(0, 4, 2, 5, *range(7, 7 + IMAGE_SIZE.size)),
    unit_scale=np.append(RELATIVE.unit_scale, np.ones(IMAGE_SIZE.size, np.float32)),
    image=IMAGE_SIZE,
)


def picture(x: float, y: float, image: ImageSpec = IMAGE_SIZE, limit: float = 4) -> NDArray[np.float32]:
    """Spots around (x, y), one per channel and the wider the later; as the end of an observation."""
    down, right, channel = np.ogrid[: image.height, : image.width, : image.channels]
    row, column = ((value / limit + 1) / 2 * (size - 1) for value, size in ((y, image.height), (x, image.width)))
    squared = (down - row) ** 2 + (right - column) ** 2
    return np.rint(255 * np.exp(-squared / (2 + 4 * channel))).astype(np.float32).ravel()


#: Every algorithm, with the tasks of different networks that it learns.
learns = pytest.mark.parametrize(
    ("algorithm", "task"),
    [pytest.param(name, RELATIVE, id=name) for name in ALGORITHMS]
    + [pytest.param(name, IMAGE, id=f"{name}-image") for name, entry in ALGORITHMS.items() if entry.sees_images],
)


#: Every kind of flat task, by name.
KINDS = {"relative": RELATIVE, "absolute": ABSOLUTE, "consecutive": CONSECUTIVE}

#: Runs a test on each of them, as its argument ``task``.
TASKS = pytest.mark.parametrize("task", KINDS.values(), ids=KINDS)

#: Algorithms with a manager and a worker.
HIERARCHIES = [name for name, entry in ALGORITHMS.items() if entry.is_hierarchy]


class PointMass(TaskEnv):
    """Observation ``[vx, x, target x, y, vy, target y, time]``, perhaps an image; ends outside a square."""

    def __init__(self, task: TaskSpec = RELATIVE, limit: float = 4) -> None:
        super().__init__()
        self.task, self.limit = task, limit
        self.observation_space = Box(-np.inf, np.inf, (len(task.unit_scale),), np.float32)
        self.action_space = ACTIONS

    def reset_episode(self, options: Mapping[str, Any]) -> tuple[Observation, dict[str, Any]]:
        self.position, self.target = self.np_random.uniform(-1, 1, 2), self.np_random.uniform(-2, 2, 2)
        self.velocity, self.time = np.zeros(2), 0
        return self._observe(), {}

    def step_episode(self, action: NDArray[np.float32]) -> StepResult:
        self.velocity = 0.7 * self.velocity + 0.1 * action + self.np_random.normal(0, 0.1, 2)
        self.position, self.time = self.position + self.velocity, self.time + 1
        distance = float(np.linalg.norm(self.position - self.target))
        outside, late = bool(np.abs(self.position).max() > self.limit), self.time >= self.task.horizon
        info = {"episode_metrics": {"distance": distance}} if outside or late else {}
        return self._observe(), -distance, outside, late and not outside, info

    def _observe(self) -> Observation:
        (x, y), (vx, vy), (target_x, target_y) = self.position, self.velocity, self.target
        states = np.array([vx, x, target_x, y, vy, target_y, self.time], np.float32)
        return states if self.task.image is None else np.append(states, picture(x, y, self.task.image))


def settings(
    algorithm: str,
    seeds: Sequence[int] = (0,),
    *,
    learner: Mapping[str, Any] | None = None,
    hierarchy: Mapping[str, Any] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> RunConfig:
    """The paper's settings with small networks and batches; ``changes`` are overrides by section."""
    small = {"hidden": [16, 16], "batch_size": 16, "buffer_steps": 2_000}
    overrides: dict[str, Any] = {"learner": small | dict(learner or {})}
    if hierarchy:
        overrides["hierarchy"] = dict(hierarchy)
    if "cher" in ALGORITHMS[algorithm].sections:
        overrides["cher"] = {"delta": -50, "dual_start": 2}  # so that lambda learns soon
    overrides = merge(overrides, changes or {})
    return resolve(load_preset("paper"), "ant_gather", algorithm, seeds=seeds, overrides=overrides)


def make(
    algorithm: str,
    seeds: Sequence[int] = (0,),
    *,
    task: TaskSpec = RELATIVE,
    actions: Box = ACTIONS,
    learner: Mapping[str, Any] | None = None,
    hierarchy: Mapping[str, Any] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Any:
    """A fresh algorithm of the registry with small settings."""
    config = settings(algorithm, seeds, learner=learner, hierarchy=hierarchy, changes=changes)
    return ALGORITHMS[algorithm].load()(config, task, actions, CPU)


def sample(replay: MetaReplay, streams: Streams, batch: int) -> MetaBatch:
    """A draw from a replay of meta-transitions."""
    drawn = Staging(CPU, MetaReplay.drawn(len(streams.seeds), batch))
    replay.draw(streams.uniforms("replay", 2, batch).next(), drawn.host)
    return replay.batch(drawn.device)


class Rollout:
    """Episodes of S point masses under an algorithm, one environment per seed.

    Args:
        algorithm: what acts and learns.
        seeds: seeds of the environments.
        task: the task of all of them.
        bonus: added to the rewards of each seed, [S].
    """

    def __init__(
        self, algorithm: Algorithm, seeds: Sequence[int], task: TaskSpec = RELATIVE, bonus: Sequence[float] = ()
    ) -> None:
        self.algorithm = algorithm
        self.envs = [PointMass(task) for _ in seeds]
        self.observations = np.stack([env.reset(seed=seed)[0] for env, seed in zip(self.envs, seeds, strict=True)])
        self.bonus = np.array(bonus or [0] * len(seeds), np.float32)
        self.actions: list[Array] = []

    def step(self, *, random: bool = False) -> Mask:
        """One environment step of all seeds; which episodes ended."""
        actions = self.algorithm.act(self.observations, random=random)
        self.actions.append(actions.copy())
        results = [env.step(action) for env, action in zip(self.envs, actions, strict=True)]
        following = np.stack([result[0] for result in results])
        rewards = np.array([result[1] for result in results], np.float32) + self.bonus
        terminated, truncated = (np.array([result[index] for result in results]) for index in (2, 3))
        self.algorithm.observe(self.observations, actions, rewards, following, terminated, truncated)
        ends: Mask = terminated | truncated
        for index in np.flatnonzero(ends):
            following[index] = self.envs[index].reset()[0]
        self.observations = following
        return ends

    def run(self, *, warmup: int = 0, steps: int = 0) -> Rollout:
        """Some random steps, then some with an update each."""
        for _ in range(warmup):
            self.step(random=True)
        for _ in range(steps):
            self.step()
            self.algorithm.update()
        return self


def feed(
    algorithm: Algorithm,
    observations: NDArray[Any],
    *,
    rewards: Sequence[float] | None = None,
    end: str = "",
    random: bool = False,
) -> list[Array]:
    """Show an algorithm a given path of one environment, [T + 1, n], and return its actions.

    ``end`` says how the last step ends: ``terminated``, ``truncated`` or not at all.
    """
    path = np.asarray(observations, np.float32)[:, None]
    taken = []
    for time in range(len(path) - 1):
        last = time == len(path) - 2
        actions = algorithm.act(path[time], random=random)
        reward = np.array([rewards[time] if rewards else 0], np.float32)
        over = {kind: np.array([last and end == kind]) for kind in ("terminated", "truncated")}
        algorithm.observe(path[time], actions, reward, path[time + 1], **over)
        taken.append(actions[0])
    return taken


def walk(steps: int, speed: float = 0) -> NDArray[np.float32]:
    """A random path of observations that drifts in every entry, [steps + 1, 7]."""
    jumps = np.random.default_rng(0).normal(speed, 0.5, size=(steps + 1, 7))
    return jumps.cumsum(0).astype(np.float32)


def equal(first: Any, second: Any) -> bool:
    """Whether two nested states are the same, bit for bit."""
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(equal(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(equal, first, second))
    if isinstance(first, torch.Tensor):
        return first.dtype == second.dtype and equal(first.numpy(), second.numpy())
    if isinstance(first, np.ndarray):
        return first.dtype == second.dtype and first.shape == second.shape and first.tobytes() == second.tobytes()
    return bool(first == second)
