"""The training loop of every algorithm: one environment step of all seeds at a time, resumable at any step."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from algorithms.algorithm import Algorithm, Array
from algorithms.clock import Clock
from algorithms.evaluate import Interrupted, evaluate
from algorithms.levels import HierarchicalPolicy
from algorithms.probes import probe
from algorithms.records import EpisodeLog, Row
from algorithms.registry import ALGORITHMS
from algorithms.seeding import integer
from algorithms.settings import RunConfig
from envs.base import ActionError, SimulationError
from envs.tasks import VectorTask, describe, make_vector

log = logging.getLogger(__name__)


class Breakdown(RuntimeError):
    """A training that cannot go on, since a simulation broke down or a policy's actions are no numbers."""


class Trainer:
    """One run: a group of seeds of one algorithm on one task.

    ``step`` counts environment steps per seed after the random warm-up; it is -warmup_steps at the start.

    Args:
        config: the resolved configuration.
        device: where the algorithm's networks and replay live.
        threads: how many environments are simulated at the same time.  Changes no result.
    """

    def __init__(self, config: RunConfig, device: torch.device, *, threads: int = 1) -> None:
        self.config, self.settings, self._threads = config, config.run, threads
        make = ALGORITHMS[config.algorithm].load()  # before any simulation has begun
        self.task, actions = describe(config.task, config.environment)
        self.envs, self._evaluation_envs = self._make_envs(), self._make_envs()
        self.algorithm: Algorithm = make(config, self.task, actions, device)
        self.episodes = EpisodeLog(len(config.seeds), self.task.episode_metrics)
        self.step = -self.settings.warmup_steps
        self.progress: list[Row] = []
        self.evaluations: list[Row] = []
        self.probes: list[Row] = []
        self.clock = Clock(len(config.seeds))
        self._evaluated = 0
        seeds: list[int | None] = [integer(seed, "environment") for seed in config.seeds]
        self._observations: Array = self.envs.reset(seed=seeds)[0]

    def run(self, stop: Callable[[], bool], save: Callable[[], None]) -> bool:
        """Train to the end or until ``stop`` says so.

        Returns:
            True if the training is complete; otherwise :meth:`state_dict` continues it.

        Raises:
            Breakdown: it cannot go on; what was saved before is as good as ever.
        """
        try:
            return self._run(stop, save)
        except (SimulationError, ActionError) as error:
            seeds = self.config.seeds
            whose = f"seed {seeds[error.member]}: " if error.member is not None and len(seeds) > 1 else ""
            raise self._breakdown(f"{whose}{error}") from error

    def _breakdown(self, reason: str) -> Breakdown:
        where = f"{self.config.key}, after step {self.step:,}"
        return Breakdown(f"{where}: {reason}; the last checkpoint, if there is one, is kept")

    def _run(self, stop: Callable[[], bool], save: Callable[[], None]) -> bool:
        settings, last_saved = self.settings, self.step
        while not stop():
            at_end = self.step == settings.steps
            on_grid = self.step > 0 and self.step % settings.checkpoint_every == 0
            if at_end and self._evaluated != self.step and self.step != last_saved:
                save()  # without the final evaluation, which a longer training would not have here
            if self._evaluation_is_due() and not self._evaluate(stop):
                break
            if at_end:
                return True
            if on_grid and self.step != last_saved:
                save()
                last_saved = self.step
            self._advance()
        return False

    def close(self) -> None:
        """End all simulations."""
        self.envs.close()
        self._evaluation_envs.close()

    def state_dict(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on.

        Raises:
            Breakdown: a network holds a number that is not finite; nothing good can come of it any more.
        """
        for name, tensor in self.algorithm.networks.items():
            if not tensor.isfinite().all():
                raise self._breakdown(f"{name} is not finite")
        self._count_restarts()
        return {
            "step": self.step,
            "observations": self._observations,
            "environments": list(self.envs.get_attr("episode_state")),
            "algorithm": self.algorithm.state_dict(),
            "episodes": self.episodes.state_dict(),
            "progress": self.progress,
            "evaluations": self.evaluations,
            "probes": self.probes,
            "evaluated": self._evaluated,
            "clock": self.clock.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        self.step = state["step"]
        self._observations = state["observations"]
        self.envs.set_attr("episode_state", state["environments"])
        self.algorithm.load_state_dict(state["algorithm"])
        self.episodes.load_state_dict(state["episodes"])
        self.progress, self.evaluations = state["progress"], state["evaluations"]
        self.probes = state["probes"]
        self._evaluated = state["evaluated"]
        self.clock.load_state_dict(state["clock"])

    def _advance(self) -> None:
        """One environment step of all seeds, and one update unless it belongs to the warm-up."""
        warm, clock, algorithm = self.step < 0, self.clock, self.algorithm
        with clock.measure("learner"):
            actions = algorithm.act(self._observations, random=warm)
        following: Array
        with clock.measure("simulator"):
            following, rewards, terminated, truncated, infos = self.envs.step(actions)
        with clock.measure("learner"):
            algorithm.observe(
                self._observations, actions, rewards.astype(np.float32), following, terminated, truncated
            )
        self.episodes.record(rewards, terminated, truncated, infos, warm=warm)
        ends = terminated | truncated
        if ends.any():
            with clock.measure("simulator"):
                fresh, _ = self.envs.reset(options={"reset_mask": ends})
            following[ends] = fresh[ends]
        self._observations = following
        self.step += 1
        if warm:
            if self.step == 0:
                self.episodes.start_counting()
                clock.skip(0)
            return
        with clock.measure("learner"):
            algorithm.update()
        if self.step % self.settings.log_every == 0:
            self._log()

    def _log(self) -> None:
        metrics = self.algorithm.metrics()
        for index, seed in enumerate(self.config.seeds):
            columns = {name: float(values[index]) for name, values in metrics.items()}
            self.progress.append({"seed": seed, "step": self.step, **self.episodes.row(index), **columns})
        self._count_restarts()
        speed = self.clock.mark(self.step)
        left = (self.settings.steps - self.step) / speed
        returns = [row["return_mean100"] for row in self.progress[-len(self.config.seeds) :]]
        seen = [value for value in returns if value is not None]
        log.info(
            "%s: step %s of %s, %.0f steps/s, %s left, return %s",
            self.config.key,
            f"{self.step:,}",
            f"{self.settings.steps:,}",
            speed,
            time.strftime("%H:%M:%S", time.gmtime(left)) if left < 86400 else f"{left / 86400:.1f} days",
            f"{np.mean(seen):.3g}" if seen else "not yet known",
        )

    def _evaluation_is_due(self) -> bool:
        at_end = self.step == self.settings.steps
        on_grid = self.step > 0 and self.step % self.settings.evaluate_every == 0
        return (on_grid or at_end) and self._evaluated != self.step

    def _evaluate(self, stop: Callable[[], bool]) -> bool:
        """Evaluate the current policy and probe its worker; False if that was interrupted."""
        policy, episodes = self.algorithm.policy, self.settings.episodes_at(self.step)
        setting = (self._evaluation_envs, self.task, self.config.seeds)
        try:
            with self.clock.measure("evaluation"):
                evaluations = evaluate(policy, *setting, step=self.step, episodes=episodes, stop=stop)
                probes = []
                if isinstance(policy, HierarchicalPolicy):
                    probes = probe(policy.levels, *setting, step=self.step, stop=stop)
        except Interrupted:
            return False
        self.evaluations += evaluations
        self.probes += probes
        self._evaluated = self.step
        self._count_restarts()
        return True

    def _count_restarts(self) -> None:
        counts = (envs.get_attr("simulator_restarts") for envs in (self.envs, self._evaluation_envs))
        self.clock.count_restarts([sum(of_seed) for of_seed in zip(*counts, strict=True)])

    def _make_envs(self) -> VectorTask:
        """Environments for all seeds."""
        config = self.config
        return make_vector(config.task, len(config.seeds), config.environment, threads=self._threads)
