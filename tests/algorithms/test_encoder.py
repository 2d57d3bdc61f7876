from __future__ import annotations

from itertools import product
from math import ceil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from algorithms.encoder import Convolutions, EncoderPass, Encoders, same_padding
from algorithms.networks import Scratch
from envs.base import ImageSpec

SMALL = ImageSpec(5, 8, 3)
SIZES = [SMALL, ImageSpec(1, 1, 1), ImageSpec(3, 7, 2), ImageSpec(16, 16, 3), ImageSpec(32, 32, 3)]
groups_and_sizes = pytest.mark.parametrize(
    ("groups", "image"),
    [*product((1, 2, 6), SIZES[:3]), (1, SIZES[3]), (2, SIZES[4])],
    ids=lambda value: "x".join(map(str, value.shape)) if isinstance(value, ImageSpec) else None,
)


def encoders(groups: int, image: ImageSpec) -> Encoders:
    """Encoders in double precision whose parameters are all different."""
    random = torch.Generator().manual_seed(1)
    memory = [torch.randn(Encoders.length(groups, image), generator=random, dtype=torch.float64) for _ in range(2)]
    return Encoders(groups, image, (memory[0] / 4, memory[1]))


def images(groups: int, image: ImageSpec, batch: int = 4) -> Tensor:
    random = torch.Generator().manual_seed(2)
    return torch.randint(0, 256, (groups, batch, image.size), generator=random).double()


def encode(made: Convolutions, pixels: Tensor) -> tuple[EncoderPass, Tensor]:
    """A pass after its forward part, and the features in a wider buffer."""
    wide = torch.full((*pixels.shape[:2], made.features + 5), torch.nan, dtype=pixels.dtype)
    work = EncoderPass(made, pixels.shape[1], Scratch())
    work.forward(pixels, out=wide[..., 2:-3])
    assert wide[..., :2].isnan().all()
    assert wide[..., -3:].isnan().all()
    return work, wide[..., 2:-3]


def by_hand(made: Encoders, group: int, image: NDArray[np.float64]) -> NDArray[np.float64]:
    """The features of one image [H, W, C], pixel by pixel; what lies outside counts as zero."""
    hidden = image / 255
    for layer, (weight, bias) in enumerate(zip(made.weights, made.biases, strict=True)):
        height, width, _ = hidden.shape
        before = [max((ceil(size / 2) - 1) * 2 + 5 - size, 0) // 2 for size in (height, width)]
        result = np.zeros((ceil(height / 2), ceil(width / 2), 16))
        for row, column in product(*map(range, result.shape[:2])):
            total = bias[group].numpy().copy()
            for down, right in product(range(5), range(5)):
                y, x = 2 * row - before[0] + down, 2 * column - before[1] + right
                if 0 <= y < height and 0 <= x < width:
                    total += weight[group, :, down, right].numpy() @ hidden[y, x]
            result[row, column] = np.maximum(total, 0)
        hidden = result
        assert hidden.shape == made.shapes[layer + 1]
    flat: NDArray[np.float64] = hidden.ravel() / hidden.size
    return flat


@pytest.mark.parametrize(
    ("size", "margins"),
    [(32, (1, 2)), (16, (1, 2)), (8, (1, 2)), (9, (2, 2)), (5, (2, 2)), (1, (2, 2)), (2, (1, 2))],
)
def test_margins_are_those_of_tensorflow(size: int, margins: tuple[int, int]) -> None:
    assert same_padding(size) == margins


@given(st.integers(1, 200))
def test_windows_with_margins_cover_half_of_the_pixels_rounded_up(size: int) -> None:
    before, after = same_padding(size)
    assert (size + before + after - 5) // 2 + 1 == ceil(size / 2)
    assert (size + before + after - 5) % 2 == 0, "no margin is too wide"
    assert after - before in (0, 1)


def test_the_authors_images_have_256_features() -> None:
    made = encoders(1, ImageSpec(32, 32, 3))
    assert made.shapes == [(32, 32, 3), (16, 16, 16), (8, 8, 16), (4, 4, 16)]
    assert made.features == 256
    assert Encoders.length(1, made.image) == 16 * (75 + 1) + 2 * 16 * (400 + 1)


@pytest.mark.parametrize("image", [SMALL, ImageSpec(4, 1, 2)])
def test_features_are_those_found_pixel_by_pixel(image: ImageSpec) -> None:
    made, pixels = encoders(2, image), images(2, image, 2)
    _, features = encode(made, pixels)
    for group, index in product(range(2), range(2)):
        wanted = by_hand(made, group, pixels[group, index].view(image.shape).numpy())
        np.testing.assert_allclose(features[group, index], wanted, rtol=1e-12, atol=1e-14)
        assert wanted.any()


def by_autograd(made: Encoders, pixels: Tensor, gradient: Tensor) -> list[Tensor]:
    """Gradients of sum(features * gradient) with respect to weights and biases, layer by layer, from PyTorch."""
    weights, biases = ([part.clone().requires_grad_() for part in parts] for parts in (made.weights, made.biases))
    (Convolutions(made.image, weights, biases)(pixels) * gradient).sum().backward()
    return [leaf.grad for pair in zip(weights, biases, strict=True) for leaf in pair if leaf.grad is not None]


@groups_and_sizes
def test_gradients_are_those_of_autograd(groups: int, image: ImageSpec) -> None:
    made, random = encoders(groups, image), torch.Generator().manual_seed(3)
    work = EncoderPass(made, 4, Scratch())
    features = torch.zeros(groups, 4, made.features, dtype=torch.float64)
    for _ in range(2):  # the second time over the leftovers of the first
        pixels = torch.randint(0, 256, (groups, 4, image.size), generator=random).double()
        gradient = torch.randn(features.shape, generator=random, dtype=torch.float64)
        work.forward(pixels, out=features)
        torch.testing.assert_close(features, made(pixels), rtol=1e-12, atol=1e-14)
        work.backward(gradient)
        pairs = zip(made.gradients.weights, made.gradients.biases, strict=True)
        mine = [tensor for pair in pairs for tensor in pair]
        for got, wanted in zip(mine, by_autograd(made, pixels, gradient), strict=True):
            torch.testing.assert_close(got, wanted, rtol=1e-10, atol=1e-12)
            assert wanted.any()


def test_gradients_agree_with_finite_differences() -> None:
    image = ImageSpec(4, 3, 2)
    made, pixels = encoders(1, image), images(1, image, 3)
    work, features = encode(made, pixels)
    work.backward(torch.ones_like(features))
    checked = np.random.default_rng(0)
    for values, gradients in ((made.weights, made.gradients.weights), (made.biases, made.gradients.biases)):
        for value, gradient in zip(values, gradients, strict=True):
            for entry in checked.integers(value.numel(), size=25).tolist():
                sums = []
                for step in (1e-6, -2e-6):
                    value.view(-1)[entry] += step
                    sums.append(made(pixels).sum().item())
                value.view(-1)[entry] += 1e-6
                wanted = (sums[0] - sums[1]) / 2e-6
                assert gradient.view(-1)[entry].item() == pytest.approx(wanted, rel=1e-5, abs=1e-8)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 4), st.integers(1, 4))
def test_a_pass_is_a_call_for_images_of_every_size(height: int, width: int, channels: int, groups: int) -> None:
    image = ImageSpec(height, width, channels)
    made, pixels = encoders(groups, image), images(groups, image, 3)
    torch.testing.assert_close(encode(made, pixels)[1], made(pixels), rtol=1e-12, atol=1e-14)
    every = encode(made.every(2), pixels[::2])[1]
    torch.testing.assert_close(every, made(pixels)[::2], rtol=1e-12, atol=1e-14)


def test_initial_weights_follow_the_rule_of_hidden_layers() -> None:
    made = encoders(8, ImageSpec(32, 32, 3))
    made.initialise([np.random.default_rng(seed) for seed in range(4)])
    for weight, bias, fan_in in zip(made.weights, made.biases, (75, 400, 400), strict=True):
        assert 0.98 * fan_in**-0.5 < weight.abs().max() <= fan_in**-0.5
        assert weight.std().item() == pytest.approx((3 * fan_in) ** -0.5, rel=0.02)
        assert not bias.any()
        assert all(not torch.equal(weight[one], weight[other]) for one in range(8) for other in range(one))


def test_a_pass_whose_images_are_gone_gives_no_gradient() -> None:
    made, pixels, scratch = encoders(1, SMALL), images(1, SMALL), Scratch()
    one, other = (EncoderPass(made, 4, scratch) for _ in range(2))
    features = torch.zeros(1, 4, made.features, dtype=torch.float64)
    for work in (one, other):
        work.forward(pixels, out=features)
    with pytest.raises(AssertionError, match="another pass overwrote the images"):
        one.backward(features)
    other.backward(features)
