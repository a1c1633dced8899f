"""Two rows on the same items: the difference, its interval, and whether it could be chance.

The interval is the BCa bootstrap of `bootstrap.py` (Efron 1987) with items, and then seeds, drawn once for both rows: a
hard item is hard for both and drops out of the difference. The p-value is of Fisher's randomisation test for pairs (The
Design of Experiments, 1935, section 21): if the rows were alike, an item's two results could as well stand the other
way round. For values over the same denominators that flips the signs of the items' differences. All assignments are
counted for few items; for many they are drawn, with the one that was found added (Phipson and Smyth 2010, "Permutation
p-values should never be zero").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calm_eval.stats.bootstrap import LEVEL, RESAMPLES, TIE, bca, drawn_places, left_out, ratios_at

EXACT_ITEMS = 13
"""With at most so many items all assignments are counted."""
NAME = "sign-flip test over items"

_CHUNK = 2_000_000


@dataclass(frozen=True)
class PairedDifference:
    """First row less second, in the metric's unit. `low` and `high` bound the interval, `p` is two-sided in (0, 1].

    Interval and p are None with fewer than two items.
    """

    difference: float
    low: float | None
    high: float | None
    p: float | None
    n_items: int


def paired_difference(
    first: tuple[ArrayLike, ArrayLike],
    second: tuple[ArrayLike, ArrayLike],
    *,
    seed: int,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> PairedDifference | None:
    """The difference of two ratios sum(numerators) / sum(denominators) on the same items and seeds.

    Each row is (numerators, denominators), [items] or [items, seeds], with the same item and seed in the same place;
    the order of items does not matter. A mean is the case of all denominators 1. A seed that either row lacks is 0 over
    0 in both. An item's seeds are summed before the test, so that they are swapped together. None where a row has no
    positive denominator. Raises ValueError for other shapes and for what is not finite.
    """
    pair = _pair(first, second)
    if pair is None:
        return None
    top, bottom, other_top, other_bottom = pair.parts
    found, tie, count = pair.found, pair.tie, len(top)
    if count < 2:
        return PairedDifference(found, None, None, None, count)
    values = np.empty(resamples)
    for place, drawn in drawn_places(count, top.shape[1], seed, resamples):
        values[place] = ratios_at(top, bottom, drawn) - ratios_at(other_top, other_bottom, drawn)
    sums = pair.sums
    without = left_out(sums[0], sums[1]) - left_out(sums[2], sums[3])
    low, high = bca(values[np.isfinite(values)], found, without, count, tie=tie, level=level)
    return PairedDifference(found, low, high, _swap_test(pair, seed, resamples), count)


def paired_p(
    first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike], *, seed: int, resamples: int = RESAMPLES
) -> float | None:
    """The p-value of `paired_difference` alone, without its interval; None also with fewer than two items."""
    pair = _pair(first, second)
    return None if pair is None or len(pair.parts[0]) < 2 else _swap_test(pair, seed, resamples)


def smallest_p(items: int, resamples: int = RESAMPLES) -> float:
    """The least p that so many items can give: the found assignment and its mirror, of all of them."""
    return min(1.0, 2 / 2**items) if items <= EXACT_ITEMS else 1 / (resamples + 1)


@dataclass(frozen=True)
class _Pair:
    """Top and bottom of both rows [items, seeds], their difference, and what is as good as no difference."""

    parts: list[NDArray[np.float64]]
    found: float
    tie: float

    @property
    def sums(self) -> list[NDArray[np.float64]]:
        """The parts with each item's seeds summed [items]."""
        return [part.sum(axis=1) for part in self.parts]


def _pair(first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike]) -> _Pair | None:
    """Checked, in an order that does not depend on that of the items; None without a positive denominator."""
    rows = [np.asarray(part, dtype=np.float64) for part in (*first, *second)]
    if rows[0].ndim not in (1, 2) or any(part.shape != rows[0].shape for part in rows):
        raise ValueError(f"four arrays alike, [items] or [items, seeds], got {[part.shape for part in rows]}")
    if not all(np.isfinite(part).all() for part in rows):
        raise ValueError("numerators and denominators must be finite")
    count = len(rows[0])
    if not count or rows[1].sum() <= 0 or rows[3].sum() <= 0:
        return None
    top, bottom, other_top, other_bottom = parts = _in_order([part.reshape(count, -1) for part in rows])
    found = float(top.sum() / bottom.sum() - other_top.sum() / other_bottom.sum())
    tie = TIE * float(np.abs(top).sum() / bottom.sum() + np.abs(other_top).sum() / other_bottom.sum())
    return _Pair(parts, found, tie)


def _in_order(parts: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """The parts [items, seeds] sorted by their values, so that the same pairs give the same result in any order."""
    inner = np.lexsort(parts[::-1], axis=1)
    parts = [np.take_along_axis(part, inner, axis=1) for part in parts]
    outer = np.lexsort([column for part in parts for column in part.T])
    return [part[outer] for part in parts]


def _swap_test(pair: _Pair, seed: int, resamples: int) -> float:
    """Share of assignments of items' results to the rows whose difference is at least as far from 0."""
    sums, found, tie, generator = pair.sums, pair.found, pair.tie, np.random.default_rng([seed, 1])
    count = len(sums[0])
    if count <= EXACT_ITEMS:
        swapped = (np.arange(2**count)[:, None] >> np.arange(count) & 1).astype(np.float64)
        far, valid = _as_far(swapped, sums, found, tie)
        return far / valid
    far, valid = 0, 0
    step = max(1, _CHUNK // count)
    for start in range(0, resamples, step):
        swapped = generator.integers(0, 2, size=(min(step, resamples - start), count)).astype(np.float64)
        here = _as_far(swapped, sums, found, tie)
        far, valid = far + here[0], valid + here[1]
    return (far + 1) / (valid + 1)


def _as_far(swapped: NDArray[np.float64], sums: list[NDArray[np.float64]], found: float, tie: float) -> tuple[int, int]:
    """How many assignments (1: swapped [assignments, items]) differ at least as much, and how many are defined."""
    top, bottom, other_top, other_bottom = sums
    tops, bottoms = swapped @ (other_top - top), swapped @ (other_bottom - bottom)
    below, other_below = bottom.sum() + bottoms, other_bottom.sum() - bottoms
    defined = (below > 0) & (other_below > 0)
    mine = (top.sum() + tops)[defined] / below[defined]
    others = (other_top.sum() - tops)[defined] / other_below[defined]
    return int(np.count_nonzero(np.abs(mine - others) >= abs(found) - tie)), int(np.count_nonzero(defined))
