"""WavLM with transformers' x-vector head in PyTorch (Snyder et al. 2018; transformers' WavLMForXVector)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.judges.torch_judge import filled, on_device
from calm_eval.judges.wav2vec_layers import Wav2vecShape
from calm_eval.judges.wavlm_network import WAVLM_BASE, from_transformers, layer_states
from calm_eval.judges.wavlm_network import build as build_wavlm

DIMENSIONS = 512
LAYERS = ((512, 5, 1), (512, 3, 2), (512, 3, 3), (512, 1, 1), (1500, 1, 1))
"""Channels, kernel and dilation."""
CONTEXT = 1 + sum((kernel - 1) * dilation for _, kernel, dilation in LAYERS)
"""Frames that one frame behind the layers has seen: 15."""
TRAINING_ONLY = frozenset({"classifier.weight", "classifier.bias", "objective.weight"})
"""Keys of a checkpoint for the loss over the speakers of its training."""


def build(torch: Any, shape: Wav2vecShape = WAVLM_BASE, weighted: bool = True) -> Any:
    """The layers, weights as PyTorch draws them; `weighted` sums the states of all layers."""
    nn = torch.nn
    module = nn.Module()
    module.wavlm = build_wavlm(torch, shape)
    if weighted:
        module.layer_weights = nn.Parameter(torch.full((shape.depth + 1,), 1 / (shape.depth + 1)))
    before = LAYERS[0][0]
    module.projector = nn.Linear(shape.width, before)
    tdnn = []
    for channels, kernel, _ in LAYERS:
        tdnn.append(nn.ModuleDict({"kernel": nn.Linear(before * kernel, channels)}))
        before = channels
    module.tdnn = nn.ModuleList(tdnn)
    module.feature_extractor = nn.Linear(2 * before, DIMENSIONS)
    return module


class XVectorNetwork:
    """The network with weights, by transformers' names or those of `build`.

    Raises InputError for tensors that are not its own. Whether states are summed is read off the checkpoint, which has
    `layer_weights` then.
    """

    def __init__(self, state: Mapping[str, Any], torch: Any, device: str, shape: Wav2vecShape = WAVLM_BASE) -> None:
        self._torch, self._device, self._shape = torch, device, shape
        renamed = from_transformers(state, shape, "wavlm.")
        network = build(torch, shape, "layer_weights" in renamed)
        self._network = filled(network, renamed, "WavLMForXVector", TRAINING_ONLY).to(device)

    def __call__(self, audio: NDArray[np.floating]) -> NDArray[np.float32]:
        """A clip [samples] at 16 kHz to a vector [1, 512], of no particular length."""
        torch = self._torch
        with torch.inference_mode():
            samples = on_device(audio, torch, self._device)[None]
            vector: NDArray[np.float32] = forward(self._network, samples, self._shape, torch).cpu().numpy()
        return vector


def forward(network: Any, samples: Any, shape: Wav2vecShape, torch: Any) -> Any:
    """Samples [n, samples] to vectors [n, 512]: states in a softmax sum (or the last), five layers that look at frames
    around, mean and deviation over time, one dense layer."""
    functional = torch.nn.functional
    states = layer_states(network.wavlm, samples, shape, torch)
    summed = states[-1]
    if hasattr(network, "layer_weights"):
        shares = functional.softmax(network.layer_weights, dim=0)
        summed = sum(share * one for share, one in zip(shares, states, strict=True))
    maps = network.projector(summed).transpose(1, 2)
    for layer, (channels, kernel, dilation) in zip(network.tdnn, LAYERS, strict=True):
        # The checkpoint keeps a convolution as a matrix, places before channels.
        weight = layer["kernel"].weight.view(channels, kernel, -1).transpose(1, 2)
        maps = functional.relu(functional.conv1d(maps, weight, layer["kernel"].bias, dilation=dilation))
    return network.feature_extractor(torch.cat([maps.mean(dim=2), maps.std(dim=2)], dim=1))
