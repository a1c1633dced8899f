"""The words of a comparison, and intervals that overlap."""

from __future__ import annotations

import pytest

from calm_eval.stats.estimate import Estimate
from calm_eval.stats.verdict import intervals_meet, verdict


@pytest.mark.parametrize(
    ("difference", "p", "higher_is_better", "said"),
    [
        (1.0, 0.01, True, "better"),
        (1.0, 0.01, False, "worse"),
        (-1.0, 0.01, True, "worse"),
        (-1.0, 0.01, False, "better"),
        (1.0, 0.05, True, "not distinguishable"),
        (0.0, 0.01, True, "not distinguishable"),
    ],
)
def test_a_difference_is_told_only_below_the_level(
    difference: float, p: float, *, higher_is_better: bool, said: str
) -> None:
    assert verdict(difference, p, higher_is_better=higher_is_better) == said


def of(value: float, low: float | None = None, high: float | None = None) -> Estimate:
    return Estimate(value, low, high, 4, 4, 4, 1, "")


def test_intervals_that_touch_meet_and_without_one_nothing_is_told_apart() -> None:
    assert intervals_meet(of(1, 0, 2), of(3, 2, 4))
    assert intervals_meet(of(3, 2, 4), of(1, 0, 2))
    assert not intervals_meet(of(1, 0, 2), of(3, 2.5, 4))
    assert intervals_meet(of(1), of(9, 8, 10))
    assert intervals_meet(of(9, 8, 10), of(1))
