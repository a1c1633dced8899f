"""Level, silence, clipping, offset and bandwidth of one sound. Pure functions of samples [frames], full scale at 1.

All raise SignalError: `empty` (no sample), `nan` (a sample not finite), and ValueError on another shape than [frames].
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from calm_eval.audio.mono import SignalError, mono

SILENCE_DBFS = -60.0
SILENCE_FRAME_SECONDS = 0.02
CLIPPING_LEVEL = 0.99
ENERGY_SHARE = 0.99


def peak_dbfs(audio: ArrayLike) -> float:
    """Largest magnitude in dB re full scale: 0 for a sample of 1, above 0 beyond it. `silent`: all zeros."""
    return _decibels(float(np.abs(mono(audio)).max()))


def rms_dbfs(audio: ArrayLike) -> float:
    """Root mean square in dB re a constant of 1, so that a sine of amplitude 1 has -3.01. `silent`: all zeros."""
    samples = mono(audio)
    peak = float(np.abs(samples).max())
    if peak == 0.0:
        return _decibels(0.0)
    # By the peak first: squares of very small samples would vanish.
    return _decibels(peak) + 10.0 * math.log10(float(np.mean((samples / peak) ** 2)))


def silence_share(audio: ArrayLike, sample_rate: int) -> float:
    """Share of the samples, 0 to 1, that lie in 20-ms frames whose RMS is under -60 dBFS; the last may be shorter.

    An offset counts as sound here: read `dc` beside it.
    """
    samples = mono(audio)
    starts = np.arange(0, samples.size, max(1, round(SILENCE_FRAME_SECONDS * sample_rate)))
    lengths = np.diff(np.append(starts, samples.size))
    quiet = np.add.reduceat(samples**2, starts) / lengths < 10.0 ** (SILENCE_DBFS / 10.0)
    return float(lengths[quiet].sum() / samples.size)


def clipping_share(audio: ArrayLike) -> float:
    """Share of samples, 0 to 1, whose magnitude is 0.99 of full scale or more.

    The level is not 1 because resampling rounds flat tops off: at 0.99, speech and music clipped at 16 kHz keep four
    fifths of the share and more at 48 kHz, at 0.9999 half. A sound turned down after it was clipped is not found.
    """
    return float(np.mean(np.abs(mono(audio)) >= CLIPPING_LEVEL))


def dc(audio: ArrayLike) -> float:
    """Mean of the samples, full scale 1, with its sign."""
    return float(mono(audio).mean())


def bandwidth_hz(audio: ArrayLike, sample_rate: int) -> float:
    """Frequency in Hz below which 99 % of the energy lies, the mean left out; at most half the sample rate.

    From the spectrum of the whole sound, without a window, so it is exact to `sample_rate / frames`. `silent`: the
    sound is constant, a single sample among them.
    """
    samples = mono(audio)
    if samples.min() == samples.max():
        raise SignalError("silent", "a constant has no bandwidth")
    samples = samples - samples.mean()
    spectrum = np.fft.rfft(samples / np.abs(samples).max())
    energy = spectrum.real**2 + spectrum.imag**2
    # Every bin but the first and, for an even length, the last stands for two.
    if samples.size % 2 == 0:
        energy[-1] /= 2.0
    below = np.cumsum(energy)
    return float(np.searchsorted(below, ENERGY_SHARE * below[-1]) * sample_rate / samples.size)


def _decibels(magnitude: float) -> float:
    if magnitude == 0.0:
        raise SignalError("silent", "digital silence has no level in decibels")
    return 20.0 * math.log10(magnitude)
