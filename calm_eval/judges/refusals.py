"""Why a judge does not answer on an audio, by the names that all judges share."""

from __future__ import annotations

import numpy as np

from calm_eval.judges.protocol import Mono


def refusal(audio: Mono, least: int = 1) -> str | None:
    """`empty` (no sample), `nan` (not finite), `silent` (every sample zero), `too-short` (under `least` samples)."""
    if audio.size == 0:
        return "empty"
    if not np.isfinite(audio).all():
        return "nan"
    if not audio.any():
        return "silent"
    return "too-short" if audio.size < least else None
