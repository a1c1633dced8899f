"""The log-mel of aiSFX (Ma and Lerch 2022) in NumPy: the numbers that its authors took from Essentia."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

SAMPLE_RATE = 44100
N_FFT = 2048
HOP = 1024
N_MELS = 96
SCALE = 10000.0
LARGEST = 9.457798957824707
"""The largest log-mel of the authors' corpora: what counts as 1 (`aisfx/preprocessing.py`)."""


def hz_to_mel(hz: ArrayLike) -> NDArray[np.float64]:
    """Hertz to mels as in HTK: 2595 log10(1 + f / 700). Takes frequencies >= 0 of any shape, returns the same shape."""
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hz, dtype=np.float64) / 700.0), dtype=np.float64)


def mel_filters() -> NDArray[np.float64]:
    """Weights >= 0 from 0 Hz to 22.05 kHz, shape [96, 1025]; each row sums to 1, so white noise has equal bands.

    The triangles are straight over mels, not over hertz; their corners are equally far apart in mels.
    """
    edges = np.linspace(0.0, hz_to_mel(SAMPLE_RATE / 2), N_MELS + 2)
    distance = hz_to_mel(np.fft.rfftfreq(N_FFT, d=1.0 / SAMPLE_RATE))[None, :] - edges[:, None]
    width = edges[1]
    weights = np.maximum(0.0, np.minimum(distance[:-2], -distance[2:]) / width)
    found: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return found


def frame_count(samples: int) -> int:
    """Mel frames of `samples` > 0: the first is centred on sample 0, the last starts before the end."""
    return -(-samples // HOP) + 1


class AisfxLogMel:
    """log10(1 + 10000 mel power) / 9.4578 of 44.1 kHz audio: FFT 2048, hop 1024, edges padded with zeros.

    The Hann window is the symmetric one and is not normalised. Samples beyond full scale are clipped, as by Essentia's
    loader. Essentia's answer on frames that are nearly silent (power under 1e-10) differs from call to call by some
    1e-9; this one's does not.
    """

    def __init__(self) -> None:
        self._window = np.hanning(N_FFT)
        self._filters = mel_filters()

    def __call__(self, audio: NDArray[np.floating]) -> NDArray[np.float64]:
        """Samples [frames > 0] to values >= 0, 0 for silence, shape [frame_count(frames), 96].

        Raises ValueError when the audio is not one-dimensional or has no sample.
        """
        if audio.ndim != 1 or audio.size == 0:
            raise ValueError(f"expected samples of shape [frames] with frames > 0, got {audio.shape}")
        count = frame_count(audio.size)
        after = count * HOP - audio.size
        padded = np.pad(np.clip(audio.astype(np.float64), -1.0, 1.0), (HOP, after))
        spectrum = np.fft.rfft(sliding_window_view(padded, N_FFT)[::HOP] * self._window, axis=-1)
        power = (spectrum.real**2 + spectrum.imag**2) @ self._filters.T
        log_mel: NDArray[np.float64] = np.log10(1.0 + SCALE * power) / LARGEST
        return log_mel
