"""Reconstruction in the time domain."""

from __future__ import annotations

from torch import Tensor

from reference_models.errors import ModelError


def l1(audio: Tensor, reconstruction: Tensor) -> Tensor:
    """Mean absolute difference of two signals of one shape; a scalar. Raises ModelError for different shapes."""
    if audio.shape != reconstruction.shape:
        raise ModelError(f"audio {tuple(audio.shape)}, reconstruction {tuple(reconstruction.shape)}: give equal shapes")
    return (audio - reconstruction).abs().mean()
