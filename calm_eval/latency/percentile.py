"""Percentiles that the number of measurements can bear: MLPerf's early stopping (loadgen, results.cc)."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

CONFIDENCE = 0.99


@dataclass(frozen=True)
class Percentile:
    """`value`: the measured one, sorted[floor(n * share)] as in loadgen, in the unit of the measurements.

    `bound`: what the true percentile lies under with 99 % confidence; None when there are too few measurements to say,
    and `lacking` says how many more it takes.
    """

    share: float
    value: float
    bound: float | None
    lacking: int


def percentile(values: ArrayLike, share: float) -> Percentile:
    """The percentile of measurements [n > 0]. Raises ValueError for none, or a share outside (0, 1).

    With n measurements the t - 1 highest are discarded and the highest left is the bound, t the largest number with
    P(Binomial(n, 1 - share) <= t) <= 1 - CONFIDENCE; there is none before t = 1 qualifies.
    """
    if not 0 < share < 1:
        raise ValueError(f"a percentile is a share inside (0, 1), not {share}")
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    count = len(ordered)
    if count == 0:
        raise ValueError("no measurements")
    value = float(ordered[min(count - 1, math.floor(count * share))])
    discard = _discarded(count, share)
    if discard < 1:
        return Percentile(share, value, None, needed(share) - count)
    return Percentile(share, value, float(ordered[count - discard]), 0)


@functools.cache
def needed(share: float) -> int:
    """The fewest measurements that bound this percentile: 64 for 0.9, 662 for 0.99."""
    count = 1
    while _discarded(count, share) < 1:
        count += 1
    return count


@functools.cache
def _discarded(count: int, share: float) -> int:
    """The largest t that qualifies, 0 when not even 1 does."""
    below, found = 0.0, 0
    for k in range(count + 1):
        below += _binomial(count, share, k)
        if below > 1 - CONFIDENCE:
            break
        found = k
    return found


def _binomial(count: int, share: float, k: int) -> float:
    """P(Binomial(count, 1 - share) = k)."""
    ways = math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
    return math.exp(ways + k * math.log(1.0 - share) + (count - k) * math.log(share))
