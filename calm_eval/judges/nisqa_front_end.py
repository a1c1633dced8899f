"""The log-mel of NISQA in NumPy and how it is cut.

    mel     = magnitude mel [48, frames]: 48 kHz, periodic Hann of 20 ms in an FFT of 4096, each 10 ms, edges mirrored
    log-mel = max(20 log10(max(mel, 1e-4)), its largest value - 80)

Source: gabrielmittag/NISQA (nisqa/NISQA_lib.py, get_librosa_melspec and segment_specs; arguments of weights/nisqa.tar).
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from calm_eval.audio.mel import mel_filters

SAMPLE_RATE = 48000
N_FFT = 4096
WINDOW = 960
HOP = 480
N_MELS = 48
HIGHEST_HZ = 20000.0
FLOOR = 1e-4
RANGE_DB = 80.0
FRAMES = 15
"""Log-mel frames of a segment: 0.15 s."""
SEGMENT_HOP = 4
LEAST = (FRAMES - 1) * HOP
"""Samples of the shortest clip with a segment."""


class NisqaLogMel:
    """Samples at 48 kHz to log-mel in decibels, [48, 1 + samples // 480]. A clip needs 2049 samples: mirroring does."""

    def __init__(self) -> None:
        self._window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(WINDOW) / WINDOW)
        self._filters = mel_filters(SAMPLE_RATE, N_FFT, N_MELS, 0.0, HIGHEST_HZ)

    def __call__(self, audio: NDArray[np.floating]) -> NDArray[np.float64]:
        """Samples [n] to [48, frames]."""
        # A window shorter than its FFT stands in the middle of it.
        padded = np.pad(np.asarray(audio, dtype=np.float64), N_FFT // 2, mode="reflect")
        first = (N_FFT - WINDOW) // 2
        frames = sliding_window_view(padded, N_FFT)[::HOP, first : first + WINDOW]
        magnitude = np.abs(np.fft.rfft(frames * self._window, N_FFT, axis=-1))
        decibels = 20.0 * np.log10(np.maximum(FLOOR, self._filters @ magnitude.T))
        return np.asarray(np.maximum(decibels, decibels.max() - RANGE_DB))


def segments(log_mel: NDArray[np.floating]) -> NDArray[np.floating]:
    """Log-mel [48, frames] to segments [count, 48, 15], one each 4 frames; what is left after the last is dropped."""
    return sliding_window_view(log_mel, FRAMES, axis=1)[:, ::SEGMENT_HOP].transpose(1, 0, 2)
