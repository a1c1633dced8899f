"""Two rows by a metric of the whole set: Fisher's randomisation over items, and a jackknife of the difference.

If the rows were alike, each item could as well have come from the other one. Both values are computed anew for each
exchange, so a bias that depends on the size of a set is in the one as in the other and the test needs no correction.
Bounds come of the delete-group jackknife with the same items left out of both rows, which takes the first-order bias
out of the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from calm_eval.stats.jackknife import deal, jackknife_of
from calm_eval.stats.loss import Loss

RESAMPLES = 999
NAME = "label swap over items"

Choice = Callable[[NDArray[np.bool_], NDArray[np.bool_] | None], NDArray[np.float64]]
"""Values [choices] of sets by from which row each item comes [choices, items] and which items are kept [items]."""

_TIE = 1e-9
"""Exchanges that differ from what was found by less, relative to the values, are as far out."""


def set_loss(
    choice: Choice,
    items: Sequence[str],
    *,
    higher_is_better: bool,
    alpha: float,
    seed: int,
    resamples: int = RESAMPLES,
) -> Loss | None:
    """The loss of the second row against the first, with one-sided bounds at 1 - alpha and a one-sided p-value.

    p is (1 + exchanges at least as far out) / (1 + resamples). None where a row has no value; without bounds where a
    group of items left out leaves too little. Raises ValueError for an alpha outside (0, 0.5).
    """
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha between 0 and 0.5, got {alpha}")
    sign, count = -1.0 if higher_is_better else 1.0, len(items)
    ends = choice(np.array([[False] * count, [True] * count]), None)
    if not np.isfinite(ends).all():
        return None
    found = sign * float(ends[1] - ends[0])
    level = 1 - alpha
    if count < 2:
        return Loss(found, None, None, None, None, count, level)
    swapped = np.random.default_rng(seed).integers(0, 2, size=(resamples, count)).astype(np.bool_)
    differences = sign * (choice(swapped, None) - choice(~swapped, None))
    tie = _TIE * float(np.abs(ends).max())
    p = (1 + int(np.count_nonzero(differences >= found - tie))) / (1 + resamples)
    groups = deal(items)
    of = np.array([groups[name] for name in items])
    left_out = []
    for group in range(int(of.max()) + 1):
        without = choice(np.array([[False] * count, [True] * count]), of != group)
        left_out.append(sign * float(without[1] - without[0]))
    if len(left_out) < 2 or not np.isfinite(left_out).all():
        return Loss(found, None, None, None, None, count, level)
    made = jackknife_of(found, left_out, np.bincount(of).tolist(), level=1 - 2 * alpha)
    return Loss(found, made.low, made.high, p, made.error, count, level)
