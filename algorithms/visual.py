"""Networks that see an image: a convolutional encoder in front of a perceptron.

Their inputs are those of a perceptron, with the pixels of one image among them.  The encoder's features take the
place of the pixels; what stands before and after these goes straight to the perceptron.  The encoder and the
perceptron learn together, and every network has its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from algorithms.encoder import Convolutions, EncoderPass, Encoders
from algorithms.networks import MLP, Layers, Pass, Scratch, buffers
from envs.base import ImageSpec


class VisualLayers:
    """G encoders with their perceptrons.

    Args:
        encoders: what reads the images.
        perceptrons: what reads all else, with the features in place of the pixels.
        start: the first pixel's place in the inputs.
    """

    def __init__(self, encoders: Convolutions, perceptrons: Layers, start: int) -> None:
        self.encoders, self.perceptrons, self.start = encoders, perceptrons, start

    def __call__(self, inputs: Tensor) -> Tensor:
        """Evaluate all networks: [G, B, in] to [G, B, out]; differentiable, as of a perceptron."""
        before, pixels, after = self.parts(inputs, self.encoders.image.size)
        return self.perceptrons(torch.cat((before, self.encoders(pixels), after), dim=-1))

    def parts(self, inputs: Tensor, middle: int) -> tuple[Tensor, ...]:
        """What stands before the image, ``middle`` entries for the image, and what follows them."""
        return inputs.tensor_split((self.start, self.start + middle), dim=-1)

    def every(self, stride: int) -> VisualLayers:
        """Every ``stride``-th network, sharing memory with this one."""
        return VisualLayers(self.encoders.every(stride), self.perceptrons.every(stride), self.start)

    def new_pass(self, batch: int, scratch: Scratch, keep: str = "hidden") -> VisualPass:
        """A way to evaluate them on batches of B, see :class:`VisualPass`."""
        return VisualPass(self, batch, scratch, keep)


class VisualMLP(VisualLayers):
    """G independent networks that own their parameters and the gradients of these, as an :class:`MLP` does.

    Args:
        groups: number of independent networks G.
        sizes: widths, from inputs (with all pixels) to output.
        image: size of the image.
        start: the first pixel's place in the inputs.
        device: where the parameters live.
        dtype: floating point type of the parameters.
        scratch: memory for the gradients.

    Attributes:
        flat: all parameters, shape [P].
        gradient: what :meth:`VisualPass.backward` fills, shape [P]; good until another network's is filled.
    """

    def __init__(
        self,
        groups: int,
        sizes: Sequence[int],
        image: ImageSpec,
        start: int,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        scratch: Scratch | None = None,
    ) -> None:
        self.groups, self.sizes = groups, tuple(sizes)
        features = Convolutions(image, (), ()).features
        inner = (sizes[0] - image.size + features, *sizes[1:])
        lengths = [Encoders.length(groups, image), MLP.length(groups, inner)]
        self.flat, self.gradient = buffers(sum(lengths), device, dtype, scratch)
        first, second = zip(self.flat.split(lengths), self.gradient.split(lengths), strict=True)
        self._encoders = Encoders(groups, image, first)
        self._perceptrons = MLP(groups, inner, device, dtype, memory=second)
        super().__init__(self._encoders, self._perceptrons, start)

    def initialise(self, generators: Sequence[np.random.Generator]) -> None:
        """Draw fresh weights, by the same rule for both parts; ``generators`` as of :meth:`MLP.initialise`."""
        self._encoders.initialise(generators)
        self._perceptrons.initialise(generators)

    def gradients_by_group(self) -> Tensor:
        """A copy of what :attr:`gradient` holds, [G, P / G]."""
        filters = self._encoders.gradients
        parts = [part.flatten(1) for part in (*filters.weights, *filters.biases)]
        return torch.cat((*parts, self._perceptrons.gradients_by_group()), dim=1)

    def named(self) -> dict[str, Tensor]:
        """Parameters by name, for saving; they share memory with the network."""
        return self._encoders.named() | self._perceptrons.named()


class VisualPass:
    """One evaluation of networks that see an image and the gradients through it; see :class:`Pass`.

    Attributes:
        outputs: what the last evaluation gave, [G, B, out].
    """

    def __init__(self, layers: VisualLayers, batch: int, scratch: Scratch, keep: str = "hidden") -> None:
        self._layers, weight = layers, layers.perceptrons.weights[0]
        self._encoder = EncoderPass(layers.encoders, batch, scratch)
        self._perceptron: Pass = layers.perceptrons.new_pass(batch, scratch, keep)
        self._inputs = scratch.zeros("encoded inputs", (len(weight), batch, weight.shape[1]), weight)
        self._parts = layers.parts(self._inputs, layers.encoders.features)
        self.outputs = self._perceptron.outputs

    def forward(self, inputs: Tensor) -> Tensor:
        """Evaluate all networks: [G, B, in] to [G, B, out]."""
        before, pixels, after = self._layers.parts(inputs, self._layers.encoders.image.size)
        self._parts[0].copy_(before)
        self._parts[2].copy_(after)
        self._encoder.forward(pixels, out=self._parts[1])
        return self._perceptron.forward(self._inputs)

    def backward(self, gradient: Tensor) -> None:
        """Fill the gradients of the network (a :class:`VisualMLP`) from dJ/dy, [G, B, out]."""
        delta = self._perceptron.backward(gradient)
        start = self._layers.start
        features = slice(start, start + self._layers.encoders.features)
        self._encoder.backward(self._perceptron.to_inputs(delta, features))

    def input_gradient(self, gradient: Tensor, entries: slice) -> Tensor:
        """The gradient with respect to some entries of the inputs, none of them pixels, see :class:`Pass`."""
        return self._perceptron.input_gradient(gradient, self._moved(entries))

    def _moved(self, entries: slice) -> slice:
        """Where entries of the inputs that lie on one side of the image stand in the perceptron's inputs."""
        encoders, start = self._layers.encoders, self._layers.start
        change = encoders.features - encoders.image.size
        first, last, _ = entries.indices(self._inputs.shape[-1] - change)
        assert last <= start or first >= start + encoders.image.size, "gradients stop at the pixels"
        return slice(first, last) if last <= start else slice(first + change, last + change)


#: What a learner's actor or critics are.
Network = MLP | VisualMLP
