"""The audio network of OpenL3 in PyTorch: layers and key names of torchopenl3's checkpoints (Cramer et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.judges.openl3_front_end import N_FFT, N_MELS, FrontEnd, Openl3Decibels, htk_filters
from calm_eval.judges.torch_judge import filled

DIMENSIONS = 512
CHANNELS = (64, 64, 128, 128, 256, 256, 512)
POOLED_AFTER = (2, 4, 6)
"""A max pool of 2 x 2 stands after these convolutions, counted from 1."""
LAST_POOL = (32, 24)
"""What is left of 256 bands and 199 frames: one number for each channel."""
EPSILON = 1e-3
TRANSFORM_ONLY = frozenset({"speclayer.dft_real_kernels", "speclayer.dft_imag_kernels"})
"""Keys of a checkpoint that hold no learned numbers: the Fourier transform written out."""


def build(torch: Any) -> Any:
    """The layers by the checkpoint's names, weights as PyTorch draws them; `speclayer.mel_basis` are mel filters."""
    nn = torch.nn
    layers = {"batch_normalization_1": nn.BatchNorm2d(1, eps=EPSILON)}
    before = 1
    for place, channels in enumerate(CHANNELS, 1):
        layers[f"conv2d_{place}"] = nn.Conv2d(before, channels, 3)
        layers[f"batch_normalization_{place + 1}"] = nn.BatchNorm2d(channels, eps=EPSILON)
        before = channels
    layers["audio_embedding_layer"] = nn.Conv2d(before, DIMENSIONS, 3)
    filters = nn.Module()
    filters.register_buffer("mel_basis", torch.zeros(N_MELS, N_FFT // 2 + 1))
    filters.mel_basis.copy_(torch.from_numpy(htk_filters()))
    layers["speclayer"] = filters
    return nn.ModuleDict(layers)


class Openl3Network:
    """The network with weights. Raises InputError for tensors that are not those of OpenL3 with 256 mels."""

    def __init__(self, state: Mapping[str, Any], front_end: FrontEnd, torch: Any, device: str) -> None:
        self._torch, self._device = torch, device
        self._network = filled(build(torch), state, "OpenL3 with 256 mels", TRANSFORM_ONLY).to(device)
        self._decibels = Openl3Decibels(front_end, self._network["speclayer"].mel_basis, torch)

    def __call__(self, windows: NDArray[np.floating]) -> NDArray[np.float32]:
        """Windows of a second [n, 48000] to vectors [n, 512]."""
        torch = self._torch
        with torch.inference_mode():
            decibels = self._decibels(windows).to(self._device)
            vectors: NDArray[np.float32] = self._embedded(decibels[:, None]).cpu().numpy()
        return vectors

    def _embedded(self, maps: Any) -> Any:
        functional, network = self._torch.nn.functional, self._network

        def convolved(name: str, maps: Any) -> Any:
            return functional.conv2d(maps, network[name].weight, network[name].bias, padding=1)

        maps = network["batch_normalization_1"](maps)
        for place in range(1, len(CHANNELS) + 1):
            maps = functional.relu(network[f"batch_normalization_{place + 1}"](convolved(f"conv2d_{place}", maps)))
            maps = functional.max_pool2d(maps, 2) if place in POOLED_AFTER else maps
        return functional.max_pool2d(convolved("audio_embedding_layer", maps), LAST_POOL).flatten(1)
