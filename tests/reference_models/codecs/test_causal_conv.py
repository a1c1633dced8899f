from __future__ import annotations

import numpy as np
import pytest
import torch
from codec_builders import noise

from reference_models.codecs.conv import CausalConv1d, CausalConvTranspose1d
from reference_models.errors import ModelError


def streamed(layer: CausalConv1d | CausalConvTranspose1d, x: torch.Tensor, pieces: list[int]) -> torch.Tensor:
    state = layer.start(x.shape[0])
    return torch.cat([layer.step(piece, state) for piece in x.split(pieces, dim=-1)], dim=-1)


@torch.no_grad()
def test_one_channel_equals_numpy_convolution() -> None:
    layer = CausalConv1d(1, 1, 5, bias=False)
    signal = noise(1, 1, 40)
    taps = layer.conv.weight[0, 0].flip(0).numpy()
    np.testing.assert_allclose(layer(signal)[0, 0].numpy(), np.convolve(signal[0, 0].numpy(), taps)[:40], atol=1e-6)


@torch.no_grad()
def test_one_channel_transposed_equals_numpy_on_zero_stuffed_input() -> None:
    layer = CausalConvTranspose1d(1, 1, 6, stride=3)
    signal = noise(1, 1, 10)
    stuffed = np.zeros(30)
    stuffed[::3] = signal[0, 0].numpy()
    expected = np.convolve(stuffed, layer.conv.weight[0, 0].numpy())[:30] + layer.conv.bias.item()
    np.testing.assert_allclose(layer(signal)[0, 0].numpy(), expected, atol=1e-6)


@torch.no_grad()
def test_replicate_treats_a_constant_as_if_it_had_always_been_there() -> None:
    layer = CausalConv1d(2, 3, 8, stride=4, bias=False, pad="replicate")
    constant = torch.tensor([0.5, -2.0])[None, :, None].expand(1, 2, 16)
    expected = layer.conv.weight.sum(dim=-1) @ torch.tensor([0.5, -2.0])
    torch.testing.assert_close(layer(constant), expected[None, :, None].expand(1, 3, 4))


@pytest.mark.parametrize("pad", ["zeros", "replicate"])
@pytest.mark.parametrize(
    ("kernel", "stride", "dilation"), [(7, 1, 1), (3, 1, 4), (8, 4, 1), (4, 4, 1), (9, 2, 1), (1, 1, 1)]
)
@torch.no_grad()
def test_convolution_in_pieces_equals_the_whole(kernel: int, stride: int, dilation: int, pad: str) -> None:
    layer = CausalConv1d(3, 4, kernel, stride=stride, dilation=dilation, pad=pad)  # type: ignore[arg-type]
    x = noise(2, 3, 12 * stride)
    pieces = [stride, 2 * stride, stride, 5 * stride, 3 * stride]
    torch.testing.assert_close(streamed(layer, x, pieces), layer(x), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("kernel", "stride", "groups"), [(8, 4, 1), (32, 16, 4), (5, 1, 1), (13, 4, 1), (4, 4, 1)])
@torch.no_grad()
def test_transposed_convolution_in_pieces_equals_the_whole(kernel: int, stride: int, groups: int) -> None:
    layer = CausalConvTranspose1d(4, 4, kernel, stride=stride, groups=groups)
    x = noise(2, 4, 12)
    whole = layer(x)
    assert whole.shape == (2, 4, 12 * stride)
    torch.testing.assert_close(streamed(layer, x, [1, 2, 1, 5, 3]), whole, atol=1e-5, rtol=0)


@torch.no_grad()
def test_two_streams_of_one_layer_do_not_touch() -> None:
    layer = CausalConv1d(1, 1, 5)
    a, b = noise(1, 1, 8, seed=1), noise(1, 1, 8, seed=2)
    state_a, state_b = layer.start(1), layer.start(1)
    mixed = []
    for piece_a, piece_b in zip(a.split(2, dim=-1), b.split(2, dim=-1), strict=True):
        mixed.append(layer.step(piece_a, state_a))
        layer.step(piece_b, state_b)
    torch.testing.assert_close(torch.cat(mixed, dim=-1), layer(a))


def test_shapes_that_cannot_be_are_refused() -> None:
    with pytest.raises(ModelError, match="stride"):
        CausalConv1d(1, 1, 3, stride=4)
    with pytest.raises(ModelError, match="gaps"):
        CausalConvTranspose1d(1, 1, 3, stride=4)
    with pytest.raises(ModelError, match="multiple"):
        CausalConv1d(1, 1, 4, stride=4)(torch.zeros(1, 1, 6))
