from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from learners import of_seed
from reference import PlainTD3
from toys import ACTIONS, RELATIVE, Rollout, feed, make, walk

from algorithms.learner import Batch, TD3Learner
from algorithms.seeding import Streams


def stored(algorithm: Any) -> dict[str, torch.Tensor]:
    """All transitions of the first seed, in order."""
    rows = algorithm.replay.read(torch.arange(int(algorithm.replay.sizes[0])))
    numbers = {name: rows.number(name) for name in ("rewards", "continues")}
    return numbers | {name: rows[name] for name in ("observations", "actions", "next_observations")}


def test_transitions_are_stored_as_the_manager_sees_them() -> None:
    algorithm, states = make("td3"), walk(4)
    actions = feed(algorithm, states, rewards=[1, 2, 3, 4])
    seen, transitions = states[:, list(RELATIVE.manager_indices)], stored(algorithm)
    np.testing.assert_array_equal(transitions["observations"], seen[:-1])
    np.testing.assert_array_equal(transitions["next_observations"], seen[1:])
    np.testing.assert_array_equal(transitions["actions"], actions)
    np.testing.assert_allclose(transitions["rewards"], [0.1, 0.2, 0.3, 0.4], rtol=1e-6)


@pytest.mark.parametrize(("end", "done"), [("terminated", 1), ("truncated", 0), ("", 0)])
def test_only_a_true_end_stops_bootstrapping(end: str, done: float) -> None:
    algorithm = make("td3")
    feed(algorithm, walk(3), end=end)
    np.testing.assert_array_equal(stored(algorithm)["continues"], [1, 1, 1 - done])


def test_replay_holds_as_many_steps_as_configured() -> None:
    algorithm = make("td3", learner={"buffer_steps": 40})
    feed(algorithm, walk(50), rewards=list(range(50)))
    np.testing.assert_allclose(sorted(stored(algorithm)["rewards"]), np.arange(10, 50) / 10, rtol=1e-5)
    assert make("td3", learner={"buffer_steps": 200_000}).replay.capacity == 200_000


def test_warm_up_actions_are_uniform() -> None:
    actions = np.array(feed(make("td3"), walk(3_000), random=True))
    np.testing.assert_allclose(actions.mean(0), [1, 0], atol=0.1)
    np.testing.assert_allclose(actions.std(0), [4 / 12**0.5] * 2, rtol=0.05)
    assert (actions >= ACTIONS.low).all()
    assert (actions <= ACTIONS.high).all()


def test_actor_learns_every_second_update(monkeypatch: pytest.MonkeyPatch) -> None:
    algorithm, calls = make("td3", learner={"hidden": [4]}), Counter[str]()
    feed(algorithm, walk(30), random=True)
    for kind in ("update_critics", "update_actor"):
        original = getattr(TD3Learner, kind)

        def count(self: TD3Learner, *values: Any, kind: str = kind, original: Any = original) -> None:
            calls[kind] += 1
            original(self, *values)

        monkeypatch.setattr(TD3Learner, kind, count)
    algorithm.update()
    assert calls == {"update_critics": 1}
    for _ in range(999):
        algorithm.update()
    assert calls == {"update_critics": 1_000, "update_actor": 500}


def drawn_batches(monkeypatch: pytest.MonkeyPatch) -> list[Batch]:
    """The batches of all critic updates from now on."""
    batches: list[Batch] = []
    update_critics = TD3Learner.update_critics

    def record(self: TD3Learner, batch: Batch, noise: torch.Tensor) -> None:
        batches.append(batch)
        update_critics(self, batch, noise)

    monkeypatch.setattr(TD3Learner, "update_critics", record)
    return batches


def test_updates_are_those_of_plain_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = (3, 8)
    algorithm, streams = make("td3", seeds), Streams(seeds)
    Rollout(algorithm, seeds).run(warmup=100)
    for part in ("actor", "critics"):  # values of order one, and targets unlike the networks they follow
        algorithm.networks[f"policy.{part}.weight_2"].mul_(100)
    plain = [PlainTD3(algorithm.networks, "policy", index, ACTIONS.low, ACTIONS.high) for index in range(2)]
    batches = drawn_batches(monkeypatch)
    start = {name: tensor.clone() for name, tensor in algorithm.networks.items()}
    for update in range(1, 41):
        algorithm.update()
        normal = torch.from_numpy(streams.normal("policy/target_noise", 16, 2)).double()
        for index, each in enumerate(plain):
            each.update(of_seed(batches[-1], index), normal[index], delayed=update % 2 == 0)
    for name, tensor in algorithm.networks.items():
        assert (tensor - start[name]).abs().max() > 1e-5, name
    for index, each in enumerate(plain):
        assert each.distance(algorithm.networks, "policy", index) < 2e-6


def test_batches_are_drawn_from_the_whole_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    algorithm, rewards = make("td3"), list(range(10, 30))
    feed(algorithm, walk(20), rewards=[float(reward) for reward in rewards], random=True)
    batches = drawn_batches(monkeypatch)
    for _ in range(30):
        algorithm.update()
    seen = {round(10 * reward) for batch in batches for reward in batch.rewards.flatten().tolist()}
    assert seen == set(rewards)


def test_unit_scale_is_that_of_the_entries_the_policy_sees() -> None:
    raw, unit = make("td3"), make("td3", learner={"input_scale": "unit"})
    factor = torch.from_numpy(RELATIVE.unit_scale[list(RELATIVE.manager_indices)])
    raw.networks["policy.actor.weight_0"].copy_(unit.networks["policy.actor.weight_0"] * factor[:, None])
    states = walk(20)[:, None]
    for state in states:
        np.testing.assert_allclose(raw.policy.act(state), unit.policy.act(state), atol=1e-5)


def test_critic_q_is_the_first_critics_mean_on_the_last_batch() -> None:
    algorithm = make("td3")
    Rollout(algorithm, [0]).run(warmup=50, steps=7)
    for name in ("weight_2", "bias_2"):
        algorithm.networks[f"policy.critics.{name}"].zero_()
    algorithm.networks["policy.critics.bias_2"][:, 0, 0] = torch.tensor([5.0, 9.0])
    assert algorithm.metrics()["critic_q"] == pytest.approx(5)
