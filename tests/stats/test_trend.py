"""The next value of a series and a level that moved: closed forms, and how often chance is mistaken for a change."""

from __future__ import annotations

import numpy as np
import pytest

from calm_eval.stats.trend import change_point, prediction_bounds


@pytest.mark.parametrize(("count", "sigmas"), [(5, 4.10), (10, 2.96), (20, 2.60)])
def test_the_reach_in_standard_deviations(count, sigmas) -> None:
    """t(0.99, k - 1) sqrt(1 + 1/k): 4.10, 2.96 and 2.60 for 5, 10 and 20 values."""
    values = np.random.default_rng(count).normal(size=count)
    low, high = prediction_bounds(values)
    assert (high - values.mean()) / values.std(ddof=1) == pytest.approx(sigmas, abs=0.005)
    assert high - values.mean() == pytest.approx(values.mean() - low)


def test_one_value_in_a_hundred_lies_above() -> None:
    """4,000 series of ten and a next value: 1 of 100, give or take 2.6 standard errors."""
    series = np.random.default_rng(1).normal(size=(4000, 11))
    above = sum(row[10] > prediction_bounds(row[:10])[1] for row in series) / 4000
    assert 0.01 - 0.0041 <= above <= 0.01 + 0.0041


def test_a_step_is_found_where_it_is() -> None:
    found = change_point([1.0, 1.1, 0.9, 1.0, 3.0, 3.1, 2.9, 3.0], seed=1)
    assert (found.place, found.before, found.after) == (4, pytest.approx(1.0), pytest.approx(3.0))
    # Of 8! / (4! 4!) ways to choose the four large ones, two part the series as far.
    assert found.p == pytest.approx(2 / 70, abs=0.01)


def test_a_level_series_has_no_change() -> None:
    """400 series of twelve: p at most 0.05 in 5 of 100, give or take 2.6 standard errors."""
    series = np.random.default_rng(3).normal(size=(400, 12))
    rare = sum(change_point(row, seed=place, resamples=199).p <= 0.05 for place, row in enumerate(series)) / 400
    assert rare <= 0.05 + 0.029
    assert change_point([2.0] * 8, seed=1).p == 1.0


def test_too_few() -> None:
    assert prediction_bounds([1.0, 2.0]) is None
    assert change_point([1.0] * 5, seed=1) is None
