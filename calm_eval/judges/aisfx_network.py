"""The network of aiSFX (Ma and Lerch 2022) in torch: eight convolutions, from the tensors of its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.errors import InputError

FRAMES = 100
N_MELS = 96
EMBEDDING = 512

_CHANNELS = (1, 64, 128, 256, EMBEDDING)
_BLOCKS = (1, 2, 3, 4)
_EPSILON = 1e-5
_NORM_PARTS = ("weight", "bias", "running_mean", "running_var")


def tensor_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors that are used; the classifiers of the nine training corpora are not."""
    shapes: dict[str, tuple[int, ...]] = {}
    for block in _BLOCKS:
        before, after = _CHANNELS[block - 1 : block + 1]
        for layer, channels in ((1, before), (2, after)):
            shapes[f"{_block(block)}.conv{layer}.weight"] = (after, channels, 3, 3)
            shapes.update({f"{_block(block)}.bn{layer}.{part}": (after,) for part in _NORM_PARTS})
    return shapes


class AisfxNetwork:
    """Log-mel windows to embeddings, in float32.

    `tensors` are torch's, by the names of `tensor_shapes`; `torch` is the module. Raises InputError when one is missing
    or has another shape.
    """

    def __init__(self, tensors: Mapping[str, Any], torch: Any, device: str) -> None:
        for name, shape in tensor_shapes().items():
            if name not in tensors:
                raise InputError(f"no tensor '{name}' in the checkpoint")
            if tuple(tensors[name].shape) != shape:
                raise InputError(f"tensor '{name}' has the shape {tuple(tensors[name].shape)}, expected {shape}")
        self._torch = torch
        self._tensors = {name: tensors[name].to(device=device, dtype=torch.float32) for name in tensor_shapes()}
        self._device = device

    def __call__(self, window: NDArray[np.float32]) -> NDArray[np.float32]:
        """One scaled log-mel window [100, 96] to its embedding [512], every number >= 0."""
        torch = self._torch
        with torch.inference_mode():
            image = torch.from_numpy(window).to(self._device)[None, None]
            for block in _BLOCKS:
                image = self._layer(block, 2, self._layer(block, 1, image))
                if block != _BLOCKS[-1]:
                    image = torch.nn.functional.max_pool2d(image, 2)
            # Mean over bands, then the largest in time.
            found: NDArray[np.float32] = image.mean(dim=3).amax(dim=2)[0].cpu().numpy()
        return found

    def _layer(self, block: int, layer: int, image: Any) -> Any:
        """Convolution, batch normalisation with the stored moments, ReLU; the size stays."""
        torch = self._torch
        found = torch.nn.functional.conv2d(image, self._tensors[f"{_block(block)}.conv{layer}.weight"], padding=1)
        gamma, beta, mean, variance = (self._tensors[f"{_block(block)}.bn{layer}.{part}"] for part in _NORM_PARTS)
        return torch.relu(torch.nn.functional.batch_norm(found, mean, variance, gamma, beta, eps=_EPSILON))


def _block(number: int) -> str:
    return f"embedding_net.conv_block{number}"
