"""Multilayer perceptrons for several seeds at once, and their gradients by hand.

Every tensor carries a leading group axis G: one group per seed for an actor, two per seed for twin critics.  The
groups are evaluated side by side as batched matrix products and never influence each other.  All parameters of a
network are slices of one buffer, and so are all gradients, which makes an optimiser step or a Polyak step a single
operation.

A training spends most of its time in this module.  :class:`Pass` therefore writes every result into a buffer made
beforehand, and backpropagation is spelled out: recording and freeing autograd's graph would cost 40 % of the time
of the matrix products.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import pairwise
from math import prod

import numpy as np
import torch
from torch import Tensor

#: Output weights of actors and critics start within this bound (authors' code, as in HIRO).
OUTPUT_BOUND = 3e-3


class Layers:
    """Weights [G, in, out] and biases [G, 1, out] of perceptrons with ReLU hidden layers and a linear output.

    Calling it is ordinary differentiable PyTorch; gradients reach the inputs.
    """

    def __init__(self, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> None:
        self.weights, self.biases = list(weights), list(biases)

    def __call__(self, inputs: Tensor) -> Tensor:
        """Evaluate all networks: [G, B, in] to [G, B, out]."""
        hidden = inputs
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            hidden = torch.relu(torch.baddbmm(bias, hidden, weight))
        return torch.baddbmm(self.biases[-1], hidden, self.weights[-1])

    def every(self, stride: int) -> Layers:
        """Every ``stride``-th network, sharing memory with this one."""
        return Layers([weight[::stride] for weight in self.weights], [bias[::stride] for bias in self.biases])

    def new_pass(self, batch: int, scratch: Scratch, keep: str = "hidden") -> Pass:
        """A way to evaluate them on batches of B, see :class:`Pass`."""
        return Pass(self, batch, scratch, keep)


class Scratch:
    """Memory that networks use in turn: the less of it there is, the more of it is still in the cache.

    Attributes:
        holders: which pass wrote to which memory last.
    """

    def __init__(self) -> None:
        self._buffers: dict[Hashable, Tensor] = {}
        self.holders: dict[Hashable, int] = {}

    def take(self, name: str, groups: int, batch: int, widths: Sequence[int], like: Tensor) -> list[Tensor]:
        """Buffers for the hidden layers, [G, B, width] each; the same memory for the same name and size."""
        return [
            self._at_least((name, layer, batch, width, like.dtype, like.device), groups, (batch, width), like)
            for layer, width in enumerate(widths)
        ]

    def zeros(self, name: str, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """A buffer that starts as zeros; the same memory for the same name and shape."""
        return self._at_least((name, shape, like.dtype, like.device), shape[0], shape[1:], like)

    def gradient(self, like: Tensor) -> Tensor:
        """A buffer for the gradients of one network at a time, shaped like its parameters."""
        return self._at_least(("gradient", like.dtype, like.device), len(like), (), like)

    def _at_least(self, key: Hashable, length: int, shape: tuple[int, ...], like: Tensor) -> Tensor:
        if key not in self._buffers or len(self._buffers[key]) < length:
            self._buffers[key] = like.new_zeros(length, *shape)
        return self._buffers[key][:length]


def buffers(
    length: int, device: torch.device, dtype: torch.dtype, scratch: Scratch | None
) -> tuple[Tensor, Tensor]:
    """Memory for a network's parameters and for their gradients, [length] each."""
    flat = torch.zeros(length, device=device, dtype=dtype)
    return flat, (scratch or Scratch()).gradient(flat)


def draw_weights(
    weights: Sequence[Tensor], bounds: Sequence[float], generators: Sequence[np.random.Generator]
) -> None:
    """Draw weights of G networks, [G, ...] per layer, uniformly within a bound per layer.

    Args:
        weights: one tensor per layer.
        bounds: one per layer.
        generators: one per seed; consecutive groups belong to the same seed, and draw layer by layer.
    """
    groups = len(weights[0])
    for group in range(groups):
        generator = generators[group * len(generators) // groups]
        for weight, bound in zip(weights, bounds, strict=True):
            weight[group] = torch.from_numpy(generator.uniform(-bound, bound, tuple(weight.shape[1:])))


class MLP(Layers):
    """G independent perceptrons that own their parameters and the gradients of these.

    Args:
        groups: number of independent networks G.
        sizes: layer widths, from input to output.
        device: where the parameters live.
        dtype: floating point type of the parameters.
        scratch: memory for the gradients.
        memory: where parameters and gradients go if not into buffers of their own, [P] each.

    Attributes:
        flat: all parameters, shape [P].
        gradient: what :meth:`Pass.backward` fills, shape [P]; good until another network's is filled.
        gradients: its parts, shaped like the layers.
    """

    def __init__(
        self,
        groups: int,
        sizes: Sequence[int],
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        scratch: Scratch | None = None,
        memory: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        self.groups, self.sizes = groups, tuple(sizes)
        self.flat, self.gradient = memory or buffers(self.length(groups, sizes), device, dtype, scratch)
        super().__init__(*self._split(self.flat))
        self.gradients = Layers(*self._split(self.gradient))

    @staticmethod
    def length(groups: int, sizes: Sequence[int]) -> int:
        """Number of parameters P."""
        return groups * sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(sizes))

    def initialise(self, generators: Sequence[np.random.Generator]) -> None:
        """Draw fresh weights: hidden U(+-1/sqrt(fan_in)), output U(+-0.003), biases zero.

        Args:
            generators: one per seed; consecutive groups belong to the same seed.
        """
        bounds = [weight.shape[1] ** -0.5 for weight in self.weights[:-1]]
        draw_weights(self.weights, [*bounds, OUTPUT_BOUND], generators)
        for bias in self.biases:
            bias.zero_()

    def gradients_by_group(self) -> Tensor:
        """A copy of what :attr:`gradient` holds, [G, P / G]."""
        parts = (*self.gradients.weights, *self.gradients.biases)
        return torch.cat([part.flatten(1) for part in parts], dim=1)

    def named(self) -> dict[str, Tensor]:
        """Parameters by name, for saving; they share memory with the network."""
        pairs = zip(self.weights, self.biases, strict=True)
        return {
            f"{kind}_{layer}": tensor
            for layer, pair in enumerate(pairs)
            for kind, tensor in zip(("weight", "bias"), pair, strict=True)
        }

    def _split(self, flat: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Weights and biases as views of a flat buffer.

        The output weights lie transposed in memory, because the product with them is evaluated transposed.
        """
        shapes = [
            shape
            for fan_in, fan_out in pairwise(self.sizes)
            for shape in ((self.groups, fan_in, fan_out), (self.groups, 1, fan_out))
        ]
        shapes[-2] = (self.groups, self.sizes[-1], self.sizes[-2])
        parts = [part.view(shape) for part, shape in zip(flat.split([*map(prod, shapes)]), shapes, strict=True)]
        parts[-2] = parts[-2].mT
        return parts[0::2], parts[1::2]


class Pass:
    """One evaluation of networks on batches of B inputs and the gradients through it, in memory made beforehand.

    Outputs hold until the next :meth:`forward`; gradients can be asked for until another pass over the same
    scratch memory has begun.  With hidden layers h_0 (the inputs), ..., h_L, where
    h_l = relu(h_{l-1} W_l + b_l), and the output y = h_L W + b:

        dJ/dW_l = h_{l-1}^T d_l,   dJ/db_l = sum of d_l over the batch,   d_{l-1} = (d_l W_l^T) * [h_{l-1} > 0],

    where d_l is the gradient of J with respect to what enters layer l's activation.

    The output layer is evaluated as y^T = W^T h^T: for a critic's single output the batched product is over three
    times faster that way round.

    Args:
        layers: the networks.
        batch: number of inputs B.
        scratch: memory for hidden layers and their gradients.
        keep: which memory of ``scratch`` the hidden layers take; with ``deltas`` there are no gradients.

    Attributes:
        outputs: what the last evaluation gave, [G, B, out].
    """

    def __init__(self, layers: Layers, batch: int, scratch: Scratch, keep: str = "hidden") -> None:
        self._layers, last = layers, layers.weights[-1]
        widths = [weight.shape[2] for weight in layers.weights[:-1]]
        self._scratch, self._memory, self._keeps = scratch, (keep, batch), keep != "deltas"
        self._hidden = scratch.take(keep, len(last), batch, widths, last)
        self._deltas = scratch.take("deltas", len(last), batch, widths, last)
        self._output = last.new_empty(len(last), last.shape[2], batch)
        self._transposed = [weight.mT for weight in layers.weights]
        self._hidden_transposed = [hidden.mT for hidden in self._hidden]
        self._output_bias = layers.biases[-1].mT
        self._inputs = self._output  # until the first forward pass
        self.outputs = self._output.mT

    def forward(self, inputs: Tensor) -> Tensor:
        """Evaluate all networks: [G, B, in] to [G, B, out]."""
        self._scratch.holders[self._memory] = id(self)
        self._inputs = hidden = inputs
        for weight, bias, result in zip(self._layers.weights, self._layers.biases, self._hidden, strict=False):
            hidden = torch.baddbmm(bias, hidden, weight, out=result).relu_()
        torch.baddbmm(self._output_bias, self._transposed[-1], self._hidden_transposed[-1], out=self._output)
        return self.outputs

    def backward(self, gradient: Tensor) -> Tensor:
        """Fill the gradients of the network (an :class:`MLP`) from dJ/dy, [G, B, out]; returns d_1."""
        assert isinstance(self._layers, MLP), "only networks that own their parameters learn"
        self._check()
        gradients, delta = self._layers.gradients, gradient
        torch.bmm(delta.mT, self._hidden[-1], out=gradients.weights[-1].mT)
        torch.sum(delta, 1, keepdim=True, out=gradients.biases[-1])
        for layer in reversed(range(len(self._hidden))):
            delta = self._back_through(layer, delta)
            below = self._hidden_transposed[layer - 1] if layer else self._inputs.mT
            torch.bmm(below, delta, out=gradients.weights[layer])
            torch.sum(delta, 1, keepdim=True, out=gradients.biases[layer])
        return delta

    def input_gradient(self, gradient: Tensor, entries: slice = slice(None)) -> Tensor:
        """The gradient with respect to some entries of the inputs, [G, B, entries], from dJ/dy, [G, B, out]."""
        self._check()
        delta = gradient
        for layer in reversed(range(len(self._hidden))):
            delta = self._back_through(layer, delta)
        return self.to_inputs(delta, entries)

    def to_inputs(self, delta: Tensor, entries: slice) -> Tensor:
        """Take d_1 back through the first weights to some entries of the inputs, [G, B, entries]."""
        return torch.bmm(delta, self._layers.weights[0][:, entries].mT)

    def _check(self) -> None:
        held = self._keeps and self._scratch.holders.get(self._memory) == id(self)
        assert held, "another pass overwrote the hidden layers: give each that needs them its own Scratch"

    def _back_through(self, layer: int, delta: Tensor) -> Tensor:
        """Take d_{l+1} back through the weights above a hidden layer and its ReLU, to d_l."""
        above, hidden, result = self._transposed[layer + 1], self._hidden[layer], self._deltas[layer]
        torch.bmm(delta, above, out=result)
        return torch.ops.aten.threshold_backward.grad_input(result, hidden, 0, grad_input=result)
