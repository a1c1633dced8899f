"""The encoder of EnCodec in PyTorch: layers and key names of its published checkpoints (Défossez et al. 2022).

Four times a residual block and a convolution that makes time shorter by 2, 4, 5 and 8, then two LSTM layers with a skip
and a last convolution. 24 kHz: mono, causal, weights normalised. 48 kHz: stereo, not causal, one group normalisation
after each convolution. Source: facebookresearch/encodec (modules/seanet.py, conv.py, lstm.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.judges.torch_judge import filled, on_device

DIMENSIONS = 128
WIDTH = 32
STRIDES = (2, 4, 5, 8)
HOP = 320
"""Samples of a frame: the product of the strides."""
NOT_THE_ENCODER = ("decoder.", "quantizer.")
"""How the keys of a checkpoint begin that the vectors do not need."""


@dataclass(frozen=True)
class EncodecForm:
    """One of the two models. `grouped`: group normalisation in place of normalised weights."""

    sample_rate: int
    channels: int
    causal: bool
    grouped: bool


FORMS = {24000: EncodecForm(24000, 1, True, False), 48000: EncodecForm(48000, 2, False, True)}


def build(torch: Any, form: EncodecForm) -> Any:
    """The layers by the checkpoint's names, weights as PyTorch draws them."""
    nn = torch.nn
    layers = {"0": _convolution(torch, form, form.channels, WIDTH, 7)}
    width = WIDTH
    for place, stride in enumerate(STRIDES):
        first = _convolution(torch, form, width, width // 2, 3)
        second = _convolution(torch, form, width // 2, width, 1)
        layers[f"{3 * place + 1}"] = nn.ModuleDict(
            {
                "block": nn.ModuleDict({"1": first, "3": second}),
                "shortcut": _convolution(torch, form, width, width, 1),
            }
        )
        layers[f"{3 * place + 3}"] = _convolution(torch, form, width, 2 * width, 2 * stride)
        width *= 2
    layers["13"] = nn.ModuleDict({"lstm": nn.LSTM(width, width, 2)})
    layers["15"] = _convolution(torch, form, width, DIMENSIONS, 7)
    return nn.ModuleDict({"encoder": nn.ModuleDict({"model": nn.ModuleDict(layers)})})


def _convolution(torch: Any, form: EncodecForm, before: int, after: int, kernel: int) -> Any:
    nn = torch.nn
    drawn = nn.Conv1d(before, after, kernel)
    if form.grouped:
        return nn.ModuleDict({"conv": nn.ModuleDict({"conv": drawn, "norm": nn.GroupNorm(1, after)})})
    length = drawn.weight.detach().flatten(1).norm(dim=1)[:, None, None]
    parts = {"weight_g": length, "weight_v": drawn.weight.detach(), "bias": drawn.bias.detach()}
    held = nn.ParameterDict({name: nn.Parameter(value.clone()) for name, value in parts.items()})
    return nn.ModuleDict({"conv": nn.ModuleDict({"conv": held})})


class EncodecNetwork:
    """The encoder with weights. Raises InputError for tensors that are not those of this form."""

    def __init__(self, state: Mapping[str, Any], form: EncodecForm, torch: Any, device: str) -> None:
        self._torch, self._device, self._form = torch, device, form
        beyond = frozenset(name for name in state if name.startswith(NOT_THE_ENCODER))
        what = f"EnCodec at {form.sample_rate} Hz"
        self._layers = filled(build(torch, form), state, what, beyond).to(device)["encoder"]["model"]

    def __call__(self, segment: NDArray[np.floating]) -> NDArray[np.float32]:
        """Samples [n] to vectors [ceil(n / 320), 128] before the quantizer; a stereo model hears the samples twice."""
        torch = self._torch
        with torch.inference_mode():
            samples = on_device(segment, torch, self._device)[None, None].expand(1, self._form.channels, -1)
            vectors: NDArray[np.float32] = self._encoded(samples)[0].T.cpu().numpy()
        return vectors

    def _encoded(self, samples: Any) -> Any:
        """[1, channels, n] to [1, 128, frames]."""
        layers, elu = self._layers, self._torch.nn.functional.elu
        maps = self._convolved(layers["0"], samples)
        for place, stride in enumerate(STRIDES):
            residual = layers[f"{3 * place + 1}"]
            inner = self._convolved(residual["block"]["1"], elu(maps))
            inner = self._convolved(residual["block"]["3"], elu(inner))
            maps = self._convolved(residual["shortcut"], maps) + inner
            maps = self._convolved(layers[f"{3 * place + 3}"], elu(maps), stride)
        over_time = maps.permute(2, 0, 1)
        maps = (layers["13"]["lstm"](over_time)[0] + over_time).permute(1, 2, 0)
        return self._convolved(layers["15"], elu(maps))

    def _convolved(self, layer: Any, maps: Any, stride: int = 1) -> Any:
        torch, conv = self._torch, layer["conv"]["conv"]
        grouped = self._form.grouped
        weight, bias = (conv.weight, conv.bias) if grouped else (_normalised(conv), conv["bias"])
        padded = self._padded(maps, weight.shape[2], stride)
        made = torch.nn.functional.conv1d(padded, weight, bias, stride)
        return layer["conv"]["norm"](made) if grouped else made

    def _padded(self, maps: Any, kernel: int, stride: int) -> Any:
        """Mirrored at the edges: on the left alone (causal) or on both sides, and so far that no sample is left out."""
        pad = self._torch.nn.functional.pad
        whole, size = kernel - stride, maps.shape[2]
        right = 0 if self._form.causal else whole // 2
        left = whole - right
        right += (ceil((size - kernel + whole) / stride + 1) - 1) * stride + kernel - whole - size
        # A mirror image needs more samples than it shows: zeros stand in, and are cut off again.
        lacking = max(0, max(left, right) - size + 1)
        mirrored = pad(pad(maps, (0, lacking)), (left, right), mode="reflect")
        return mirrored[..., : mirrored.shape[2] - lacking]


def _normalised(conv: Any) -> Any:
    """A weight by its direction and its length for each output (Salimans and Kingma 2016)."""
    direction = conv["weight_v"]
    return direction * (conv["weight_g"] / direction.flatten(1).norm(dim=1)[:, None, None])
