"""The matrix products of one TD3 update and nothing else: what no implementation can avoid.

Every product has matrices and an output of its own, as the layers of several networks have, so that none finds its
operands in the cache because the product before it used them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

Product = tuple[Tensor, Tensor, Tensor]


def forward(batch: int, sizes: Sequence[int]) -> list[Product]:
    """Activations of every layer of one network."""
    return [_product(batch, inputs, outputs) for inputs, outputs in pairwise(sizes)]


def weight_gradients(batch: int, sizes: Sequence[int]) -> list[Product]:
    """Gradients of one network's weights, every layer."""
    return [_product(inputs, batch, outputs, transpose_left=True) for inputs, outputs in pairwise(sizes)]


def input_gradients(batch: int, sizes: Sequence[int], *, first: bool) -> list[Product]:
    """Gradients that one network passes from each layer to the one below it.

    Args:
        batch: rows.
        sizes: inputs, hidden layers and outputs.
        first: whether the gradient of the network's own inputs is needed too.
    """
    layers = list(pairwise(sizes))[0 if first else 1 :]
    return [_product(batch, outputs, inputs, transpose_right=True) for inputs, outputs in layers]


class BareUpdate:
    """The products of TD3 with twin critics; every second call includes those of the actor.

    Args:
        batch: rows of a batch.
        actor: layer sizes of the actor, from observation to action.
        critic: layer sizes of a critic, from observation and action to a value.
    """

    def __init__(self, batch: int, actor: Sequence[int], critic: Sequence[int]) -> None:
        twins = [
            product
            for _ in range(2)
            for product in (
                *forward(batch, critic),  # the target's
                *forward(batch, critic),
                *weight_gradients(batch, critic),
                *input_gradients(batch, critic, first=False),
            )
        ]
        self.critics = [*forward(batch, actor), *twins]
        self.actor = [
            *forward(batch, actor),
            *forward(batch, critic),
            *input_gradients(batch, critic, first=True),
            *weight_gradients(batch, actor),
            *input_gradients(batch, actor, first=False),
        ]
        self.calls = 0

    @torch.no_grad()
    def __call__(self) -> None:
        """One update."""
        self.calls += 1
        multiply(self.critics)
        if self.calls % 2 == 0:
            multiply(self.actor)


def multiply(products: Sequence[Product]) -> None:
    """Evaluate some products."""
    for left, right, out in products:
        torch.mm(left, right, out=out)


def multiply_adds(products: Sequence[Product]) -> int:
    """Multiplications (each with an addition) of some products."""
    return sum(left.shape[0] * left.shape[1] * right.shape[1] for left, right, _ in products)


def _product(
    rows: int, inner: int, columns: int, *, transpose_left: bool = False, transpose_right: bool = False
) -> Product:
    """Random operands in the layout in which an update holds them, and room for the result."""
    left = torch.randn(inner, rows).t() if transpose_left else torch.randn(rows, inner)
    right = torch.randn(columns, inner).t() if transpose_right else torch.randn(inner, columns)
    return left, right, torch.empty(rows, columns)
