"""Item bootstrap: the unit that is drawn again is the item, then a seed of it, never a word or a frame.

BCa interval (Efron 1987, "Better bootstrap confidence intervals", eq. 6.8), its normal quantiles widened for few items
by sqrt(n / (n - 1)) * t / z (Hesterberg 2015, "What teachers should know about the bootstrap", section 3.2). A ratio
such as corpus WER draws errors and lengths together (Bisani and Ney, ICASSP 2004). Most items of a good system have no
error at all, and there a plain percentile interval misses the truth far too often: `benchmarks/bootstrap_coverage.py`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calm_eval.stats.student import t_quantile

RESAMPLES = 10_000
LEVEL = 0.95
NAME = "BCa bootstrap"

_CHUNK = 2_000_000
_KEPT = 10_000_000
"""So many drawn places, 40 MB, are kept for the next row."""
TIE = 1e-12
"""Resamples nearer to the estimate than this, relative to the values' size, differ by rounding only."""

_NORMAL = NormalDist()


def ratio_interval(
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    seed: int,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> tuple[float, float] | None:
    """BCa interval of sum(numerators) / sum(denominators) under resampling of items, both drawn together.

    One entry an item, in any order: the same items give the same interval. A mean is the case of all denominators 1.
    With several seeds the arrays are [items, seeds], and each item that is drawn draws its seeds again: the interval is
    of other items and of other noise. A seed without a value is 0 over 0. None with fewer than two items or no positive
    denominator. Resamples whose denominators sum to 0 are left out (only possible when items have 0 themselves). Items
    that leave nothing to vary give an interval of no width.
    """
    top = np.asarray(numerators, dtype=np.float64)
    bottom = np.asarray(denominators, dtype=np.float64)
    if top.shape != bottom.shape or top.ndim not in (1, 2):
        raise ValueError(f"one numerator and one denominator an item, got {top.shape} and {bottom.shape}")
    count = len(top)
    if count < 2 or bottom.sum() <= 0:
        return None
    top, bottom = top.reshape(count, -1), bottom.reshape(count, -1)
    if not (np.isfinite(top).all() and np.isfinite(bottom).all()):
        raise ValueError("numerators and denominators must be finite")
    inner = np.lexsort((bottom, top), axis=1)
    top, bottom = np.take_along_axis(top, inner, axis=1), np.take_along_axis(bottom, inner, axis=1)
    order = np.lexsort((*bottom.T[::-1], *top.T[::-1]))
    top, bottom = top[order], bottom[order]
    estimate = float(top.sum() / bottom.sum())
    values = _resampled(top, bottom, seed, resamples)
    tie = TIE * float(np.abs(top).sum() / bottom.sum())
    return bca(values, estimate, left_out(top.sum(axis=1), bottom.sum(axis=1)), count, tie=tie, level=level)


def bca(
    values: NDArray[np.float64],
    estimate: float,
    without: NDArray[np.float64],
    count: int,
    *,
    tie: float,
    level: float = LEVEL,
) -> tuple[float, float]:
    """The widened BCa interval from the resamples' `values`, of a statistic of `count` items.

    `without` holds the statistic with one item left out at a time, where it is defined. Values nearer to `estimate`
    than `tie` count as equal to it. Where all are, the interval has no width.
    """
    if float(np.abs(values - estimate).max(initial=0.0)) <= tie:
        return estimate, estimate
    below = np.count_nonzero(values < estimate - tie)
    same = np.count_nonzero(np.abs(values - estimate) <= tie)
    share = (below + same / 2) / len(values)
    bias = _NORMAL.inv_cdf(min(max(share, 0.5 / len(values)), 1 - 0.5 / len(values)))
    reach = math.sqrt(count / (count - 1)) * t_quantile((1 + level) / 2, count - 1)
    skew = _acceleration(without)
    low, high = np.quantile(values, [_corrected(-reach, bias, skew), _corrected(reach, bias, skew)])
    return float(low), float(high)


def draws(
    count: int, seeds: int, generator: np.random.Generator, resamples: int
) -> Iterator[tuple[slice, NDArray[np.int64], NDArray[np.int64] | int]]:
    """Which items [rows, count, 1] and which seeds of each [rows, count, seeds] make the resamples of a slice.

    In chunks, so that memory does not grow with the number of items. Without several seeds the second is 0.
    """
    step = max(1, _CHUNK // (count * seeds))
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = generator.integers(0, count, size=(rows, count, 1))
        of_item = generator.integers(0, seeds, size=(rows, count, seeds)) if seeds > 1 else 0
        yield slice(start, start + rows), drawn, of_item


def ratios(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over items and seeds [rows, items, seeds] divided; NaN where the denominators do not sum above 0."""
    above, below = top.sum(axis=(1, 2)), bottom.sum(axis=(1, 2))
    found: NDArray[np.float64] = np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0)
    return found


def left_out(top: NDArray[np.float64], bottom: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ratio with each item [items] left out in turn, NaN where it is not defined."""
    rest = bottom.sum() - bottom
    found: NDArray[np.float64] = np.divide(top.sum() - top, rest, out=np.full(len(rest), np.nan), where=rest > 0)
    return found


def _resampled(top: NDArray[np.float64], bottom: NDArray[np.float64], seed: int, resamples: int) -> NDArray[np.float64]:
    """The ratio in each resample, where it is defined. Both [items, seeds]: items are drawn, then seeds of each."""
    values = np.empty(resamples)
    for place, drawn in drawn_places(len(top), top.shape[1], seed, resamples):
        values[place] = ratios_at(top, bottom, drawn)
    return values[np.isfinite(values)]


def ratios_at(top: NDArray[np.float64], bottom: NDArray[np.float64], drawn: NDArray[np.int32]) -> NDArray[np.float64]:
    """The ratio of each resample whose places [rows, items, seeds] in both [items, seeds] are `drawn`."""
    above = top.take(drawn)
    # The denominators of a mean need not be gathered: their sum is the number of values.
    return above.sum(axis=(1, 2)) / top.size if (bottom == 1.0).all() else ratios(above, bottom.take(drawn))


def drawn_places(count: int, seeds: int, seed: int, resamples: int) -> Iterable[tuple[slice, NDArray[np.int32]]]:
    """`draws` as places in a flattened [items, seeds]: [rows, items, seeds]; few are kept for the next row."""
    few = count * seeds * resamples <= _KEPT
    return (_kept_draws if few else _flat_draws)(count, seeds, seed, resamples)


def _flat_draws(count: int, seeds: int, seed: int, resamples: int) -> Iterator[tuple[slice, NDArray[np.int32]]]:
    """As `draws`, as places in a flattened [items, seeds]: [rows, items, seeds]."""
    for place, drawn, of_item in draws(count, seeds, np.random.default_rng(seed), resamples):
        yield place, np.asarray(drawn * seeds + of_item, dtype=np.int32)


@functools.lru_cache(maxsize=1)
def _kept_draws(count: int, seeds: int, seed: int, resamples: int) -> Sequence[tuple[slice, NDArray[np.int32]]]:
    """`_flat_draws`, made once for all rows of a metric: they are drawn by one seed."""
    return list(_flat_draws(count, seeds, seed, resamples))


def _acceleration(without: NDArray[np.float64]) -> float:
    """Efron's acceleration from the jackknife: how the standard error changes with the value, 0 without skew."""
    without = without[np.isfinite(without)]
    if not without.size:
        return 0.0
    away = without.mean() - without
    spread = float((away**2).sum())
    return float((away**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0


def _corrected(z: float, bias: float, skew: float) -> float:
    """The share of resamples below the bound that a normal quantile `z` stands for."""
    shrink = 1 - skew * (bias + z)
    if shrink <= 0:
        return 1.0 if z > 0 else 0.0
    return _NORMAL.cdf(bias + (bias + z) / shrink)
