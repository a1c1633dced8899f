"""How many items or seeds would decide: from the loss and its error as they are, and for a suite to come."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from calm_eval.stats.loss import Loss
from calm_eval.stats.student import t_quantile

POWER = 0.8
MOST = 10_000_000
"""More items than this are no answer."""


@dataclass(frozen=True)
class Noise:
    """Standard deviations of one item's part in a loss: `items` of its mean over seeds, `seeds` of one seed around it.

    In the metric's unit; a loss over n items with s seeds each has the error sqrt((items^2 + seeds^2 / s) / n).
    `known` is False where one seed alone was there, so that what a run varies by cannot be told from the items.
    """

    items: float
    seeds: float
    known: bool = True

    def error(self, items: int, seeds: int) -> float:
        """Standard error of a loss over so many items and seeds."""
        return math.sqrt((self.items**2 + self.seeds**2 / seeds) / items)


def items_to_decide(loss: Loss, margin: float) -> int | None:
    """Items at which the bound would fall on one side, should loss and spread stay as they are. None where none would.

    Below the margin the upper bound has to come below it; from the margin on, the lower bound above 0.
    """
    room = _room(loss, margin)
    if loss.error is None or room is None:
        return None
    reach = NormalDist().inv_cdf(loss.level) * loss.error * math.sqrt(loss.n_items)
    wanted = math.ceil((reach / room) ** 2)
    return max(wanted, loss.n_items + 1) if wanted < MOST else None


def seeds_to_decide(loss: Loss, margin: float, noise: Noise) -> int | None:
    """As `items_to_decide`, with the items that there are and more seeds each; None where no number of seeds does."""
    room = _room(loss, margin)
    if not noise.known or loss.error is None or room is None:
        return None
    left = loss.n_items * (room / NormalDist().inv_cdf(loss.level)) ** 2 - noise.items**2
    return math.ceil(noise.seeds**2 / left) if left > 0 and noise.seeds**2 / left < MOST else None


def _room(loss: Loss, margin: float) -> float | None:
    """What a bound has to cover: up to the margin from below it, down to 0 from above; None at the margin itself."""
    if loss.loss == margin:
        return None
    return margin - loss.loss if loss.loss < margin else loss.loss


def items_for_power(noise: Noise, margin: float, seeds: int, *, alpha: float, power: float = POWER) -> int | None:
    """Items with which a candidate that lost nothing passes with probability `power`. None above ten million.

    (t + z) errors must fit below the margin (Cohen 1988, section 2.4, one-sided). That is enough for a FAIL at twice
    the margin too: there the loss found must reach the margin (z errors) and its lower bound 0 (t + z errors of 2).
    """
    held: Callable[[int], bool] = lambda count: smallest_margin(noise, count, seeds, alpha=alpha, power=power) <= margin  # noqa: E731
    # Ever smaller with more items: halving finds the least number that holds.
    found = bisect.bisect_left(range(2, MOST + 1), True, key=held) + 2
    return found if found <= MOST else None


def smallest_margin(noise: Noise, items: int, seeds: int, *, alpha: float, power: float = POWER) -> float:
    """The least margin that a candidate that lost nothing passes with probability `power`, from two items on."""
    return noise.error(items, seeds) * (t_quantile(1 - alpha, items - 1) + NormalDist().inv_cdf(power))


def noise_between_runs(numerators: ArrayLike, denominators: ArrayLike) -> Noise | None:
    """What the loss would vary by between two runs of one system, from its values [items, seeds].

    Each seed's part in the ratio is made linear ((top - ratio * bottom) over the mean bottom); the variance within
    items is the seeds' (one-way analysis of variance). Two runs of one system differ by twice that, and by nothing
    between items. With one seed the variance between items stands for it, which is too much rather than too little. A
    seed without a value is 0 over 0 and is left out. None with fewer than two items or no positive denominator.
    """
    top, bottom = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    if top.ndim != 2 or top.shape != bottom.shape:
        raise ValueError(f"two arrays [items, seeds], got {top.shape} and {bottom.shape}")
    there = (bottom > 0) | (top != 0)
    count, total = int(there.any(axis=1).sum()), float(bottom.sum())
    if count < 2 or total <= 0:
        return None
    parts = (top - top.sum() / total * bottom) / (total / there.sum())
    each = there.sum(axis=1)
    means = np.divide(np.where(there, parts, 0).sum(axis=1), each, out=np.zeros(len(each)), where=each > 0)
    within = float((np.where(there, parts - means[:, None], 0) ** 2).sum())
    freedom = int(there.sum()) - count
    if freedom < 1:
        spread = float(np.var(means[each > 0], ddof=1))
        return Noise(0.0, math.sqrt(2 * spread), known=False)
    return Noise(0.0, math.sqrt(2 * within / freedom))


def noise_of_pairs(candidate: tuple[ArrayLike, ArrayLike], baseline: tuple[ArrayLike, ArrayLike]) -> Noise | None:
    """What a loss of these two rows varies by, from their values [items, seeds]: between items, and between seeds."""
    sides = []
    for top, bottom in (candidate, baseline):
        above, below = np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64)
        if below.sum() <= 0 or len(above) < 2:
            return None
        sides.append((above - above.sum() / below.sum() * below) / (below.sum() / below.size))
    parts = sides[0] - sides[1]
    count, seeds = parts.shape
    means = parts.mean(axis=1)
    between = float(np.var(means, ddof=1))
    if seeds < 2:
        return Noise(math.sqrt(between), 0.0, known=False)
    within = float(((parts - means[:, None]) ** 2).sum() / (count * (seeds - 1)))
    # What the seeds add to the items' means is theirs; an estimate below 0 stands for 0.
    return Noise(math.sqrt(max(0.0, between - within / seeds)), math.sqrt(within))
