"""The network of musicnn (Pons and Serra 2019) in torch, from the tensors of its TensorFlow checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.errors import InputError

FRAMES = 187
N_MELS = 96
EMBEDDING = 200
TAGS = 50

_EPSILON = 1e-3
# Kernel shapes, [time, width, 1, filters]: two timbral branches, three temporal ones, three layers over time.
_CONVOLUTIONS = {
    "conv2d": (7, 38, 1, 204),
    "conv2d_1": (7, 67, 1, 204),
    "conv2d_2": (128, 1, 1, 51),
    "conv2d_3": (64, 1, 1, 51),
    "conv2d_4": (32, 1, 1, 51),
    "conv2d_5": (7, 561, 1, 64),
    "conv2d_6": (7, 64, 1, 64),
    "conv2d_7": (7, 64, 1, 64),
}
_DENSE = {"dense": (1506, EMBEDDING), "dense_1": (EMBEDDING, TAGS)}
_NORMS = (1, 204, 204, 51, 51, 51, 64, 64, 64, 1506, EMBEDDING)
_NORM_PARTS = ("gamma", "beta", "moving_mean", "moving_variance")
_TIME_PADDING = 3


def tensor_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the checkpoint's tensors that inference needs."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, shape in {**_CONVOLUTIONS, **_DENSE}.items():
        shapes[f"{name}/kernel"] = shape
        shapes[f"{name}/bias"] = (shape[-1],)
    for number, width in enumerate(_NORMS):
        shapes.update({f"{_norm_name(number)}/{part}": (width,) for part in _NORM_PARTS})
    return shapes


class MusicnnNetwork:
    """Log-mel windows to embeddings and tag probabilities, in float32.

    `tensors` are those of `tensor_shapes`, in float32; `torch` is the module. Raises InputError when one is missing or
    has another shape.
    """

    def __init__(self, tensors: Mapping[str, NDArray[np.generic]], torch: Any, device: str) -> None:
        for name, shape in tensor_shapes().items():
            if name not in tensors:
                raise InputError(f"no tensor '{name}' in the checkpoint")
            if tensors[name].shape != shape:
                raise InputError(f"tensor '{name}' has the shape {tensors[name].shape}, expected {shape}")
        self._torch = torch
        self._tensors = {name: torch.tensor(tensors[name], device=device) for name in tensor_shapes()}
        # TensorFlow keeps kernels as [time, width, in, out], torch as [out, in, time, width].
        for name in _CONVOLUTIONS:
            kernel = self._tensors[f"{name}/kernel"]
            self._tensors[f"{name}/kernel"] = kernel.permute(3, 2, 0, 1).contiguous()
        self._device = device

    def __call__(self, window: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """One log-mel window [187, 96] to its embedding [200] and its tag probabilities [50]."""
        torch = self._torch
        with torch.inference_mode():
            embedding = self._embed(torch.from_numpy(window).to(self._device)[None, None])
            logits = embedding @ self._tensors["dense_1/kernel"] + self._tensors["dense_1/bias"]
            return embedding[0].cpu().numpy(), torch.sigmoid(logits)[0].cpu().numpy()

    def _embed(self, window: Any) -> Any:
        """[1, 1, 187, 96] to [1, 200]."""
        torch = self._torch
        mel = self._norm(0, window)
        branches = []
        for number, name in enumerate(_CONVOLUTIONS):
            if number == 5:
                break
            timbral = number < 2
            found = self._convolve(name, self._pad(mel, timbral, _CONVOLUTIONS[name][0]))
            branches.append(self._norm(number + 1, found).amax(dim=3))
        # Channels as the width of an image, [1, 1, time, channels]: each next layer spans all of them.
        front = torch.cat(branches, dim=1).transpose(1, 2)[:, None]
        first = self._layer(5, front)
        second = self._layer(6, first) + first
        third = self._layer(7, second) + second
        features = torch.cat([front, first, second, third], dim=3)
        # Maximum and mean of a channel lie side by side.
        pooled = torch.stack([features.amax(dim=2), features.mean(dim=2)], dim=3).reshape(1, -1)
        dense = self._norm(9, pooled) @ self._tensors["dense/kernel"] + self._tensors["dense/bias"]
        return self._norm(10, torch.relu(dense))

    def _layer(self, number: int, features: Any) -> Any:
        """A layer over time, [1, 1, time, channels] to [1, 1, time, 64]."""
        padded = self._torch.nn.functional.pad(features, (0, 0, _TIME_PADDING, _TIME_PADDING))
        found = self._norm(number + 1, self._convolve(f"conv2d_{number}", padded))
        return found.permute(0, 3, 2, 1)

    def _pad(self, mel: Any, timbral: bool, length: int) -> Any:
        """Zeros before and after in time, so that the length stays: an even kernel has one more after."""
        before = _TIME_PADDING if timbral else (length - 1) // 2
        after = _TIME_PADDING if timbral else length // 2
        return self._torch.nn.functional.pad(mel, (0, 0, before, after))

    def _convolve(self, name: str, image: Any) -> Any:
        kernel, bias = self._tensors[f"{name}/kernel"], self._tensors[f"{name}/bias"]
        return self._torch.relu(self._torch.nn.functional.conv2d(image, kernel, bias))

    def _norm(self, number: int, features: Any) -> Any:
        """Batch normalisation with the stored moments, over channels in dimension 1."""
        gamma, beta, mean, variance = (self._tensors[f"{_norm_name(number)}/{part}"] for part in _NORM_PARTS)
        return self._torch.nn.functional.batch_norm(features, mean, variance, gamma, beta, eps=_EPSILON)


def _norm_name(number: int) -> str:
    return f"batch_normalization_{number}" if number else "batch_normalization"
