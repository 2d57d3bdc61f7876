"""The encoder of images: convolutions for several networks side by side, and their gradients by hand.

It is that of the authors' code: three layers of 16 filters, 5 x 5 pixels wide and 2 pixels apart, each with ReLU.
An image of 32 x 32 pixels becomes 4 x 4 x 16 = 256 features.

The groups of :mod:`algorithms.networks` are groups of a grouped convolution here.  Images lie in memory in the
order height, width, group, channel ("channels last"), in which PyTorch's convolutions are about twice as fast on a
CPU as in its default order.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from algorithms.networks import Scratch, draw_weights
from envs.base import ImageSpec

LAYERS, FILTERS, KERNEL, STRIDE = 3, 16, 5, 2

#: The largest value of a pixel.
BRIGHTEST = 255

Shape = tuple[int, int, int]


def same_padding(size: int) -> tuple[int, int]:
    """How many zeros go before and after ``size`` pixels, so that ceil(size / stride) windows cover them.

    This is what TensorFlow calls "same": an odd zero goes to the end.
    """
    windows = -(-size // STRIDE)
    missing = max((windows - 1) * STRIDE + KERNEL - size, 0)
    return missing // 2, missing - missing // 2


def shapes(image: ImageSpec) -> list[Shape]:
    """Height, width and channels of an image and of what each layer makes of it."""
    found = [image.shape]
    for _ in range(LAYERS):
        height, width, _ = found[-1]
        found.append((-(-height // STRIDE), -(-width // STRIDE), FILTERS))
    return found


class Convolutions:
    """Weights [G, 16, 5, 5, C] and biases [G, 16] of the encoders of G networks.

    Calling it is ordinary differentiable PyTorch.

    Args:
        image: size of the images.
        weights: one tensor per layer.
        biases: one tensor per layer.

    Attributes:
        shapes: height, width and channels of an image and of what each layer makes of it.
        features: number of features F.
    """

    def __init__(self, image: ImageSpec, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> None:
        self.image, self.weights, self.biases = image, list(weights), list(biases)
        self.shapes = shapes(image)
        self.features = prod(self.shapes[-1])

    def __call__(self, pixels: Tensor) -> Tensor:
        """Encode images, [G, B, H W C] from 0 to 255, to features, [G, B, F].

        Features are divided by their number, so that all together weigh about as much as one other input (authors'
        code).
        """
        groups = len(pixels)
        hidden = grouped(spread(pixels / BRIGHTEST, self.shapes[0]))
        for shape, weight, bias in zip(self.shapes, self.weights, self.biases, strict=False):
            padding = (*same_padding(shape[1]), *same_padding(shape[0]))
            padded = functional.pad(hidden, padding)
            hidden = torch.relu(
                functional.conv2d(padded, filters(weight), bias.flatten(), stride=STRIDE, groups=groups)
            )
        maps = hidden.permute(0, 2, 3, 1).unflatten(-1, (groups, FILTERS))
        return maps.permute(3, 0, 1, 2, 4).flatten(2) / self.features

    def every(self, stride: int) -> Convolutions:
        """Those of every ``stride``-th network, sharing memory with these."""
        return Convolutions(
            self.image, [weight[::stride] for weight in self.weights], [bias[::stride] for bias in self.biases]
        )


def spread(values: Tensor, shape: Shape) -> Tensor:
    """Images side by side, [G, B, H W C], as [B, H, W, G, C]."""
    return values.unflatten(-1, shape).permute(1, 2, 3, 0, 4)


def grouped(images: Tensor) -> Tensor:
    """Images [B, H, W, G, C] as a convolution sees them, [B, G C, H, W]."""
    return images.flatten(3).permute(0, 3, 1, 2)


def filters(weight: Tensor) -> Tensor:
    """Weights [G, 16, 5, 5, C] as a convolution sees them, [16 G, C, 5, 5]."""
    return weight.flatten(0, 1).permute(0, 3, 1, 2)


def with_margins(shape: Shape) -> Shape:
    """Height, width and channels of images with the margins that a convolution needs."""
    height, width, channels = shape
    return height + sum(same_padding(height)), width + sum(same_padding(width)), channels


def within(values: Tensor, shape: Shape, first: int) -> Tensor:
    """What lies inside the margins; ``first`` is the axis of the height, the width's is the next."""
    height, width, _ = shape
    inside = values.narrow(first, same_padding(height)[0], height)
    return inside.narrow(first + 1, same_padding(width)[0], width)


class Encoders(Convolutions):
    """Convolutions of G independent networks that own their parameters and the gradients of these.

    Args:
        groups: number of networks G.
        image: size of the images.
        memory: where parameters and gradients go, :meth:`length` numbers each.

    Attributes:
        gradients: what :meth:`EncoderPass.backward` fills.
    """

    def __init__(self, groups: int, image: ImageSpec, memory: tuple[Tensor, Tensor]) -> None:
        self.groups = groups
        (weights, biases), gradients = (self._split(flat, image) for flat in memory)
        super().__init__(image, weights, biases)
        self.gradients = Convolutions(image, *gradients)

    @staticmethod
    def length(groups: int, image: ImageSpec) -> int:
        """Number of parameters."""
        return groups * FILTERS * sum(KERNEL * KERNEL * shape[2] + 1 for shape in shapes(image)[:-1])

    def initialise(self, generators: Sequence[np.random.Generator]) -> None:
        """Draw fresh weights: U(+-1/sqrt(fan_in)), biases zero, as for hidden layers of a perceptron.

        Args:
            generators: one per seed; consecutive groups belong to the same seed.
        """
        draw_weights(self.weights, [prod(weight.shape[2:]) ** -0.5 for weight in self.weights], generators)
        for bias in self.biases:
            bias.zero_()

    def named(self) -> dict[str, Tensor]:
        """Parameters by name, for saving; they share memory with the network."""
        weights = {f"filters_{layer}": weight for layer, weight in enumerate(self.weights)}
        return weights | {f"filters_bias_{layer}": bias for layer, bias in enumerate(self.biases)}

    def _split(self, flat: Tensor, image: ImageSpec) -> tuple[list[Tensor], list[Tensor]]:
        parts: tuple[list[Tensor], list[Tensor]] = ([], [])
        sizes = [
            (self.groups, FILTERS, *rest)
            for shape in shapes(image)[:-1]
            for rest in ((KERNEL, KERNEL, shape[2]), ())
        ]
        for index, (part, size) in enumerate(zip(flat.split([*map(prod, sizes)]), sizes, strict=True)):
            parts[index % 2].append(part.view(size))
        return parts


class Step(NamedTuple):
    """One convolution: a layer of some groups.

    Attributes:
        layer: which.
        groups: which, as a slice.
        inputs: with their margins, [B, g C, H, W].
        outputs: where they go, [B, H, W, g, 16].
    """

    layer: int
    groups: slice
    inputs: Tensor
    outputs: Tensor


class EncoderPass:
    """One evaluation of encoders on batches of B images and the gradients through it.

    As :class:`~algorithms.networks.Pass`, it works in memory made beforehand: a layer writes its result straight
    into the middle of the next layer's input, whose margins stay zero.  The first layer goes group by group, since
    weaving the three channels of several images into each other would take longer than their convolution.

    Args:
        encoders: the convolutions.
        batch: number of images B.
        scratch: memory for the layers.
    """

    def __init__(self, encoders: Convolutions, batch: int, scratch: Scratch) -> None:
        self._encoders, first = encoders, encoders.weights[0]
        self._groups = groups = len(first)
        self._scratch, self._memory = scratch, ("images", groups, batch)

        def zeros(name: str, *shape: int) -> Tensor:
            return scratch.zeros(f"encoder {name}", shape, first)

        image, *inner, last = encoders.shapes
        images = zeros("images", groups, batch, *with_margins(image))
        self._images = within(images, image, 2)
        layers = [
            zeros(f"layer {layer}", batch, *with_margins(shape)[:2], groups, FILTERS)
            for layer, shape in enumerate(inner)
        ]
        self._maps = [within(values, shape, 1) for values, shape in zip(layers, inner, strict=True)]
        self._maps.append(zeros("features", batch, *last[:2], groups, FILTERS))
        self._deltas = [zeros(f"deltas {layer}", *values.shape) for layer, values in enumerate(self._maps)]
        self._steps = [
            Step(0, one, grouped(images[group][:, :, :, None]), self._maps[0][..., one, :])
            for group, one in ((group, slice(group, group + 1)) for group in range(groups))
        ]
        self._steps += [
            Step(layer, slice(None), grouped(values), self._maps[layer])
            for layer, values in enumerate(layers, start=1)
        ]

    def forward(self, pixels: Tensor, out: Tensor) -> None:
        """Encode images, [G, B, H W C], to features, [G, B, F]."""
        self._scratch.holders[self._memory] = id(self)
        encoders = self._encoders
        torch.div(pixels.unflatten(-1, encoders.shapes[0]), BRIGHTEST, out=self._images)
        for layer, groups, inputs, outputs in self._steps:
            weight, bias = encoders.weights[layer][groups], encoders.biases[layer][groups]
            found = functional.conv2d(inputs, filters(weight), bias.flatten(), stride=STRIDE, groups=len(weight))
            torch.clamp_min(found.permute(0, 2, 3, 1), 0, out=outputs.flatten(3))
        maps = self._maps[-1].permute(3, 0, 1, 2, 4)
        torch.div(maps, encoders.features, out=out.unflatten(-1, encoders.shapes[-1]))

    def backward(self, gradient: Tensor) -> None:
        """Fill the gradients of the convolutions (:class:`Encoders`) from those of the features, [G, B, F]."""
        assert isinstance(self._encoders, Encoders), "only networks that own their parameters learn"
        held = self._scratch.holders.get(self._memory) == id(self)
        assert held, "another pass overwrote the images: give each that needs them its own Scratch"
        gradients, shapes = self._encoders.gradients, self._encoders.shapes
        delta = torch.div(spread(gradient, shapes[-1]), self._encoders.features, out=self._deltas[-1])
        self._through_relu(delta, LAYERS - 1)
        for step in reversed(self._steps):
            layer, groups = step.layer, step.groups
            below, of_weights, of_biases = self._back_through(step)
            filters(gradients.weights[layer][groups]).copy_(of_weights)
            gradients.biases[layer][groups].view(-1).copy_(of_biases)
            if layer:
                images = below.permute(0, 2, 3, 1).unflatten(-1, (self._groups, FILTERS))
                self._through_relu(within(images, shapes[layer], 1), layer - 1)

    def _back_through(self, step: Step) -> tuple[Tensor, Tensor, Tensor]:
        """Gradients with respect to inputs (not for the first layer), weights and biases of a convolution."""
        weight = self._encoders.weights[step.layer][step.groups]
        found: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.convolution_backward(
            grouped(self._deltas[step.layer][..., step.groups, :]),
            step.inputs,
            filters(weight),
            [len(weight) * FILTERS],
            [STRIDE, STRIDE],
            [0, 0],  # the margins are part of the input
            [1, 1],
            False,
            [0, 0],
            len(weight),
            [step.layer > 0, True, True],
        )
        return found

    def _through_relu(self, delta: Tensor, layer: int) -> None:
        """Take the gradient with respect to a layer's result back through its ReLU."""
        torch.ops.aten.threshold_backward.grad_input(delta, self._maps[layer], 0, grad_input=self._deltas[layer])
