"""VGGish in PyTorch: the layers and key names of torchvggish's checkpoint (Hershey et al. 2017, without its PCA)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.judges.torch_judge import filled, on_device
from calm_eval.judges.vggish_front_end import FRAMES, N_MELS

DIMENSIONS = 128
CHANNELS = (64, 128, 256, 256, 512, 512)
POOLED_AFTER = (0, 1, 3, 5)
"""A max pool of 2 x 2 stands after these convolutions."""
PCA_ONLY = frozenset({"pproc.pca_eigen_vectors", "pproc.pca_means"})
"""Keys of a checkpoint for AudioSet's post-processing, which no FAD uses."""


def build(torch: Any) -> Any:
    """The network, weights as PyTorch draws them: examples [n, 1, 96, 64] to [n, 128] before the last ReLU."""
    nn = torch.nn
    layers: list[Any] = []
    before = 1
    for place, channels in enumerate(CHANNELS):
        layers += [nn.Conv2d(before, channels, 3, padding=1), nn.ReLU(inplace=True)]
        layers += [nn.MaxPool2d(2, 2)] if place in POOLED_AFTER else []
        before = channels
    flat = before * (FRAMES // 16) * (N_MELS // 16)
    dense = [nn.Linear(flat, 4096), nn.ReLU(True), nn.Linear(4096, 4096), nn.ReLU(True), nn.Linear(4096, DIMENSIONS)]
    return nn.ModuleDict({"features": nn.Sequential(*layers), "embeddings": nn.Sequential(*dense)})


class VggishNetwork:
    """The network with weights. Raises InputError for tensors that are not those of VGGish."""

    def __init__(self, state: Mapping[str, Any], torch: Any, device: str) -> None:
        self._torch, self._device = torch, device
        self._network = filled(build(torch), state, "VGGish", PCA_ONLY).to(device)

    def __call__(self, examples: NDArray[np.floating]) -> NDArray[np.float32]:
        """Examples [count, 96, 64] to vectors [count, 128]."""
        torch = self._torch
        with torch.inference_mode():
            batch = on_device(examples, torch, self._device)[:, None]
            maps = self._network["features"](batch)
            # The original is in TensorFlow: channels come last before everything is laid flat.
            flat = maps.permute(0, 2, 3, 1).reshape(len(batch), -1)
            vectors: NDArray[np.float32] = self._network["embeddings"](flat).cpu().numpy()
        return vectors
