"""The smallest difference that a comparison of pairs would have found: what "not distinguishable" is worth."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from calm_eval.stats.bootstrap import LEVEL, left_out
from calm_eval.stats.student import t_quantile

POWER = 0.8


def detectable_difference(
    first: tuple[ArrayLike, ArrayLike],
    second: tuple[ArrayLike, ArrayLike],
    *,
    level: float = LEVEL,
    power: float = POWER,
) -> float | None:
    """A true difference of this size is found in `power` of all repetitions by a single two-sided test at `level`.

    (t + z) standard errors (Cohen 1988, "Statistical power analysis", section 2.2, for pairs); the error is the
    jackknife's over items (Efron and Stein 1981), so that ratios are as right as means. Each row is (numerators,
    denominators), [items] or [items, seeds]. In the metric's unit. None with fewer than two items or where a ratio is
    not defined with an item left out.
    """
    rows = [np.asarray(part, dtype=np.float64) for part in (*first, *second)]
    count = len(rows[0])
    if count < 2:
        return None
    top, bottom, other_top, other_bottom = (part.reshape(count, -1).sum(axis=1) for part in rows)
    without = left_out(top, bottom) - left_out(other_top, other_bottom)
    if not np.isfinite(without).all():
        return None
    error = math.sqrt((count - 1) / count * float(((without - without.mean()) ** 2).sum()))
    return (t_quantile((1 + level) / 2, count - 1) + NormalDist().inv_cdf(power)) * error
