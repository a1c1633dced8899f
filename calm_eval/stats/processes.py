"""Medians of step times, and ratios of two, with intervals over whole processes.

Steps of one process are alike: it keeps its place in memory, its threads and the hour of day, so the unit of chance is
the process. There are few of them, and resampling three or five values never leaves their range. The interval is
Student's instead, of the processes' medians on a log scale (times are positive, and what disturbs them multiplies), and
it is one for another measurement of the same size: that is what a reader compares with. Its half width is
t * s * sqrt(2 / n) for n processes (prediction of a mean of n more). Of two systems whose processes lived side by side
the ratio of each pair counts, so that a machine that slowed down slowed both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from calm_eval.stats.student import t_quantile

LEVEL = 0.95
NAME = "t interval over processes, for another measurement of this size"

Groups = Sequence[NDArray[np.float64]]
"""One array of measurements a process."""
Interval = tuple[float, float] | None


def median_interval(groups: Groups, *, level: float = LEVEL) -> tuple[float, Interval]:
    """Geometric mean over processes of each one's median, and where another measurement's would lie.

    The interval is None with fewer than two processes. Raises ValueError without a measurement, or where a process's
    median is not above 0.
    """
    logs = _logs(groups)
    return math.exp(logs.mean()), _around(logs, level)


def ratio_of_medians(top: Groups, bottom: Groups, *, level: float = LEVEL) -> tuple[float, Interval]:
    """`median_interval` of `top` over that of `bottom`, and where another measurement's ratio would lie.

    With as many processes of both, place i of both lived side by side. Otherwise the two vary by themselves, with the
    degrees of freedom of the smaller. None with fewer than two processes of either. Raises as `median_interval`.
    """
    logs, others = _logs(top), _logs(bottom)
    if len(logs) == len(others):
        return math.exp((logs - others).mean()), _around(logs - others, level)
    value = math.exp(logs.mean() - others.mean())
    few = min(len(logs), len(others))
    if few < 2:
        return value, None
    spread = math.sqrt(2 * sum(float(one.var(ddof=1)) / len(one) for one in (logs, others)))
    return value, _times(value, t_quantile((1 + level) / 2, few - 1) * spread)


def _logs(groups: Groups) -> NDArray[np.float64]:
    """The logarithm of each process's median."""
    medians = np.array([np.median(group) for group in groups if len(group)])
    if not len(medians):
        raise ValueError("no measurements")
    if not (medians > 0).all():
        raise ValueError(f"a process with a median of {medians.min():g}: times are above 0")
    return np.asarray(np.log(medians))


def _around(logs: NDArray[np.float64], level: float) -> Interval:
    count = len(logs)
    if count < 2:
        return None
    reach = t_quantile((1 + level) / 2, count - 1) * float(logs.std(ddof=1)) * math.sqrt(2 / count)
    return _times(math.exp(logs.mean()), reach)


def _times(value: float, reach: float) -> tuple[float, float]:
    return value * math.exp(-reach), value * math.exp(reach)
