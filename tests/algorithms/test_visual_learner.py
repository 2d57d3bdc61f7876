"""A learner whose observations end with an image: against plain PyTorch, and whether it looks at the image."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from learners import HIGH, LOW, assert_learns_alike, make_learner, noise, random_batch, shuffle
from numpy.typing import NDArray
from reference import PlainTD3
from toys import IMAGE, IMAGE_SIZE, make, picture

from algorithms import learner as learner_module
from algorithms.config import ConfigError
from algorithms.learner import Batch, TD3Learner
from algorithms.registry import ALGORITHMS
from algorithms.visual import VisualMLP
from envs.base import ImageSpec

SMALL = ImageSpec(4, 5, 2)


def with_images(batch: Batch, image: ImageSpec = SMALL) -> Batch:
    """The observations of a batch followed by random images, in one part or in two."""
    random = np.random.default_rng(3)
    changed = {}
    for name in ("observations", "next_observations"):
        (states,) = getattr(batch, name)
        pixels = torch.from_numpy(random.integers(0, 256, (*states.shape[:2], image.size))).to(states)
        changed[name] = [torch.cat((states, pixels), -1)]
    return batch._replace(**changed)


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A maker of learners in double precision."""
    monkeypatch.setattr(learner_module, "VisualMLP", partial(VisualMLP, dtype=torch.float64))

    def make_double(seeds: tuple[int, ...], factor: torch.Tensor | None) -> TD3Learner:
        learner = make_learner(seeds=seeds, factor=factor, inputs=3 + SMALL.size, image=SMALL)
        for name in ("low", "high", "middle", "half"):
            setattr(learner.bounds, name, getattr(learner.bounds, name).double())
        shuffle(learner)
        return learner

    return make_double


@pytest.mark.parametrize("seeds", [(4,), (4, 9)])
@pytest.mark.parametrize("scaled", [False, True])
def test_updates_are_those_of_plain_pytorch(double: Any, scaled: bool, seeds: tuple[int, ...]) -> None:
    factor = torch.tensor([0.5, 2, 0.1] + [1] * SMALL.size, dtype=torch.float64) if scaled else None
    learner, number = double(seeds, factor), len(seeds)
    plain = [
        PlainTD3(learner.networks, "worker", index, LOW, HIGH, factor, start=3, image=SMALL)
        for index in range(number)
    ]
    batch = with_images(random_batch(number, dtype=torch.float64))
    random = torch.Generator().manual_seed(1)
    normals = (torch.randn(number, 8, 2, generator=random, dtype=torch.float64) for _ in range(20))
    assert_learns_alike(learner, plain, batch, normals)


def test_actor_and_critics_have_encoders_of_their_own() -> None:
    learner = make_learner(seeds=(0, 1), inputs=3 + SMALL.size, image=SMALL)
    named = {name: tensor for name, tensor in learner.networks.items() if "filters_0" in name}
    actors, critics = named["worker.actor.filters_0"], named["worker.critics.filters_0"]
    assert (len(actors), len(critics)) == (2, 4)
    every = [*actors, *critics]
    assert all(not torch.equal(every[one], every[other]) for one in range(6) for other in range(one))
    assert torch.equal(actors, named["worker.target_actor.filters_0"])
    assert torch.equal(critics, named["worker.target_critics.filters_0"])


def test_actions_and_values_depend_on_the_image() -> None:
    learner = make_learner(inputs=3 + SMALL.size, image=SMALL)
    shuffle(learner)
    batch = with_images(random_batch(1))
    observations = batch.observations[0]
    other = observations.clone()
    other[..., 3:] = 255 - other[..., 3:]
    assert (learner.actions(observations) != learner.actions(other)).any(-1).all()
    assert (learner.first_value(observations, batch.actions) != learner.first_value(other, batch.actions)).all()
    acted = learner.act(observations[:, 0].numpy(), explore=False)
    np.testing.assert_allclose(acted, learner.actions(observations)[:, 0], rtol=1e-5)


# ---- learning from what it sees -------------------------------------------------------------------------------


def unexplained(*, shuffled: bool) -> float:
    """The share of the variance of a value of the position that a critic does not explain after 200 updates.

    Args:
        shuffled: each position comes with the picture of another.
    """
    random, size = np.random.default_rng(0), IMAGE_SIZE.size
    learner = make_learner(inputs=2 + size, image=IMAGE_SIZE, hidden=[32, 32], learning_rate=1e-3)

    def draw(number: int) -> tuple[torch.Tensor, torch.Tensor]:
        positions = random.uniform(-4, 4, (number, 2))
        pictures: NDArray[np.float32] = np.stack([picture(x, y) for x, y in positions])
        shown = random.permutation(pictures) if shuffled else pictures
        states = random.normal(size=(number, 2)).astype(np.float32)
        values = torch.tensor(positions.sum(1)[None] / 2, dtype=torch.float32)
        return torch.from_numpy(np.concatenate((states, shown), axis=1)[None]), values

    batches = [draw(32) for _ in range(20)]
    for update in range(200):
        observations, values = batches[update % 20]
        ended = Batch([observations], torch.zeros(1, 32, 2), values, [observations], torch.zeros(1, 32))
        learner.update_critics(ended, noise(1, 32))
    observations, values = draw(300)
    errors = learner.first_value(observations, torch.zeros(1, 300, 2)) - values
    return float((errors.square().mean() / values.var()).detach())


def test_a_critic_learns_from_the_image() -> None:
    assert unexplained(shuffled=False) < 0.2
    assert unexplained(shuffled=True) > 0.9


# ---- who may see images ---------------------------------------------------------------------------------------


def test_a_flat_learner_refuses_images() -> None:
    hierarchies = ", ".join(name for name in ALGORITHMS if name != "td3")
    message = f"algorithm 'td3' sees no images, as task 'point_mass' has; allowed: {hierarchies}"
    with pytest.raises(ConfigError, match=f"^{message}$"):
        make("td3", task=IMAGE)


def test_only_the_manager_sees_the_image() -> None:
    algorithm = make("hrl", task=IMAGE)
    assert isinstance(algorithm.manager.actor, VisualMLP)
    assert not any("filters" in name for name in algorithm.worker.networks)
