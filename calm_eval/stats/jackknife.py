"""Delete-group jackknife: an interval for statistics whose bias shrinks like 1 / n, such as a Fréchet distance.

A bootstrap draws items again and so adds that bias a second time: its interval lies above the truth. The jackknife
takes the bias out. Groups of unequal size after Busing, Meijer and van der Leeden 1999, "Delete-m jackknife for unequal
m"; with equal sizes it is the usual one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calm_eval.stats.student import t_quantile

GROUPS = 20
LEVEL = 0.95
NAME = "delete-group jackknife"


@dataclass(frozen=True)
class Jackknife:
    """`value` on everything, `corrected` for its first-order bias, standard `error`, 95 % interval `low` to `high`.

    The interval is `corrected` plus and minus t times `error`, t with `freedom` degrees of freedom. It may reach below
    a bound of the statistic.
    """

    value: float
    corrected: float
    error: float
    low: float
    high: float
    freedom: int
    groups: int


def deal(names: Iterable[str], groups: int = GROUPS) -> dict[str, int]:
    """A group for every name, 0 to groups - 1: by the order of their sha256, dealt in turn.

    Sizes differ by one at most, and neither the order of the names nor what they mean plays a part. With fewer names
    than groups each is its own group. Raises ValueError for a name twice or no group.
    """
    told = list(names)
    if groups < 1:
        raise ValueError(f"at least one group, got {groups}")
    if len(set(told)) != len(told):
        raise ValueError("a name is there twice")
    told.sort(key=lambda name: hashlib.sha256(name.encode("utf-8")).digest())
    return {name: place % groups for place, name in enumerate(told)}


def jackknife(
    statistic: Callable[[Sequence[int]], float],
    groups: int,
    sizes: Sequence[float] | None = None,
    level: float = LEVEL,
) -> Jackknife | None:
    """Jackknife of `statistic`, a function of which groups (numbers from 0) are kept.

    `sizes` says how much each group holds (frames or items), all alike when left out. None for fewer than two groups.
    Raises ValueError for sizes that do not fit or are not positive, and for a value that is not finite.
    """
    if groups < 2:
        return None
    every = list(range(groups))
    left_out = [statistic([kept for kept in every if kept != out]) for out in every]
    return jackknife_of(statistic(every), left_out, sizes, level)


def jackknife_of(
    value: float, left_out: ArrayLike, sizes: Sequence[float] | None = None, level: float = LEVEL
) -> Jackknife:
    """As `jackknife` from values that are known: on everything, and with each group left out in turn [groups].

    Raises ValueError for fewer than two groups and as `jackknife`.
    """
    found = np.asarray(left_out, dtype=np.float64)
    groups = len(found)
    weights = np.ones(groups) if sizes is None else np.asarray(sizes, dtype=np.float64)
    if groups < 2 or weights.shape != (groups,) or not (np.isfinite(weights).all() and (weights > 0).all()):
        raise ValueError(f"a positive size for each of at least two groups, got {list(weights)}")
    if not (math.isfinite(value) and np.isfinite(found).all()):
        raise ValueError("the statistic is not finite on every set of groups")
    corrected, variance = _corrected(value, found, weights / weights.sum())
    return interval(value, corrected, math.sqrt(variance), groups - 1, groups, level)


def _corrected(value: float, left_out: NDArray[np.float64], shares: NDArray[np.float64]) -> tuple[float, float]:
    """Bias-corrected value and its variance from the values with one group left out."""
    groups = len(left_out)
    corrected = groups * value - float(((1 - shares) * left_out).sum())
    pseudo = (value - (1 - shares) * left_out) / shares
    variance = float(((pseudo - corrected) ** 2 / (1 / shares - 1)).mean())
    return corrected, variance


def interval(
    value: float, corrected: float, error: float, freedom: int, groups: int, level: float = LEVEL
) -> Jackknife:
    """The interval of Student's t around a corrected value."""
    reach = t_quantile((1 + level) / 2, freedom) * error
    return Jackknife(value, corrected, error, corrected - reach, corrected + reach, freedom, groups)


def both(first: Jackknife, second: Jackknife, level: float = LEVEL) -> Jackknife:
    """One statistic of two independent sets, each jackknifed with the other whole: corrections and variances add.

    Degrees of freedom by Welch and Satterthwaite, rounded down. Raises ValueError for different values.
    """
    if not math.isclose(first.value, second.value, rel_tol=1e-6, abs_tol=1e-12):
        raise ValueError(f"two jackknives of one value, got {first.value} and {second.value}")
    corrected = first.corrected + second.corrected - first.value
    variances = first.error**2, second.error**2
    spread = sum(variances)
    doubt = sum(variance**2 / one.freedom for variance, one in zip(variances, (first, second), strict=True))
    freedom = int(spread**2 / doubt) if doubt > 0 else min(first.freedom, second.freedom)
    return interval(first.value, corrected, math.sqrt(spread), freedom, min(first.groups, second.groups), level)
