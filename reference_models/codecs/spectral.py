"""The spectral form of encoder and decoder: spectra in, spectra out, all learning at low rates, so that it is cheap.

The decoder ends like Vocos (Siuzdak 2023) in an inverse STFT; the encoder mirrors it from a compressed spectrum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from reference_models.codecs.convnext import blocks
from reference_models.codecs.stft import CausalSTFT, OverlapState, Window
from reference_models.errors import ModelError

_COMPRESSION = 0.3
_QUIET = 1e-5
"""Magnitude (full-scale sine: 1) under which the compression stops, or silence would have an infinite slope."""
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
        self.enter = nn.Linear(2 * self.stft.bins, shape.fine_width)
        self.fine = blocks(shape.fine_blocks, shape.fine_width, shape.expand * shape.fine_width, scale)
        self.down = nn.Linear(shape.fold * shape.fine_width, shape.coarse_width)
        self.coarse = blocks(shape.coarse_blocks, shape.coarse_width, shape.expand * shape.coarse_width, scale)
        self.norm = nn.LayerNorm(shape.coarse_width)

    def forward(self, audio: Tensor) -> Tensor:
        """The features of whole frames. Raises ModelError if the samples are not a multiple of `frame_size`."""
        if audio.shape[-1] % self.frame_size:
            raise ModelError(f"{audio.shape[-1]} samples: give whole frames of {self.frame_size}")
        x = self.fine(self.enter(compressed(self.stft(audio[:, 0]))))
        x = self.down(x.unflatten(1, (-1, self.fold)).flatten(2))
        return self.norm(self.coarse(x))


@dataclass
class SpectralState:
    """A streaming decode: the memories of both rates and the samples not yet complete."""

    coarse: list[Any]
    fine: list[Any]
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
        self.leave = nn.Linear(shape.fine_width, 3 * self.stft.bins)
        nn.init.constant_(self.leave.bias[: self.stft.bins], _FIRST_LEVEL)

    def forward(self, latents: Tensor) -> Tensor:
        """All audio at once."""
        state = self.start(latents.shape[0])
        return torch.cat([self.step(latents, state), self.flush(state)], dim=-1)

    def start(self, batch: int) -> SpectralState:
        """The state before the first frame."""
        return SpectralState(self.coarse.start(batch), self.fine.start(batch), self.stft.start(batch))

    def step(self, latents: Tensor, state: SpectralState) -> Tensor:
        """The samples [B, 1, *] that the next frames complete."""
        x = self.coarse.step(self.enter(latents), state.coarse)
        x = self.up(x).unflatten(-1, (self.fold, -1)).flatten(1, 2)
        x = self.leave(self.norm(self.fine.step(x, state.fine)))
        return self.stft.step(spectrum(x), state.overlap)[:, None]

    def flush(self, state: SpectralState) -> Tensor:
        """The last `latency` samples [B, 1, latency]; none if there was no frame."""
        return self.stft.flush(state.overlap)[:, None]


def compressed(spectra: Tensor) -> Tensor:
    """Real and imaginary part of |S|^0.3 at the phase of S: complex [..., bins] -> real [..., 2 * bins].

    Under the magnitude `_QUIET` the map is linear in S.
    """
    gain = (spectra.abs() + _QUIET) ** (_COMPRESSION - 1.0)
    return torch.cat([spectra.real * gain, spectra.imag * gain], dim=-1)


def spectrum(x: Tensor) -> Tensor:
    """[..., 3 * bins] -> complex [..., bins]: a log magnitude, softly bounded, times a free complex number.

    The direction is not made a unit one: a decoder unsure of a phase may shrink it, and no gradient is singular.
    """
    level, real, imaginary = x.chunk(3, dim=-1)
    gain = torch.exp(_LOUDEST - functional.softplus(_LOUDEST - level))
    return torch.complex(gain * real, gain * imaginary)
