"""Audiobox Aesthetics in PyTorch, under the key names of its checkpoint (Tjandra et al. 2025).

Source: facebookresearch/audiobox-aesthetics 0.0.4 (src/audiobox_aesthetics/model/aes.py, infer.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.judges.torch_judge import filled, on_device
from calm_eval.judges.wav2vec_layers import HOP, Wav2vecShape
from calm_eval.judges.wavlm_network import WAVLM_BASE, layer_states
from calm_eval.judges.wavlm_network import build as build_wavlm

AXES = ("CE", "CU", "PC", "PQ")
"""Content enjoyment, content usefulness, production complexity, production quality."""
DEPTH = 5
WINDOW = 160000
FRAMES = WINDOW // HOP - 1
"""Of a window."""


def build(torch: Any, shape: Wav2vecShape = WAVLM_BASE) -> Any:
    """The layers by the checkpoint's names, weights as PyTorch draws them."""
    nn = torch.nn
    module = nn.Module()
    module.wavlm_model = build_wavlm(torch, shape)
    heads = {}
    for axis in AXES:
        layers: list[Any] = []
        for _ in range(DEPTH - 1):
            layers += [nn.Linear(shape.width, shape.width), nn.LayerNorm(shape.width), nn.GELU()]
        heads[axis] = nn.Sequential(*layers, nn.Linear(shape.width, 1))
    module.proj_layer = nn.ModuleDict(heads)
    module.layer_weights = nn.ParameterDict(
        {axis: nn.Parameter(torch.full((shape.depth + 1,), 1 / (shape.depth + 1))) for axis in AXES}
    )
    return module


class AudioboxNetwork:
    """The network with weights. Raises InputError for tensors that are not its own."""

    def __init__(self, state: Mapping[str, Any], torch: Any, device: str, shape: Wav2vecShape = WAVLM_BASE) -> None:
        self._torch, self._device, self._shape = torch, device, shape
        plain = {name.removeprefix("model."): value for name, value in state.items()}
        self._network = filled(build(torch, shape), plain, "Audiobox Aesthetics").to(device)

    def __call__(self, window: NDArray[np.floating]) -> NDArray[np.float32]:
        """A window of up to ten seconds [samples] at 16 kHz to the four axes [4], in deviations from the mean."""
        torch = self._torch
        filled_up = np.zeros(WINDOW, dtype=np.float32)
        filled_up[: window.size] = window
        with torch.inference_mode():
            samples = on_device(filled_up, torch, self._device)[None]
            answers = forward(self._network, samples, window.size, self._shape, torch)
            scores: NDArray[np.float32] = answers[0].cpu().numpy()
        return scores


def forward(network: Any, samples: Any, length: int, shape: Wav2vecShape, torch: Any) -> Any:
    """Windows filled up with zeros [n, 160000], of which the first `length` samples are the clip's, to the axes [n, 4].

    A frame counts whose first 20 ms hold a sample of the clip. For each axis: the states of all layers in a softmax sum
    of its own, the mean over these frames brought to length 1, five dense layers.
    """
    functional = torch.nn.functional
    heard = torch.arange(FRAMES, device=samples.device)[None] * HOP < length
    states = layer_states(network.wavlm_model, samples, shape, torch, heard.expand(len(samples), -1))
    found = []
    for axis in AXES:
        shares = functional.softmax(network.layer_weights[axis], dim=0)
        summed = sum(share * one for share, one in zip(shares, states, strict=True))
        mean = (summed * heard[..., None]).sum(dim=1) / heard.sum()
        found.append(network.proj_layer[axis](functional.normalize(mean, dim=1)))
    return torch.cat(found, dim=1)
