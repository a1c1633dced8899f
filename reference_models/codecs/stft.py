"""A causal short-time Fourier transform and its streaming inverse.

Frame i covers samples [(i + 1) * hop - size, (i + 1) * hop): what comes before the first sample is zero, and nothing
after the hop that a frame ends with is seen. The inverse puts a frame on those same samples, so that a sample waits
for the `size - hop` samples that follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from reference_models.errors import ModelError

Window = Literal["hann", "sqrt-hann"]

_LEAST_COVER = 0.1
"""At the very end fewer windows overlap than elsewhere. The division by their square sum stops at this share of the
usual sum, or it would amplify the last samples without bound."""


class CausalSTFT(nn.Module):
    """Windowed spectra of `size` samples every `hop`, scaled so that a full-scale sine has magnitude 1.

    Raises ModelError if `hop` does not divide `size`.
    """

    window: Tensor
    cover: Tensor
    last_cover: Tensor

    def __init__(self, size: int, hop: int, window: Window = "hann") -> None:
        super().__init__()
        if hop < 1 or size % hop or size < 2 * hop:
            raise ModelError(
                f"a window of {size} samples and a hop of {hop}: give a multiple of the hop, at least twice"
            )
        if window not in ("hann", "sqrt-hann"):
            raise ModelError(f"window {window!r}: give 'hann' or 'sqrt-hann'")
        self.size = size
        self.hop = hop
        self.overlap = size - hop
        self.bins = size // 2 + 1
        # On the CPU even while a model is built on the meta device: the window is data, not a parameter.
        shape = torch.hann_window(size, periodic=True, dtype=torch.float64, device="cpu")
        if window == "sqrt-hann":
            shape = shape.sqrt()
        self.scale = 2.0 / float(shape.sum())
        square = shape.square().view(-1, hop)
        usual = square.sum(dim=0)
        # The last `overlap` samples of a signal lack the frames that would begin after its end.
        missing = torch.stack([square[part:].sum(dim=0) for part in range(1, size // hop)])
        last = torch.maximum(missing, _LEAST_COVER * usual).flatten()
        for name, values in (("window", shape), ("cover", usual), ("last_cover", last)):
            self.register_buffer(name, values.float(), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """Audio [B, T], T a multiple of `hop` -> complex spectra [B, T / hop, bins]."""
        frames = functional.pad(audio, (self.overlap, 0)).unfold(-1, self.size, self.hop)
        return torch.fft.rfft(frames * (self.window * self.scale))

    def inverse(self, spectra: Tensor) -> Tensor:
        """Complex spectra [B, L, bins] -> audio [B, L * hop]; inverts `forward` up to the last hop (`_LEAST_COVER`)."""
        state = self.start(spectra.shape[0])
        return torch.cat([self.step(spectra, state), self.flush(state)], dim=-1)

    def start(self, batch: int) -> OverlapState:
        """The state of a streaming inverse before the first frame."""
        return OverlapState(self.window.new_zeros(batch, self.overlap), self.overlap)

    def step(self, spectra: Tensor, state: OverlapState) -> Tensor:
        """The audio that the next frames complete: `hop` samples each, less the `overlap` before the first sample."""
        frames = torch.fft.irfft(spectra, n=self.size) * (self.window / self.scale)
        hops = frames.unflatten(-1, (-1, self.hop))
        parts = hops.shape[2]
        lined = sum(functional.pad(hops[:, :, part], (0, 0, part, parts - 1 - part)) for part in range(parts))
        done = frames.shape[1] * self.hop
        summed = lined.flatten(1)
        summed = torch.cat([summed[:, : self.overlap] + state.tail, summed[:, self.overlap :]], dim=-1)
        state.tail = summed[:, done:]
        audio = (summed[:, :done].unflatten(-1, (-1, self.hop)) / self.cover).flatten(1)
        early = min(state.early, done)
        state.early -= early
        return audio[:, early:]

    def flush(self, state: OverlapState) -> Tensor:
        """The last `overlap` samples; none if there was no frame."""
        return (state.tail / self.last_cover)[:, state.early :]


@dataclass
class OverlapState:
    """Sums not yet complete, [B, overlap], and how many of the next samples lie before the first one."""

    tail: Tensor
    early: int
