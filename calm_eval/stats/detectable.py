"""The smallest difference that a comparison of pairs would have found: what "not distinguishable" is worth."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from calm_eval.stats.bootstrap import LEVEL
from calm_eval.stats.loss import Rows, paired_error
from calm_eval.stats.student import t_quantile

POWER = 0.8


def detectable_difference(first: Rows, second: Rows, *, level: float = LEVEL, power: float = POWER) -> float | None:
    """A true difference of this size is found in `power` of all repetitions by a single two-sided test at `level`.

    (t + z) standard errors (Cohen 1988, "Statistical power analysis", section 2.2, for pairs); the error is the
    jackknife's over items, so that ratios are as right as means. Each row is (numerators, denominators), [items] or
    [items, seeds]. In the metric's unit. None as `paired_error`.
    """
    error = paired_error(first, second)
    if error is None:
        return None
    freedom = np.shape(first[0])[0] - 1
    return (t_quantile((1 + level) / 2, freedom) + NormalDist().inv_cdf(power)) * error
