"""Item bootstrap: the unit that is drawn again is the item (with all its seeds), never a word or a frame.

Percentile interval (Efron 1979; for WER over utterances: Bisani and Ney, ICASSP 2004). A ratio such as corpus WER
draws errors and lengths together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
LEVEL = 0.95

_CHUNK = 2_000_000


def ratio_interval(
    numerators: Sequence[float] | NDArray[np.float64],
    denominators: Sequence[float] | NDArray[np.float64],
    *,
    seed: int,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> tuple[float, float] | None:
    """Percentile interval of sum(numerators) / sum(denominators) under resampling of items, both drawn together.

    One entry an item. A mean is the case of all denominators 1. None with fewer than two items or no positive
    denominator. Resamples whose denominators sum to 0 are left out (only possible when items have 0 themselves).
    """
    top = np.asarray(numerators, dtype=np.float64)
    bottom = np.asarray(denominators, dtype=np.float64)
    if top.shape != bottom.shape or top.ndim != 1:
        raise ValueError(f"one numerator and one denominator an item, got {top.shape} and {bottom.shape}")
    count = len(top)
    if count < 2 or bottom.sum() <= 0:
        return None
    generator = np.random.default_rng(seed)
    values = np.empty(resamples)
    step = max(1, _CHUNK // count)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = generator.integers(0, count, size=(rows, count))
        below = bottom[drawn].sum(axis=1)
        above = top[drawn].sum(axis=1)
        values[start : start + rows] = np.divide(above, below, out=np.full(rows, np.nan), where=below > 0)
    tail = (1 - level) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)
