"""A series of nightly values: where the next one should lie, and whether the level has moved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calm_eval.stats.student import t_quantile

LEVEL = 0.99
RESAMPLES = 4_999
LEAST = 3
"""Values on each side of a change, and before a prediction: fewer say nothing of their spread."""

_TIE = 1e-12


@dataclass(frozen=True)
class ChangePoint:
    """The level of a series before and from the place [index] where it moved most, and the p-value of such a move."""

    place: int
    before: float
    after: float
    p: float


def prediction_bounds(values: Sequence[float], level: float = LEVEL) -> tuple[float, float] | None:
    """Where the next value should lie: each end is passed with probability 1 - level if nothing changes.

    mean +- t * s * sqrt(1 + 1/k), t one-sided with k - 1 degrees of freedom, for normal values that are independent
    (Hahn and Meeker 1991, "Statistical intervals", chapter 4). None with fewer than three values.
    """
    count = len(values)
    if count < LEAST:
        return None
    mean = math.fsum(values) / count
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    reach = t_quantile(level, count - 1) * spread * math.sqrt(1 + 1 / count)
    return mean - reach, mean + reach


def change_point(values: Sequence[float], *, seed: int, resamples: int = RESAMPLES) -> ChangePoint | None:
    """The split of a series that parts it most, at least three values on each side, and whether chance does as much.

    The statistic is |mean before - mean after| * sqrt(k (n - k) / n), largest over k; the p-value is of the same
    largest over random orders of the values, the found one added (Pettitt 1979 with means in the place of ranks; the
    permutation as in Matteson and James 2014). None with fewer than six values.
    """
    series = np.asarray(values, dtype=np.float64)
    count = len(series)
    if count < 2 * LEAST:
        return None
    splits = np.arange(LEAST, count - LEAST + 1)
    weights = np.sqrt(splits * (count - splits) / count)

    def parted(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.cumsum(rows, axis=1)
        first = sums[:, splits - 1] / splits
        rest = (sums[:, -1:] - sums[:, splits - 1]) / (count - splits)
        found: NDArray[np.float64] = np.abs(first - rest) * weights
        return found

    mine = parted(series[None, :])[0]
    place = int(np.argmax(mine))
    generator = np.random.default_rng(seed)
    orders = generator.permuted(np.tile(series, (resamples, 1)), axis=1)
    tie = _TIE * float(np.abs(series).max(initial=0.0))
    p = (1 + int(np.count_nonzero(parted(orders).max(axis=1) >= mine[place] - tie))) / (1 + resamples)
    split = int(splits[place])
    return ChangePoint(split, float(series[:split].mean()), float(series[split:].mean()), p)
