"""NISQA v2.0 in PyTorch: the layers and key names of its checkpoint (Mittag et al. 2021)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.judges.torch_judge import filled, on_device

CHANNELS = (16, 32, 64, 64, 64, 64)
POOLED = {1: (24, 7), 2: (12, 5), 4: (6, 3)}
"""After these convolutions a map is pooled to so many bands and frames."""
WIDTH, LAYERS, POOL_WIDTH = 64, 2, 128
SCORES = 5


def build(torch: Any) -> Any:
    """The layers by the checkpoint's names, weights as PyTorch draws them."""
    nn = torch.nn
    cnn: dict[str, Any] = {}
    before = 1
    for place, channels in enumerate(CHANNELS, 1):
        last = place == len(CHANNELS)
        cnn[f"conv{place}"] = nn.Conv2d(before, channels, 3, padding=(1, 0) if last else (1, 1))
        cnn[f"bn{place}"] = nn.BatchNorm2d(channels)
        before = channels
    bands = POOLED[max(POOLED)][0]
    time = {
        "norm1": nn.LayerNorm(WIDTH),
        "linear": nn.Linear(before * bands, WIDTH),
        "layers": nn.ModuleList(_layer(nn) for _ in range(LAYERS)),
    }
    # Each of these stands under the name `model` in the checkpoint.
    return nn.ModuleDict(
        {
            "cnn": nn.ModuleDict({"model": nn.ModuleDict(cnn)}),
            "time_dependency": nn.ModuleDict({"model": nn.ModuleDict(time)}),
            "pool_layers": nn.ModuleList(nn.ModuleDict({"model": _pool(nn)}) for _ in range(SCORES)),
        }
    )


def _layer(nn: Any) -> Any:
    return nn.ModuleDict(
        {
            "self_attn": nn.MultiheadAttention(WIDTH, 1),
            "linear1": nn.Linear(WIDTH, WIDTH),
            "linear2": nn.Linear(WIDTH, WIDTH),
            "norm1": nn.LayerNorm(WIDTH),
            "norm2": nn.LayerNorm(WIDTH),
        }
    )


def _pool(nn: Any) -> Any:
    return nn.ModuleDict(
        {
            "linear1": nn.Linear(WIDTH, POOL_WIDTH),
            "linear2": nn.Linear(POOL_WIDTH, 1),
            "linear3": nn.Linear(WIDTH, 1),
        }
    )


class NisqaNetwork:
    """The network with weights. Raises InputError for tensors that are not those of NISQA v2.0."""

    def __init__(self, state: Mapping[str, Any], torch: Any, device: str) -> None:
        self._torch, self._device = torch, device
        self._network = filled(build(torch), state, "NISQA v2.0").to(device)

    def __call__(self, segments: NDArray[np.floating]) -> NDArray[np.float32]:
        """One clip's segments [count, 48, 15] to its five scores [5]."""
        torch = self._torch
        with torch.inference_mode():
            vectors = _framewise(self._network, on_device(segments, torch, self._device), torch)
            states = _over_time(self._network, vectors)
            scores: NDArray[np.float32] = _pooled(self._network, states, torch).cpu().numpy()
        return scores


def _framewise(network: Any, segments: Any, torch: Any) -> Any:
    """Segments [count, 48, 15] to vectors [count, 384]: six convolutions, three of them pooled."""
    functional = torch.nn.functional
    cnn = network["cnn"]["model"]
    maps = segments[:, None]
    for place in range(1, len(CHANNELS) + 1):
        maps = functional.relu(cnn[f"bn{place}"](cnn[f"conv{place}"](maps)))
        if place in POOLED:
            maps = functional.adaptive_max_pool2d(maps, POOLED[place])
    return maps.flatten(1)


def _over_time(network: Any, vectors: Any) -> Any:
    """Vectors [count, 384] to states [count, 64]: two layers of a transformer that normalises after adding."""
    time = network["time_dependency"]["model"]
    states = time["norm1"](time["linear"](vectors))
    for layer in time["layers"]:
        states = layer["norm1"](states + layer["self_attn"](states, states, states, need_weights=False)[0])
        states = layer["norm2"](states + layer["linear2"](layer["linear1"](states).relu()))
    return states


def _pooled(network: Any, states: Any, torch: Any) -> Any:
    """States [count, 64] to five scores: each weighs the states in its own way, then takes one number."""
    found = []
    for pool in network["pool_layers"]:
        part = pool["model"]
        weights = part["linear2"](part["linear1"](states).relu()).softmax(dim=0)
        found.append(part["linear3"]((weights * states).sum(dim=0)))
    return torch.cat(found)
