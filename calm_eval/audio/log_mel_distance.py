"""Log-mel distance: how far apart the short-time spectra of two aligned sounds lie, in decibels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from calm_eval.audio.mel import MelSpectrogram
from calm_eval.audio.mono import SignalError, mono_pair

WINDOW_SECONDS = 0.064
HOP_SECONDS = 0.016
BANDS = 80
RANGE_DB = 80.0


def log_mel_distance(generated: ArrayLike, reference: ArrayLike, sample_rate: int) -> float:
    """Mean absolute difference in dB over frames and 80 mel bands up to Nyquist, in [0, inf); 0 for equal spectra.

    Samples [frames] of equal length; Hann windows of 64 ms every 16 ms, centred, edges padded with zeros (1024 and 256
    samples at 16 kHz). Both are floored 80 dB under the largest band of the reference, so that differences nobody
    hears do not count. A gain on both changes nothing, a gain on one is its decibels; polarity and phase do not
    count, and a delay well below 64 ms costs little. The bands reach to Nyquist, so values of two rates are two
    quantities.

    Raises SignalError: `empty`, `nan`, `unequal-lengths`, `silent` (the reference is all zeros).
    """
    first, second = mono_pair(generated, reference)
    if not second.any():
        raise SignalError("silent", "a silent reference sets no floor")
    # Powers of very quiet sounds would vanish; a common gain changes nothing.
    peak = np.abs(second).max()
    mel = MelSpectrogram(sample_rate, round(WINDOW_SECONDS * sample_rate), round(HOP_SECONDS * sample_rate), BANDS)
    heard, wanted = mel(first / peak), mel(second / peak)
    floor = wanted.max() * 10.0 ** (-RANGE_DB / 10.0)
    if floor == 0.0:
        raise SignalError("silent", "the reference has no energy in any mel band")
    difference = 10.0 * np.log10(np.maximum(heard, floor) / np.maximum(wanted, floor))
    return float(np.abs(difference).mean())
