"""What a decoder gives to training: the audio, and the log magnitudes where it works on those."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Levels:
    """Log magnitudes [B, L, bins] of the decoder's own transform: those it made, and those of the true audio."""

    made: Tensor
    true: Tensor


@dataclass(frozen=True)
class Decoded:
    """Audio [B, 1, T], and levels where the decoder has any."""

    audio: Tensor
    levels: Levels | None = None
