"""What a comparison says in words, by one level everywhere."""

from __future__ import annotations

from typing import Literal

from calm_eval.stats.estimate import Estimate

ALPHA = 0.05
"""The level of the tests in tables and comparisons; the p-values are adjusted before they are held against it."""

Verdict = Literal["better", "worse", "not distinguishable"]


def verdict(difference: float, p: float, *, higher_is_better: bool) -> Verdict:
    """What an adjusted p-value in [0, 1] says of a difference, first less second, in the metric's unit."""
    if p >= ALPHA or difference == 0:
        return "not distinguishable"
    return "better" if (difference > 0) == higher_is_better else "worse"


def intervals_meet(one: Estimate, other: Estimate) -> bool:
    """Whether two 95 % intervals overlap. Where one has none nothing is known of its noise, and they may.

    Intervals that do not meet are a sign of a difference; intervals that do may hide one (Schenker and Gentleman 2001,
    "On judging the significance of differences by examining the overlap between confidence intervals").
    """
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return True
    return one.low <= other.high and other.low <= one.high
