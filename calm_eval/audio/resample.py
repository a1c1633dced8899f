"""The one resampler and the one mono rule. Both stand in the fingerprint of every number that passed through them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calm_eval.audio.clip import Clip

RESAMPLER = {"resampler": "soxr", "quality": "VHQ", "mono": "mean of channels, before resampling"}
"""Preprocessing that every judge's fingerprint holds."""


def to_mono(clip: Clip, sample_rate: int) -> NDArray[np.float32]:
    """The clip as float32 [frames] at another rate: channel mean, then soxr VHQ."""
    import soxr

    mono = clip.samples[0] if clip.channels == 1 else clip.samples.mean(axis=0, dtype=np.float64).astype(np.float32)
    if clip.sample_rate == sample_rate or mono.size == 0:
        return np.ascontiguousarray(mono)
    resampled = soxr.resample(mono, clip.sample_rate, sample_rate, quality="VHQ")
    return np.ascontiguousarray(resampled, dtype=np.float32)
