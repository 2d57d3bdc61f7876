"""Multilayer perceptrons for several seeds at once, with all parameters in one flat buffer.

Every tensor carries a leading group axis G: one group per seed for an actor, two per seed for twin critics.  The
groups are evaluated side by side as batched matrix products and never influence each other.  Because parameters
and gradients of a network are slices of one buffer each, an optimiser step or a Polyak step is a single operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

#: Output weights of actors and critics start within this bound (authors' code, as in HIRO).
OUTPUT_BOUND = 3e-3


class MLP:
    """G independent perceptrons with ReLU hidden layers and a linear output.

    Args:
        groups: number of independent networks G.
        sizes: layer widths, from input to output.
        device: where the parameters live.
        dtype: floating point type of the parameters.
    """

    def __init__(
        self, groups: int, sizes: Sequence[int], device: torch.device, dtype: torch.dtype = torch.float32
    ) -> None:
        self.groups, self.sizes = groups, tuple(sizes)
        shapes = [
            shape
            for fan_in, fan_out in pairwise(sizes)
            for shape in ((groups, fan_in, fan_out), (groups, 1, fan_out))
        ]
        self.flat = torch.zeros(sum(map(np.prod, shapes)), device=device, dtype=dtype)
        self.gradient = torch.zeros_like(self.flat)
        self.flat.grad = self.gradient
        self.tensors: list[Tensor] = []
        offset = 0
        for shape in shapes:
            end = offset + int(np.prod(shape))
            tensor = self.flat[offset:end].view(shape).detach().requires_grad_()
            tensor.grad = self.gradient[offset:end].view(shape)
            self.tensors.append(tensor)
            offset = end

    def __call__(self, inputs: Tensor) -> Tensor:
        """Evaluate all networks: [G, B, in] to [G, B, out]."""
        return forward(self.tensors, inputs)

    def initialise(self, generators: Sequence[np.random.Generator]) -> None:
        """Draw fresh weights: hidden U(+-1/sqrt(fan_in)), output U(+-0.003), biases zero.

        Args:
            generators: one per seed; consecutive groups belong to the same seed.
        """
        per_seed = self.groups // len(generators)
        weights = self.tensors[0::2]
        for group in range(self.groups):
            generator = generators[group // per_seed]
            for weight in weights:
                bound = OUTPUT_BOUND if weight is weights[-1] else weight.shape[1] ** -0.5
                values = generator.uniform(-bound, bound, tuple(weight.shape[1:]))
                weight.data[group] = torch.from_numpy(values)
        for bias in self.tensors[1::2]:
            bias.data.zero_()

    def every(self, stride: int) -> list[Tensor]:
        """Parameters of every ``stride``-th network without gradient: [G / stride, ...] each."""
        return [tensor.detach()[::stride] for tensor in self.tensors]

    def named(self) -> dict[str, Tensor]:
        """Parameters by name, for saving; they share memory with the network."""
        names = [f"{kind}_{layer}" for layer in range(len(self.sizes) - 1) for kind in ("weight", "bias")]
        return {name: tensor.detach() for name, tensor in zip(names, self.tensors, strict=True)}


def forward(tensors: Sequence[Tensor], inputs: Tensor) -> Tensor:
    """Evaluate perceptrons given as alternating weights [G, in, out] and biases [G, 1, out]."""
    hidden = inputs
    for weight, bias in zip(tensors[:-2:2], tensors[1:-2:2], strict=True):
        hidden = torch.relu(torch.baddbmm(bias, hidden, weight))
    return torch.baddbmm(tensors[-1], hidden, tensors[-2])


class Optimiser:
    """Adam on the flat buffer of one network (beta 0.9 and 0.999, epsilon 1e-8)."""

    def __init__(self, network: MLP, learning_rate: float) -> None:
        self.network = network
        self.adam = torch.optim.Adam([network.flat], lr=learning_rate, fused=True)

    def minimise(self, loss: Tensor) -> None:
        """One step down the gradient of ``loss`` with respect to this network's parameters alone."""
        self.network.gradient.zero_()
        loss.backward(inputs=self.network.tensors)
        self.adam.step()
