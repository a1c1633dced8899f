"""Scale-invariant signal-to-noise ratio, with and without removal of the mean: two names for two numbers.

The reference is scaled to fit the sound best (least squares); what is left over is noise:

    a = <generated, reference> / <reference, reference>
    ratio = 10 log10(|a reference|^2 / |generated - a reference|^2)
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from calm_eval.audio.mono import Samples, SignalError, mono_pair

LIMIT_DB = 120.0
"""Ratios lie within plus and minus this: an exact copy and a sound without any trace of the reference have no finite
one, and beyond it only the rounding of the sum is measured (16-bit audio ends near 98 dB)."""


def si_sdr(generated: ArrayLike, reference: ArrayLike, sample_rate: int) -> float:
    """SI-SDR in dB of samples [frames], as they are (Le Roux et al. 2019). Within +-`LIMIT_DB`, higher is closer.

    Does not depend on the gain or the polarity of either sound; a delay of one sample costs much. `sample_rate` is
    not used. Raises SignalError: `empty`, `nan`, `unequal-lengths`, `silent` (either sound all zeros).
    """
    return _ratio(*mono_pair(generated, reference))


def si_snr(generated: ArrayLike, reference: ArrayLike, sample_rate: int) -> float:
    """SI-SNR in dB of samples [frames]: SI-SDR after each sound has lost its mean (Luo and Mesgarani 2018).

    A constant offset costs nothing here. Otherwise like `si_sdr`; `silent` is a sound that is constant, too.
    """
    first, second = mono_pair(generated, reference)
    return _ratio(_without_mean(first), _without_mean(second))


def _without_mean(samples: Samples) -> Samples:
    if samples.min() == samples.max():
        # The rounded mean of equal samples need not equal them.
        return np.zeros_like(samples)
    centred: Samples = samples - samples.mean()
    return centred


def _ratio(generated: Samples, reference: Samples) -> float:
    if not generated.any() or not reference.any():
        raise SignalError("silent", "no ratio to or of silence")
    # By the largest sample first: squares of very small or large ones would vanish or overflow.
    generated = generated / abs(generated).max()
    reference = reference / abs(reference).max()
    target = reference * (float(generated @ reference) / float(reference @ reference))
    noise = generated - target
    signal_energy, noise_energy = float(target @ target), float(noise @ noise)
    if signal_energy == 0.0:
        return -LIMIT_DB
    if noise_energy == 0.0:
        return LIMIT_DB
    return min(LIMIT_DB, max(-LIMIT_DB, 10.0 * (math.log10(signal_energy) - math.log10(noise_energy))))
