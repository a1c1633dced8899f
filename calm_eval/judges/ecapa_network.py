"""WavLM with the ECAPA-TDNN of UniSpeech's speaker verification in PyTorch, under the key names of its checkpoints.

Sources: Desplanques et al. 2020; microsoft/UniSpeech (downstreams/speaker_verification/models/ecapa_tdnn.py); which
states are summed: s3prl (upstream/wavlm/expert.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.judges.torch_judge import filled, on_device
from calm_eval.judges.wav2vec_layers import Wav2vecShape
from calm_eval.judges.wavlm_network import WAVLM_LARGE, layer_states
from calm_eval.judges.wavlm_network import build as build_wavlm

DIMENSIONS = 256
CHANNELS, POOLED, PARTS, NARROW = 512, 1536, 8, 128
DILATIONS = {"layer2": 2, "layer3": 3, "layer4": 4}
TRAINING_ONLY = frozenset({"loss_calculator.projection.weight"})
"""Keys of a checkpoint for the loss over the speakers of its training."""


def build(torch: Any, shape: Wav2vecShape = WAVLM_LARGE) -> Any:
    """The layers by the checkpoint's names, weights as PyTorch draws them."""
    nn = torch.nn
    module = nn.Module()
    module.feature_extract = nn.ModuleDict({"model": build_wavlm(torch, shape)})
    module.feature_weight = nn.Parameter(torch.zeros(shape.depth + 1))
    module.layer1 = _conv_norm(nn, shape.width, 5, 2)
    for name in DILATIONS:
        setattr(module, name, _block(nn, DILATIONS[name]))
    module.conv = nn.Conv1d(3 * CHANNELS, POOLED, 1)
    module.pooling = nn.ModuleDict({"linear1": nn.Conv1d(POOLED, NARROW, 1), "linear2": nn.Conv1d(NARROW, POOLED, 1)})
    module.bn = nn.BatchNorm1d(2 * POOLED)
    module.linear = nn.Linear(2 * POOLED, DIMENSIONS)
    return module


def _conv_norm(nn: Any, before: int, kernel: int, padding: int) -> Any:
    return nn.ModuleDict({"conv": nn.Conv1d(before, CHANNELS, kernel, padding=padding), "bn": nn.BatchNorm1d(CHANNELS)})


def _block(nn: Any, dilation: int) -> Any:
    width = CHANNELS // PARTS
    convs = [nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation) for _ in range(PARTS - 1)]
    return nn.ModuleDict(
        {
            "Conv1dReluBn1": _conv_norm(nn, CHANNELS, 1, 0),
            "Res2Conv1dReluBn": nn.ModuleDict(
                {
                    "convs": nn.ModuleList(convs),
                    "bns": nn.ModuleList(nn.BatchNorm1d(width) for _ in convs),
                }
            ),
            "Conv1dReluBn2": _conv_norm(nn, CHANNELS, 1, 0),
            "SE_Connect": nn.ModuleDict(
                {"linear1": nn.Linear(CHANNELS, NARROW), "linear2": nn.Linear(NARROW, CHANNELS)}
            ),
        }
    )


class EcapaNetwork:
    """The network with weights. Raises InputError for tensors that are not its own, or for one that is missing."""

    def __init__(self, state: Mapping[str, Any], torch: Any, device: str, shape: Wav2vecShape = WAVLM_LARGE) -> None:
        self._torch, self._device, self._shape = torch, device, shape
        what = "WavLM-large with ECAPA-TDNN" if shape == WAVLM_LARGE else "WavLM with ECAPA-TDNN"
        self._network = filled(build(torch, shape), state, what, TRAINING_ONLY).to(device)

    def __call__(self, audio: NDArray[np.floating]) -> NDArray[np.float32]:
        """A clip [samples] at 16 kHz to a vector [1, 256], of no particular length."""
        torch = self._torch
        with torch.inference_mode():
            samples = on_device(audio, torch, self._device)[None]
            vector: NDArray[np.float32] = forward(self._network, samples, self._shape, torch).cpu().numpy()
        return vector


def forward(network: Any, samples: Any, shape: Wav2vecShape, torch: Any) -> Any:
    """Samples [n, samples] to vectors [n, 256].

    The clip at mean 0 and variance 1 (where WavLM was trained so), the states of all layers in a softmax sum, each
    channel at mean 0 and variance 1 over time, ECAPA-TDNN, attentive mean and deviation.
    """
    functional = torch.nn.functional
    if shape.each_normed:
        samples = functional.layer_norm(samples, samples.shape[-1:])
    states = layer_states(network.feature_extract["model"], samples, shape, torch)
    shares = functional.softmax(network.feature_weight, dim=0)
    summed = sum(share * one for share, one in zip(shares, states, strict=True))
    maps = functional.instance_norm(summed.transpose(1, 2) + 1e-6)
    maps = _convolved(network.layer1, maps, functional)
    found = []
    for name in DILATIONS:
        maps = _through(getattr(network, name), maps, torch)
        found.append(maps)
    maps = functional.relu(network.conv(torch.cat(found, dim=1)))
    return network.linear(network.bn(_pooled(network.pooling, maps, torch)))


def _convolved(layer: Any, maps: Any, functional: Any) -> Any:
    return layer["bn"](functional.relu(layer["conv"](maps)))


def _through(block: Any, maps: Any, torch: Any) -> Any:
    functional = torch.nn.functional
    inner = _convolved(block["Conv1dReluBn1"], maps, functional)
    *parts, last = torch.split(inner, CHANNELS // PARTS, dim=1)
    res2, made, before = block["Res2Conv1dReluBn"], [], 0
    for part, conv, norm in zip(parts, res2["convs"], res2["bns"], strict=True):
        before = norm(functional.relu(conv(before + part)))
        made.append(before)
    inner = _convolved(block["Conv1dReluBn2"], torch.cat([*made, last], dim=1), functional)
    squeeze = block["SE_Connect"]
    gate = torch.sigmoid(squeeze["linear2"](functional.relu(squeeze["linear1"](inner.mean(dim=2)))))
    return maps + inner * gate[..., None]


def _pooled(layer: Any, maps: Any, torch: Any) -> Any:
    shares = torch.softmax(layer["linear2"](torch.tanh(layer["linear1"](maps))), dim=2)
    mean = (shares * maps).sum(dim=2)
    variance = (shares * maps.square()).sum(dim=2) - mean.square()
    return torch.cat([mean, variance.clamp(min=1e-9).sqrt()], dim=1)
