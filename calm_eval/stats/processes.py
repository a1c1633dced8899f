"""Medians of step times, and ratios of two, with intervals over whole processes.

Steps of one process are alike: it keeps its place in memory, its threads and the hour of day. The unit that is drawn
again is the process. Of two systems whose processes lived side by side both are drawn together, so that a machine that
slowed down slowed both. The interval is the percentile one, widened for few processes as in `bootstrap.py` (Hesterberg
2015, section 3.2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from calm_eval.stats.student import t_quantile

RESAMPLES = 2_000
LEVEL = 0.95
NAME = "percentile bootstrap over processes"

Groups = Sequence[NDArray[np.float64]]
"""One array of measurements a process."""


def median_interval(groups: Groups, *, seed: int, level: float = LEVEL) -> tuple[float, tuple[float, float] | None]:
    """Median of all measurements, and its interval; None with fewer than two processes.

    Raises ValueError when there is no measurement.
    """
    value = _median(groups)
    return value, _interval(len(groups), lambda drawn: _median([groups[place] for place in drawn]), seed, level)


def ratio_of_medians(
    top: Groups, bottom: Groups, *, seed: int, level: float = LEVEL
) -> tuple[float, tuple[float, float] | None]:
    """Median of `top` over median of `bottom`, and its interval.

    With as many processes of both, place i of both lived side by side and is drawn together; otherwise each is drawn
    by itself. None with fewer than two processes of either. Raises ValueError without a measurement, or where the
    median of `bottom` is not above 0.
    """
    below = _median(bottom)
    if not below > 0:
        raise ValueError(f"a ratio over a median of {below}")
    value = _median(top) / below
    if min(len(top), len(bottom)) < 2:
        return value, None
    if len(top) == len(bottom):
        return value, _interval(
            len(top),
            lambda drawn: _median([top[place] for place in drawn]) / _median([bottom[place] for place in drawn]),
            seed,
            level,
        )
    generator = np.random.default_rng(seed)

    def both(drawn: NDArray[np.int64]) -> float:
        other = generator.integers(len(bottom), size=len(bottom))
        return _median([top[place] for place in drawn]) / _median([bottom[place] for place in other])

    return value, _interval(len(top), both, seed, level, fewest=min(len(top), len(bottom)))


def _median(groups: Groups) -> float:
    pooled = np.concatenate([np.asarray(group, dtype=np.float64) for group in groups]) if len(groups) else np.zeros(0)
    if not len(pooled):
        raise ValueError("no measurements")
    return float(np.median(pooled))


def _interval(
    count: int, statistic: Callable[[NDArray[np.int64]], float], seed: int, level: float, fewest: int | None = None
) -> tuple[float, float] | None:
    few = count if fewest is None else fewest
    if few < 2:
        return None
    draws = np.random.default_rng([seed, count]).integers(count, size=(RESAMPLES, count))
    drawn = np.sort([statistic(draw) for draw in draws])
    wide = math.sqrt(few / (few - 1)) * t_quantile((1 + level) / 2, few - 1)
    tail = NormalDist().cdf(-wide)
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)
