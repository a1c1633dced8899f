"""Interval of a median by order statistics: no distribution is assumed and nothing is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence

LEVEL = 0.95
NAME = "order statistics over items"


def median_interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float] | None:
    """The narrowest pair of order statistics, equally far from both ends, that covers at least `level`.

    The number of values under the true median is binomial with 1/2 (Conover 1999, "Practical Nonparametric Statistics",
    section 3.2). None where even the extremes do not cover so much: under 6 values for 95 %. Raises ValueError for a
    value that is not finite.
    """
    if not all(math.isfinite(value) for value in values):
        raise ValueError("a value is not finite")
    count = len(values)
    ordered = sorted(values)
    outside = 0.0
    best: tuple[float, float] | None = None
    for place in range(count // 2):
        outside += math.comb(count, place) / 2**count
        if 1 - 2 * outside < level:
            break
        best = ordered[place], ordered[count - 1 - place]
    return best
