"""What tools do to the level of a clip before their judge hears it: a peak, a file of 16-bit samples, no offset."""

from __future__ import annotations

import numpy as np

from calm_eval.judges.protocol import Mono

PEAK_DB = -1.0
"""Where audiocraft and stable-audio-metrics put the peak, in dB of full scale."""
STEPS = 32768


def at_peak(audio: Mono, decibels: float = PEAK_DB) -> Mono:
    """The clip [n] with its largest magnitude at `decibels` of full scale. Raises ValueError for silence."""
    largest = float(np.abs(audio).max(initial=0.0))
    if largest == 0.0:
        raise ValueError("silence has no peak")
    return audio * np.float32(10 ** (decibels / 20) / largest)


def through_int16(audio: Mono) -> Mono:
    """The clip [n] as it comes back from a file of 16-bit samples: clipped, the nearest of 65,536 steps, no dither."""
    steps = np.clip(np.rint(audio.astype(np.float64) * STEPS), -STEPS, STEPS - 1)
    return np.asarray(steps / STEPS, dtype=np.float32)


def centred(audio: Mono) -> Mono:
    """The clip [n] less its mean."""
    return np.asarray(audio - audio.mean(dtype=np.float64), dtype=np.float32)
