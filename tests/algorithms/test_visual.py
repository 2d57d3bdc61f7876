from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from algorithms.adam import Adam
from algorithms.networks import MLP, Scratch
from algorithms.visual import VisualLayers, VisualMLP
from envs.base import ImageSpec

CPU = torch.device("cpu")
IMAGE = ImageSpec(6, 5, 2)
STATES, ACTIONS = 4, 3
INPUTS = STATES + IMAGE.size + ACTIONS


def network(groups: int, outputs: int = 2, actions: int = ACTIONS, scratch: Scratch | None = None) -> VisualMLP:
    """Networks in double precision whose parameters are all different."""
    sizes = (STATES + IMAGE.size + actions, 8, 6, outputs)
    made = VisualMLP(groups, sizes, IMAGE, STATES, CPU, torch.float64, scratch)
    random = torch.Generator().manual_seed(1)
    made.flat.copy_(torch.randn(made.flat.shape, generator=random, dtype=torch.float64) / 2)
    return made


def batch(groups: int, number: int = 7, actions: int = ACTIONS) -> Tensor:
    random = torch.Generator().manual_seed(2)
    values = torch.randn(groups, number, STATES + IMAGE.size + actions, generator=random, dtype=torch.float64)
    pixels = torch.randint(0, 256, (groups, number, IMAGE.size), generator=random)
    values[..., STATES : STATES + IMAGE.size] = pixels
    return values


def by_autograd(made: VisualMLP, inputs: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of sum(outputs * gradient) with respect to inputs and to all parameters, from PyTorch."""
    inputs = inputs.clone().requires_grad_()
    other = VisualMLP(made.groups, made.sizes, IMAGE, STATES, CPU, torch.float64)
    leaf = made.flat.clone().requires_grad_()
    encoders, inner = other._encoders, other._perceptrons
    assert isinstance(inner, MLP)
    encoders.weights, encoders.biases = encoders._split(leaf[: -inner.flat.numel()], IMAGE)
    inner.weights, inner.biases = inner._split(leaf[-inner.flat.numel() :])
    (other(inputs) * gradient).sum().backward()
    assert inputs.grad is not None
    assert leaf.grad is not None
    return inputs.grad, leaf.grad


@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize(("outputs", "actions"), [(1, ACTIONS), (2, 0)], ids=["critics", "actors"])
def test_gradients_are_those_of_autograd(groups: int, outputs: int, actions: int) -> None:
    made, inputs = network(groups, outputs, actions), batch(groups, actions=actions)
    work = made.new_pass(7, Scratch())
    for factor in (1, 2):  # the second time over the leftovers of the first
        inputs[..., :STATES] *= factor
        gradient = factor * torch.ones(groups, 7, outputs, dtype=torch.float64)
        torch.testing.assert_close(work.forward(inputs), made(inputs), rtol=1e-12, atol=1e-12)
        of_inputs, of_parameters = by_autograd(made, inputs, gradient)
        for entries in (slice(STATES), slice(1, 3), slice(STATES + IMAGE.size, None)):
            got = work.input_gradient(gradient, entries)
            torch.testing.assert_close(got, of_inputs[..., entries], rtol=1e-10, atol=1e-12)
        work.backward(gradient)
        torch.testing.assert_close(made.gradient, of_parameters, rtol=1e-10, atol=1e-12)
        assert of_parameters.ne(0).double().mean() > 0.3


def test_gradients_stop_at_the_pixels() -> None:
    work = network(1).new_pass(7, Scratch())
    work.forward(batch(1))
    for entries in (slice(None), slice(STATES, STATES + 1), slice(STATES + IMAGE.size - 1, None)):
        with pytest.raises(AssertionError, match="gradients stop at the pixels"):
            work.input_gradient(torch.ones(1, 7, 2, dtype=torch.float64), entries)


def test_a_call_is_differentiable_with_respect_to_all_inputs() -> None:
    made, inputs = network(2), batch(2, 3).requires_grad_()
    made.every(1)(inputs).sum().backward()
    assert inputs.grad is not None
    assert inputs.grad.ne(0).any((0, 1)).all()
    step = torch.randn(inputs.shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    with torch.no_grad():
        ahead, back = (made(inputs + sign * 1e-6 * step).sum() for sign in (1, -1))
    assert (inputs.grad * step).sum().item() == pytest.approx((ahead - back).item() / 2e-6, rel=1e-6)


def test_every_other_network_shares_memory() -> None:
    made, inputs = network(4), batch(4)
    every, whole = made.every(2), made(inputs)
    assert isinstance(every, VisualLayers)
    torch.testing.assert_close(every(inputs[::2]), whole[::2])
    torch.testing.assert_close(every.new_pass(7, Scratch()).forward(inputs[::2]), whole[::2])
    made.flat.add_(0.1)
    torch.testing.assert_close(every(inputs[::2]), made(inputs)[::2])


def test_groups_do_not_see_each_other() -> None:
    made, inputs = network(3), batch(3)
    work = made.new_pass(7, Scratch())
    before = work.forward(inputs).clone()
    for tensor in made.named().values():
        tensor[1] += 1
    inputs[1] *= 0.5
    after = work.forward(inputs)
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert not torch.equal(before[1], after[1])


def test_networks_that_share_scratch_memory_do_not_disturb_each_other() -> None:
    scratch = Scratch()
    critics, targets = network(4, 1, scratch=scratch), network(4, 1, scratch=scratch)
    targets.flat.mul_(-1)
    inputs, ones = batch(4), torch.ones(4, 7, 1, dtype=torch.float64)
    learning, target = critics.new_pass(7, scratch), targets.new_pass(7, scratch, keep="deltas")
    wanted = targets(inputs.flip(1))
    torch.testing.assert_close(target.forward(inputs.flip(1)), wanted)
    learning.forward(inputs)
    learning.backward(ones)
    torch.testing.assert_close(critics.gradient, by_autograd(critics, inputs, ones)[1], rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(target.outputs, wanted)
    learning.forward(inputs)
    target.forward(inputs)
    with pytest.raises(AssertionError, match="another pass overwrote the images"):
        learning.backward(ones)


def test_named_parameters_are_all_and_share_memory() -> None:
    made = network(2)
    named = made.named()
    assert sum(tensor.numel() for tensor in named.values()) == made.flat.numel() == made.gradient.numel()
    assert all(len(tensor) == 2 for tensor in named.values())
    made.flat.fill_(7)
    assert all((tensor == 7).all() for tensor in named.values())


def test_a_seed_starts_the_same_alone_and_in_a_group() -> None:
    generators = [[np.random.default_rng(seed) for seed in seeds] for seeds in ((3, 8), (8,))]
    pair, alone = network(4), network(2)
    pair.initialise(generators[0])
    alone.initialise(generators[1])
    for name, tensor in alone.named().items():
        assert torch.equal(tensor, pair.named()[name][2:]), name
        assert "bias" in name or not torch.equal(tensor[0], tensor[1])


def test_the_encoder_learns_with_the_perceptron() -> None:
    made, inputs = network(2, 1), batch(2)
    work, adam = made.new_pass(7, Scratch()), Adam(made.flat, made.gradient, 1e-3)
    before = {name: tensor.clone() for name, tensor in made.named().items()}
    wanted = torch.randn(2, 7, 1, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    losses = []
    for _ in range(300):
        errors = work.forward(inputs) - wanted
        losses.append(errors.square().mean().item())
        work.backward(2 * errors / 7)
        adam.step()
    assert losses[-1] < 0.02 * losses[0]
    assert all(not torch.equal(tensor, before[name]) for name, tensor in made.named().items())
