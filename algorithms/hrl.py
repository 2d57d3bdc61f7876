"""HRL: a manager that sets goals every k steps and a worker that is paid for reaching them.

Both levels are TD3 learners.  What a variant of this algorithm would change has a method of its own: what enters
the replay (:meth:`HRL.store`), which actions a batch shows the manager (:meth:`HRL.relabel`), where the manager's
actor is pulled (:meth:`HRL.manager_gradient`), what else learns and when (:meth:`HRL.update_manager`,
:meth:`HRL.due`), and which random numbers that takes (:meth:`HRL.numbers` and :meth:`HRL.draw`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box
from numpy.typing import NDArray
from torch import Tensor

from algorithms.algorithm import Algorithm, Array, Mask
from algorithms.device import Fields, Recorder, Staging
from algorithms.diagnostics import ProposalLog
from algorithms.learner import Batch, load_networks, to_numpy
from algorithms.levels import HierarchicalPolicy, build_levels
from algorithms.meta import MetaBatch, MetaMemory, MetaReplay, MetaTransition, Sizes
from algorithms.periods import PeriodStatistics
from algorithms.records import Row
from algorithms.sections import HierarchySettings
from algorithms.seeding import Streams
from algorithms.settings import RunConfig
from envs.base import TaskSpec


@dataclass(frozen=True)
class Due:
    """What learns in an update besides the worker's critics, which always do.

    ``manager_targets``: the manager's targets follow its critics while its actor has not started yet.
    """

    manager_critics: bool
    manager_actor: bool
    manager_targets: bool
    worker_actor: bool


class HRL(Algorithm):
    """Two-level HRL without cooperation (the paper's baseline; CHER with lambda 0).

    A worker that was taken over from another task (section 5.5) stays as it is: it does not learn, and it acts for
    itself in the random warm-up, in which the manager alone is random.
    """

    def __init__(self, config: RunConfig, task: TaskSpec, actions: Box, device: torch.device) -> None:
        self.config, self.settings, self.task = config, config.learner, task
        self.hierarchy = config.section(HierarchySettings)
        self.frozen_worker = config.transfer is not None
        self.streams = Streams(config.seeds)
        self.levels = build_levels(config, task, actions, self.streams, device)
        self.manager, self.worker, self.goals = self.levels.manager, self.levels.worker, self.levels.goals
        seeds, period = len(config.seeds), self.hierarchy.meta_period
        sizes = Sizes(
            period=period,
            observation=task.states,
            goal=len(task.goal_indices),
            action=self.worker.bounds.size,
            pixels=task.manager_image.size if task.manager_image else 0,
        )
        self.memory = MetaMemory(seeds, sizes)
        self.replay = MetaReplay(seeds, self.settings.buffer_steps // period, sizes, device)
        self.statistics = PeriodStatistics(seeds, self.goals, task)
        self.proposal_log = ProposalLog(config.seeds, self.goals)
        self.policy = HierarchicalPolicy(self.levels)
        self.networks = self.manager.networks | self.worker.networks
        self.updates = 0
        batch = self.settings.batch_size
        self._drawn = Staging(device, self.numbers(seeds, batch, sizes))
        self._uniforms = self.streams.uniforms("replay", 2, batch)
        self._manager_noise, self._worker_noise = self.manager.target_noise(batch), self.worker.target_noise(batch)
        self._recorder = Recorder(device)

    # ---- hooks --------------------------------------------------------------------------------------------------

    def store(self, seed: int, item: MetaTransition) -> None:
        """What enters the replay when a meta-transition ends."""
        self.replay.add(seed, item)

    def due(self) -> Due:
        """Which networks learn in this update.

        On a CUDA device an update is recorded once per value of this and then repeated without Python.  Whatever
        else Python decides from one update to the next therefore belongs in here, or before :meth:`update`.
        """
        turn = self.updates % self.hierarchy.manager_actor_every == 0
        return Due(
            manager_critics=self.updates % self.hierarchy.manager_critic_every == 0,
            manager_actor=turn and self.manager_actor_started,
            manager_targets=turn and not self.manager_actor_started,
            worker_actor=self.updates % self.settings.actor_delay == 0,
        )

    @property
    def manager_actor_started(self) -> bool:
        """Whether the manager's critics have learned alone for long enough."""
        return self.updates > (self.hierarchy.manager_actor_start or 0)

    def numbers(self, seeds: int, batch: int, sizes: Sizes) -> Fields:
        """Shape and type of everything that :meth:`draw` makes for an update.

        HRL asks for them while it is constructed: set what they depend on before ``super().__init__()``.
        """
        return {
            **MetaReplay.drawn(seeds, batch),
            "manager_noise": ((seeds, batch, sizes.goal), np.float32),
            "worker_noise": ((seeds, batch, sizes.action), np.float32),
        }

    def draw(self, drawn: dict[str, NDArray[Any]], due: Due) -> None:
        """Fill in all random numbers of an update, on the host."""
        self.replay.draw(self._uniforms.next(), drawn)
        if due.manager_critics:
            drawn["manager_noise"][:] = self._manager_noise.next()
        drawn["worker_noise"][:] = self._worker_noise.next()

    def relabel(self, batch: MetaBatch, drawn: Mapping[str, Tensor]) -> Tensor:
        """The manager's actions in a batch, [S, B, d]; ``drawn`` are the random numbers of the update."""
        return batch.first_goals

    def manager_gradient(self, batch: MetaBatch, goals: Tensor) -> Tensor:
        """Gradient of what the manager's actor maximises, a mean over the batch, by its goals; both [S, B, d].

        Updates run in inference mode.  To differentiate with autograd here, leave it as
        :func:`algorithms.cooperation.gradient` does, and clone the fields of the batch that are multiplied with
        what is differentiated.  The worker has not seen this batch yet: ask for its values with
        :meth:`~algorithms.learner.TD3Learner.first_value`.
        """
        return self.manager.value_gradient(goals)

    # ---- collecting ---------------------------------------------------------------------------------------------

    def act(self, observations: Array, *, random: bool = False) -> Array:
        """Exploratory actions; where a meta-period starts, the manager proposes a goal first."""
        starts = self.memory.lengths == 0
        if starts.any():
            if random:
                goals = self.manager.random_actions(starts)
            else:
                goals = self.levels.propose(observations, starts, explore=True)
                self.proposal_log.record(self.updates, starts, observations, goals)
            self.memory.begin(starts, goals)
        if random and not self.frozen_worker:
            return self.worker.random_actions()
        return self.levels.control(observations, self.memory.goals, explore=True)

    def observe(
        self,
        observations: Array,
        actions: Array,
        rewards: Array,
        next_observations: Array,
        terminated: Mask,
        truncated: Mask,
    ) -> None:
        """Extend the running meta-transitions; store those that end with their period or episode."""
        goals = self.memory.goals
        worker_rewards, next_goals = self.goals.advance(observations, goals, next_observations)
        scaled = self.task.reward_scale * rewards
        self.memory.append(observations, actions, worker_rewards, scaled, next_observations, next_goals)
        ends = terminated | truncated | (self.memory.lengths == self.hierarchy.meta_period)
        for seed in np.flatnonzero(ends).tolist():
            item = self.memory.close(seed, done=bool(terminated[seed]))
            self.statistics.record(seed, item)
            self.store(seed, item)

    # ---- learning -----------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def update(self) -> None:
        """Both levels learn from one draw, on the schedule of E.1; the manager goes first (authors' code)."""
        if self.updates == 0:
            self.statistics.clear()  # the random periods of the warm-up say nothing about the policy
        self.updates += 1
        due = self.due()
        self.draw(self._drawn.begin(), due)
        self._drawn.send()
        self._recorder.run(due, partial(self._learn, due))

    def update_manager(self, batch: MetaBatch, drawn: Mapping[str, Tensor], due: Due) -> None:
        """The manager learns from the meta-transitions of a batch."""
        if due.manager_critics:
            self.manager.update_critics(self.manager_batch(batch, drawn), drawn["manager_noise"])
        if due.manager_actor:
            self.manager.update_actor(partial(self.manager_gradient, batch))
        elif due.manager_targets:
            self.manager.update_targets()

    def update_worker(self, batch: MetaBatch, drawn: Mapping[str, Tensor], due: Due) -> None:
        """The worker learns from one step of each meta-transition of a batch, unless it was taken over."""
        if self.frozen_worker:
            return
        self.worker.update_critics(self.worker_batch(batch), drawn["worker_noise"])
        if due.worker_actor:
            self.worker.update_actor()

    @property
    def drawn(self) -> Mapping[str, Tensor]:
        """The random numbers of the last update, see :meth:`numbers`."""
        return self._drawn.device

    def _learn(self, due: Due) -> None:
        batch = self.replay.batch(self.drawn)
        self.update_manager(batch, self.drawn, due)
        self.update_worker(batch, self.drawn, due)

    def manager_batch(self, batch: MetaBatch, drawn: Mapping[str, Tensor]) -> Batch:
        """The meta-transitions as the manager sees them."""
        return Batch(
            observations=[self.levels.manager_sees(batch.first_observations)],
            actions=self.relabel(batch, drawn),
            rewards=batch.rewards,
            next_observations=[self.levels.manager_sees(batch.last_observations)],
            continues=batch.continues,
        )

    def worker_batch(self, batch: MetaBatch) -> Batch:
        """One step of each meta-transition as the worker sees it.

        The worker never terminates, neither with its period nor with the episode (authors' code, for rewards that
        are never positive).  Its values are therefore those of an infinite horizon.  The setting
        ``worker_terminates`` lets it end with the episode.
        """
        return Batch(
            observations=self.levels.worker_parts(batch.observations, batch.goals),
            actions=batch.actions,
            rewards=batch.worker_rewards,
            next_observations=self.levels.worker_parts(batch.next_observations, batch.next_goals),
            continues=batch.worker_continues if self.hierarchy.worker_terminates else None,
        )

    # ---- reporting and saving -----------------------------------------------------------------------------------

    @torch.no_grad()
    def metrics(self) -> dict[str, Array]:
        """Values and health of both levels on the last batch, and means over the periods since the last call.

        ``worker_q_current`` is the worker's value of the manager's current goals under its own actions, the
        quantity that cooperation refers to; ``worker_q_batch`` that of the stored goals and actions.
        ``intrinsic_return`` is the discounted return of a worker that earned the mean intrinsic reward for ever.
        """
        batch, levels = self.replay.batch(self.drawn), self.levels
        manager_inputs = levels.manager_sees(batch.first_observations)
        worker_inputs = levels.worker_inputs(batch.observations, batch.goals)
        current_goals = levels.goals_in_force(batch, self.manager.actions(manager_inputs))
        current_inputs = levels.worker_inputs(batch.observations, current_goals)
        values = {
            "manager_q": self.manager.first_value(manager_inputs, batch.first_goals),
            "worker_q_current": self.worker.first_value(current_inputs, self.worker.actions(current_inputs)),
            "worker_q_batch": self.worker.first_value(worker_inputs, batch.actions),
        }
        periods = self.statistics.means()
        return {
            "intrinsic_return": (periods["intrinsic_reward"] / (1 - self.settings.gamma)).astype(np.float32),
            **{name: to_numpy(value.mean(-1)) for name, value in values.items()},
            **periods,
            **self.manager.health(manager_inputs),
            **self.worker.health(worker_inputs),
        }

    def proposals(self) -> list[Row]:
        """Some of the goals that the manager has set, see :class:`Algorithm`."""
        return self.proposal_log.rows()

    def state_dict(self) -> dict[str, Any]:
        """All state, see :class:`Algorithm`."""
        return {
            "networks": self.networks,
            "manager": self.manager.state_dict(),
            "worker": self.worker.state_dict(),
            "replay": self.replay.state_dict(),
            "memory": self.memory.state_dict(),
            "statistics": self.statistics.state_dict(),
            "proposals": self.proposal_log.state_dict(),
            "streams": self.streams.state_dict(),
            "updates": self.updates,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from :meth:`state_dict`."""
        load_networks(self.networks, state["networks"])
        self.manager.load_state_dict(state["manager"])
        self.worker.load_state_dict(state["worker"])
        self.replay.load_state_dict(state["replay"])
        self.memory.load_state_dict(state["memory"])
        self.statistics.load_state_dict(state["statistics"])
        self.proposal_log.load_state_dict(state["proposals"])
        self.streams.load_state_dict(state["streams"])
        self.updates = state["updates"]
