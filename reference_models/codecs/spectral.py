"""The spectral form of encoder and decoder: spectra in, spectra out, all learning at low rates, so that it is cheap.

The decoder gives magnitudes, their peaks give the phases, and it ends like Vocos (Siuzdak 2023) in an inverse STFT;
the encoder mirrors it from log magnitudes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from reference_models.codecs.convnext import blocks
from reference_models.codecs.decoded import Decoded, Levels
from reference_models.codecs.phases import peak_phases
from reference_models.codecs.stft import CausalSTFT, OverlapState, Window
from reference_models.errors import ModelError

_QUIET = 1e-5
"""Magnitude (full-scale sine: 1) at which the logarithm of what comes in levels off."""
_USUAL_LEVEL, _LEVEL_SPREAD = -8.0, 3.0
"""About the mean and the standard deviation of the log magnitudes of speech and music."""
_LOUDEST = 2.0
"""Upper bound of a log magnitude: e^2 times a full-scale sine."""
_FIRST_LEVEL = -5.0
"""Log magnitude of an untrained decoder."""


@dataclass(frozen=True)
class SpectralShape:
    """One side of the codec: `fine_blocks` of `fine_width` at the STFT rate, `coarse_blocks` at the frame rate.

    `fold` STFT frames make one codec frame: `frame_size = hop * fold` samples. Hidden layers of a block are `expand`
    times its width.
    """

    fine_width: int
    fine_blocks: int
    coarse_width: int
    coarse_blocks: int
    size: int = 640
    hop: int = 160
    fold: int = 4
    expand: int = 3
    layer_scale: float = 0.1
    window: Window = "hann"

    def __post_init__(self) -> None:
        if self.fold < 1 or self.expand < 1 or min(self.fine_width, self.coarse_width) < 1:
            raise ModelError(f"fold {self.fold}, expand {self.expand}: give at least 1, and positive widths")


class SpectralEncoder(nn.Module):
    """Audio [B, 1, S * frame_size] -> features [B, S, coarse_width]."""

    def __init__(self, shape: SpectralShape) -> None:
        super().__init__()
        self.frame_size = shape.hop * shape.fold
        self.features = shape.coarse_width
        self.fold = shape.fold
        self.stft = CausalSTFT(shape.size, shape.hop, shape.window)
        scale = shape.layer_scale
        self.enter = nn.Linear(self.stft.bins, shape.fine_width)
        self.fine = blocks(shape.fine_blocks, shape.fine_width, shape.expand * shape.fine_width, scale)
        self.down = nn.Linear(shape.fold * shape.fine_width, shape.coarse_width)
        self.coarse = blocks(shape.coarse_blocks, shape.coarse_width, shape.expand * shape.coarse_width, scale)
        self.norm = nn.LayerNorm(shape.coarse_width)

    def forward(self, audio: Tensor) -> Tensor:
        """The features of whole frames. Raises ModelError if the samples are not a multiple of `frame_size`."""
        if audio.shape[-1] % self.frame_size:
            raise ModelError(f"{audio.shape[-1]} samples: give whole frames of {self.frame_size}")
        x = self.fine(self.enter(levels(self.stft(audio[:, 0]))))
        x = self.down(x.unflatten(1, (-1, self.fold)).flatten(2))
        return self.norm(self.coarse(x))


@dataclass
class SpectralState:
    """A streaming decode: the memories of both rates, the last phases [B, bins], and the samples not yet complete."""

    coarse: list[Any]
    fine: list[Any]
    phases: Tensor
    overlap: OverlapState


class SpectralDecoder(nn.Module):
    """Latents [B, S, latents] -> audio [B, 1, S * frame_size]; the latency is `size - hop` samples."""

    def __init__(self, shape: SpectralShape, latents: int) -> None:
        super().__init__()
        self.frame_size = shape.hop * shape.fold
        self.latents = latents
        self.fold = shape.fold
        self.stft = CausalSTFT(shape.size, shape.hop, shape.window)
        self.latency = self.stft.overlap
        scale = shape.layer_scale
        self.enter = nn.Linear(latents, shape.coarse_width)
        self.coarse = blocks(shape.coarse_blocks, shape.coarse_width, shape.expand * shape.coarse_width, scale)
        self.up = nn.Linear(shape.coarse_width, shape.fold * shape.fine_width)
        self.fine = blocks(shape.fine_blocks, shape.fine_width, shape.expand * shape.fine_width, scale)
        self.norm = nn.LayerNorm(shape.fine_width)
        self.leave = nn.Linear(shape.fine_width, self.stft.bins)
        nn.init.constant_(self.leave.bias, _FIRST_LEVEL)
        self.turn = 2 * math.pi * shape.hop / shape.size

    def forward(self, latents: Tensor) -> Tensor:
        """All audio at once."""
        state = self.start(latents.shape[0])
        return torch.cat([self.step(latents, state), self.flush(state)], dim=-1)

    def trained(self, latents: Tensor, audio: Tensor) -> Decoded:
        """All audio at once, with the log magnitudes that it is made of beside those of the true audio."""
        state = self.start(latents.shape[0])
        made = self._levels(latents, state)
        sound = torch.cat([self._sound(made, state), self.flush(state)], dim=-1)
        return Decoded(sound, Levels(made, log_magnitudes(self.stft(audio[:, 0]))))

    def start(self, batch: int) -> SpectralState:
        """The state before the first frame."""
        phases = self.leave.weight.new_zeros(batch, self.stft.bins)
        return SpectralState(self.coarse.start(batch), self.fine.start(batch), phases, self.stft.start(batch))

    def step(self, latents: Tensor, state: SpectralState) -> Tensor:
        """The samples [B, 1, *] that the next frames complete."""
        return self._sound(self._levels(latents, state), state)

    def flush(self, state: SpectralState) -> Tensor:
        """The last `latency` samples [B, 1, latency]; none if there was no frame."""
        return self.stft.flush(state.overlap)[:, None]

    def _levels(self, latents: Tensor, state: SpectralState) -> Tensor:
        """Log magnitudes [B, S * fold, bins], softly bounded."""
        x = self.coarse.step(self.enter(latents), state.coarse)
        x = self.up(x).unflatten(-1, (self.fold, -1)).flatten(1, 2)
        return bounded(self.leave(self.norm(self.fine.step(x, state.fine))))

    def _sound(self, levels: Tensor, state: SpectralState) -> Tensor:
        phases = peak_phases(levels, state.phases, self.turn)
        state.phases = phases[:, -1]
        return self.stft.step(spectrum(levels, phases), state.overlap)[:, None]


def log_magnitudes(spectra: Tensor) -> Tensor:
    """Natural logarithms of magnitudes, complex [..., bins] to real; they level off at `_QUIET`."""
    return torch.log(spectra.abs() + _QUIET)


def levels(spectra: Tensor) -> Tensor:
    """Log magnitudes of complex spectra [..., bins], moved and scaled to about unit variance: real [..., bins].

    Phases are left out: a few numbers a frame cannot hold them, and the decoder makes its own (`phases.py`). An encoder
    that also sees them learns many times more slowly, because it has to find the magnitudes first.
    """
    return (log_magnitudes(spectra) - _USUAL_LEVEL) / _LEVEL_SPREAD


def bounded(level: Tensor) -> Tensor:
    """A log magnitude that stays under `_LOUDEST` and is free below it."""
    return _LOUDEST - functional.softplus(_LOUDEST - level)


def spectrum(level: Tensor, phases: Tensor) -> Tensor:
    """Log magnitudes and phases at the middle of the window, [..., bins] each -> complex [..., bins]."""
    # From the middle of the window to its start, where an FFT counts from, every second bin turns around.
    sign = 1 - 2 * (torch.arange(level.shape[-1], device=level.device) % 2)
    return torch.polar(torch.exp(level), phases) * sign
