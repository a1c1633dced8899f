"""How much worse a candidate is than a baseline on the same items, with a bound to either side."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calm_eval.stats.bootstrap import RESAMPLES, left_out
from calm_eval.stats.paired import paired_difference

Rows = tuple[ArrayLike, ArrayLike]
"""Numerators and denominators, [items] or [items, seeds]."""


@dataclass(frozen=True)
class Loss:
    """`loss` is above 0 where the candidate is worse, in the metric's unit. `low` and `high` each hold at `level`.

    `p` is one-sided, of a loss as large where there is none. `error` is the standard error over items. All but `loss`
    are None with fewer than two items.
    """

    loss: float
    low: float | None
    high: float | None
    p: float | None
    error: float | None
    n_items: int
    level: float


def paired_loss(
    candidate: Rows, baseline: Rows, *, higher_is_better: bool, alpha: float, seed: int, resamples: int = RESAMPLES
) -> Loss | None:
    """The loss of a ratio of sums (a mean where all denominators are 1) over the same items and seeds.

    The bounds are the ends of the BCa interval of level 1 - 2 alpha, so that each alone is exceeded with probability
    alpha. The sign-flip distribution is symmetric, so that half of the two-sided p-value is the one-sided one where
    the loss is above 0; elsewhere 1 stands for "no sign of a loss". None where a row has no positive denominator.
    Raises ValueError as `paired_difference`, and for an alpha outside (0, 0.5).
    """
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha between 0 and 0.5, got {alpha}")
    pair = (baseline, candidate) if higher_is_better else (candidate, baseline)
    found = paired_difference(*pair, seed=seed, resamples=resamples, level=1 - 2 * alpha)
    if found is None:
        return None
    p = None if found.p is None else found.p / 2 if found.difference > 0 else 1.0
    return Loss(found.difference, found.low, found.high, p, paired_error(*pair), found.n_items, 1 - alpha)


def paired_error(first: Rows, second: Rows) -> float | None:
    """The jackknife's standard error over items (Efron and Stein 1981) of a difference of two ratios, paired.

    None with fewer than two items or where a ratio is not defined with an item left out.
    """
    rows = [np.asarray(part, dtype=np.float64) for part in (*first, *second)]
    count = len(rows[0])
    if count < 2:
        return None
    top, bottom, other_top, other_bottom = (part.reshape(count, -1).sum(axis=1) for part in rows)
    without = left_out(top, bottom) - left_out(other_top, other_bottom)
    if not np.isfinite(without).all():
        return None
    return math.sqrt((count - 1) / count * float(((without - without.mean()) ** 2).sum()))
