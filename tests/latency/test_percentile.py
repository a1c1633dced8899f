"""Early stopping: exact binomial sums stand beside ours, and the counts that MLPerf prints."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from calm_eval.latency.percentile import needed, percentile


def qualify(count: int, share: Fraction) -> int:
    """The largest t with P(Binomial(count, 1 - share) <= t) <= 1 %, by whole numbers alone."""
    good, rare, below, found = share.numerator, share.denominator - share.numerator, 0, 0
    for k in range(count + 1):
        below += comb(count, k) * rare**k * good ** (count - k)
        if 100 * below > share.denominator**count:
            return found
        found = k
    return found


@pytest.mark.parametrize(("share", "count"), [(0.9, 64), (0.99, 662)])
def test_the_fewest_measurements_are_those_that_mlperf_states(share, count):
    assert needed(share) == count


@pytest.mark.parametrize(("share", "exact"), [(0.5, Fraction(1, 2)), (0.9, Fraction(9, 10)), (0.95, Fraction(19, 20))])
@pytest.mark.parametrize("count", [12, 64, 70, 130, 500])
def test_the_bound_is_the_highest_left_after_an_exact_binomial_count(share, exact, count):
    values = np.random.default_rng(count).permutation(np.arange(1, count + 1)).astype(float)
    found = percentile(values, share)
    discard = qualify(count, exact)
    if discard:
        assert found.bound == count - discard + 1
        assert found.lacking == 0
    else:
        assert found.bound is None
        assert found.lacking == next(n for n in range(count, 10_000) if qualify(n, exact)) - count


def test_the_value_is_that_of_loadgen_without_interpolation():
    assert percentile(range(10), 0.5).value == 5
    assert percentile(range(10), 0.95).value == 9
    assert percentile([7.0], 0.99).value == 7


def test_order_says_nothing_and_scale_goes_through():
    values = np.random.default_rng(0).gamma(2.0, size=700)
    found, other = percentile(values, 0.99), percentile(3 * values[::-1], 0.99)
    assert (other.value, other.bound) == pytest.approx((3 * found.value, 3 * found.bound))


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.0)])
def test_nothing_and_no_share_are_refused(values, share):
    with pytest.raises(ValueError, match=r"no measurements|share inside"):
        percentile(values, share)
