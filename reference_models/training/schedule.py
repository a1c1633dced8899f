"""The learning rate of a step: linear warm-up, then a cosine down to a share of the peak."""

from __future__ import annotations

import math


def learning_rate(step: int, steps: int, peak: float, warmup: int, final: float) -> float:
    """The rate of step `step` (from 0) of `steps`; `final` is the share of the peak that is reached at the end."""
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / max(steps - warmup, 1)
    return peak * (final + (1 - final) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))))
