from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from algorithms.adam import Adam
from algorithms.networks import MLP, Layers, Pass, Scratch

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
    for tensor in mlp.named().values():
        tensor[1] += 1
    after = mlp(inputs).detach()
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert not torch.equal(before[1], after[1])


def test_every_other_network() -> None:
    mlp = network(groups=4)
    inputs = torch.randn(2, 7, 4, generator=torch.Generator().manual_seed(3))
    spread = torch.zeros(4, 7, 4)
    spread[::2] = inputs
    torch.testing.assert_close(mlp.every(2)(inputs), mlp(spread)[::2])


def test_named_parameters_share_memory() -> None:
    mlp = network()
    assert list(mlp.named()) == [f"{kind}_{layer}" for layer in range(3) for kind in ("weight", "bias")]
    mlp.named()["bias_2"].fill_(7)
    mlp.named()["weight_2"].zero_()
    assert (mlp(torch.zeros(3, 1, 4)) == 7).all()


# ---- gradients ------------------------------------------------------------------------------------------------


def wiggly(groups: int, sizes: tuple[int, ...]) -> MLP:
    """A network in double precision whose parameters are all different."""
    mlp = MLP(groups, sizes, CPU, torch.float64)
    mlp.flat.copy_(torch.randn(mlp.flat.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64))
    return mlp


def by_autograd(mlp: MLP, inputs: Tensor, gradient: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Gradients of sum(outputs * gradient) with respect to inputs and parameters, from PyTorch."""
    inputs = inputs.clone().requires_grad_()
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in mlp.named().items()}
    tensors = list(leaves.values())
    (Layers(tensors[::2], tensors[1::2])(inputs) * gradient).sum().backward()
    found = {name: leaf.grad for name, leaf in leaves.items()}
    assert inputs.grad is not None
    return inputs.grad, {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("sizes", [(4, 7, 1), (4, 7, 2), (5, 8, 6, 3), (5, 8, 6, 1), (3, 4, 5, 6, 2)])
def test_gradients_are_those_of_autograd(groups: int, sizes: tuple[int, ...]) -> None:
    mlp, random = wiggly(groups, sizes), torch.Generator().manual_seed(2)
    work = Pass(mlp, 9, Scratch())
    for _ in range(2):  # the second time over the leftovers of the first
        inputs = torch.randn(groups, 9, sizes[0], generator=random, dtype=torch.float64)
        gradient = torch.randn(groups, 9, sizes[-1], generator=random, dtype=torch.float64)
        torch.testing.assert_close(work.forward(inputs), mlp(inputs), rtol=1e-12, atol=1e-12)
        of_inputs, of_parameters = by_autograd(mlp, inputs, gradient)
        torch.testing.assert_close(work.input_gradient(gradient), of_inputs, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(work.input_gradient(gradient, slice(2, None)), of_inputs[..., 2:])
        work.backward(gradient)
        pairs = zip(mlp.gradients.weights, mlp.gradients.biases, strict=True)
        mine = [tensor for pair in pairs for tensor in pair]
        for got, (name, wanted) in zip(mine, of_parameters.items(), strict=True):
            torch.testing.assert_close(got, wanted, rtol=1e-12, atol=1e-12, msg=name)
    assert mlp.gradient.ne(0).float().mean() > 0.4


def test_gradients_agree_with_finite_differences() -> None:
    mlp = wiggly(1, (3, 6, 5, 2))
    inputs, gradient = torch.full((1, 4, 3), 0.3, dtype=torch.float64), torch.ones(1, 4, 2, dtype=torch.float64)
    work = Pass(mlp, 4, Scratch())
    work.forward(inputs)
    work.backward(gradient)
    for entry in range(mlp.flat.numel()):
        sums = []
        for step in (1e-6, -2e-6):
            mlp.flat[entry] += step
            sums.append(mlp(inputs).sum().item())
        mlp.flat[entry] += 1e-6
        assert (sums[0] - sums[1]) / 2e-6 == pytest.approx(mlp.gradient[entry].item(), rel=1e-5, abs=1e-6)


def test_inputs_may_be_part_of_a_wider_buffer() -> None:
    mlp, random = wiggly(2, (3, 6, 1)), torch.Generator().manual_seed(2)
    wide = torch.randn(2, 2, 5, 8, generator=random, dtype=torch.float64)
    part, ones = wide[:, 1, :, 2:5], torch.ones(2, 5, 1, dtype=torch.float64)
    results = []
    for inputs in (part, part.contiguous()):
        work = Pass(mlp, 5, Scratch())
        results.append(work.forward(inputs).clone())
        work.backward(ones)
        results.append(mlp.gradient.clone())
    torch.testing.assert_close(results[0], results[2])
    torch.testing.assert_close(results[1], results[3])


def test_a_pass_whose_hidden_layers_are_gone_gives_no_gradient() -> None:
    mlp, scratch = wiggly(1, (3, 6, 1)), Scratch()
    one, other, target = Pass(mlp, 4, scratch), Pass(mlp, 4, scratch), Pass(mlp, 4, scratch, keep="deltas")
    inputs, ones = torch.ones(1, 4, 3, dtype=torch.float64), torch.ones(1, 4, 1, dtype=torch.float64)
    one.forward(inputs)
    target.forward(inputs)
    one.input_gradient(ones)
    other.forward(inputs)
    for each in (one, target):
        with pytest.raises(AssertionError, match="another pass overwrote the hidden layers"):
            each.backward(ones)
    other.backward(ones)


def test_gradients_reach_the_inputs_of_a_called_network() -> None:
    mlp = wiggly(2, (3, 6, 1))
    inputs = torch.ones(2, 4, 3, dtype=torch.float64, requires_grad=True)
    mlp.every(1)(inputs).sum().backward()
    assert inputs.grad is not None
    assert not mlp.flat.requires_grad


# ---- Adam -----------------------------------------------------------------------------------------------------


def test_adam_is_adam() -> None:
    mlp, random = wiggly(2, (3, 8, 1)), torch.Generator().manual_seed(4)
    leaf = mlp.flat.clone().requires_grad_()
    plain = torch.optim.Adam([leaf], 3e-4, betas=(0.9, 0.999), eps=1e-8, foreach=False)
    adam = Adam(mlp.flat, mlp.gradient, 3e-4)
    for _ in range(50):
        gradient = torch.randn(mlp.flat.shape, generator=random, dtype=torch.float64)
        mlp.gradient.copy_(gradient)
        adam.step()
        leaf.grad = gradient
        plain.step()
    torch.testing.assert_close(mlp.flat, leaf.detach(), rtol=0, atol=1e-12)


def test_adam_by_hand() -> None:
    mlp = MLP(1, (1, 1), CPU, torch.float64)
    adam, mean, square, value = Adam(mlp.flat, mlp.gradient, 0.1), 0.0, 0.0, 0.0
    for step, gradient in enumerate((2.0, -1.0, 0.5), start=1):
        mlp.gradient.fill_(gradient)
        adam.step()
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        value -= 0.1 * (mean / (1 - 0.9**step)) / ((square / (1 - 0.999**step)) ** 0.5 + 1e-8)
        assert mlp.flat.tolist() == pytest.approx([value, value], rel=1e-9)


def test_first_step_of_adam_has_the_size_of_the_learning_rate() -> None:
    mlp = network(groups=1, sizes=(3, 8, 1))
    before = mlp.flat.clone()
    mlp.gradient.fill_(50)
    Adam(mlp.flat, mlp.gradient, 3e-4).step()
    torch.testing.assert_close(mlp.flat, before - 3e-4, rtol=0, atol=1e-7)


def test_adam_continues_from_its_state() -> None:
    one, other = network(groups=1), network(groups=1)
    first, second = (Adam(mlp.flat, mlp.gradient, 1e-2) for mlp in (one, other))
    for adam, mlp in ((first, one), (second, other)):
        mlp.gradient.fill_(1)
        adam.step()
    for _ in range(3):
        one.gradient.fill_(-0.3)
        first.step()
    second.load_state_dict({name: tensor.clone() for name, tensor in first.state_dict().items()})
    other.flat.copy_(one.flat)
    for adam, mlp in ((first, one), (second, other)):
        mlp.gradient.fill_(0.1)
        adam.step()
    assert torch.equal(one.flat, other.flat)


def test_adam_can_go_up() -> None:
    up, down = network(groups=1), network(groups=1)
    for mlp, maximise in ((up, True), (down, False)):
        before = mlp.flat.clone()
        mlp.gradient.fill_(2)
        Adam(mlp.flat, mlp.gradient, 1e-2, maximise=maximise).step()
        mlp.flat.sub_(before)
    torch.testing.assert_close(up.flat, -down.flat)
    assert (up.flat > 0).all()
