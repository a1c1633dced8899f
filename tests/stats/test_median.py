from __future__ import annotations

import numpy as np
import pytest

from calm_eval.stats.median import median_interval


def test_places_are_those_of_the_sign_test():
    """Conover 1999, table of the binomial with 1/2: n = 10 takes the 2nd and the 9th value (97.9 %)."""
    assert median_interval(list(range(1, 11))) == (2, 9)
    assert median_interval([3, 1, 2, 6, 5, 4]) == (1, 6)


def test_too_few_values_have_none():
    assert median_interval([1, 2, 3, 4, 5]) is None


def test_it_covers():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(2000):
        low, high = median_interval(rng.exponential(size=25).tolist())
        held += low <= np.log(2) <= high
    # The 8th and the 18th of 25 cover 95.7 % exactly.
    assert held / 2000 == pytest.approx(0.957, abs=0.015)


def test_a_value_that_is_not_finite_is_an_error():
    with pytest.raises(ValueError, match="not finite"):
        median_interval([1.0] * 9 + [float("nan")])
