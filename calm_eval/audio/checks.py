"""Is this audio fit to be scored? Every way in which it is not has a name, and is counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calm_eval.audio.clip import Clip

SILENT_PEAK = 10 ** (-60 / 20)
"""A clip whose peak stays under -60 dBFS is called silent."""

TOO_SHORT_SECONDS = 0.1
"""A clip under this duration is called too short."""


@dataclass(frozen=True)
class AudioCheck:
    """What was seen before encoding could hide it. `failure` stops scoring; `flags` are counted beside the score."""

    peak: float
    nan_samples: int
    seconds: float
    failure: str | None
    flags: tuple[str, ...]


def check_audio(clip: Clip) -> AudioCheck:
    """Measure peak (linear), non-finite samples and duration; name what is wrong.

    Failures: `empty` (no frames), `nan` (any sample not finite). Flags: `silent`, `clipped` (a sample beyond full
    scale), `too-short`.
    """
    finite = np.isfinite(clip.samples)
    bad = int(clip.samples.size - np.count_nonzero(finite))
    peak = float(np.abs(clip.samples[finite]).max(initial=0.0))
    failure = "empty" if clip.frames == 0 else "nan" if bad else None
    flags = []
    if failure is None and peak < SILENT_PEAK:
        flags.append("silent")
    if peak > 1.0:
        flags.append("clipped")
    if failure is None and clip.seconds < TOO_SHORT_SECONDS:
        flags.append("too-short")
    return AudioCheck(peak, bad, clip.seconds, failure, tuple(flags))
