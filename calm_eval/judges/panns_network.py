"""Cnn14 of PANNs in PyTorch: the layers and key names of its published checkpoints (Kong et al. 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.judges.panns_front_end import N_MELS, PannsLogMel, PannsRate
from calm_eval.judges.torch_judge import filled, on_device

DIMENSIONS, CLASSES = 2048, 527
CHANNELS = (64, 128, 256, 512, 1024, 2048)
FRONT_END_ONLY = frozenset(
    {
        "spectrogram_extractor.stft.conv_real.weight",
        "spectrogram_extractor.stft.conv_imag.weight",
        "logmel_extractor.melW",
    }
)
"""Keys of a checkpoint for the front end: no learned numbers, the window and the filters written out."""


def build(torch: Any) -> Any:
    """The layers by the checkpoint's names, weights as PyTorch draws them."""
    nn = torch.nn
    layers = {"bn0": nn.BatchNorm2d(N_MELS)}
    before = 1
    for place, channels in enumerate(CHANNELS, 1):
        layers[f"conv_block{place}"] = nn.ModuleDict(
            {
                "conv1": nn.Conv2d(before, channels, 3, padding=1, bias=False),
                "conv2": nn.Conv2d(channels, channels, 3, padding=1, bias=False),
                "bn1": nn.BatchNorm2d(channels),
                "bn2": nn.BatchNorm2d(channels),
            }
        )
        before = channels
    layers["fc1"] = nn.Linear(DIMENSIONS, DIMENSIONS)
    layers["fc_audioset"] = nn.Linear(DIMENSIONS, CLASSES)
    return nn.ModuleDict(layers)


class PannsNetwork:
    """The network with weights. Raises InputError for tensors that are not those of Cnn14."""

    def __init__(self, state: Mapping[str, Any], rate: PannsRate, torch: Any, device: str) -> None:
        self._torch, self._device = torch, device
        self._layers = Layers(filled(build(torch), state, "Cnn14", FRONT_END_ONLY).to(device), torch)
        self._log_mel = PannsLogMel(rate, torch, device)

    def __call__(self, samples: NDArray[np.floating]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Clips of one length [n, samples] to embeddings [n, 2048] and the logits of 527 tags [n, 527]."""
        torch = self._torch
        with torch.inference_mode():
            log_mel = self._log_mel(on_device(samples, torch, self._device))
            embedding, logits = self._layers(log_mel)
            return embedding.cpu().numpy(), logits.cpu().numpy()


class Layers:
    """Blocks of two convolutions, halved five times; mean over bands; mean plus largest over time; one dense layer with
    ReLU, the embedding; a dense layer, the logits.

    Batch normalisations are multiplied into the convolutions before them, and channels lie last in memory: the same
    numbers but for rounding, a tenth sooner.
    """

    def __init__(self, network: Any, torch: Any) -> None:
        fused = torch.nn.utils.fusion.fuse_conv_bn_eval
        self._torch = torch
        self._bands, self._embedding, self._logits = network["bn0"], network["fc1"], network["fc_audioset"]
        self._blocks = [
            [fused(block[f"conv{half}"], block[f"bn{half}"]).to(memory_format=torch.channels_last) for half in (1, 2)]
            for block in (network[f"conv_block{place}"] for place in range(1, len(CHANNELS) + 1))
        ]

    def __call__(self, log_mel: Any) -> tuple[Any, Any]:
        """Log-mel [n, frames, 64] to embeddings [n, 2048] and logits [n, 527]."""
        functional = self._torch.nn.functional
        # Bands are the channels of the first batch normalisation.
        maps = self._bands(log_mel[:, None].transpose(1, 3)).transpose(1, 3)
        maps = maps.contiguous(memory_format=self._torch.channels_last)
        for place, block in enumerate(self._blocks, 1):
            for convolution in block:
                maps = functional.relu_(convolution(maps))
            if place < len(CHANNELS):
                maps = functional.avg_pool2d(maps, 2)
        over_time = maps.mean(dim=3)
        embedding = functional.relu(self._embedding(over_time.amax(dim=2) + over_time.mean(dim=2)))
        return embedding, self._logits(embedding)
