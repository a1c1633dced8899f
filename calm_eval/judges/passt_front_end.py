"""The log-mel of PaSST in PyTorch (Koutini et al. 2022), and the ways in which two tools cut a clip for it.

    y       = x[t + 1] - 0.97 x[t]
    power   = |STFT(y)|^2, symmetric Hann of 800 centred in an FFT of 1024, hop 320, edges mirrored
    log-mel = (ln(power mel + 1e-5) + 4.5) / 5, 128 Kaldi mels from 0 to 15 kHz

Source: kkoutini/passt_hear21 (models/preprocess.py), without its noise: in evaluation it draws from the global random
numbers and does not use what it drew.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from calm_eval.judges.protocol import Mono

SAMPLE_RATE = 32000
N_FFT, WINDOW, HOP = 1024, 800, 320
N_MELS = 128
HIGHEST_HZ = 15000.0
PREEMPHASIS = 0.97
FLOOR, SHIFT, SCALE = 1e-5, 4.5, 5.0

Framing = Literal["segments", "overlapping"]
LEAST_SEGMENT = 0.15
"""Seconds that a last segment must be longer than."""
LEAST_PADDED = 1.5
"""Seconds from which an overlapping window is filled up with zeros."""


def mel_filters() -> NDArray[np.float64]:
    """Triangles that are straight over mels, 1127 ln(1 + f / 700), shape [128, 513]; nothing at half the rate."""
    bins = 1127.0 * np.log1p(np.arange(N_FFT // 2) * SAMPLE_RATE / N_FFT / 700.0)
    edges = np.linspace(0.0, 1127.0 * np.log1p(HIGHEST_HZ / 700.0), N_MELS + 2)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.pad(np.maximum(0.0, np.minimum(rising, falling)), ((0, 0), (0, 1)))


class PasstLogMel:
    """Samples [n, samples] to log-mel [n, 128, frames], frames = 1 + (samples - 1) // 320."""

    def __init__(self, torch: Any, device: str) -> None:
        self._torch = torch
        self._window = torch.hann_window(WINDOW, periodic=False, device=device)
        self._filters = torch.from_numpy(mel_filters()).to(device, torch.float32)

    def __call__(self, samples: Any) -> Any:
        """A float32 tensor to another."""
        torch = self._torch
        emphasised = samples[:, 1:] - PREEMPHASIS * samples[:, :-1]
        spectrum = torch.stft(emphasised, N_FFT, HOP, WINDOW, self._window, center=True, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        return (torch.log(self._filters @ power + FLOOR) + SHIFT) / SCALE


def windows_of(audio: Mono, framing: Framing, seconds: float) -> list[Mono]:
    """The pieces of a clip that are classified, each by itself.

    `segments`: one after the other, the last kept when longer than 0.15 s, nothing filled up (audiocraft
    metrics/kld.py). `overlapping`: one each half of `seconds` while half of it is left, those of 1.5 s and more filled
    up with zeros (stable-audio-metrics src/passt_kld.py).
    """
    size = round(seconds * SAMPLE_RATE)
    if framing == "segments":
        cut = [audio[start : start + size] for start in range(0, audio.size, size)]
        return [piece for piece in cut if piece.size > LEAST_SEGMENT * SAMPLE_RATE]
    step = size // 2
    cut = [audio[start : start + size] for start in range(0, max(step, audio.size - step), step)]
    least = round(LEAST_PADDED * SAMPLE_RATE)
    return [np.pad(piece, (0, size - piece.size)) if piece.size >= least else piece for piece in cut]
