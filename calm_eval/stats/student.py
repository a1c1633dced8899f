"""Quantiles of Student's t, without a dependency on scipy."""

from __future__ import annotations

import math
from statistics import NormalDist


def t_quantile(probability: float, freedom: int) -> float:
    """The `probability` quantile for `freedom` degrees of freedom, within 0.2 % from 0.9 to 0.975.

    Closed forms for 1 and 2; from 3 on the expansion of Abramowitz and Stegun 26.7.5.
    """
    if not 0 < probability < 1 or freedom < 1:
        raise ValueError(f"a probability inside (0, 1) and at least 1 degree of freedom, got {probability}, {freedom}")
    if freedom == 1:
        return math.tan(math.pi * (probability - 0.5))
    if freedom == 2:
        return (2 * probability - 1) / math.sqrt(2 * probability * (1 - probability))
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / float(freedom) ** (power + 1) for power, term in enumerate(terms))
