"""Power mel spectrograms with librosa's conventions, without librosa: importing numba costs seconds."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

_BREAK_HZ = 1000.0
_HZ_PER_MEL = 200.0 / 3.0
_BREAK_MEL = _BREAK_HZ / _HZ_PER_MEL
_LOG_STEP = np.log(6.4) / 27.0


def hz_to_mel(hz: ArrayLike) -> NDArray[np.float64]:
    """Hertz to mels on the scale of Slaney's Auditory Toolbox (1998): linear below 1 kHz, logarithmic above.

    Takes frequencies >= 0 of any shape, returns the same shape.
    """
    hz = np.asarray(hz, dtype=np.float64)
    above = _BREAK_MEL + np.log(np.maximum(hz, _BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return np.where(hz < _BREAK_HZ, hz / _HZ_PER_MEL, above)


def mel_to_hz(mel: ArrayLike) -> NDArray[np.float64]:
    """The inverse of `hz_to_mel`, same shape."""
    mel = np.asarray(mel, dtype=np.float64)
    above = _BREAK_HZ * np.exp(_LOG_STEP * (np.maximum(mel, _BREAK_MEL) - _BREAK_MEL))
    return np.where(mel < _BREAK_MEL, mel * _HZ_PER_MEL, above)


def mel_filters(
    sample_rate: int, n_fft: int, n_mels: int, lowest: float = 0.0, highest: float | None = None
) -> NDArray[np.float64]:
    """Triangular filters between two frequencies in Hz (default: up to half the rate), each of area 2 / bandwidth.

    That is Slaney's normalisation. Returns weights >= 0, shape [n_mels, n_fft // 2 + 1], to be multiplied with a power
    spectrum.
    """
    bins = np.fft.rfftfreq(n_fft, d=1.0 / sample_rate)
    top = sample_rate / 2 if highest is None else highest
    edges = mel_to_hz(np.linspace(hz_to_mel(lowest), hz_to_mel(top), n_mels + 2))
    widths = np.diff(edges)[:, None]
    distance = edges[:, None] - bins[None, :]
    rising = -distance[:-2] / widths[:-1]
    falling = distance[2:] / widths[1:]
    area = 2.0 / (edges[2:] - edges[:-2])
    return np.maximum(0.0, np.minimum(rising, falling)) * area[:, None]


class MelSpectrogram:
    """A power mel spectrogram: periodic Hann window as long as the FFT, frames centred, edges padded with zeros.

    Sizes are in samples; `n_fft` may be odd. Equal to `librosa.feature.melspectrogram` 0.11 with its defaults.
    """

    def __init__(self, sample_rate: int, n_fft: int, hop: int, n_mels: int) -> None:
        self.n_fft = n_fft
        self.hop = hop
        self._window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(n_fft) / n_fft)
        self._filters = mel_filters(sample_rate, n_fft, n_mels)

    def __call__(self, audio: NDArray[np.floating]) -> NDArray[np.float64]:
        """Samples [frames] to mel power >= 0, shape [n_mels, 1 + (frames + 2 * (n_fft // 2) - n_fft) // hop].

        Raises ValueError when the audio is not one-dimensional or has no sample.
        """
        if audio.ndim != 1 or audio.size == 0:
            raise ValueError(f"expected samples of shape [frames] with frames > 0, got {audio.shape}")
        padded = np.pad(audio.astype(np.float64), self.n_fft // 2)
        frames = sliding_window_view(padded, self.n_fft)[:: self.hop]
        spectrum = np.fft.rfft(frames * self._window, axis=-1)
        power = spectrum.real**2 + spectrum.imag**2
        mel: NDArray[np.float64] = self._filters @ power.T
        return mel


def power_to_db(power: NDArray[np.floating], top_db: float = 80.0) -> NDArray[np.float64]:
    """Power to decibels below the largest value: 0 at the maximum, never under -`top_db`. Same shape.

    Values under 1e-10 count as 1e-10, in the reference too, so all-zero input gives all zeros
    (`librosa.power_to_db` with `ref=np.max`).
    """
    floor = 1e-10
    decibels: NDArray[np.float64] = 10.0 * np.log10(np.maximum(power.astype(np.float64), floor))
    relative: NDArray[np.float64] = np.maximum(decibels - decibels.max(), -top_db)
    return relative
