from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from algorithms.networks import MLP, Optimiser, forward

CPU = torch.device("cpu")


def generators(number: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in range(number)]


def network(groups: int = 3, sizes: tuple[int, ...] = (4, 6, 5, 2)) -> MLP:
    mlp = MLP(groups, sizes, CPU)
    mlp.flat.copy_(torch.from_numpy(np.random.default_rng(0).normal(0, 0.5, mlp.flat.numel())))
    return mlp


def test_initial_weights_have_the_published_bounds() -> None:
    mlp = MLP(4, (44, 256, 256, 8), CPU)
    mlp.initialise(generators(2))
    bounds = {"weight_0": 0.15076, "weight_1": 0.0625, "weight_2": 0.003}
    for name, bound in bounds.items():
        weight = mlp.named()[name]
        assert 0.98 * bound < weight.abs().max() <= bound * (1 + 1e-4)
        assert weight.std() == pytest.approx(bound / 3**0.5, rel=0.02)
        assert abs(weight.mean()) < 0.05 * bound
    assert all(not mlp.named()[f"bias_{layer}"].any() for layer in range(3))


def test_every_network_of_a_seed_starts_differently_and_depends_on_that_seed_alone() -> None:
    pair, alone = MLP(4, (3, 5, 1), CPU), MLP(2, (3, 5, 1), CPU)
    pair.initialise(generators(2))
    alone.initialise(generators(2)[1:])
    first = pair.named()["weight_0"]
    assert all(not torch.equal(first[one], first[other]) for one in range(4) for other in range(one))
    for name, tensor in alone.named().items():
        assert torch.equal(tensor, pair.named()[name][2:])


def test_output_is_a_relu_perceptron_per_group() -> None:
    mlp = network()
    inputs = np.random.default_rng(1).normal(size=(3, 7, 4)).astype(np.float32)
    outputs = mlp(torch.from_numpy(inputs)).detach().numpy()
    for group in range(3):
        hidden = inputs[group].astype(float)
        for layer in range(3):
            weight, bias = (mlp.named()[f"{kind}_{layer}"][group].double().numpy() for kind in ("weight", "bias"))
            hidden = hidden @ weight + bias
            hidden = np.maximum(hidden, 0) if layer < 2 else hidden
        np.testing.assert_allclose(outputs[group], hidden, rtol=1e-5, atol=1e-5)
    assert (outputs < 0).any(), "the output layer is linear"


def test_groups_do_not_see_each_other() -> None:
    mlp = network()
    inputs = torch.randn(3, 7, 4, generator=torch.Generator().manual_seed(2))
    before = mlp(inputs).detach().clone()
    for tensor in mlp.tensors:
        tensor.data[1] += 1
    after = mlp(inputs).detach()
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert not torch.equal(before[1], after[1])


def test_every_other_network_is_taken_with_frozen_parameters() -> None:
    mlp = network(groups=4)
    inputs = torch.randn(2, 7, 4, generator=torch.Generator().manual_seed(3))
    spread = torch.zeros(4, 7, 4)
    spread[::2] = inputs
    chosen = forward(mlp.every(2), inputs)
    torch.testing.assert_close(chosen, mlp(spread)[::2])
    assert not chosen.requires_grad


def test_named_parameters_share_memory() -> None:
    mlp = network()
    assert list(mlp.named()) == [f"{kind}_{layer}" for layer in range(3) for kind in ("weight", "bias")]
    mlp.named()["bias_2"].fill_(7)
    mlp.named()["weight_2"].zero_()
    assert (mlp(torch.zeros(3, 1, 4)) == 7).all()


def modules(mlp: MLP, group: int) -> nn.Sequential:
    first, second = nn.Linear(3, 8), nn.Linear(8, 1)
    for layer, linear in enumerate((first, second)):
        linear.weight.data = mlp.named()[f"weight_{layer}"][group].T.clone()
        linear.bias.data = mlp.named()[f"bias_{layer}"][group][0].clone()
    return nn.Sequential(first, nn.ReLU(), second)


def test_optimiser_is_adam_on_each_network() -> None:
    mlp = network(groups=2, sizes=(3, 8, 1))
    plain = [modules(mlp, group) for group in range(2)]
    adams = [torch.optim.Adam(net.parameters(), 3e-4, betas=(0.9, 0.999), eps=1e-8) for net in plain]
    optimiser, random = Optimiser(mlp, 3e-4), torch.Generator().manual_seed(4)
    for _ in range(20):
        inputs = torch.randn(2, 5, 3, generator=random)
        optimiser.minimise((mlp(inputs) - 1).square().mean((1, 2)).sum())
        for group, (net, adam) in enumerate(zip(plain, adams, strict=True)):
            adam.zero_grad()
            (net(inputs[group]) - 1).square().mean().backward()
            adam.step()
    for group, net in enumerate(plain):
        for mine, its in zip(net.parameters(), modules(mlp, group).parameters(), strict=True):
            torch.testing.assert_close(mine, its, rtol=0, atol=2e-6)


def test_first_step_of_adam_has_the_size_of_the_learning_rate() -> None:
    mlp = network(groups=1, sizes=(3, 8, 1))
    before = mlp.named()["bias_1"].clone()
    Optimiser(mlp, 3e-4).minimise(50 * mlp(torch.ones(1, 2, 3)).sum())
    assert (mlp.named()["bias_1"] - before).item() == pytest.approx(-3e-4, rel=1e-3)


def test_minimising_reaches_no_other_network() -> None:
    first, second = network(groups=1, sizes=(3, 8, 3)), network(groups=1, sizes=(3, 8, 1))
    before = second.flat.clone()
    Optimiser(first, 1e-2).minimise(second(first(torch.ones(1, 4, 3))).sum())
    assert torch.equal(second.flat, before)
    assert not second.gradient.any()
