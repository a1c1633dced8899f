"""Reconstruction of magnitudes at several resolutions (Yamamoto et al. 2020; with mel bands as in EnCodec)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from reference_models.codecs.losses.mel import mel_filters
from reference_models.errors import ModelError

_FLOOR = 1e-5
"""Magnitude (full-scale sine: about 1) under which the logarithm stops."""


class MultiScaleSpectral(nn.Module):
    """Mean over scales of `mean |A - B| + log_weight * mean |log A - log B|`, A and B magnitudes of the two signals.

    `sizes` are the windows in samples, each with a hop of a quarter. `bands` gives the mel bands of each size; None
    compares plain STFT magnitudes. Magnitudes are divided by half the window's sum, so that a full-scale sine is 1.
    """

    def __init__(
        self,
        sample_rate: int,
        sizes: Sequence[int] = (128, 256, 512, 1024, 2048),
        bands: Sequence[int] | None = None,
        log_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if not sizes or min(sizes) < 4 or (bands is not None and len(bands) != len(sizes)):
            raise ModelError(f"window sizes {tuple(sizes)}, mel bands {bands}: give one number of bands for each size")
        self.sizes = tuple(sizes)
        self.log_weight = log_weight
        for scale, size in enumerate(sizes):
            window = torch.hann_window(size, device="cpu")
            self.register_buffer(f"window{scale}", window, persistent=False)
            filters = None if bands is None else mel_filters(sample_rate, size, bands[scale])
            self.register_buffer(f"filters{scale}", filters, persistent=False)

    def forward(self, audio: Tensor, reconstruction: Tensor) -> Tensor:
        """The loss of two signals [B, 1, T]; a scalar. Raises ModelError for different shapes."""
        if audio.shape != reconstruction.shape or audio.dim() != 3:
            raise ModelError(
                f"audio {tuple(audio.shape)}, reconstruction {tuple(reconstruction.shape)}: give [B, 1, T]"
            )
        both = torch.cat([audio, reconstruction], dim=0)[:, 0]
        losses = []
        for scale in range(len(self.sizes)):
            a, b = self.magnitudes(both, scale).chunk(2)
            log = (a.clamp(min=_FLOOR).log() - b.clamp(min=_FLOOR).log()).abs().mean()
            losses.append((a - b).abs().mean() + self.log_weight * log)
        return torch.stack(losses).mean()

    def magnitudes(self, audio: Tensor, scale: int) -> Tensor:
        """Magnitudes [B, frames, bins or bands] of signals [B, T] at one scale; beyond their ends signals are zero."""
        size = self.sizes[scale]
        window = getattr(self, f"window{scale}")
        spectra = torch.stft(audio, size, size // 4, window=window, pad_mode="constant", return_complex=True)
        magnitudes = spectra.abs().transpose(1, 2) * (2.0 / window.sum())
        filters = getattr(self, f"filters{scale}")
        return magnitudes if filters is None else magnitudes @ filters
