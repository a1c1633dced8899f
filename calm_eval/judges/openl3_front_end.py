"""The two mel spectrograms that OpenL3 was given over time, and its windows of a second.

    decibels = max(10 log10(max(mel, 1e-10)) - the largest of the window, -80)        FFT 2048, periodic Hann, hop 242

    kapre-0.1   mel = sqrt(HTK mel of |STFT|^2), zeros before and after the window; the filters are in the checkpoint
    kapre-0.3   mel = Slaney mel of |STFT|, filters of equal area, zeros after the window alone

The first is kapre 0.1.4, with which the network was trained: openl3 up to 0.3.1, and torchopenl3. The second is what
openl3 0.4 puts before the same weights: other embeddings under the same name (marl/openl3, issue 80).
Source: torchopenl3 1.0.1 (models.py), openl3 0.4.2 (models.py, core.py), kapre 0.3.5 (composed.py).
"""

from __future__ import annotations

from math import ceil
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from calm_eval.judges.protocol import Mono

SAMPLE_RATE = 48000
N_FFT, HOP, N_MELS = 2048, 242, 256
FRAMES = 199
WINDOW, STEP = SAMPLE_RATE, SAMPLE_RATE // 2
LEAST, RANGE = 1e-10, 80.0

FrontEnd = Literal["kapre-0.1", "kapre-0.3"]
PADS = {"kapre-0.1": (982, 982), "kapre-0.3": (0, 1964)}
"""Zeros before and after a window, which make 199 frames of it."""


def windows_of(audio: Mono) -> NDArray[np.float32]:
    """Samples [n] at 48 kHz to windows [count, 48000], one each half second, the first half of the first one zeros.

    Zeros fill up the last window, so that no sample is left out: count = 1 + ceil((n - 24000) / 24000), at least 1.
    """
    count = 1 + max(0, ceil((audio.size - STEP) / STEP))
    filled = np.zeros((count + 1) * STEP, dtype=np.float32)
    filled[STEP : STEP + audio.size] = audio
    return np.stack([filled[start : start + WINDOW] for start in range(0, count * STEP, STEP)])


def htk_filters() -> NDArray[np.float64]:
    """Triangles that are straight over hertz, corners equally far apart over 2595 log10(1 + f / 700); each sums to 1.

    Shape [256, 1025]; a triangle between two bins is all zero. torchopenl3 starts with these; a checkpoint has its own.
    """
    filters = _triangles(700.0 * (10.0 ** (_spread(2595.0 * np.log10(1.0 + SAMPLE_RATE / 2 / 700.0)) / 2595.0) - 1.0))
    sums = filters.sum(axis=1, keepdims=True)
    return np.asarray(filters / np.where(sums > 0, sums, 1.0), dtype=np.float64)


def slaney_filters() -> NDArray[np.float64]:
    """Triangles that are straight over hertz on Slaney's scale, of area 1 in hertz each; shape [256, 1025]."""
    step, knee = 200.0 / 3.0, 1000.0
    growth = np.log(6.4) / 27.0
    mels = _spread(knee / step + np.log(SAMPLE_RATE / 2 / knee) / growth)
    edges = np.where(mels < knee / step, mels * step, knee * np.exp(growth * (mels - knee / step)))
    return _triangles(edges) * (2.0 / (edges[2:] - edges[:-2]))[:, None]


def _spread(highest: float) -> NDArray[np.float64]:
    return np.linspace(0.0, highest, N_MELS + 2)


def _triangles(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    bins = np.linspace(0.0, SAMPLE_RATE / 2, N_FFT // 2 + 1)
    corners = edges[:, None]
    rising = (bins - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - bins) / (corners[2:] - corners[1:-1])
    weights: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    return weights


class Openl3Decibels:
    """Windows [n, 48000] to decibels [n, 256, 199], 0 at the largest of a window and no less than -80.

    `filters` [256, 1025] are those of the checkpoint for `kapre-0.1`. In float64: 80 dB of magnitudes are 160 of power,
    of which float32 holds no more than the upper 120.
    """

    def __init__(self, front_end: FrontEnd, filters: Any, torch: Any) -> None:
        self._torch, self._front_end = torch, front_end
        self._window = torch.hann_window(N_FFT, periodic=True, dtype=torch.float64)
        chosen = filters if front_end == "kapre-0.1" else torch.from_numpy(slaney_filters())
        self._filters = chosen.to("cpu", torch.float64)

    def __call__(self, windows: NDArray[np.floating]) -> Any:
        """An array to a float32 tensor."""
        torch = self._torch
        samples = torch.from_numpy(np.ascontiguousarray(windows, dtype=np.float64))
        padded = torch.nn.functional.pad(samples, PADS[self._front_end])
        spectrum = torch.stft(padded, N_FFT, HOP, N_FFT, self._window, center=False, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        mel = (self._filters @ power).sqrt() if self._front_end == "kapre-0.1" else self._filters @ power.sqrt()
        decibels = 10.0 * mel.clamp(min=LEAST).log10()
        return (decibels - decibels.amax(dim=(1, 2), keepdim=True)).clamp(min=-RANGE).to(torch.float32)
